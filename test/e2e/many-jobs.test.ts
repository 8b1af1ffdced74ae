/** Ten thousand finished jobs in one table. */

import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { jobRow, link, SOON } from './console.ts';
import { pastProfile, withStore } from './past.ts';

const JOBS = 10_000;
/** Far more rows than fit into the window. */
const MOST_ROWS = 120;

describe.skipIf(lacksComponent('chromium'))('ten thousand jobs', () => {
  const screens = useBrowser();
  const start = Date.now() - JOBS * 60_000;
  let engine: Engine;

  beforeAll(async () => {
    const data = path.join(temporaryFolder(), 'data');
    await withStore(data, async (store) => {
      for (let i = 0; i < JOBS; i++) {
        const times = { start_time: start + i * 60_000, end_time: start + i * 60_000 + 45_000 };
        const command = i === 4711 ? './the-needle --in hay' : './a.out';
        store.putProfile(pastProfile(`r${i}`, { jobid: `job-${i}`, command, ...times }, { steps: i }));
        if (i % 500 === 499) await store.flush();
      }
      await store.flush();
    });
    engine = await startEngine({ page: true, args: ['--data', data] });
  });
  afterAll(() => engine.stop('SIGKILL'));

  test('the table scrolls to its end with few rows in the document, and the search finds one', async () => {
    const { page, tolerate } = await screens.open(link(engine));
    // Of these only the profiles are kept.
    tolerate(/status of 404 .*scope=run/);
    await page.getByText('10\u202f000 jobs').waitFor(SOON);
    const table = page.getByTestId('jobs-table');
    expect(await table.getAttribute('aria-rowcount')).toBe(String(JOBS + 1));
    await jobRow(page, `job-${JOBS - 1}`).waitFor();
    const rows = () => table.getByRole('row').count();
    expect(await rows()).toBeLessThan(MOST_ROWS);

    const scroll = (share: number) =>
      page.evaluate(`(() => {
        const table = document.querySelector('[data-testid="jobs-table"]');
        table.scrollTop = ${share} * (table.scrollHeight - table.clientHeight);
      })()`);
    for (const share of [0.25, 0.5, 0.75]) {
      await scroll(share);
      const middle = Math.round((1 - share) * JOBS);
      await expect
        .poll(async () => {
          const ids = (await table.getByRole('link').allInnerTexts()).map((text) => Number(text.trim().slice(4)));
          return ids.length > 10 && ids.every((id) => Math.abs(id - middle) < 100);
        }, SOON)
        .toBe(true);
      expect(await rows()).toBeLessThan(MOST_ROWS);
    }
    await scroll(1);
    await jobRow(page, 'job-0').waitFor(SOON);
    expect(await jobRow(page, 'job-0').getAttribute('aria-rowindex')).toBe(String(JOBS + 1));
    expect(await rows()).toBeLessThan(MOST_ROWS);

    await page.getByRole('searchbox', { name: 'Search jobs' }).fill('needle');
    await page.getByText('1 of 10\u202f000 jobs').waitFor(SOON);
    await jobRow(page, 'job-4711').click();
    await page.getByRole('heading', { level: 1, name: 'job-4711' }).waitFor(SOON);
    await page.goBack();
    await jobRow(page, 'job-4711').waitFor(SOON);

    await page.getByRole('searchbox', { name: 'Search jobs' }).fill('');
    await page.getByRole('columnheader', { name: 'Job', exact: true }).getByRole('button').click();
    await jobRow(page, 'job-0').waitFor(SOON);
    await table.focus();
    for (const key of ['PageDown', 'PageDown', 'PageDown', 'j']) await page.keyboard.press(key);
    await expect.poll(() => table.getByRole('row', { selected: true }).count(), SOON).toBe(1);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'job-45' }).waitFor(SOON);
  });
});
