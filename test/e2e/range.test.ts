/** Ranges: brush, pause, back to live, one cursor for all charts, finer data where a range gets narrower. */

import path from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { chart, choose, download, jobRow, legend, link, readJson, SOON } from './console.ts';
import { putRunWithHistory, withStore } from './past.ts';
import { Program } from './program.ts';

const CHARTS = ['MPI: Calls', 'MPI: Time', 'MPI: Bytes'] as const;
const HOUR = 3_600_000;

/** A run of an hour whose every second has a total of its own. */
const hour = (second: number) => ({
  mpi___hits___mpi_send: second * second,
  mpi___hits___mpi_recv: 3 * second,
  mpi___time___mpi_send: second / 4,
  mpi___time___mpi_recv: second / 8,
  mpi___size___mpi_send: 4096 * second,
  mpi___size___mpi_recv: 512 * second,
});

/** The area of a chart in which its lines are. */
const plotOf = (panel: Locator): Locator => panel.locator('.u-over');

/** Draws a range in a chart, from and to as shares of its width. */
async function brush(page: Page, panel: Locator, from: number, to: number): Promise<void> {
  const box = (await plotOf(panel).boundingBox())!;
  const y = box.y + box.height / 2;
  await page.mouse.move(box.x + box.width * from, y);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * ((from + to) / 2), y, { steps: 4 });
  await page.mouse.move(box.x + box.width * to, y, { steps: 4 });
  await page.mouse.up();
}

/** The range in the address, ms; null while it moves. */
function rangeOf(page: Page): { from: number; to: number } | null {
  const { searchParams } = new URL(page.url());
  const [from, to] = [searchParams.get('from'), searchParams.get('to')];
  return from === null || to === null ? null : { from: Number(from), to: Number(to) };
}

/** The time that is said to be under the cursor, `HH:MM:SS`, when the mouse is there in a chart. */
async function timeAt(page: Page, panel: Locator, share: number): Promise<string> {
  const box = (await plotOf(panel).boundingBox())!;
  await page.mouse.move(box.x + box.width * share, box.y + box.height / 2);
  const text = page.locator('.v-cursor-time');
  await expect.poll(() => text.innerText(), SOON).toMatch(/^at \d/);
  return (await text.innerText()).slice(3);
}

/** Seconds of the day. */
const seconds = (clock: string): number => clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);

interface Asked {
  readonly scope: string;
  readonly from: number;
  readonly to: number;
  readonly maxPoints: number;
}

/** Ranges that the page has asked the engine for. */
const askedFor = (requests: readonly string[]): Asked[] =>
  requests
    .map((url) => new URL(url))
    .filter(({ pathname }) => pathname === '/api/v1/query')
    .map(({ searchParams: params }) => ({
      scope: params.get('scope') ?? '',
      from: Number(params.get('from')),
      to: Number(params.get('to')),
      maxPoints: Number(params.get('maxPoints')),
    }));

