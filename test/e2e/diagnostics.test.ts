/** The page Diagnostics, in a real browser: checks, plots, figures, the support bundle. */

import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Bundle } from '../../src/shared/api/diagnosis.ts';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine, tokenOf } from '../support/engine.ts';
import { findings } from './axe.ts';
import { chart, legend, link, parseCsv, SOON } from './console.ts';
import { Program } from './program.ts';

const figure = (page: Page, name: string) =>
  page
    .getByTestId('figures-table')
    .getByRole('row')
    .filter({ has: page.getByRole('rowheader', { name, exact: true }) });

describe.skipIf(lacksComponent('chromium'))('diagnostics', () => {
  const screens = useBrowser();
  let engine: Engine;
  let program: Program;

  beforeAll(async () => {
    engine = await startEngine({ page: true, args: ['--period', '250ms'] });
    program = await Program.start(engine.ready.legacy_socket, { jobid: 'zinnia-job', command: './zinnia' });
    program.run();
  });
  afterAll(async () => {
    program.lose();
    await engine.stop('SIGKILL');
  });

  test('are reached from the status bar and the palette, and keep their address', async () => {
    const { page } = await screens.open(link(engine));
    await page.getByRole('contentinfo').getByRole('link', { name: 'Diagnostics' }).click();
    await page.getByRole('heading', { name: `Diagnostics of the engine on ${hostname()}` }).waitFor(SOON);
    expect(new URL(page.url()).pathname).toBe('/ui/diagnostics');
    await page.reload();
    await page.getByTestId('checks-summary').waitFor(SOON);
    await page.goto(`${engine.url}/ui/jobs`);
    // Keys are heard once there is a page.
    await page.getByRole('contentinfo').getByRole('link', { name: 'Diagnostics' }).waitFor(SOON);
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog').getByText('Diagnostics', { exact: true }).click();
    await page.getByRole('heading', { name: /^Diagnostics of/ }).waitFor(SOON);
  });

  test('show checks, what is in order on request', async () => {
    const { page } = await screens.open(link(engine, '/ui/diagnostics'));
    const summary = page.getByTestId('checks-summary');
    await summary.waitFor(SOON);
    const counted = /(\d+) problems?, (\d+) warnings?, (\d+) in order/.exec(await summary.innerText());
    const good = Number(counted?.[3]);
    expect(good).toBeGreaterThan(8);
    await page.getByRole('button', { name: `Show ${good} that are in order` }).click();
    const checks = page.getByRole('list', { name: 'Checks' }).getByRole('listitem');
    expect(await checks.count()).toBe(Number(counted?.[1]) + Number(counted?.[2]) + good);
    await checks.filter({ hasText: `an engine answers: pid ${engine.ready.pid}` }).waitFor();
    await checks.filter({ hasText: 'the page is of the same version' }).waitFor();
    await page.getByRole('button', { name: /^Hide/ }).click();
    await checks.filter({ hasText: 'an engine answers' }).waitFor({ state: 'detached' });
  });

  test('say what is wrong when messages are not taken, and draw it', async () => {
    const { page } = await screens.open(link(engine, '/ui/diagnostics'));
    const bad = connect(engine.ready.legacy_socket!);
    bad.on('error', () => undefined);
    bad.write('this is no message\0');
    const reason = chart(page, 'Programs: Not taken, by reason');
    await reason.waitFor(SOON);
    await page.getByRole('button', { name: 'Check again' }).click();
    const check = page.getByRole('listitem').filter({ hasText: 'messages were not taken: ' });
    await check.filter({ hasText: 'What to do:' }).waitFor(SOON);
    bad.destroy();
  });

  test('plots and the table show the same figures, alive', async () => {
    const { page } = await screens.open(link(engine, '/ui/diagnostics'));
    for (const name of [
      'Engine: Event loop delay',
      'Engine: Samples',
      'Engine: Memory',
      'Programs: Messages',
      'Sizes: Series',
      'Store: Size on disk',
      'Sources: Cost',
    ]) {
      await chart(page, name).waitFor(SOON);
    }
    const memory = chart(page, 'Engine: Memory');
    expect([...(await legend(memory)).keys()]).toEqual(['resident', 'objects']);
    await expect.poll(async () => (await legend(memory)).get('resident'), SOON).toMatch(/^\d.* MiB$/);
    const messages = figure(page, 'ingest messages · count');
    // The program sends all the time: the rate is not nothing, and moves.
    const rate = () => messages.getByRole('cell').first().innerText();
    await expect.poll(rate, SOON).toMatch(/^[1-9]/);
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'CSV' }).click(),
    ]);
    const rows = parseCsv(await readFile(await file.path(), 'utf8'));
    expect(rows[0]?.[0]).toBe('figure');
    expect(rows.map(([name]) => name)).toEqual(
      expect.arrayContaining([
        'vigie_ingest_messages_total',
        'vigie_event_loop_delay_max_seconds',
        'vigie_store_bytes',
      ]),
    );
  });

  test('give a support bundle without names', async () => {
    const { page } = await screens.open(link(engine, '/ui/diagnostics'));
    await page.getByTestId('checks-summary').waitFor(SOON);
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Support bundle' }).click(),
    ]);
    expect(file.suggestedFilename()).toMatch(/^vigie-bundle-\d{4}-\d\d-\d\dT\d{6}\.json$/);
    const text = await readFile(await file.path(), 'utf8');
    const bundle = Bundle.parse(JSON.parse(text));
    expect(bundle.made_by).toBe('engine');
    expect(bundle.metrics?.series.length).toBeGreaterThan(20);
    expect(text).not.toContain('zinnia');
    expect(text).not.toContain(tokenOf(engine));
    expect(text).not.toContain(engine.ready.data);
  });

  test.each([
    { width: 1440, height: 900 },
    { width: 900, height: 700 },
  ])('axe finds nothing, $width px', async (viewport) => {
    const { page } = await screens.open(link(engine, '/ui/diagnostics'), { viewport, reducedMotion: 'reduce' });
    await chart(page, 'Engine: Memory').waitFor(SOON);
    await page.getByRole('button', { name: /^Show \d+ that are in order/ }).click();
    expect(await findings(page)).toEqual([]);
  });
});
