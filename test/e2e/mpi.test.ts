/** A job's MPI: what the ranks pushed is what people read, while it runs, when it has ended, and by a link. */

import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatValue } from '../../src/renderer/format/units.ts';
import { Pusher } from '../../src/client/pusher.ts';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { findings } from './axe.ts';
import { jobRow, link, parseCsv, SOON } from './console.ts';
import { EVEN, MpiProgram, type Step } from './mpi-program.ts';

const RANKS = 4;
/** Rank 2 comes late to every collective call: it waits little, the others wait for it. */
const UNEVEN: Step = (rank) => ({
  ...EVEN(rank),
  allreduce: { hits: 8, time: rank === 2 ? 0.0625 : 1.5, size: 8 * 1024 },
  barrier: { hits: 1, time: rank === 2 ? 0.0625 : 0.5, size: null },
});

/** Cells of a grid's rows, by what the first one says. */
async function rows(page: Page, testId: string): Promise<Map<string, string[]>> {
  const found = page
    .getByTestId(testId)
    .getByRole('row')
    .filter({ has: page.getByRole('gridcell') });
  const cells = await found.evaluateAll((list) =>
    list.map((row) => [...row.querySelectorAll('[role=gridcell]')].map((cell) => (cell.textContent ?? '').trim())),
  );
  return new Map(cells.map((row) => [row[0]!, row]));
}

const headline = (page: Page): Locator => page.getByTestId('mpi-headline');

async function openMpi(page: Page, jobid: string): Promise<void> {
  await jobRow(page, jobid).click();
  await page.getByRole('tab', { name: 'MPI' }).click(SOON);
  await headline(page).waitFor(SOON);
}

async function csv(page: Page, name: string): Promise<string[][]> {
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name }).click()]);
  const stream = await file.createReadStream();
  let text = '';
  for await (const chunk of stream) text += String(chunk);
  return parseCsv(text);
}

/** All that the view says of the run, against what its ranks pushed. */
async function expectSums(page: Page, program: MpiProgram): Promise<void> {
  const total = (name: string): number => program.totals.get(name) ?? 0;
  const calls = await rows(page, 'mpi-calls');
  expect([...calls.keys()].toSorted()).toEqual([
    'MPI_Allreduce',
    'MPI_Barrier',
    'MPI_Init',
    'MPI_Isend',
    'MPI_Waitall',
  ]);
  for (const [name, call, kind] of [
    ['MPI_Allreduce', 'allreduce', 'transfer, waiting'],
    ['MPI_Isend', 'isend', 'transfer, waiting'],
    ['MPI_Waitall', 'waitall', 'only waiting'],
    ['MPI_Barrier', 'barrier', 'only waiting'],
  ] as const) {
    const [hits, time] = [total(`mpi___hits___mpi_${call}`), total(`mpi___time___mpi_${call}`)];
    const size = program.totals.get(`mpi___size___mpi_${call}`);
    const row = calls.get(name)!;
    expect([row[1], row[2], row[4], row[5], row[7], row[8]]).toEqual([
      kind,
      formatValue(time, 's'),
      formatValue(time / hits, 's'),
      formatValue(hits, '1'),
      formatValue(size, 'B'),
      formatValue(size === undefined ? undefined : size / hits, 'B'),
    ]);
  }
  const ranks = await rows(page, 'mpi-ranks');
  expect([...ranks.values()].map((row) => row[2])).toEqual(program.times.map((time) => formatValue(time, 's')));
}

