/** Every view has a URL, and a reload shows the same again. */

import { hostname } from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { chart, choose, jobRow, link, SOON } from './console.ts';
import { pastProfile, withStore } from './past.ts';
import { Program } from './program.ts';

/** What a table shows, row by row. */
const rows = (page: Page, table: string): Promise<string[]> =>
  page
    .getByTestId(table)
    .getByRole('row')
    .filter({ has: page.getByRole('gridcell') })
    .allInnerTexts();

describe.skipIf(lacksComponent('chromium'))('addresses', () => {
  const screens = useBrowser();
  const start = Date.now() - 86_400_000;
  let engine: Engine;
  let program: Program;

  beforeAll(async () => {
    const data = path.join(temporaryFolder(), 'data');
    await withStore(data, async (store) => {
      for (let i = 0; i < 20; i++) {
        const times = { start_time: start + i * 60_000, end_time: start + i * 60_000 + 30_000 };
        store.putProfile(
          pastProfile(`r${i}`, { jobid: `past-${i}`, size: 1 + ((7 * i) % 20), ...times }, { steps: i }),
        );
      }
      await store.flush();
    });
    engine = await startEngine({ page: true, args: ['--data', data] });
    program = await Program.start(engine.ready.legacy_socket, { jobid: 'now-1' });
    program.run();
  });
  afterAll(async () => {
    program.lose();
    await engine.stop('SIGKILL');
  });

  test('jobs: search, state and order', async () => {
    const { page } = await screens.open(link(engine));
    await jobRow(page, 'now-1').waitFor(SOON);
    await page.getByRole('searchbox', { name: 'Search jobs' }).fill('past-1');
    await choose(page, 'Finished');
    await page.getByRole('columnheader', { name: 'Size' }).getByRole('button').click();
    await page.getByText('11 of 21 jobs').waitFor(SOON);
    const ids = async () =>
      (await page.getByTestId('jobs-table').getByRole('link').allInnerTexts()).map((id) => id.trim());
    const expected = [1, ...Array.from({ length: 10 }, (_, i) => 10 + i)]
      .sort((a, b) => ((7 * b) % 20) - ((7 * a) % 20))
      .map((i) => `past-${i}`);
    await expect.poll(ids, SOON).toEqual(expected);
    expect(new URL(page.url()).search).not.toBe('');
    const address = page.url();

    await page.reload();
    await expect.poll(ids, SOON).toEqual(expected);
    expect(page.url()).toBe(address);
    expect(await page.getByRole('searchbox', { name: 'Search jobs' }).inputValue()).toBe('past-1');
    expect(await page.getByRole('radio', { name: 'Finished' }).isChecked()).toBe(true);
    expect(await page.getByRole('columnheader', { name: 'Size' }).getAttribute('aria-sort')).toBe('descending');

    await page.getByRole('searchbox', { name: 'Search jobs' }).fill('nothing is called so');
    await page.getByRole('button', { name: 'Show all jobs' }).click();
    await page.getByText('21 jobs').waitFor(SOON);
  });

  test('job: tab, search, order, totals, idle series and range', async () => {
    const { page } = await screens.open(link(engine));
    await jobRow(page, 'now-1').click();
    await chart(page, 'MPI: Calls').waitFor();
    await choose(page, '1 min');
    await expect.poll(() => new URL(page.url()).searchParams.get('last'), SOON).toBe('1m');
    await page.reload();
    await chart(page, 'MPI: Calls').waitFor();
    expect(await page.getByRole('radio', { name: '1 min' }).isChecked()).toBe(true);

    await choose(page, 'Totals');
    await page.getByRole('switch', { name: /^Show \d+ idle series$/ }).click();
    await page.getByRole('tab', { name: 'Series' }).click();
    await page.getByRole('searchbox', { name: 'Search series' }).fill('now-1 calls');
    await page.getByRole('columnheader', { name: 'max' }).getByRole('button').click();
    await page.getByRole('button', { name: 'Pause' }).click();
    await expect.poll(() => new URL(page.url()).searchParams.has('to'), SOON).toBe(true);
    const address = page.url();
    const range = page.getByTestId('shown-range');
    const shown = await range.innerText();
    await expect.poll(async () => (await rows(page, 'series-table')).length, SOON).toBe(3);
    await expect.poll(async () => (await rows(page, 'series-table')).join().includes('–'), SOON).toBe(false);
    const table = await rows(page, 'series-table');

    await page.reload();
    await expect.poll(() => rows(page, 'series-table'), SOON).toEqual(table);
    expect(page.url()).toBe(address);
    expect(await range.innerText()).toBe(shown);
    expect(await page.getByRole('radio', { name: 'Totals' }).isChecked()).toBe(true);
    expect(await page.getByRole('switch').isChecked()).toBe(true);
    expect(await page.getByRole('tab', { name: 'Series' }).getAttribute('aria-selected')).toBe('true');
    expect(await page.getByRole('searchbox', { name: 'Search series' }).inputValue()).toBe('now-1 calls');
    expect(await page.getByRole('columnheader', { name: 'max' }).getAttribute('aria-sort')).toBe('descending');
  });

  test('node, and what is not there', async () => {
    const { page, tolerate } = await screens.open(link(engine, '/ui/node'));
    tolerate(/status of 404/);
    await page.getByRole('heading', { level: 1, name: `Node ${hostname()}` }).waitFor(SOON);
    await expect.poll(() => new URL(page.url()).pathname, SOON).toBe(`/ui/node/${encodeURIComponent(hostname())}`);
    await page.getByRole('link', { name: 'now-1' }).waitFor(SOON);
    await page.reload();
    await page.getByRole('heading', { level: 1, name: `Node ${hostname()}` }).waitFor();
    await page.getByRole('link', { name: 'now-1' }).click();
    await page.getByRole('heading', { level: 1, name: 'now-1' }).waitFor(SOON);

    for (const [address, title] of [
      ['/ui/no/such/view', 'There is no such page'],
      ['/ui/jobs/no-such-run', 'There is no such job'],
      ['/ui/node/no-such-host', 'There is no such node'],
    ] as const) {
      await page.goto(engine.url + address);
      await page.getByRole('heading', { name: title }).waitFor(SOON);
      expect(new URL(page.url()).pathname).toBe(address);
    }
    await page.getByRole('link', { name: 'Go to the jobs' }).click();
    await jobRow(page, 'now-1').waitFor(SOON);
  });

  test('each has a title of its own', async () => {
    const { page } = await screens.open(link(engine));
    await expect.poll(() => page.title(), SOON).toBe('Jobs · Vigie');
    await jobRow(page, 'now-1').click();
    await expect.poll(() => page.title(), SOON).toBe('now-1 · Vigie');
    await page.getByRole('link', { name: 'Node', exact: true }).click();
    await expect.poll(() => page.title(), SOON).toBe(`Node ${hostname()} · Vigie`);
  });
});
