/** Alarms in the console: what fires is seen everywhere, taken in one click, and its rules, silences and history are at hand. */

import { hostname } from 'node:os';
import path from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RuleSettingsInput } from '../../src/shared/api/alarms.ts';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine, tokenOf } from '../support/engine.ts';
import { runVigie } from '../support/launch.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { cell, link, SOON } from './console.ts';
import { Program } from './program.ts';

const JOBS = ['alpha', 'beta', 'gamma'];

const table = (page: Page): Locator => page.getByTestId('alarms-table');
const rowOf = (page: Page, place: string): Locator =>
  table(page)
    .getByRole('row')
    .filter({ has: page.getByText(place, { exact: true }) })
    .filter({ has: page.getByRole('link') });
const button = (within: Page | Locator, name: string | RegExp): Locator =>
  within.getByRole('button', { name, exact: typeof name === 'string' });
const group = (page: Page, name: string): Locator => button(table(page), name);
const status = (page: Page): Locator => page.getByRole('contentinfo', { name: 'Engine status' });

describe.skipIf(lacksComponent('chromium'))('alarms', () => {
  const screens = useBrowser();
  let engine: Engine;
  let programs: Program[];
  let viewer: string;

  const ask = async (method: string, route: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${engine.url}/api/v1${route}`, {
      method,
      headers: {
        Authorization: `Bearer ${tokenOf(engine)}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${route}: ${response.status} ${text}`);
    return text === '' ? null : JSON.parse(text);
  };
  const addRule = (rule: RuleSettingsInput): Promise<unknown> => ask('POST', '/alarms/rules', rule);
  const CALLS: RuleSettingsInput = {
    name: 'Calls of a job',
    scope: { kind: 'run' },
    metric: 'mpi___hits___mpi_send',
    raise: 0,
    severity: 'warning',
    description: 'It has made {{value}} calls at {{place}}.',
  };

  beforeAll(async () => {
    const data = path.join(temporaryFolder(), 'data');
    engine = await startEngine({ page: true, args: ['--data', data, '--period', '250ms'] });
    const place = ['--data', data];
    viewer = (await runVigie(['token', 'add', 'viewer', ...place], { folder: path.dirname(data) })).stdout.trim();
    programs = await Promise.all(
      JOBS.map((jobid, i) =>
        Program.start(engine.ready.legacy_socket, { jobid, ranks: 1, start_time: Date.now() - 1000 * i }),
      ),
    );
    for (const program of programs) program.run();
  });
  afterAll(async () => {
    for (const program of programs) program.lose();
    await engine.stop('SIGKILL');
  });

  test('a newcomer switches on a ready-made rule, off again, and brings back one that is deleted', async () => {
    const { page } = await screens.open(link(engine, '/ui/jobs'));
    await page.getByRole('link', { name: 'Alarms', exact: true }).first().click();
    await page.getByRole('heading', { name: 'Nothing is watched yet' }).waitFor(SOON);
    await status(page).getByText('nothing fires').waitFor(SOON);
    await button(page, 'Switch on ready-made rules').click();
    const dialog = page.getByRole('dialog', { name: 'Ready-made rules' });
    await dialog.getByLabel('Disk is full').click();
    const rules = page.getByTestId('rules-table');
    const row = rules.getByRole('row').filter({ has: page.getByRole('link', { name: 'Disk is full' }) });
    await row.waitFor(SOON);
    await dialog.getByText('1 of', { exact: false }).first().waitFor(SOON);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect(await cell(page, row, 'Rule')).toMatch(/^Disk is full\nCritical when /);
    expect(await cell(page, row, 'Origin')).toBe('from a pack');

    const turn = row.getByLabel('Disk is full is on');
    const track = row.locator('.mantine-Switch-track');
    await track.click();
    await expect.poll(() => cell(page, row, 'State'), SOON).toBe('off');
    expect(await turn.isChecked()).toBe(false);
    await track.click();
    await expect.poll(() => cell(page, row, 'State'), SOON).not.toBe('off');

    await button(row, /^Change /).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: 'No rule yet' }).waitFor(SOON);
    await button(page, 'Undo').click();
    await row.waitFor(SOON);
    // By keyboard too.
    await page.keyboard.press('j');
    await page.keyboard.press('Delete');
    await row.waitFor({ state: 'detached', ...SOON });
  });

  test('what fires is seen from every view; acknowledged and taken back with the keyboard and the mouse', async () => {
    const { page } = await screens.open(link(engine, '/ui/jobs'));
    await expect.poll(() => page.title(), SOON).toBe('Jobs · Vigie');
    await addRule(CALLS);
    await expect.poll(() => page.title(), SOON).toBe('(3) Jobs · Vigie');
    await status(page).getByText('3 firing').waitFor(SOON);
    await page
      .getByRole('navigation', { name: 'Views' })
      .getByRole('link', { name: /^Alarms\s*3 firing$/ })
      .click();
    await group(page, 'Calls of a job').waitFor(SOON);
    expect(await table(page).getByRole('row').count()).toBe(5);

    const alpha = rowOf(page, 'alpha');
    expect(await cell(page, alpha, 'State')).toBe('firing');
    expect(await cell(page, alpha, 'Severity')).toBe('Warning');
    expect(await cell(page, alpha, 'Value')).toMatch(/^\d.*\n> 0$/);
    await button(alpha, /^Acknowledge /).click();
    await expect.poll(() => cell(page, alpha, 'Taken'), SOON).toBe('owner');
    await expect.poll(() => page.title(), SOON).toBe('(2) Alarms · Vigie');
    // Taken ones stand below the others.
    expect(await table(page).getByRole('row').last().innerText()).toContain('alpha');
    await button(page, 'Undo').last().click();
    await expect.poll(() => cell(page, alpha, 'Taken'), SOON).toBe('');
    await expect.poll(() => page.title(), SOON).toBe('(3) Alarms · Vigie');

    // The whole group, by keyboard.
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await page.getByText('3 selected').waitFor();
    await page.keyboard.press('a');
    await expect.poll(() => page.title(), SOON).toBe('Alarms · Vigie');
    await page.getByRole('group', { name: 'State' }).getByText('acknowledged').click();
    await page.getByText('3 alarms', { exact: true }).waitFor(SOON);
    await page.getByLabel('Taken').selectOption('open');
    await page.getByText('No alarm matches.').waitFor(SOON);
    await button(page, 'Show all alarms').click();
    for (const jobid of JOBS) {
      await button(rowOf(page, jobid), /^Change /).click();
      await page.getByRole('menuitem', { name: 'Acknowledge no more' }).click();
      await expect.poll(() => cell(page, rowOf(page, jobid), 'Taken'), SOON).toBe('');
    }
  });

  test('by place, by words, by severity: what is asked for stands in the address', async () => {
    await addRule({ ...CALLS, name: 'Calls, too', severity: 'critical', raise: 1 });
    const { page } = await screens.open(link(engine, '/ui/alarms?group=place'));
    await group(page, 'beta').waitFor(SOON);
    await page.getByText('6 alarms', { exact: true }).waitFor(SOON);
    await page.getByRole('searchbox', { name: 'Search alarms' }).fill('gamma');
    await page.getByText('2 of 6 alarms', { exact: true }).waitFor(SOON);
    await page.getByLabel('Severity').selectOption('critical');
    await page.getByText('1 of 6 alarms', { exact: true }).waitFor(SOON);
    expect(new URL(page.url()).search).toBe('?group=place&q=gamma&severity=critical');
    await page.reload();
    await page.getByText('1 of 6 alarms', { exact: true }).waitFor(SOON);
    const { rules } = (await ask('GET', '/alarms/rules')) as { rules: { id: string; name: string }[] };
    await ask('DELETE', `/alarms/rules/${rules.find(({ name }) => name === 'Calls, too')!.id}`);
    await page.getByText('0 of 3 alarms', { exact: true }).waitFor(SOON);
  });

  test('an alarm has a page: what, since when, its plot, its history; it is taken with a comment', async () => {
    const { page } = await screens.open(link(engine, '/ui/alarms'));
    await rowOf(page, 'beta').getByRole('link', { name: 'Calls of a job' }).click();
    await page.getByRole('heading', { level: 1, name: 'Calls of a job' }).waitFor(SOON);
    const facts = page.getByRole('region', { name: 'What it is' });
    await facts.getByText(/It has made .* calls at beta/).waitFor(SOON);
    await facts.getByText('mpi___hits___mpi_send', { exact: true }).waitFor();
    await page.getByLabel('Comment').fill('<b>I look at it</b>');
    await button(page, 'Acknowledge').click();
    const taken = page.getByRole('region', { name: 'Acknowledge and silence' });
    await taken.getByText('<b>I look at it</b>').waitFor(SOON);
    const history = page.getByRole('table', { name: 'History of this alarm' });
    await history.getByText('acknowledged by owner: <b>I look at it</b>').waitFor(SOON);
    await history.getByText('firing', { exact: true }).waitFor(SOON);
    await button(page, 'Acknowledge no more').click();
    await button(page, 'Acknowledge').waitFor(SOON);

    // One click to where it began, with the range around it.
    const before = Date.now();
    await page.getByRole('link', { name: 'Show the plot around it' }).click();
    await page.getByRole('heading', { level: 1, name: 'beta' }).waitFor(SOON);
    const range = new URL(page.url()).searchParams;
    expect(Number(range.get('from'))).toBeLessThan(before - 60_000);
    expect(Number(range.get('to'))).toBeGreaterThan(before - 60_000);
    await page.locator('.v-meant').waitFor(SOON);
    const meant = page.locator('.v-meant');
    expect(await meant.getAttribute('aria-label')).toBe('MPI: Calls');
    await expect.poll(async () => (await meant.boundingBox())!.y, SOON).toBeLessThan(800);

    // The same page when nothing fires any more: its history.
    await page.goBack();
    await button(page, 'Silence for an hour').click();
    await page.getByText('Silenced: nobody is told of it.').waitFor(SOON);
    await button(page, 'Undo').last().click();
    await button(page, 'Silence for an hour').waitFor(SOON);
  });

  test('silences: made from an alarm with a look at what is hit, extended, ended, brought back; at night, too', async () => {
    const { page, tolerate } = await screens.open(link(engine, '/ui/alarms'));
    // A pattern that is none is refused.
    tolerate(/status of 400 .*silences\/preview/);
    await rowOf(page, 'alpha').waitFor(SOON);
    await button(rowOf(page, 'alpha'), /^Change /).click();
    await page.getByRole('menuitem', { name: 'Silence…' }).click();
    const dialog = page.getByRole('dialog', { name: 'New silence' });
    const hits = dialog.getByRole('status', { name: 'What it hits now' });
    await hits.getByText(/Hits 1 alarm now, 1 of them firing/).waitFor(SOON);
    // Without its place all of the rule.
    const first = dialog.getByRole('group', { name: 'Condition 1' });
    expect(await first.getByRole('combobox', { name: 'Value' }).inputValue()).toBe('Calls of a job');
    while ((await dialog.getByRole('group', { name: /^Condition/ }).count()) > 1) {
      await button(dialog, 'Remove condition 2').click();
    }
    await hits.getByText(/Hits 3 alarms now, 3 of them firing/).waitFor(SOON);
    await first.getByLabel('How').selectOption('=~');
    await first.getByRole('combobox', { name: 'Value' }).fill('(');
    await dialog.getByRole('alert').waitFor(SOON);
    await first.getByLabel('How').selectOption('=');
    // A value that there is, chosen from the list.
    await first.getByRole('combobox', { name: 'Value' }).fill('Calls');
    await page.getByRole('option', { name: 'Calls of a job' }).click();
    await hits.getByText(/Hits 3 alarms now/).waitFor(SOON);
    await dialog.getByLabel('For').fill('soon');
    await dialog.getByText('a duration such as 30m, 4h or 2d').waitFor();
    expect(await button(dialog, 'Silence').isDisabled()).toBe(true);
    await dialog.getByLabel('For').fill('10m');
    await dialog.getByLabel('Why').fill('maintenance');
    await button(dialog, 'Silence').click();
    await dialog.waitFor({ state: 'detached', ...SOON });
    await status(page).getByText('3 firing, 3 silenced').waitFor(SOON);
    await expect.poll(() => page.title(), SOON).toBe('Alarms · Vigie');

    await page.getByRole('navigation', { name: 'Alarms' }).getByRole('link', { name: 'Silences' }).click();
    const silence = page.getByRole('article', { name: 'Silence of alarmname="Calls of a job"' });
    await silence.getByText('hits 3 alarms that fire').waitFor(SOON);
    await silence.getByText('by owner', { exact: false }).getByText('maintenance').waitFor();
    await silence.getByText('It ends soon, and something that it hits still fires', { exact: false }).waitFor(SOON);
    await button(silence, 'Extend').click();
    await page.getByRole('menuitem', { name: 'by 4 h' }).click();
    await silence.getByText(/silent for 4 h \d+ min more/).waitFor(SOON);
    const active = page.getByRole('region', { name: /^Active/ });
    await button(active, 'End').click();
    await active.waitFor({ state: 'detached', ...SOON });
    await status(page).getByText('3 firing', { exact: true }).waitFor(SOON);
    await button(page, 'Undo').last().click();
    await active.getByText('hits 3 alarms that fire').waitFor(SOON);
    await button(active, 'End').click();
    await active.waitFor({ state: 'detached', ...SOON });

    await page.keyboard.press('n');
    await dialog.waitFor();
    await dialog.getByRole('combobox', { name: 'Label' }).fill('severity');
    await dialog.getByRole('combobox', { name: 'Value' }).fill('info');
    await dialog.getByLabel('Again and again').check();
    await button(dialog, 'Sun').click();
    await button(dialog, 'Sat').click();
    await button(dialog, 'Silence').click();
    await page.getByText('every day from 22:00 for 8h', { exact: false }).waitFor(SOON);
    await button(page.getByRole('article', { name: 'Silence of severity="info"' }), 'End').click();
  });

  test('rules go out as YAML and come in with a look at what would change', async () => {
    const { page, tolerate } = await screens.open(link(engine, '/ui/alarms/rules'));
    // What is no YAML is refused.
    tolerate(/status of 400 .*rules\/import/);
    await page.getByTestId('rules-table').waitFor(SOON);
    await button(page, 'Import and export rules').click();
    await page.getByRole('menuitem', { name: 'Import rules…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Import rules' });
    const exported = await fetch(`${engine.url}/api/v1/alarms/rules/export`, {
      headers: { Authorization: `Bearer ${tokenOf(engine)}` },
    });
    const yaml = await exported.text();
    expect(yaml).toContain('Calls of a job');
    const field = dialog.getByLabel('The rules');
    await field.fill('{{{');
    await dialog.getByText(/./).and(dialog.locator('.mantine-InputWrapper-error')).waitFor(SOON);
    await field.fill(yaml);
    const preview = dialog.getByRole('status', { name: 'Preview' });
    await preview
      .getByText(/unchanged/)
      .first()
      .waitFor(SOON);
    expect(await button(dialog, 'Import').isDisabled()).toBe(true);
    await field.fill(yaml.replace('Calls of a job', 'Calls of another'));
    await preview.getByText('added').waitFor(SOON);
    await button(dialog, 'Import 1 rule').click();
    await dialog.waitFor({ state: 'detached', ...SOON });
    const row = page.getByTestId('rules-table').getByRole('row').filter({ hasText: 'Calls of another' });
    await row.waitFor(SOON);
    await button(row, /^Change /).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await row.waitFor({ state: 'detached', ...SOON });
  });

  test('the history tells what happened with which value, and leads to the plot', async () => {
    const { page } = await screens.open(link(engine, '/ui/alarms/history'));
    const events = page.getByRole('table', { name: 'History of alarms' });
    await events.getByRole('row').filter({ hasText: 'firing' }).filter({ hasText: 'gamma' }).first().waitFor(SOON);
    await page.getByRole('searchbox', { name: 'Search the history' }).fill('gamma');
    await expect.poll(() => events.getByRole('row').filter({ hasText: 'alpha' }).count(), SOON).toBe(0);
    await page.getByLabel('Rule', { exact: true }).selectOption({ label: 'Calls of a job' });
    await page.getByLabel('Time').selectOption('1h');
    await events.getByRole('row').filter({ hasText: 'firing' }).first().waitFor(SOON);
    await events
      .getByRole('link', { name: /^Plot around/ })
      .last()
      .click();
    await page.getByRole('heading', { level: 1, name: 'gamma' }).waitFor(SOON);
    expect(Number(new URL(page.url()).searchParams.get('from'))).toBeGreaterThan(0);
    await page.goBack();
    await page.getByLabel('From').fill('2030-01-01T00:00');
    await page.getByRole('heading', { name: 'Nothing in it' }).waitFor(SOON);
    await button(page, 'Show all of the history').click();
    await events.waitFor(SOON);
  });

  test('who may only view sees all of it and changes nothing', async () => {
    const { page } = await screens.open(`${engine.url}/ui/alarms#token=${viewer}`);
    await rowOf(page, 'alpha').waitFor(SOON);
    await page.getByText('may only view').first().waitFor(SOON);
    expect(await button(rowOf(page, 'alpha'), /^(Acknowledge|Silence|Change) /).count()).toBe(0);
    expect(await button(page, 'New rule').isDisabled()).toBe(true);
    await page.keyboard.press('j');
    await page.keyboard.press('a');
    expect(await cell(page, rowOf(page, 'alpha'), 'Taken')).toBe('');
    const tabs = page.getByRole('navigation', { name: 'Alarms' });
    await tabs.getByRole('link', { name: 'Rules' }).click();
    expect(await page.getByLabel('Calls of a job is on').isDisabled()).toBe(true);
    await tabs.getByRole('link', { name: 'Silences' }).click();
    await button(page, 'New silence').waitFor(SOON);
    expect(await button(page, 'New silence').isDisabled()).toBe(true);
    await tabs.getByRole('link', { name: 'Channels' }).click();
    await expect.poll(() => button(page, 'New channel').isDisabled(), SOON).toBe(true);
  });

  test('the palette leads to each of the views', async () => {
    const { page } = await screens.open(link(engine, '/ui/jobs'));
    await page.getByRole('heading', { name: 'Jobs' }).waitFor(SOON);
    for (const [words, title] of [
      ['Alarm rules', 'Alarm rules'],
      ['Alarm history', 'Alarm history'],
      ['Alarm channels', 'Alarm channels'],
    ] as const) {
      await page.keyboard.press('Control+k');
      const search = page.getByRole('textbox', { name: 'Search the command palette' });
      await search.fill(words);
      await page.getByRole('dialog').getByText(words, { exact: true }).first().click();
      await search.waitFor({ state: 'detached' });
      await page.getByRole('heading', { level: 1, name: title }).waitFor(SOON);
    }
  });

  test('a rule of this node fires and resolves; the page of an alarm that is over has its history', async () => {
    const node = { kind: 'node', name: hostname() } as const;
    const made = (await addRule({
      name: 'Load',
      scope: node,
      metric: 'proxy_cpu_load_average_percent',
      raise: -1,
    })) as {
      id: string;
    };
    const { page } = await screens.open(link(engine, '/ui/alarms'));
    await rowOf(page, hostname()).waitFor(SOON);
    await rowOf(page, hostname()).getByRole('link').first().click();
    await page.getByRole('heading', { level: 1, name: 'Load' }).waitFor(SOON);
    await ask('PATCH', `/alarms/rules/${made.id}`, { enabled: false });
    await page.getByText('It is not active now.', { exact: false }).waitFor(SOON);
    const history = page.getByRole('table', { name: 'History of this alarm' });
    await history.getByText('firing', { exact: true }).first().waitFor(SOON);
    await ask('DELETE', `/alarms/rules/${made.id}`);
  });
});