describe.skipIf(lacksComponent('chromium'))('MPI of a job', () => {
  const screens = useBrowser();
  let engine: Engine;
  let program: MpiProgram;
  let plain: MpiProgram;

  beforeAll(async () => {
    engine = await startEngine({ page: true, args: ['--period', '250ms'] });
    const { legacy_socket: socket } = engine.ready;
    // It began some time ago, so that what it spends in MPI is a part of its time.
    program = await MpiProgram.start(socket, { jobid: 'uneven', start_time: Date.now() - 100_000 }, { ranks: RANKS });
    plain = await MpiProgram.start(socket, { jobid: 'plain' }, { ranks: 2, metrics: false });
    for (let i = 0; i < 20; i++) program.step(UNEVEN);
  });
  afterAll(async () => {
    program.lose();
    plain.lose();
    await engine.stop('SIGKILL');
  });

  test('only a job with MPI has the tab, and its charts come only then', async () => {
    const { page, requests } = await screens.open(link(engine));
    await jobRow(page, 'plain').click();
    await page.getByRole('tab', { name: 'Series' }).click();
    await page.getByRole('searchbox', { name: 'Search series' }).fill('app_steps');
    await page.getByTestId('series-table').getByText('plain', { exact: true }).waitFor(SOON);
    expect(await page.getByRole('tab', { name: 'MPI' }).count()).toBe(0);
    expect(requests.filter((url) => /MpiTab.*\.js/.test(url))).toEqual([]);
    await page.getByRole('link', { name: 'Jobs' }).first().click();
    await openMpi(page, 'uneven');
    expect(requests.filter((url) => /MpiTab.*\.js/.test(url))).toHaveLength(1);
    // The range of the charts has no meaning here.
    expect(await page.getByRole('button', { name: 'Pause' }).count()).toBe(0);
  });

  test('in words, by call and by rank: what was pushed', async () => {
    const { page } = await screens.open(link(engine));
    await openMpi(page, 'uneven');
    await expect
      .poll(() => headline(page).textContent(), SOON)
      .toMatch(/^MPI took \d+ % of the run time; 6\d % of that in MPI_Allreduce\.$/);
    expect(await page.getByTestId('mpi-least').textContent()).toMatch(
      /^Rank 2 spends least time in MPI communication \(10 s of 1\d\d s\): the others wait for it\.$/,
    );
    await expectSums(page, program);
    const ranks = await rows(page, 'mpi-ranks');
    expect([...ranks.keys()]).toEqual(['0', '1', '2', '3']);
    expect([...ranks.values()].map((row) => row[4]!.includes('least'))).toEqual([false, false, true, false]);
    const most = Math.max(...program.times);
    const mean = program.times.reduce((sum, time) => sum + time, 0) / RANKS;
    const cells = page.getByTestId('mpi-balance').getByRole('row').nth(1).getByRole('cell');
    expect((await cells.allInnerTexts()).map((text) => text.replace(/\s+/g, ' '))).toEqual([
      `${formatValue(Math.min(...program.times), 's')} rank 2`,
      formatValue(mean, 's'),
      `${formatValue(most, 's')} rank 0`,
      (most / mean).toFixed(2),
    ]);

    // How it is computed is told to who points at it, and to the keyboard.
    await page.getByRole('tab', { name: 'MPI' }).focus();
    await page.keyboard.press('Tab');
    // The tab's panel may be a stop of its own.
    for (
      let i = 0;
      i < 3 &&
      !(await page
        .getByText(/^MPI took/)
        .and(page.locator(':focus'))
        .count());
      i++
    ) {
      await page.keyboard.press('Tab');
    }
    await page.getByRole('tooltip').getByText('A call counts when it returns.').waitFor();
  });

  test('a call is compared over the ranks by click, by list and by link', async () => {
    const { page } = await screens.open(link(engine));
    await openMpi(page, 'uneven');
    await page.getByTestId('mpi-calls').getByRole('button', { name: 'MPI_Barrier' }).click();
    await page.getByRole('heading', { name: 'Time in MPI_Barrier, per rank' }).waitFor();
    expect([...(await rows(page, 'mpi-ranks')).values()].map((row) => row[2])).toEqual(
      [10, 10, 1.25, 10].map((time) => formatValue(time, 's')),
    );
    await page.getByRole('radiogroup', { name: 'Compare by' }).getByText('Bytes').click();
    await page.getByRole('heading', { name: 'Top calls by bytes' }).waitFor();
    await expect.poll(() => page.getByRole('img', { name: /^Calls by bytes: MPI_Isend/ }).count()).toBe(1);
    await page.getByTestId('mpi-ranks').getByRole('button', { name: 'Time' }).click();
    const params = new URL(page.url()).searchParams;
    expect(Object.fromEntries(params)).toEqual({
      tab: 'mpi',
      call: 'mpi_barrier',
      by: 'bytes',
      mpisort: 'time',
      mpiorder: 'desc',
    });

    await page.reload();
    await page.getByRole('heading', { name: 'Bytes in MPI_Barrier, per rank' }).waitFor(SOON);
    await expect.poll(async () => [...(await rows(page, 'mpi-ranks')).keys()].at(-1), SOON).toBe('2');
    await page.getByRole('combobox', { name: 'Call to compare' }).click();
    await page.getByRole('option', { name: 'All calls' }).click();
    await page.getByRole('heading', { name: 'Bytes in MPI, per rank' }).waitFor();
    expect(new URL(page.url()).searchParams.has('call')).toBe(false);
  });

  test('live: numbers follow, rows stay where they are', async () => {
    const { page } = await screens.open(link(engine));
    await openMpi(page, 'uneven');
    await expect.poll(async () => (await rows(page, 'mpi-calls')).size, SOON).toBe(5);
    const order = [...(await rows(page, 'mpi-calls')).keys()];
    const before = (await rows(page, 'mpi-calls')).get('MPI_Isend')!;
    for (let i = 0; i < 5; i++) program.step(UNEVEN);
    const pushed = formatValue(program.totals.get('mpi___hits___mpi_isend'), '1');
    await expect.poll(async () => (await rows(page, 'mpi-calls')).get('MPI_Isend')![5], SOON).toBe(pushed);
    expect(before[5]).not.toBe(pushed);
    expect([...(await rows(page, 'mpi-calls')).keys()]).toEqual(order);
    await expectSums(page, program);
    // A rate over the last seconds, which were quiet a moment ago.
    expect((await rows(page, 'mpi-calls')).get('MPI_Isend')![6]).toMatch(/^[\d.]+( k)? ?\/s$/);
  });

  test('axe finds nothing, in both themes and sizes; nothing is wider than the window', async () => {
    const look = async (viewport: { width: number; height: number }): Promise<void> => {
      const { page } = await screens.open(link(engine), { viewport, reducedMotion: 'reduce' });
      await openMpi(page, 'uneven');
      await page.getByTestId('mpi-strip').locator('path').first().waitFor(SOON);
      // It rests where the tab was clicked: a word with an explanation may have come to lie there.
      await page.mouse.move(1, 1);
      await page.getByRole('tooltip').waitFor({ state: 'detached', ...SOON });
      expect(await findings(page), String(viewport.width)).toEqual([]);
      await page.getByTestId('mpi-calls').getByRole('button', { name: 'MPI_Allreduce' }).click();
      await page.getByRole('heading', { name: 'Time in MPI_Allreduce, per rank' }).waitFor();
      await page.getByTestId('mpi-strip').hover();
      expect(await findings(page), `${viewport.width}, a call`).toEqual([]);
      expect(await page.getByTestId('mpi').evaluate((view) => view.scrollWidth - view.clientWidth)).toBe(0);
    };
    await Promise.all([look({ width: 1440, height: 900 }), look({ width: 900, height: 700 })]);
  });

  test('the tables show all columns where there is room, and else that they scroll', async () => {
    const { page } = await screens.open(link(engine));
    const hidden = (testId: string): Promise<number> =>
      page.getByTestId(testId).evaluate((table) => table.scrollWidth - table.clientWidth);
    await openMpi(page, 'uneven');
    for (const width of [900, 1300, 1440, 1700, 1920]) {
      await page.setViewportSize({ width, height: 900 });
      await expect.poll(() => hidden('mpi-calls'), SOON).toBe(0);
      expect(await hidden('mpi-ranks'), String(width)).toBe(0);
    }
    await page.setViewportSize({ width: 640, height: 900 });
    await expect.poll(() => hidden('mpi-calls'), SOON).toBeGreaterThan(0);
    const last = page.getByTestId('mpi-calls').getByRole('columnheader').last();
    await last.scrollIntoViewIfNeeded();
    const [table, title] = await Promise.all([page.getByTestId('mpi-calls').boundingBox(), last.boundingBox()]);
    expect(title!.x + title!.width).toBeLessThanOrEqual(table!.x + table!.width);
    const shadows = await page
      .getByTestId('mpi-calls')
      .evaluate((element) => element.ownerDocument.defaultView!.getComputedStyle(element).backgroundAttachment);
    expect(shadows).toBe('local, local, scroll, scroll, scroll');
  });

  test('ranks of one series are there while the run lives, and follow', async () => {
    const { page } = await screens.open(link(engine));
    await jobRow(page, 'uneven').click();
    await page.getByRole('tab', { name: 'Ranks', exact: true }).click(SOON);
    await page.getByRole('combobox', { name: 'Series' }).click(SOON);
    await page.getByRole('option', { name: 'MPI · Isend · calls' }).click();
    const made = (): number => program.totals.get('mpi___hits___mpi_isend')! / RANKS;
    const expectAll = (): Promise<void> =>
      expect
        .poll(async () => [...(await rows(page, 'ranks-table')).values()].map((row) => row[2]), SOON)
        .toEqual(Array.from({ length: RANKS }, () => formatValue(made(), '1')));
    await expectAll();
    const before = made();
    program.step(UNEVEN);
    expect(made()).toBeGreaterThan(before);
    await expectAll();
    expect(await findings(page)).toEqual([]);
  });

  test('an ended job tells which of its processes failed', async () => {
    const { page } = await screens.open(link(engine));
    const pusher = await Pusher.connect(engine.ready.legacy_socket!);
    pusher.job({ jobid: 'failed' });
    for (const [code, count] of [
      ['0', 3],
      ['7', 2],
      ['killed', 1],
    ] as const) {
      const name = `vigie_exit_total{code="${code}"}`;
      pusher.describeCounter(name, 'Programs that ended');
      pusher.increase(name, count);
    }
    await pusher.close();
    await jobRow(page, 'failed').click(SOON);
    await expect.poll(() => page.getByTestId('exits').textContent(), SOON).toBe('exit 7 in 2 processes; 1 killed');
  });

  test('an ended run says the same from its profile, and as CSV', async () => {
    const { page } = await screens.open(link(engine));
    await openMpi(page, 'uneven');
    await program.end();
    await page.getByText('finished', { exact: true }).waitFor(SOON);
    await page.getByText('Whole run, sums over all ranks and threads').waitFor(SOON);
    await expect.poll(() => expectSums(page, program).then(() => 'equal', String), SOON).toBe('equal');
    expect(await page.getByTestId('mpi-least').textContent()).toContain('Rank 2 spends least');

    const ranks = await csv(page, 'CSV of the ranks');
    expect(ranks[0]).toEqual([
      'rank',
      'node',
      'of',
      'time [s]',
      'share of run time',
      'bytes [B]',
      'calls',
      'communication, all calls [s]',
    ]);
    expect(ranks.slice(1).map((row) => Number(row[3]))).toEqual(program.times);
    const calls = await csv(page, 'CSV of the calls');
    const isend = calls.find((row) => row[0] === 'MPI_Isend')!;
    expect([isend[2], isend[3], isend[5]].map(Number)).toEqual(
      ['time', 'hits', 'size'].map((what) => program.totals.get(`mpi___${what}___mpi_isend`)),
    );

    await page.reload();
    await headline(page).waitFor(SOON);
    await expectSums(page, program);
    expect(await page.getByRole('tab', { name: 'Ranks (4)' }).count()).toBe(1);
  });
});
