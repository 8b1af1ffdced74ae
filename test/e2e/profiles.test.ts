/** Profiles as their users go through them: the slower run of last week, why it was slower, and files to hand on. */

import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { askApi, link, SOON } from './console.ts';
import { withStore } from './past.ts';
import { BASELINE, MARKUP, putWeeks, SLOW_RANK, SLOWER } from './past-runs.ts';
import { Program } from './program.ts';

/** Of the nodes of past runs only the runs are kept. */
const NO_NODES = /status of 404 .*scope=node/;

const row = (page: Page, table: string, text: string): Locator =>
  page
    .getByTestId(table)
    .getByRole('row')
    .filter({ has: page.getByText(text, { exact: true }) });

/** Makes a file in the export dialog, which is open, and gives its name and bytes. */
async function exportAs(page: Page, format: string): Promise<{ name: string; bytes: Buffer }> {
  const dialog = page.getByRole('dialog', { name: /^Export/ });
  await dialog.getByRole('radio', { name: new RegExp(`^${format}`) }).check();
  await dialog
    .getByTestId('export-estimate')
    .getByText(/^About/)
    .waitFor(SOON);
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    dialog.getByRole('button', { name: 'Export', exact: true }).click(),
  ]);
  await expect.poll(() => dialog.getByTestId('export-state').innerText(), SOON).toMatch(/^Done: /);
  const bytes = await readFile(await file.path());
  await dialog.getByRole('button', { name: 'Another format' }).click();
  return { name: file.suggestedFilename(), bytes };
}

