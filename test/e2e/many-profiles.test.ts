/** Thousands of finished runs in one list, which comes page by page. */

import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { askApi, link, SOON } from './console.ts';
import { pastProfile, withStore } from './past.ts';

const RUNS = 3000;
/** Far more rows than fit into the window. */
const MOST_ROWS = 120;

describe.skipIf(lacksComponent('chromium'))('thousands of profiles', () => {
  const screens = useBrowser();
  const start = Date.now() - RUNS * 60_000;
  let engine: Engine;

  beforeAll(async () => {
    const data = path.join(temporaryFolder(), 'data');
    await withStore(data, async (store) => {
      for (let i = 0; i < RUNS; i++) {
        const times = { start_time: start + i * 60_000, end_time: start + i * 60_000 + 45_000 };
        // The same job id again and again.
        store.putProfile(pastProfile(`r${i}`, { jobid: '42', command: `./a.out ${i}`, ...times }, { steps: i }));
        if (i % 500 === 499) await store.flush();
      }
      await store.flush();
    });
    engine = await startEngine({ page: true, args: ['--data', data] });
  });
  afterAll(() => engine.stop('SIGKILL'));

  const pagesAsked = (requests: readonly string[]): number =>
    requests.filter((url) => /\/api\/v1\/profiles\?/.test(url)).length;

  /** Scrolls down until all rows are there. */
  const toTheEnd = (page: Page): Promise<void> =>
    expect
      .poll(async () => {
        // As many as there were when it was scrolled to the end of them.
        return page.evaluate(`(() => {
          const table = document.querySelector('[data-testid="profiles-table"]');
          table.scrollTop = table.scrollHeight;
          return table.getAttribute('aria-rowcount');
        })()`);
      }, SOON)
      .toBe(String(RUNS + 1));

  test('the list goes on while one scrolls, with few rows in the document', async () => {
    const { page, requests } = await screens.open(link(engine, '/ui/profiles?view=runs'));
    await page.getByText('3\u202f000 runs', { exact: true }).waitFor(SOON);
    const table = page.getByTestId('profiles-table');
    const pages = () => pagesAsked(requests);
    expect(pages()).toBe(1);
    await toTheEnd(page);
    await table.getByText('./a.out 0', { exact: true }).waitFor(SOON);
    expect(await table.getByRole('row').count()).toBeLessThan(MOST_ROWS);
    expect(pages()).toBeLessThan(30);

    await page.keyboard.press('/');
    await page.keyboard.type('cmd:"a.out 1234"');
    await page.getByText('1 run', { exact: true }).waitFor(SOON);
    await table.getByText('./a.out 1234', { exact: true }).waitFor();
  });

  test('the row under the cursor stays in sight, down the list and up again', async () => {
    const { page } = await screens.open(link(engine, '/ui/profiles?view=runs'));
    const table = page.getByTestId('profiles-table');
    await table.getByText(`./a.out ${RUNS - 1}`, { exact: true }).waitFor(SOON);
    const head = (await table.getByRole('row').first().boundingBox())!;
    const box = (await table.boundingBox())!;
    const cursorIn = async (index: number): Promise<boolean> => {
      const row = await table.locator(`[aria-rowindex="${index + 2}"][aria-selected="true"]`).boundingBox();
      return row !== null && row.y >= head.y + head.height - 1 && row.y + row.height <= box.y + box.height + 1;
    };
    for (let i = 0; i < 40; i++) await page.keyboard.press('j');
    await expect.poll(() => cursorIn(39), SOON).toBe(true);
    for (let i = 0; i < 38; i++) await page.keyboard.press('k');
    await expect.poll(() => cursorIn(1), SOON).toBe(true);
  });

  test('far down the list a run is tagged, deleted and brought back where it was, without asking for all pages', async () => {
    const { page, requests } = await screens.open(link(engine, '/ui/profiles?view=runs'));
    const table = page.getByTestId('profiles-table');
    const row = table.getByRole('row').filter({ has: page.getByText('./a.out 7', { exact: true }) });
    await page.getByText('3\u202f000 runs', { exact: true }).waitFor(SOON);
    await toTheEnd(page);
    await row.waitFor(SOON);
    const place = await row.getAttribute('aria-rowindex');
    const asked = pagesAsked(requests);

    await row.getByRole('checkbox').click();
    await page.getByRole('button', { name: 'Tag…' }).click();
    await page.getByLabel('Add', { exact: true }).first().fill('looked at');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Save' }).click();
    await row.getByText('looked at', { exact: true }).waitFor(SOON);

    // It is still ticked.
    await page.keyboard.press('Delete');
    await page.getByText('2\u202f999 runs', { exact: true }).waitFor(SOON);
    await row.waitFor({ ...SOON, state: 'detached' });
    await page.keyboard.press('u');
    await page.getByText('3\u202f000 runs', { exact: true }).waitFor(SOON);
    await row.getByText('looked at', { exact: true }).waitFor(SOON);
    expect(await row.getAttribute('aria-rowindex')).toBe(place);
    expect(pagesAsked(requests)).toBe(asked);
    // What is shown is what is so.
    const { runs } = (await askApi(engine, 'GET', '/profiles?search=tag:%22looked+at%22')) as {
      runs: { id: string }[];
    };
    expect(runs.map(({ id }) => id)).toEqual(['r7']);
  });

  test('tags are readable where there is little room, and those without room are counted', async () => {
    const tags = ['slow', 'a-rather-long-one-of-a-study', 'paper', 'review'];
    await askApi(engine, 'POST', '/profiles/change', { ids: [`r${RUNS - 1}`], add_tags: tags });
    const { page } = await screens.open(link(engine, '/ui/profiles?view=runs'));
    const row = page
      .getByTestId('profiles-table')
      .getByRole('row')
      .filter({ has: page.getByText(`./a.out ${RUNS - 1}`, { exact: true }) });
    for (const width of [900, 1280, 1920]) {
      await page.setViewportSize({ width, height: 700 });
      await row.getByText('slow', { exact: true }).waitFor(SOON);
      const shown = await row.locator('.v-tag:visible').evaluateAll((all) =>
        all.map((tag) => ({
          text: tag.textContent,
          part: tag.clientWidth / tag.scrollWidth,
          width: tag.clientWidth,
        })),
      );
      expect(shown.length).toBeGreaterThan(0);
      expect(shown[0]).toMatchObject({ text: 'slow', part: 1 });
      for (const tag of shown) expect(tag.part === 1 || tag.width > 50, JSON.stringify(tag)).toBe(true);
      expect(
        await row
          .getByText(/^\+\d$/)
          .filter({ visible: true })
          .allInnerTexts(),
      ).toEqual([`+${tags.length - shown.length}`]);
    }
  });

  test('500 runs beside each other: few shapes, and each is still found by pointing at it', async () => {
    const { page } = await screens.open(link(engine, '/ui/profiles/compare?q=a.out'));
    const figure = page.getByTestId('compare-chart');
    await figure.locator('.v-compare-bar').first().waitFor(SOON);
    expect(await figure.locator('.v-compare-bar').count()).toBeLessThan(10);
    await page.getByRole('list', { name: 'Marks' }).getByText('looked at').waitFor(SOON);
    const box = (await figure.boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await figure.getByText(/^Run time 45 s$/).waitFor(SOON);
    await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
    await expect.poll(() => page.url(), SOON).toMatch(/[?&]run=r2\d\d\d/);

    await page.getByText('Scatter', { exact: true }).click();
    const points = figure.locator('.recharts-scatter');
    await points.locator('path').first().waitFor(SOON);
    expect(await points.locator('path').count()).toBeLessThan(10);
    const area = (await points.locator('rect').last().boundingBox())!;
    // All took as long: they are in one line, somewhere below the top.
    await expect
      .poll(async () => {
        for (let y = area.y + area.height; y > area.y; y -= 8) {
          await page.mouse.move(area.x + area.width / 2, y);
          if (await figure.getByText(/^Run time 45 s$/).isVisible()) return true;
        }
        return false;
      }, SOON)
      .toBe(true);
  });
});
