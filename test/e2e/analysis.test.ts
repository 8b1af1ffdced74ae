/** Analysis and heatmap of runs that have ended: which call and which rank made one slow, by pointer, keys and link. */

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { findings } from './axe.ts';
import { askApi, choose, link, parseCsv, SOON } from './console.ts';
import { EVEN, MpiProgram } from './mpi-program.ts';
import { withStore } from './past.ts';
import { putWeeks, SLOW_RANK, SLOWER } from './past-runs.ts';

/** Of the nodes of past runs only the runs are kept. */
const NO_NODES = /status of 404 .*scope=node/;
const RANKS = 8;
const BARRIER = 'mpi___time___mpi_barrier';
const SIZES = [
  { width: 1440, height: 900 },
  { width: 900, height: 700 },
];

/** Where a cell of the map is on the screen, by row from the top and share of the time. */
async function at(page: Page, row: number, share: number): Promise<{ x: number; y: number }> {
  const box = await page.getByTestId('heatmap-canvas').boundingBox();
  if (!box) throw new Error('there is no map');
  const [left, bottom] = [62, 22];
  return {
    x: box.x + left + share * (box.width - left),
    y: box.y + ((row + 0.5) * (box.height - bottom)) / RANKS,
  };
}

/** What is read of a canvas: tests are compiled without the names of a page. */
interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly clientWidth: number;
  getContext(kind: '2d'): {
    getImageData(x: number, y: number, width: number, height: number): { readonly data: Uint8ClampedArray };
  };
}

/** Mean red, green and blue of the picture in a row of cells. */
const colourOf = (page: Page, row: number): Promise<number[]> =>
  page.getByTestId('heatmap-canvas').evaluate(
    (element, [line, rows]) => {
      const canvas = element as unknown as Canvas;
      const ratio = canvas.width / canvas.clientWidth;
      const tall = canvas.height - 22 * ratio;
      const y = Math.floor(((line! + 0.5) * tall) / rows!);
      const { data } = canvas.getContext('2d').getImageData(Math.ceil(62 * ratio) + 20, y, 200, 1);
      return [0, 1, 2].map((part) => data.filter((_, i) => i % 4 === part).reduce((sum, one) => sum + one, 0) / 200);
    },
    [row, RANKS],
  );

