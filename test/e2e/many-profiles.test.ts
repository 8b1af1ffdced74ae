/** Thousands of finished runs in one list, which comes page by page. */

import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { link, SOON } from './console.ts';
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

  test('the list goes on while one scrolls, with few rows in the document', async () => {
    const { page, requests } = await screens.open(link(engine, '/ui/profiles?view=runs'));
    await page.getByText('3\u202f000 runs', { exact: true }).waitFor(SOON);
    const table = page.getByTestId('profiles-table');
    const pages = () => requests.filter((url) => /\/api\/v1\/profiles\?/.test(url)).length;
    expect(pages()).toBe(1);
    await expect
      .poll(async () => {
        await page.evaluate(`(() => {
          const table = document.querySelector('[data-testid="profiles-table"]');
          table.scrollTop = table.scrollHeight;
        })()`);
        return table.getAttribute('aria-rowcount');
      }, SOON)
      .toBe(String(RUNS + 1));
    await table.getByText('./a.out 0', { exact: true }).waitFor(SOON);
    expect(await table.getByRole('row').count()).toBeLessThan(MOST_ROWS);
    expect(pages()).toBeLessThan(30);

    await page.keyboard.press('/');
    await page.keyboard.type('cmd:"a.out 1234"');
    await page.getByText('1 run', { exact: true }).waitFor(SOON);
    await table.getByText('./a.out 1234', { exact: true }).waitFor();
  });
});