describe.skipIf(lacksComponent('chromium'))('ranges', () => {
  const screens = useBrowser();
  const start = Date.now() - 2 * HOUR;
  let engine: Engine;
  let program: Program;

  beforeAll(async () => {
    const data = path.join(temporaryFolder(), 'data');
    await withStore(data, (store) => putRunWithHistory(store, 'an-hour', 'an-hour', start, 3600, hour));
    engine = await startEngine({ page: true, args: ['--data', data, '--period', '250ms'] });
    program = await Program.start(engine.ready.legacy_socket, { jobid: 'moving' });
    program.run();
  });
  afterAll(async () => {
    program.lose();
    await engine.stop('SIGKILL');
  });

  test('a brush on one chart of a finished run narrows all of them, and finer data comes', async () => {
    const { page, requests } = await screens.open(link(engine, '/ui/jobs/an-hour'));
    const [calls, time, bytes] = CHARTS.map((name) => chart(page, name)) as [Locator, Locator, Locator];
    await bytes.waitFor();
    await expect.poll(() => page.getByTestId('shown-range').innerText(), SOON).toContain('(1:00:00)');
    expect(rangeOf(page)).toBeNull();

    const before = requests.length;
    await brush(page, time, 0.5, 0.53);
    await expect.poll(() => rangeOf(page), SOON).not.toBeNull();
    const { from, to } = rangeOf(page)!;
    expect(from).toBeGreaterThan(start + 0.45 * HOUR);
    expect(to).toBeLessThan(start + 0.55 * HOUR);
    expect(to - from).toBeGreaterThan(10_000);
    expect(to - from).toBeLessThan(200_000);
    await expect
      .poll(() => askedFor(requests.slice(before)).filter(({ scope }) => scope === 'run/an-hour'), SOON)
      .toContainEqual(expect.objectContaining({ from, to }));

    // Each second of it is there now, with its own total.
    await choose(page, 'Totals');
    await expect.poll(() => page.getByText('loading finer data').count(), SOON).toBe(0);
    const { document, series } = readJson((await download(page, 'JSON')).text);
    expect(document).toMatchObject({ from: { ms: from }, to: { ms: to } });
    const inRange = Array.from({ length: 3601 }, (_, second) => second).filter(
      (second) => start + second * 1000 >= from && start + second * 1000 <= to,
    );
    expect(series.get('an-hour: mpi___hits___mpi_send')).toEqual({
      times: inRange.map((second) => start + second * 1000),
      values: inRange.map((second) => second * second),
    });

    // All charts show it: the same place is the same time in each, and the ends are those of the range.
    for (const panel of [calls, time, bytes]) {
      for (const [share, expected] of [
        [0.002, from],
        [0.5, (from + to) / 2],
        [0.998, to],
      ] as const) {
        const shown = await timeAt(page, panel, share);
        const date = new Date(expected);
        const wanted = date.getHours() * 3600 + date.getMinutes() * 60 + date.getSeconds();
        // To the second, and to the nearest sample.
        expect(Math.abs(seconds(shown) - wanted), `${shown} at ${share}`).toBeLessThanOrEqual(2);
      }
    }

    await page.mouse.move(2, 2);
    await page.getByRole('button', { name: 'Whole run' }).click();
    await expect.poll(() => rangeOf(page), SOON).toBeNull();
    await expect.poll(() => page.getByTestId('shown-range').innerText(), SOON).toContain('(1:00:00)');
  });

  test('an hour comes in buckets that hide no spike, a range inside it in samples', async () => {
    const { page, requests } = await screens.open(link(engine, '/ui/jobs/an-hour'));
    await chart(page, 'MPI: Calls').waitFor();
    const whole = askedFor(requests).filter(({ scope }) => scope === 'run/an-hour');
    expect(whole.length).toBeGreaterThan(0);
    expect(whole.every(({ maxPoints }) => maxPoints < 3600)).toBe(true);
    await page.getByRole('tab', { name: 'Series' }).click();
    await page.getByRole('searchbox', { name: 'Search series' }).fill('send calls');
    const row = page.getByTestId('series-table').getByRole('row').last();
    // The rate of s² is 2 s - 1: its greatest is that of the last second, also out of a bucket.
    await expect.poll(() => row.getByRole('gridcell').nth(5).innerText(), SOON).toBe('7.2 k/s');
  });

  test('what runs is brushed, paused, and goes on live', async () => {
    const { page, requests } = await screens.open(link(engine));
    await jobRow(page, 'moving').click();
    const calls = chart(page, 'MPI: Calls');
    await expect.poll(async () => (await legend(calls)).get('Send'), SOON).toMatch(/^\d/);

    await page.getByRole('button', { name: 'Pause' }).click();
    const paused = rangeOf(page)!;
    expect(paused.to - paused.from).toBeGreaterThan(1000);
    await expect
      .poll(() => askedFor(requests), SOON)
      .toContainEqual(expect.objectContaining({ from: Math.floor(paused.from), to: Math.ceil(paused.to) }));
    const still = await download(page, 'JSON');
    program.step();
    expect(readJson((await download(page, 'JSON')).text).series).toEqual(readJson(still.text).series);

    await page.getByRole('button', { name: 'Back to live' }).click();
    await expect.poll(() => rangeOf(page), SOON).toBeNull();
    const before = await legend(calls);
    await expect.poll(() => legend(calls), SOON).not.toEqual(before);

    await brush(page, calls, 0.8, 0.95);
    await expect.poll(() => rangeOf(page), SOON).not.toBeNull();
    // Back and forth are steps in the history of the browser.
    const brushed = rangeOf(page);
    await page.goBack();
    await expect.poll(() => rangeOf(page), SOON).toBeNull();
    await page.goForward();
    await expect.poll(() => rangeOf(page), SOON).toEqual(brushed);
    await page.keyboard.press('0');
    await expect.poll(() => rangeOf(page), SOON).toBeNull();
    await page.keyboard.press('Space');
    await expect.poll(() => rangeOf(page), SOON).not.toBeNull();
    await page.keyboard.press('Space');
    await expect.poll(() => rangeOf(page), SOON).toBeNull();

    await plotOf(calls).dblclick();
    await expect.poll(() => rangeOf(page), SOON).toBeNull();
  });

  test('the cursor of one chart stands in all others at the same time', async () => {
    const { page } = await screens.open(link(engine, '/ui/jobs/an-hour'));
    const [calls, time, bytes] = CHARTS.map((name) => chart(page, name)) as [Locator, Locator, Locator];
    await bytes.waitFor();
    const line = (panel: Locator) => panel.locator('.u-cursor-x');
    await expect.poll(() => line(time).getAttribute('class'), SOON).toContain('u-off');

    const hovered = await timeAt(page, calls, 0.25);
    for (const panel of [time, bytes]) {
      await expect.poll(() => line(panel).getAttribute('class'), SOON).not.toContain('u-off');
      const box = (await plotOf(panel).boundingBox())!;
      const at = (await line(panel).boundingBox())!;
      expect((at.x - box.x) / box.width).toBeCloseTo(0.25, 1);
    }
    // Legends say what was then: 3 calls a second of Recv at all times, Send by then some.
    expect(hovered).toMatch(/^\d\d:\d\d:\d\d$/);
    const then = await legend(calls);
    expect(then.get('Recv')).toBe('3 /s');
    await timeAt(page, calls, 0.75);
    await expect.poll(() => legend(calls), SOON).not.toEqual(then);
    await page.mouse.move(2, 2);
    await expect.poll(() => line(time).getAttribute('class'), SOON).toContain('u-off');
  });
});
