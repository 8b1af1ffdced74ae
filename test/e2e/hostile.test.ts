/** Names that programs chose to break a page: they are text wherever they show, and nothing in them runs. */

import { hostname } from 'node:os';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Pusher } from '../../src/client/pusher.ts';
import { EngineClient } from '../../src/client/http.ts';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine, tokenOf } from '../support/engine.ts';
import { eventually } from '../support/wait.ts';
import { download, jobRow, link, parseCsv, readJson, SOON } from './console.ts';

/** Sets a global if it ever runs. */
const RUN = 'window.__ran=1';

const JOBIDS = [
  `<script>${RUN}</script>`,
  `"><img src=x onerror=${RUN}>`,
  `'-${RUN}-'`,
  `javascript:${RUN}//`,
  '../../../../etc/passwd',
  '\u202Egnp.exe\u202C \u2066\u05D0\u2069',
  '__proto__',
  '%2e%2e%2f?q=1#token=x&amp;<b>',
  '=HYPERLINK("http://127.0.0.1/";"x")',
  'long-'.padEnd(200, 'x'),
] as const;

const METRICS = [
  `<script>${RUN}</script>`,
  `<img src=x onerror=${RUN}>{a="<svg onload=${RUN}>"}`,
  '"quoted", \'and\' comma',
  '=1+1',
  '\u202Edesrever',
  'constructor',
  `mpi___hits___<iframe srcdoc="<script>${RUN}</script>">`,
  'm'.padEnd(200, 'm'),
] as const;

const DOC = `<img src=x onerror=${RUN}>"' \u202E`;

/** Nothing ran, and no element came out of a name. */
async function expectOnlyText(page: Page): Promise<void> {
  expect(await page.evaluate('window.__ran')).toBeUndefined();
  const made = await page.evaluate(
    'document.querySelectorAll("img, iframe, svg[onload], b b, script:not([src])").length',
  );
  expect(made).toBe(0);
  expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), 'no sideways scrolling').toBe(true);
}

