/** From a month to a second: each step shows what is stored, and there is a picture all the time. */

import { hostname } from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { findings } from './axe.ts';
import { chart, download, link, readJson, SOON } from './console.ts';
import { DAY, HOUR, makeMonth, type Month, monthBefore } from './zoom-store.ts';

const LOAD = 'Load: Load';
const MINUTE = 60_000;

/** The range in the address, ms; null while it moves. */
function rangeOf(page: Page): { from: number; to: number } | null {
  const { searchParams } = new URL(page.url());
  const [from, to] = [searchParams.get('from'), searchParams.get('to')];
  return from === null || to === null ? null : { from: Number(from), to: Number(to) };
}

const widthOf = (page: Page): number => {
  const range = rangeOf(page);
  return range ? range.to - range.from : Infinity;
};

const resolution = (page: Page): Promise<string> => page.getByTestId('resolution').innerText();
const shown = (page: Page): Promise<string> => page.getByTestId('shown-range').innerText();

async function settled(page: Page): Promise<void> {
  await expect.poll(() => page.getByText('loading finer data').count(), SOON).toBe(0);
}

/**
 * Looks at a chart in each frame that the browser draws: how many there were, and how many without a line. Lines are the
 * only thing with a colour in it.
 */
async function watch(page: Page, name: string): Promise<() => Promise<{ frames: number; empty: number }>> {
  await page.evaluate(`(() => {
    const panel = document.querySelector('[data-testid="chart-panel"][aria-label=${JSON.stringify(name)}]');
    const seen = { frames: 0, empty: 0, on: true };
    window.watched = seen;
    const look = () => {
      const canvas = panel.isConnected ? panel.querySelector('canvas') : null;
      let coloured = 0;
      if (canvas) {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        for (let i = 0; i < data.length; i += 4) {
          if (data[i + 3] < 60) continue;
          const most = Math.max(data[i], data[i + 1], data[i + 2]);
          if (most - Math.min(data[i], data[i + 1], data[i + 2]) > 60) coloured++;
        }
      }
      seen.frames++;
      if (coloured === 0) seen.empty++;
      if (seen.on) requestAnimationFrame(look);
    };
    // After the page's own drawing of the frame.
    requestAnimationFrame(look);
  })()`);
  return () =>
    page.evaluate('window.watched.on = false, { frames: window.watched.frames, empty: window.watched.empty }');
}

/** Moves the mouse to a time in a chart. */
async function pointAt(page: Page, name: string, time: number): Promise<void> {
  await expect.poll(() => rangeOf(page), SOON).not.toBeNull();
  const { from, to } = rangeOf(page)!;
  const over = chart(page, name).locator('.u-over');
  // A chart is built anew when its lines are others.
  let box = await over.boundingBox();
  await expect.poll(async () => (box ??= await over.boundingBox()), SOON).not.toBeNull();
  if (!box) return;
  await page.mouse.move(box.x + (box.width * (time - from)) / (to - from), box.y + box.height / 2);
}

/** Turns the wheel with Ctrl until the range is at most so wide. */
async function zoomTo(page: Page, name: string, time: number, width: number): Promise<void> {
  for (let turn = 0; turn < 60 && widthOf(page) > width; turn++) {
    const before = widthOf(page);
    // A chart that is built anew at this very moment does not feel the wheel: whoever turns it turns again.
    await vi.waitFor(async () => {
      await pointAt(page, name, time);
      await page.keyboard.down('Control');
      await page.mouse.wheel(0, -Math.min(60, Math.max(5, 100 * Math.log(before / width))));
      await page.keyboard.up('Control');
      await expect.poll(() => widthOf(page), { timeout: 5000 }).toBeLessThan(before);
    }, SOON);
  }
  expect(widthOf(page)).toBeLessThanOrEqual(width + 1);
}

