/**
 * What twelve live panels cost the page: main-thread time per tick in Chromium, at one tick per second.
 *
 *     npm run bench -- panels [--seconds N] [--history N]
 *
 * 12 panels × 3 lines, as many points each as seconds of history. Beside it in the same run: the same page, paused.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { CDPSession, Page } from 'playwright-core';
import { launchBrowser, openPage } from '../test/support/browser.ts';
import { startEngine, temporaryFolder } from './support/engine.ts';
import { JOB, LINES, PANELS, startProgram } from './support/panels.ts';
import { median, printResult, printTable, verdict } from './support/report.ts';

const BUDGET = { medianMs: 16, p95Ms: 33 };

const { values: flags } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, history: { type: 'string', default: '300' } },
});
const seconds = Number(flags.seconds);
const history = Number(flags.history);
if (!(seconds >= 5) || !(history >= 0)) throw new Error('--seconds takes 5 or more, --history a number of seconds');

interface Cost {
  readonly medianMs: number;
  readonly p95Ms: number;
}

/** Main-thread time of each second, over `count` of them. */
async function measure(client: CDPSession, count: number): Promise<Cost> {
  const taskSeconds = async (): Promise<number> => {
    const { metrics } = await client.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? NaN;
  };
  const costs: number[] = [];
  let before = await taskSeconds();
  const begin = performance.now();
  for (let i = 1; i <= count; i++) {
    await sleep(begin + 1000 * i - performance.now());
    const now = await taskSeconds();
    costs.push(1000 * (now - before));
    before = now;
  }
  const sorted = costs.toSorted((a, b) => a - b);
  return { medianMs: median(costs), p95Ms: sorted[Math.min(sorted.length - 1, Math.floor(0.95 * sorted.length))]! };
}

/** Panels of the program that are wholly inside the window: only those redraw. */
async function visiblePanels(page: Page): Promise<number> {
  const boxes = await page.getByRole('group', { name: /^Program: / }).all();
  const size = page.viewportSize()!;
  let visible = 0;
  for (const one of boxes) {
    const box = await one.boundingBox();
    if (box && box.y >= 0 && box.y + box.height <= size.height) visible++;
  }
  return visible;
}

const engine = await startEngine(['--memory', '--no-node']);
const home = temporaryFolder('browser');
const endProgram = await startProgram(engine.legacySocket);
const browser = await launchBrowser(home.path, ['--disable-background-timer-throttling']);
try {
  if (history > 0) process.stderr.write(`letting ${history} s of history come together …\n`);
  await sleep(history * 1000);
  const { page, problems } = await openPage(browser, { viewport: { width: 1920, height: 1500 } });
  await page.goto(`${engine.url}/#token=${engine.token}`);
  await page.getByRole('link', { name: JOB }).click();
  await page
    .getByRole('group', { name: /^Program: / })
    .nth(PANELS - 1)
    .waitFor();
  const visible = await visiblePanels(page);
  if (visible < PANELS) throw new Error(`only ${visible} of ${PANELS} panels are inside the window`);
  const client = await page.context().newCDPSession(page);
  await client.send('Performance.enable');
  await sleep(5000);
  const live = await measure(client, seconds);
  await page.getByRole('button', { name: 'Pause' }).click();
  await sleep(2000);
  const paused = await measure(client, Math.min(seconds, 20));
  // What the page gave up itself when another view was opened is none.
  const bad = problems.filter((problem) => !problem.endsWith('net::ERR_ABORTED'));
  if (bad.length > 0) throw new Error(`the page had problems: ${bad.join('; ')}`);
  console.log(
    `\n${PANELS} panels × ${LINES.length} lines, ${history} s of history, ${seconds} ticks; TaskDuration per tick:\n`,
  );
  printTable(
    ['page', 'median', 'p95', `budget ${BUDGET.medianMs} / ${BUDGET.p95Ms} ms`],
    [
      [
        'live',
        `${live.medianMs.toFixed(1)} ms`,
        `${live.p95Ms.toFixed(1)} ms`,
        `${verdict(live.medianMs <= BUDGET.medianMs)} / ${verdict(live.p95Ms <= BUDGET.p95Ms)}`,
      ],
      ['paused', `${paused.medianMs.toFixed(1)} ms`, `${paused.p95Ms.toFixed(1)} ms`, ''],
    ],
  );
  console.log();
  printResult({ bench: 'panels', panels: PANELS, lines: LINES.length, history, seconds, live, paused, budget: BUDGET });
} finally {
  await browser.close();
  await endProgram();
  await engine.stop();
  home.remove();
}