describe.skipIf(lacksComponent('chromium'))('hostile names', () => {
  const screens = useBrowser();
  let engine: Engine;
  let pushers: Pusher[];

  beforeAll(async () => {
    engine = await startEngine({ page: true, args: ['--memory'] });
    pushers = await Promise.all(JOBIDS.map(() => Pusher.connect(engine.ready.legacy_socket!)));
    pushers.forEach((pusher, i) => {
      pusher.job({
        jobid: JOBIDS[i]!,
        command: `sh -c '${JOBIDS[i]!}' ${DOC}`,
        nodelist: DOC,
        cluster: DOC,
        run_dir: DOC,
      });
      for (const name of METRICS) {
        pusher.describeCounter(name, DOC);
        pusher.increase(name, i + 1);
      }
    });
    const client = new EngineClient({ url: engine.url, token: tokenOf(engine) });
    await eventually(async () => {
      const { runs } = await client.runs({ state: 'live' });
      return runs.length === JOBIDS.length && runs.every(({ series }) => series === METRICS.length);
    });
  });
  afterAll(async () => {
    for (const pusher of pushers) pusher.destroy();
    await engine.stop('SIGKILL');
  });

  test('in the table of jobs, in the search and in the palette', async () => {
    const { page } = await screens.open(link(engine));
    const links = page.getByTestId('jobs-table').getByRole('link');
    await expect.poll(() => links.count(), SOON).toBe(JOBIDS.length);
    expect((await links.allTextContents()).sort()).toEqual([...JOBIDS].sort());
    await expectOnlyText(page);

    await page.getByRole('searchbox', { name: 'Search jobs' }).fill(JOBIDS[1]);
    await expect.poll(() => links.allTextContents(), SOON).toEqual([JOBIDS[1]]);
    await page.reload();
    await expect.poll(() => links.allTextContents(), SOON).toEqual([JOBIDS[1]]);
    await expectOnlyText(page);

    await page.keyboard.press('Control+k');
    await page.getByRole('textbox', { name: 'Search the command palette' }).fill('<script>');
    await page.getByRole('dialog').getByText(JOBIDS[0], { exact: true }).waitFor();
    await expectOnlyText(page);
  });

  test('in the view of each job', async () => {
    const { page } = await screens.open(link(engine));
    const title = page.getByRole('heading', { level: 1 });
    for (const jobid of JOBIDS) {
      await jobRow(page, jobid).click();
      await expect.poll(() => title.textContent(), SOON).toBe(jobid);
      expect(new URL(page.url()).pathname).toMatch(/^\/ui\/jobs\/[\w-]+$/);
      await page.getByTestId('chart-panel').first().waitFor();
      await page.getByRole('button', { name: 'Description' }).click();
      await page.getByRole('definition').filter({ hasText: DOC }).first().waitFor();
      await expectOnlyText(page);
      await page.goBack();
    }
    await jobRow(page, JOBIDS[1]).click();
    await page.reload();
    await expect.poll(() => title.textContent(), SOON).toBe(JOBIDS[1]);
    await expectOnlyText(page);
  });

  test('in charts, in the table of series and in exports', async () => {
    const { page } = await screens.open(link(engine));
    await jobRow(page, JOBIDS[8]).click();
    await page.getByRole('tab', { name: 'Series' }).click();
    const search = page.getByRole('searchbox', { name: 'Search series' });
    for (const name of METRICS) {
      await search.fill(name.startsWith('mpi') ? 'iframe' : name.slice(0, 20));
      await expect
        .poll(
          () => page.evaluate('[...document.querySelectorAll("[role=gridcell] bdi[title]")].map((cell) => cell.title)'),
          SOON,
        )
        .toContain(`${name}\n${DOC}`);
    }
    await expectOnlyText(page);

    await search.fill('');
    await page.getByText('Totals', { exact: true }).click();
    await page.keyboard.press('Escape');
    const csv = await download(page, 'CSV');
    expect(csv.name).toMatch(/^vigie-\w[\w.-]*\.csv$/);
    const { series } = readJson((await download(page, 'JSON')).text);
    for (const name of METRICS) expect(series.get(`${JOBIDS[8]}: ${name}`)?.values.at(-1)).toBe(9);
    // A spreadsheet would take it for a formula.
    const [head = []] = parseCsv(csv.text);
    expect(head.filter((title) => /^[=+@\-\t]/.test(title))).toEqual([]);
    expect(head.filter((title) => title.startsWith(`'${JOBIDS[8]}: `))).toHaveLength(METRICS.length);

    await page.getByRole('tab', { name: 'Charts' }).click();
    await page.getByTestId('chart-panel').first().waitFor();
    await expectOnlyText(page);
  });

  test('in the view of the node, and in addresses', async () => {
    const { page, tolerate } = await screens.open(link(engine, '/ui/node'));
    tolerate(/status of (404|400)/);
    await page.getByRole('heading', { level: 1, name: `Node ${hostname()}` }).waitFor(SOON);
    await expect.poll(() => page.getByRole('main').getByRole('link').count(), SOON).toBeGreaterThan(3);
    await expectOnlyText(page);
    for (const address of [
      `/ui/node/${encodeURIComponent(`<img src=x onerror=${RUN}>`)}`,
      `/ui/jobs/${encodeURIComponent(`"><script>${RUN}</script>`)}`,
      `/ui/jobs?q=${encodeURIComponent(`<script>${RUN}</script>`)}&sort=__proto__&state=x&order=${'y'.repeat(500)}`,
      '/ui/node?from=1e308&to=-1&last=constructor&tab=__proto__&values=%00',
    ]) {
      await page.goto(engine.url + address);
      await page.getByRole('heading', { level: 1 }).first().waitFor(SOON);
      await expectOnlyText(page);
    }
  });
});