describe.skipIf(lacksComponent('chromium'))('zooming', () => {
  const screens = useBrowser();
  const host = hostname();
  let engine: Engine;
  let month: Month;

  beforeAll(async () => {
    const data = path.join(temporaryFolder(), 'data');
    month = monthBefore(Date.now());
    await makeMonth(data, host, month);
    engine = await startEngine({ page: true, args: ['--data', data] });
  });
  afterAll(async () => void (await engine.stop('SIGKILL')));

  const open = async (range: string, options = {}) => {
    const screen = await screens.open(link(engine, `/ui/node/${host}?${range}`), options);
    await chart(screen.page, LOAD).waitFor(SOON);
    await chart(screen.page, LOAD).scrollIntoViewIfNeeded();
    await settled(screen.page);
    return screen;
  };

  test('from a month to a second with the wheel, and back with Escape, there is a picture in every frame', async () => {
    const { page } = await open(`from=${month.from}&to=${month.to}`, { colorScheme: 'light' });
    expect(await resolution(page)).toMatch(/^\d+ (h|min) buckets, min–max band$/);
    const stop = await watch(page, LOAD);
    const widths: number[] = [];
    const words: string[] = [];
    for (const width of [DAY, HOUR, MINUTE, 1000]) {
      // What is asked for on the way is asked for until it is left.
      await zoomTo(page, LOAD, month.spike, width);
      await settled(page);
      const { from, to } = rangeOf(page)!;
      expect(from).toBeLessThanOrEqual(month.spike);
      expect(to).toBeGreaterThanOrEqual(month.spike);
      widths.push(to - from);
      words.push(await resolution(page));
      const { series } = readJson((await download(page, 'JSON')).text);
      const { values } = series.get(`${host}: proxy_context_switches_total`)!;
      expect(values.length, `points in ${to - from} ms`).toBeGreaterThan(0);
      await pointAt(page, LOAD, month.spike);
    }
    expect(widths.at(-1)).toBe(1000);
    expect(words.slice(-2)).toEqual(['every stored sample', 'every stored sample']);
    expect(await shown(page)).toContain('(1 s)');

    await page.mouse.move(2, 2);
    const address = page.url();
    // Escape belongs to a menu as long as it is there.
    await page.getByRole('menu').waitFor({ state: 'detached' });
    for (let step = 0; step < 80 && widthOf(page) < 29 * DAY; step++) {
      const before = widthOf(page);
      await page.keyboard.press('Escape');
      await expect.poll(() => widthOf(page), SOON).toBeGreaterThan(before);
    }
    expect(rangeOf(page)).toEqual({ from: month.from, to: month.to });
    await settled(page);
    const { frames, empty } = await stop();
    console.log(`zoom: ${frames} frames drawn, ${empty} without a line`);
    expect(frames).toBeGreaterThan(20);
    expect(empty).toBe(0);

    // The link shows the same second again, also to somebody else.
    const again = await screens.open(`${address}#${link(engine).split('#')[1]}`);
    await chart(again.page, LOAD).waitFor(SOON);
    expect(await shown(again.page)).toContain('(1 s)');
  });

  test('one second among the 2.6 million of a month is seen in its band', async () => {
    const { page } = await open(`from=${month.from}&to=${month.to}`);
    await page.getByRole('tab', { name: 'Series' }).click();
    await page.getByRole('searchbox', { name: 'Search series' }).fill('context switches');
    const row = page.getByTestId('series-table').getByRole('row').last();
    await expect.poll(() => row.getByRole('gridcell').nth(5).innerText(), SOON).toBe('1 M/s');
  });

  test('a brush, a double click, keys, buttons and presets lead to the same range in all charts', async () => {
    const { page } = await open(`from=${month.from}&to=${month.to}`);
    const panel = chart(page, LOAD);
    const box = (await panel.locator('.u-over').boundingBox())!;
    const y = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width * 0.5, y);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.55, y, { steps: 4 });
    await page.mouse.move(box.x + box.width * 0.6, y, { steps: 4 });
    await page.mouse.up();
    await expect.poll(() => widthOf(page), SOON).toBeLessThan(4 * DAY);
    const brushed = rangeOf(page)!;
    await panel.locator('.u-over').dblclick();
    await expect.poll(() => rangeOf(page), SOON).toEqual({ from: month.from, to: month.to });
    await page.goBack();
    await expect.poll(() => rangeOf(page), SOON).toEqual(brushed);

    await page.mouse.move(2, 2);
    const width = brushed.to - brushed.from;
    await page.keyboard.press('+');
    await expect.poll(() => Math.abs(widthOf(page) - width / 2), SOON).toBeLessThan(2);
    const middle = rangeOf(page)!;
    await page.keyboard.press('ArrowLeft');
    await expect.poll(() => Math.abs(rangeOf(page)!.from - (middle.from - width / 8)), SOON).toBeLessThan(2);
    await page.keyboard.press('ArrowRight');
    await expect.poll(() => Math.abs(rangeOf(page)!.from - middle.from), SOON).toBeLessThan(2);
    await page.keyboard.press('-');
    await expect.poll(() => Math.abs(widthOf(page) - width), SOON).toBeLessThan(2);
    await page.getByRole('button', { name: 'Zoom out' }).click();
    await expect.poll(() => widthOf(page), SOON).toBeGreaterThan(width);
    await page.getByRole('button', { name: 'Earlier' }).click();
    await page.keyboard.press('0');
    await expect.poll(() => rangeOf(page), SOON).toBeNull();

    await page.getByRole('button', { name: 'Range', exact: true }).click();
    await page.getByRole('group', { name: 'Follow the last' }).getByRole('button', { name: '90 d' }).click();
    await expect.poll(() => new URL(page.url()).searchParams.get('last'), SOON).toBe('90d');
    await page.getByRole('button', { name: 'Range', exact: true }).click();
    await page.getByRole('group', { name: 'Follow the last' }).getByRole('button', { name: 'All' }).click();
    await expect.poll(() => new URL(page.url()).searchParams.get('last'), SOON).toBe('all');
    // All there is began with the month.
    await expect.poll(() => chart(page, LOAD).count(), SOON).toBe(1);
    await expect.poll(() => resolution(page), SOON).toMatch(/^\d+ (h|min) buckets/);
    await page.getByRole('button', { name: 'Pause' }).click();
    await expect.poll(() => Math.abs((rangeOf(page)?.from ?? 0) - month.from), SOON).toBeLessThan(2 * HOUR);
  });

  test('a range is written, and what is wrong with it is said', async () => {
    const { page } = await open('last=5m');
    await page.getByRole('button', { name: 'Range', exact: true }).click();
    const from = page.getByLabel('From', { exact: true });
    const to = page.getByLabel('To', { exact: true });
    await from.fill('once upon a time');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await page.getByText('Write it as 2026-11-20 08:15').waitFor();
    await from.fill('-2h');
    await to.fill('-3h');
    await page.getByText('It must be at least a second after the start.').waitFor();
    expect(rangeOf(page)).toBeNull();
    await to.fill('now-1h');
    await page.keyboard.press('Enter');
    await expect.poll(() => Math.abs(widthOf(page) - HOUR), SOON).toBeLessThan(2000);
    expect(Math.abs(rangeOf(page)!.to - (Date.now() - HOUR))).toBeLessThan(60_000);
    expect(await from.count()).toBe(0);
  });

  test('where the engine did not run there is a gap, in samples as in buckets', async () => {
    for (const room of [2 * HOUR, 3 * DAY]) {
      const { page } = await open(`from=${month.hole.from - room}&to=${month.hole.to + room}`);
      const { series } = readJson((await download(page, 'JSON')).text);
      const { times } = series.get(`${host}: proxy_load1`)!;
      expect(times.some((time) => time < month.hole.from)).toBe(true);
      expect(times.some((time) => time >= month.hole.to)).toBe(true);
      expect(times.filter((time) => time > month.hole.from && time < month.hole.to - HOUR)).toEqual([]);
    }
  });

  test('a question that was left is given up', async () => {
    const { page } = await open('last=5m');
    const held: (() => void)[] = [];
    const given: string[] = [];
    page.on('requestfailed', (request) => given.push(request.url()));
    await page.route('**/api/v1/query?*', async (route) => {
      await new Promise<void>((resolve) => held.push(resolve));
      await route.continue().catch(() => undefined);
    });
    await page.keyboard.press('+');
    await expect.poll(() => held.length, SOON).toBeGreaterThan(0);
    await page.keyboard.press('+');
    await expect.poll(() => given.length, SOON).toBeGreaterThan(0);
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    for (const go of held) go();
    await page.keyboard.press('0');
    await settled(page);
  });

  test.each([
    { width: 1440, height: 900 },
    { width: 900, height: 700 },
  ])('axe finds nothing: $width × $height', async (viewport) => {
    const { page } = await open(`from=${month.from}&to=${month.to}`, { viewport, reducedMotion: 'reduce' });
    expect(await findings(page)).toEqual([]);
    await page.getByRole('button', { name: 'Range', exact: true }).click();
    await page.getByLabel('From', { exact: true }).fill('?');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    expect(await findings(page)).toEqual([]);
  });
});