describe.skipIf(lacksComponent('chromium'))('profiles', () => {
  const screens = useBrowser();
  let engine: Engine;
  let ids: Map<string, string>;
  const idOf = (jobid: string): string => ids.get(jobid) ?? '';

  beforeAll(async () => {
    const data = path.join(temporaryFolder(), 'data');
    await withStore(data, async (store) => {
      ids = await putWeeks(store, Date.now());
    });
    engine = await startEngine({ page: true, args: ['--data', data] });
    await askApi(engine, 'PATCH', `/profiles/${idOf(BASELINE)}`, { baseline: true });
  });
  afterAll(() => engine.stop('SIGKILL'));

  test('the slower run of last week: found, explained, tagged, handed on', async () => {
    const { page, tolerate } = await screens.open(link(engine, '/ui/profiles'));
    tolerate(NO_NODES);
    // The list by command says that something became slower, and opens to the run.
    const groups = page.getByTestId('profile-groups');
    const solver = groups.getByRole('row').filter({ hasText: 'solver --steps 400' });
    await solver.getByText('1 regression').waitFor(SOON);
    expect(await solver.getByRole('gridcell').nth(2).innerText()).toBe('12');
    await solver.getByRole('button', { name: /^Runs of/ }).click();
    const slower = row(page, 'profile-groups', SLOWER);
    await slower.getByText('48 % longer').waitFor(SOON);
    await slower.getByRole('link', { name: SLOWER }).click();

    // Its page: what it is held against, and the way to the comparison.
    await page.getByRole('heading', { level: 1, name: SLOWER }).waitFor();
    expect(await page.getByTestId('regression').innerText()).toContain('48 % longer than the baseline (1:02)');
    await page.getByRole('button', { name: 'Compare' }).click();
    await page.getByRole('menuitem', { name: 'With the baseline' }).click();

    // Which call, and which rank.
    const words = page.getByTestId('compare-words');
    await words.getByText(`${SLOWER} took 1:32, 48 % longer than the baseline ${BASELINE} (1:02).`).waitFor(SOON);
    await words.getByText('What changed most of its time: MPI Barrier time').waitFor();
    const first = page.getByTestId('differences').getByRole('button').first();
    expect(await first.innerText()).toMatch(/MPI Barrier time[^]*30 % of the run time, was 1\.1 %/);
    await page
      .getByTestId('rank-difference')
      .getByText(new RegExp(`^Rank ${SLOW_RANK} on node02 waits no longer than before .*the others wait for it`))
      .waitFor(SOON);
    const address = page.url();

    // Tagged with a note, and found again by the tag.
    await row(page, 'compared-runs', SLOWER).getByRole('link', { name: SLOWER }).click();
    await page.getByRole('button', { name: 'Add tags' }).click();
    const tags = page.getByRole('dialog', { name: `Tags of ${SLOWER}` });
    await tags
      .getByRole('textbox', { name: 'Tags' })
      .or(tags.getByRole('combobox', { name: 'Tags' }))
      .fill('slow barrier');
    await page.keyboard.press('Enter');
    await tags.getByRole('button', { name: 'Save' }).click();
    await tags.waitFor({ state: 'detached' });
    // A list without a choice takes no key away from the dialog.
    await page.getByRole('button', { name: 'Edit tags' }).click();
    await tags.getByRole('combobox', { name: 'Tags' }).waitFor();
    await page.keyboard.type('unfinished');
    await page.keyboard.press('Escape');
    await tags.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Add a note' }).click();
    await page
      .getByRole('dialog')
      .getByRole('textbox', { name: 'Note' })
      .fill('Rank 5 works longer.\nTold operations.');
    await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Rank 5 works longer.' }).waitFor(SOON);

    // Handed on.
    await page.getByRole('button', { name: 'Export run…' }).click();
    const parquet = await exportAs(page, 'Parquet');
    expect(parquet.name).toMatch(/\.parquet$/);
    expect([parquet.bytes.subarray(0, 4), parquet.bytes.subarray(-4)].map(String)).toEqual(['PAR1', 'PAR1']);
    const trace = await exportAs(page, 'Trace');
    const { traceEvents } = JSON.parse(trace.bytes.toString()) as { traceEvents: { ph: string; name: string }[] };
    expect(traceEvents.some(({ ph }) => ph === 'C')).toBe(true);
    const report = await exportAs(page, 'Report');
    expect(report.name).toMatch(/\.html$/);
    expect(report.bytes.toString()).toContain(SLOWER);
    await page.keyboard.press('Escape');

    await page.getByRole('link', { name: 'slow barrier' }).click();
    await row(page, 'profiles-table', SLOWER).waitFor(SOON);
    await expect.poll(() => page.getByRole('status').filter({ hasText: 'run' }).innerText(), SOON).toBe('1 run');
    // The comparison's link shows the same to whoever opens it.
    const again = await screens.open();
    await again.page.goto(`${address}#token=${link(engine).split('#token=')[1]}`);
    await again.page.getByTestId('compare-words').getByText(`${SLOWER} took 1:32`).waitFor(SOON);
  });

  test('a run that ends appears by itself', async () => {
    const { page } = await screens.open(link(engine, '/ui/profiles?view=runs&q=cmd%3Astencil'));
    await page.getByText('No run matches.').waitFor(SOON);
    const program = await Program.start(engine.ready.legacy_socket, {
      ...{ jobid: 'stencil-1', command: './stencil -n 100', start_time: Date.now() },
    });
    program.step();
    await program.end();
    await row(page, 'profiles-table', 'stencil-1').waitFor(SOON);
  });

  test('searched with keywords: chips, completion, errors below the field, all in the address', async () => {
    const { page } = await screens.open(link(engine, '/ui/profiles?view=runs'));
    await row(page, 'profiles-table', SLOWER).waitFor(SOON);
    await page.keyboard.press('/');
    const field = page
      .getByRole('textbox', { name: 'Search profiles' })
      .or(page.getByRole('combobox', { name: 'Search profiles' }));
    await page.keyboard.type('si');
    await page.getByRole('option', { name: /^size:/ }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    expect(await field.inputValue()).toBe('size:');
    await page.keyboard.type('2 -python3');
    const table = page.getByTestId('profiles-table');
    await expect.poll(() => table.getAttribute('aria-rowcount'), SOON).toBe('2');
    await row(page, 'profiles-table', 'hostile').waitFor();
    expect(new URL(page.url()).searchParams.get('q')).toBe('size:2 -python3');

    await field.fill('size:2 -python3 from:frog');
    await page.getByRole('alert').getByText('from: is a day').waitFor(SOON);
    // What was found last stays in sight.
    await row(page, 'profiles-table', 'hostile').waitFor();
    await field.fill('size:2 -python3');
    await page.getByRole('button', { name: 'Take size:2 out of the search' }).click();
    await expect.poll(() => new URL(page.url()).searchParams.get('q'), SOON).toBe('-python3');
    await page.getByRole('alert').waitFor({ state: 'detached' });
  });

  test('markup in commands, nodes and tags is text', async () => {
    await askApi(engine, 'PATCH', `/profiles/${idOf('hostile')}`, { tags: ['<script>alert(1)</script>'] });
    const { page, tolerate } = await screens.open(link(engine, '/ui/profiles?view=runs&q=hostile'));
    tolerate(NO_NODES, /scope=run/);
    const hostile = row(page, 'profiles-table', 'hostile');
    await hostile.getByText(`./a.out ${MARKUP}`, { exact: true }).waitFor(SOON);
    await hostile.getByText('<script>alert(1)</script>', { exact: true }).waitFor();
    await hostile.getByText('<b>node</b>', { exact: true }).waitFor();
    await page.goto(`${engine.url}/ui/profiles/compare?runs=${idOf('hostile')}*${idOf('mesh-0')}&tab=descriptions`);
    await page.getByTestId('description-differences').getByText(`./a.out ${MARKUP}`, { exact: true }).waitFor(SOON);
    await page.goto(`${engine.url}/ui/jobs/${idOf('hostile')}`);
    await page.getByRole('link', { name: '<script>alert(1)</script>' }).waitFor(SOON);
    expect(await page.locator('main img, main script').count()).toBe(0);
  });

  test('with the keyboard alone: select, compare, tabs, delete and undo', async () => {
    const { page, tolerate } = await screens.open(link(engine, '/ui/profiles?view=runs&q=cmd:mesh'));
    tolerate(NO_NODES);
    await row(page, 'profiles-table', 'mesh-2').waitFor(SOON);
    for (const key of ['j', 'x', 'j', 'j', 'X']) await page.keyboard.press(key);
    await page.getByRole('group', { name: 'Selected runs' }).getByText('3 selected').waitFor();
    await page.keyboard.press('c');
    await page.getByRole('heading', { name: 'Compare 3 runs' }).waitFor(SOON);
    await page.keyboard.press('2');
    await page.getByTestId('aligned-plot').first().waitFor(SOON);
    await page.keyboard.press('3');
    await page.getByTestId('compared-series').waitFor();
    await page.keyboard.press('4');
    await page.getByRole('region', { name: 'What differs' }).waitFor();
    await page.goBack();

    await page.goto(`${engine.url}/ui/profiles?view=runs&q=cmd:mesh`);
    await row(page, 'profiles-table', 'mesh-2').waitFor(SOON);
    await page.keyboard.press('j');
    // Faster than people: the next key may come before the page has moved its cursor.
    await page.getByTestId('profiles-table').getByRole('row', { selected: true }).waitFor();
    await page.keyboard.press('Delete');
    await row(page, 'profiles-table', 'mesh-2').waitFor({ state: 'detached', ...SOON });
    await page.getByText('1 run deleted. The trash keeps it for 7 days.').waitFor();
    await page.keyboard.press('u');
    await row(page, 'profiles-table', 'mesh-2').waitFor(SOON);
  });

  test('a compared run that was deleted meanwhile is told; the trash gives it back', async () => {
    const [kept, gone] = [idOf('solver-110'), idOf('solver-111')];
    const { page } = await screens.open(
      link(engine, `/ui/profiles/compare?runs=${kept}*${gone}*${idOf('solver-113')}`),
    );
    await page.getByRole('heading', { name: 'Compare 3 runs' }).waitFor(SOON);
    await askApi(engine, 'POST', '/profiles/delete', { ids: [gone] });
    await page.reload();
    await page.getByRole('heading', { name: 'Compare 2 runs' }).waitFor(SOON);
    expect(await page.getByTestId('missing').innerText()).toContain(gone);
    await page.getByRole('link', { name: 'Compare the others without it' }).click();
    await page.getByTestId('missing').waitFor({ state: 'detached', ...SOON });
    expect(page.url()).not.toContain(gone);

    await page.goto(`${engine.url}/ui/profiles?view=trash`);
    const deleted = row(page, 'profiles-table', 'solver-111');
    await deleted.getByRole('checkbox').click();
    await page.getByRole('button', { name: 'Restore' }).click();
    await deleted.waitFor({ state: 'detached', ...SOON });
    await page.getByText('The trash is empty.').waitFor();
  });

  test('imported: what became of each file is said, and a hostile one changes nothing', async () => {
    const folder = temporaryFolder();
    const hostile = path.join(folder, 'hostile.profile');
    await writeFile(hostile, '{"desc":{"jobid":"<b>x</b>"}');
    const { page } = await screens.open(link(engine, '/ui/profiles?dialog=import'));
    const dialog = page.getByRole('dialog', { name: 'Import profiles' });
    const [chooser] = await Promise.all([
      page.waitForEvent('filechooser'),
      dialog.getByRole('button', { name: 'Choose files' }).click(),
    ]);
    await chooser.setFiles([path.join(import.meta.dirname, '../fixtures/proxy/live-1.trace'), hostile]);
    const files = dialog.getByTestId('imports').getByRole('listitem');
    await files.filter({ hasText: 'live-1.trace' }).getByText('1 imported', { exact: true }).waitFor(SOON);
    await files
      .filter({ hasText: 'hostile.profile' })
      .getByText(/^failed: /)
      .waitFor(SOON);
    await dialog.getByRole('link', { name: 'live-1' }).waitFor();
    await page.goto(`${engine.url}/ui/profiles?view=runs&q=job:live-1`);
    const imported = row(page, 'profiles-table', 'live-1');
    await imported.getByText('imported', { exact: true }).waitFor(SOON);
  });

  test('several are tagged at once: Escape closes the list of tags first, then the dialog', async () => {
    await askApi(engine, 'PATCH', `/profiles/${idOf('mesh-0')}`, { tags: ['refined'] });
    const { page } = await screens.open(link(engine, '/ui/profiles?view=runs&q=cmd:mesh'));
    await row(page, 'profiles-table', 'mesh-0').waitFor(SOON);
    await page.getByLabel('Select all that are loaded').check();
    await page.keyboard.press('t');
    const dialog = page.getByRole('dialog', { name: 'Tags of 3 runs' });
    const field = dialog.getByRole('combobox', { name: 'Add' });
    await field.fill('ref');
    const offered = dialog.getByRole('option', { name: 'refined' });
    await offered.waitFor(SOON);
    await page.keyboard.press('Escape');
    await offered.waitFor({ state: 'hidden' });
    expect(await dialog.isVisible()).toBe(true);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });

    await page.keyboard.press('t');
    await field.fill('ref');
    await offered.click(SOON);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByText('3 runs tagged refined.').waitFor(SOON);
    await expect.poll(() => page.getByTestId('profiles-table').getByText('refined').count(), SOON).toBe(3);
  });

  test.each([900, 1440])('at %i px what can be done with a run stands in one line', async (width) => {
    await askApi(engine, 'PATCH', `/profiles/${idOf('solver-120')}`, {
      tags: ['slow', 'barrier', 'told', 'other'],
      note: 'Longer than all that was measured before it, and nobody knows why.',
    });
    const { page, tolerate } = await screens.open(link(engine, `/ui/jobs/${idOf('solver-120')}`), {
      viewport: { width, height: 700 },
    });
    tolerate(NO_NODES);
    const bar = page.getByRole('group', { name: 'Profile' });
    const acts = ['Previous run of this command', 'Compare', 'Export run…', 'Delete'];
    await bar.getByRole('button', { name: 'Delete' }).waitFor(SOON);
    const boxes = await Promise.all(acts.map((name) => bar.getByRole('button', { name, exact: true }).boundingBox()));
    const middles = boxes.map((box) => Math.round(box!.y + box!.height / 2));
    expect(Math.max(...middles) - Math.min(...middles)).toBeLessThanOrEqual(3);
    // At the right edge, whatever stands before it.
    expect(boxes.at(-1)!.x + boxes.at(-1)!.width).toBeGreaterThan(width - 30);
  });

  test('rules of grouping: tried, saved, and back to the defaults', async () => {
    const { page } = await screens.open(link(engine, '/ui/profiles?dialog=rules'));
    const dialog = page.getByRole('dialog', { name: 'How commands are grouped' });
    const preview = dialog.getByRole('region', { name: 'What comes of it' });
    await preview.getByText('python3 mesh.py --refine 3').first().waitFor(SOON);
    await dialog.getByRole('button', { name: 'Add a rule' }).click();
    const last = dialog.getByRole('textbox', { name: /^Pattern of rule/ }).last();
    await last.fill('--refine [0-9]+(');
    await dialog.getByRole('alert').or(dialog.locator('.mantine-TextInput-error')).first().waitFor(SOON);
    expect(await dialog.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
    await last.fill(' --refine [0-9]+');
    await preview.getByText('python3 mesh.py', { exact: true }).waitFor(SOON);
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText(/^The rules are saved: \d+ runs are grouped anew\.$/).waitFor(SOON);
    await expect.poll(() => dialog.getByRole('button', { name: 'Save' }).isDisabled(), SOON).toBe(true);
    await dialog.getByRole('button', { name: 'Close' }).last().click();
    await page.getByTestId('profile-groups').getByText('python3 mesh.py', { exact: true }).waitFor(SOON);

    await page.getByRole('button', { name: 'Grouping…' }).click();
    await dialog.getByRole('button', { name: 'Reset to the defaults' }).click();
    await page.getByText(/^The default rules hold again/).waitFor(SOON);
    await preview.getByText('python3 mesh.py --refine 3').first().waitFor(SOON);
    await page.keyboard.press('Escape');
    await page.getByTestId('profile-groups').getByText('python3 mesh.py --refine 3', { exact: true }).waitFor(SOON);
  });
});