describe.skipIf(lacksComponent('chromium'))('analysis of a run', () => {
  const screens = useBrowser();
  let engine: Engine;
  let ids: Map<string, string>;
  const view = (jobid: string, query: string): string => link(engine, `/ui/jobs/${ids.get(jobid) ?? ''}?${query}`);

  beforeAll(async () => {
    const data = path.join(temporaryFolder(), 'data');
    await withStore(data, async (store) => {
      ids = await putWeeks(store, Date.now());
    });
    engine = await startEngine({ page: true, args: ['--data', data, '--period', '250ms'] });
  });
  afterAll(() => engine.stop('SIGKILL'));

  test('says what made the run slow, and leads to the rank over time', async () => {
    const { page, tolerate, requests } = await screens.open(view(SLOWER, ''));
    tolerate(NO_NODES);
    await page.getByRole('tab', { name: 'Analysis' }).waitFor(SOON);
    expect(requests.filter((url) => /AnalysisTab.*\.js/.test(url))).toEqual([]);
    await page.getByRole('tab', { name: 'Analysis' }).click();
    const headline = page.getByTestId('analysis-headline');
    await headline.waitFor(SOON);
    expect(await headline.innerText()).toMatch(/MPI_Barrier/);
    expect(await headline.innerText()).toMatch(new RegExp(`[Rr]ank ${SLOW_RANK}\\b`));

    // Against other runs of the command: verdicts in words.
    const time = page.getByTestId('footprint').getByRole('row').filter({ hasText: 'Run time' });
    expect(await time.innerText()).toMatch(/bad/);
    expect(await time.getByRole('cell').nth(1).innerText()).toBe('92 s');
    await page.getByTestId('radar').waitFor();

    // The rank that the others wait for is a step away.
    const barrier = page
      .getByTestId('imbalance-table')
      .getByRole('row')
      .filter({ hasText: /Barrier.*time/i });
    await barrier.getByRole('button', { name: new RegExp(`^Rank ${SLOW_RANK} over time`) }).click();
    await page.getByTestId('heatmap-canvas').waitFor(SOON);
    expect(new URL(page.url()).searchParams.get('rank')).toBe(String(SLOW_RANK));
    expect(await page.getByTestId('heatmap-summary').innerText()).toMatch(
      new RegExp(`Barrier.* of ${RANKS} ranks over 1:32: .*least on rank ${SLOW_RANK} on node02`),
    );
    await page.goBack();
    await headline.waitFor(SOON);
  });

  test('a phase leads to the charts of its time', async () => {
    const { page, tolerate } = await screens.open(view(SLOWER, 'tab=analysis'));
    tolerate(NO_NODES);
    const first = page.getByTestId('phases-list').getByRole('button').first();
    await first.waitFor(SOON);
    expect(await page.getByTestId('phases-strip').locator('button').count()).toBeGreaterThan(0);
    await first.click();
    await page.getByTestId('chart-panel').first().waitFor(SOON);
    expect(new URL(page.url()).searchParams.get('tab')).toBeNull();
  });

  test('the map: drawn as the numbers are, read by pointer and keys, zoomed by drawing over it', async () => {
    const { page, tolerate } = await screens.open(view(SLOWER, `tab=heatmap&series=${BARRIER}`));
    tolerate(NO_NODES);
    const map = page.getByTestId('heatmap-canvas');
    await map.waitFor(SOON);
    // The slow rank waits little: darker than all others.
    await expect.poll(async () => (await colourOf(page, 0))[1]! > 120, SOON).toBe(true);
    const slow = await colourOf(page, SLOW_RANK);
    for (const row of [0, 1, 2, 3, 4, 6, 7]) expect((await colourOf(page, row))[1]! - slow[1]!).toBeGreaterThan(50);

    const tip = page.getByTestId('heatmap-tip');
    const spot = await at(page, SLOW_RANK, 0.5);
    await page.mouse.move(spot.x, spot.y);
    await tip.waitFor(SOON);
    expect(await tip.innerText()).toMatch(
      new RegExp(
        `^0\\.01\\d* s/s\\s+Rank ${SLOW_RANK} on node02\\s+\\d\\d:\\d\\d:\\d\\d – .*, 0:4\\d after the start$`,
      ),
    );
    await page.mouse.move(5, 5);
    await tip.waitFor({ state: 'detached' });

    await page.getByRole('group', { name: /^Map of ranks over time/ }).focus();
    await page.keyboard.press('ArrowDown');
    await tip.waitFor();
    expect(await tip.innerText()).toMatch(/^0\.34\d* s\/s\s+Rank 0 on node01/);
    for (let i = 0; i < SLOW_RANK; i++) await page.keyboard.press('ArrowDown');
    expect(await tip.innerText()).toMatch(new RegExp(`Rank ${SLOW_RANK} on node02`));
    const address = page.url();
    await page.keyboard.press('ArrowRight');
    expect(page.url()).toBe(address);

    // A stretch of it, and back.
    const [from, to] = [await at(page, 2, 0.25), await at(page, 2, 0.5)];
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(to.x - 2, to.y, { steps: 5 });
    await page.mouse.up();
    await page.getByTestId('heatmap-summary').getByText('over 0:23').waitFor(SOON);
    const zoomed = new URL(page.url()).searchParams;
    expect(Math.round((Number(zoomed.get('to')) - Number(zoomed.get('from'))) / 1000)).toBe(23);
    await page.goBack();
    await page.getByTestId('heatmap-summary').getByText('over 1:32').waitFor(SOON);
  });

  test('in other orders, as a table, and as a file', async () => {
    const { page, tolerate } = await screens.open(view(SLOWER, `tab=heatmap&series=${BARRIER}`));
    tolerate(NO_NODES);
    await page.getByTestId('heatmap-canvas').waitFor(SOON);
    await choose(page, 'Largest first');
    // The one that waits least is the last.
    await expect
      .poll(async () => (await colourOf(page, 0))[1]! - (await colourOf(page, RANKS - 1))[1]!, SOON)
      .toBeGreaterThan(50);
    await choose(page, 'From the least');
    await expect.poll(() => page.getByTestId('heatmap-legend').innerText(), SOON).toMatch(/^0\.01\d* s\/s/);
    await choose(page, 'Table');
    const rows = page.getByTestId('heatmap-table').getByRole('row');
    await expect.poll(() => rows.count(), SOON).toBe(RANKS + 1);
    expect(await rows.last().getByRole('gridcell').first().innerText()).toBe(String(SLOW_RANK));
    await page.getByRole('radiogroup', { name: 'Order of the ranks' }).getByText('Node').click();
    await expect.poll(() => rows.nth(1).getByRole('gridcell').nth(1).innerText(), SOON).toBe('node01');
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'CSV of the map' }).click(),
    ]);
    const cells = parseCsv(await readFile(await file.path(), 'utf8'));
    expect(cells).toHaveLength(RANKS + 1);
    expect(cells.slice(1).map((row) => row[0])).toEqual(['0', '2', '4', '6', '1', '3', '5', '7']);
    const values = cells.find((row) => row[0] === String(SLOW_RANK))!.slice(2);
    expect(values.length).toBeGreaterThan(30);
    for (const value of values.filter((one) => one !== '')) expect(Number(value)).toBeCloseTo(0.01, 2);
  });

  test('a run that was pushed has an analysis as soon as it has ended; why there is no map is said', async () => {
    const { legacy_socket: socket } = engine.ready;
    const program = await MpiProgram.start(socket, { jobid: 'pushed', start_time: Date.now() - 20_000 }, { ranks: 3 });
    for (let i = 0; i < 10; i++) {
      program.step((rank) => ({
        ...EVEN(rank),
        barrier: { hits: 1, time: rank === 1 ? 0.0625 : 0.5, size: null },
      }));
    }
    await program.end();
    const ended = async (): Promise<string | undefined> => {
      const list = (await askApi(engine, 'GET', '/profiles?search=job:pushed')) as { runs: { id: string }[] };
      return list.runs[0]?.id;
    };
    await expect.poll(ended, SOON).toBeDefined();
    const { page } = await screens.open(link(engine, `/ui/jobs/${await ended()}?tab=analysis`));
    await page.getByTestId('analysis-headline').waitFor(SOON);
    const barrier = page
      .getByTestId('imbalance-table')
      .getByRole('row')
      .filter({ hasText: /Barrier.*time/i });
    await barrier.getByRole('button', { name: /^Rank 1 over time/ }).waitFor();
    expect(await page.getByTestId('footprint').innerText()).toContain('not compared');
    // Of a series that it has not: the first one is shown instead.
    await page.goto(link(engine, `/ui/jobs/${await ended()}?tab=heatmap&series=none&rank=99`));
    await page.getByTestId('heatmap-canvas').or(page.getByTestId('heatmap-nothing')).first().waitFor(SOON);
  });

  test('runs without history, and hostile ones, say what is missing', async () => {
    const { page, tolerate } = await screens.open(view('hostile', 'tab=heatmap'));
    // Nothing of it was kept but its profile.
    tolerate(NO_NODES, /status of 404 .*scope=run%2Fhostile0/);
    await page.getByTestId('heatmap-nothing').waitFor(SOON);
    expect(await page.getByTestId('heatmap-nothing').innerText()).toMatch(/no history of its ranks/);
    await page.getByRole('tab', { name: 'Analysis' }).click();
    await page.getByTestId('analysis-headline').waitFor(SOON);
    expect(await page.locator('b:text-is("node")').count()).toBe(0);
    expect(await page.locator('img').count()).toBe(0);
  });

  test('an engine that sends another number of values than it says is not drawn', async () => {
    const { page, tolerate } = await screens.open();
    tolerate(NO_NODES);
    await page.route(/\/heatmap\?/, async (route) => {
      const answer = (await (await route.fetch()).json()) as Record<string, unknown>;
      await route.fulfill({ json: { ...answer, ranks: Array.from({ length: 4000 }, (_, rank) => rank) } });
    });
    await page.goto(view(SLOWER, 'tab=heatmap'));
    await page.getByRole('alert').getByText('another number of values').waitFor(SOON);
  });

  test('axe finds nothing', async () => {
    for (const viewport of SIZES) {
      const { page, tolerate } = await screens.open(view(SLOWER, 'tab=analysis'), { viewport });
      tolerate(NO_NODES);
      await page.getByTestId('radar').waitFor(SOON);
      expect(await findings(page)).toEqual([]);
      await page.getByRole('tab', { name: 'Heatmap' }).click();
      await page.getByTestId('heatmap-canvas').waitFor(SOON);
      // Off the buttons of the range, which have come up below it.
      await page.mouse.move(2, 2);
      await page.getByRole('tooltip').waitFor({ state: 'detached' });
      await page.getByRole('group', { name: /^Map of ranks over time/ }).focus();
      await page.keyboard.press('ArrowDown');
      await page.getByTestId('heatmap-tip').waitFor();
      expect(await findings(page)).toEqual([]);
      await choose(page, 'Table');
      await page.getByTestId('heatmap-table').waitFor(SOON);
      expect(await findings(page)).toEqual([]);
    }
  });
});
