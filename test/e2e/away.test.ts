/** The engine, or the way to it, goes away and comes back: the page says so, resumes by itself, and nothing is missing. */

import { hostname } from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, test, vi } from 'vitest';
import { EngineClient } from '../../src/client/http.ts';
import { nodeScope } from '../../src/shared/model/scope.ts';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine, tokenOf } from '../support/engine.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { eventually } from '../support/wait.ts';
import {
  chart,
  choose,
  download,
  ENGINE_GONE,
  type Exported,
  legend,
  link,
  readCsv,
  readJson,
  SOON,
} from './console.ts';
import { Program } from './program.ts';
import { Tunnel } from './tunnel.ts';

/** The waits of a page that reconnects grow up to this, ms. */
const LONGEST_WAIT = 15_000;
const PATIENCE = { timeout: 3 * LONGEST_WAIT };

const banner = (page: Page) => page.getByRole('alert').filter({ hasText: 'Engine does not answer' });

/** What the engine kept of one counter since a time. */
async function kept(engine: Engine, scope: string, name: string, from: number): Promise<Exported> {
  const client = new EngineClient({ url: engine.url, token: tokenOf(engine) });
  const range = await client.query({ scope, series: [name], from, to: Date.now() + 1000, maxPoints: 20_000 });
  expect(range.step).toBe(0);
  return { times: range.times, values: range.series[0]?.last ?? [] };
}

/** Every sample that the engine kept is in the page's export, with the same total, up to the moment of the export. */
async function expectNoGap(page: Page, engine: Engine, scope: string, label: string, name: string): Promise<Exported> {
  const csv = readCsv((await download(page, 'CSV')).text).get(`${label}: ${name}`);
  const { document, series } = readJson((await download(page, 'JSON')).text);
  const json = series.get(`${label}: ${name}`);
  for (const exported of [csv, json]) {
    expect(exported).toBeDefined();
    const { times, values } = exported!;
    const stored = await kept(engine, scope, name, document.from.ms);
    const shown = new Map(times.map((time, i) => [time, values[i]]));
    const expected = stored.times
      .map((time, i) => [time, stored.values[i]] as const)
      .filter(([time, value]) => value !== null && time <= times.at(-1)!);
    expect(expected.length).toBeGreaterThan(5);
    expect(expected.filter(([time, value]) => shown.get(time) !== value)).toEqual([]);
  }
  return json!;
}

describe.skipIf(lacksComponent('chromium'))('an engine that goes away', () => {
  const screens = useBrowser();
  const host = hostname();
  const cpu = 'proxy_cpu_seconds_total{mode="idle"}';

  test('killed and started again: the banner comes and goes, the job and its node go on', async () => {
    const args = ['--data', path.join(temporaryFolder(), 'data'), '--period', '250ms'];
    const folder = temporaryFolder();
    const first = await startEngine({ folder, page: true, args });
    const { port } = new URL(first.url);
    const job = { jobid: 'steady', start_time: Date.now() };
    const program = await Program.start(first.ready.legacy_socket, job);
    program.run();
    const { page, tolerate } = await screens.open(link(first));
    tolerate(ENGINE_GONE);
    await page.getByText('steady', { exact: true }).click();
    await choose(page, 'Totals');
    const calls = chart(page, 'MPI: Calls');
    await calls.waitFor();
    expect(await banner(page).count()).toBe(0);
    const address = page.url();

    const runId = new URL(address).pathname.split('/').at(-1)!;
    const name = 'mpi___hits___mpi_send';
    await vi.waitFor(() => expectNoGap(page, first, `run/${runId}`, 'steady', name), SOON);

    program.lose();
    await first.stop('SIGKILL');
    await banner(page).waitFor(SOON);
    // What was seen stays.
    expect([...(await legend(calls)).values()].every((value) => /^\d/.test(value))).toBe(true);

    const second = await startEngine({ folder, page: true, args: [...args, '--listen', `127.0.0.1:${port}`] });
    await program.connect();
    program.run();
    await banner(page).waitFor({ state: 'detached', ...PATIENCE });
    await page.getByText('running', { exact: true }).waitFor(PATIENCE);
    const before = await legend(calls);
    await expect.poll(() => legend(calls), PATIENCE).not.toEqual(before);
    const back = Date.now();
    expect(page.url()).toBe(address);

    await vi.waitFor(async () => {
      expect((await kept(second, `run/${runId}`, name, back)).times.length).toBeGreaterThan(5);
    }, SOON);
    await expectNoGap(page, second, `run/${runId}`, 'steady', name);
    await expectNoGap(page, second, nodeScope(host), host, cpu);
    program.hold();
    await vi.waitFor(async () => {
      const { values } = await expectNoGap(page, second, `run/${runId}`, 'steady', name);
      expect(values.at(-1)).toBe((await kept(second, `run/${runId}`, name, 0)).values.at(-1));
    }, SOON);
    program.lose();
  });

  test('only out of reach: what it sampled meanwhile is filled in', async () => {
    const engine = await startEngine({ page: true, args: ['--memory', '--period', '250ms'] });
    const tunnel = await Tunnel.open(Number(new URL(engine.url).port));
    try {
      const url = `http://127.0.0.1:${tunnel.port}/ui/node/${host}#token=${tokenOf(engine)}`;
      const { page, tolerate } = await screens.open(url);
      tolerate(ENGINE_GONE);
      await page.getByTestId('chart-panel').first().waitFor();
      await choose(page, 'Totals');
      await tunnel.cut();
      await banner(page).waitFor(SOON);
      const away = Date.now();
      const unseen = await eventually(async () => {
        const { times } = await kept(engine, nodeScope(host), cpu, away);
        return times.length >= 8 && times;
      }, SOON);
      await tunnel.mend();
      await page.getByRole('button', { name: 'Try now' }).click();
      await banner(page).waitFor({ state: 'detached', ...PATIENCE });
      await vi.waitFor(async () => {
        const { times } = await expectNoGap(page, engine, nodeScope(host), host, cpu);
        expect(times).toEqual(expect.arrayContaining([...unseen]));
      }, SOON);
    } finally {
      await tunnel.cut();
    }
  });

  test('out of reach, then killed: history from before it fails at first and is asked for until it is there', async () => {
    const args = ['--data', path.join(temporaryFolder(), 'data'), '--period', '250ms'];
    const folder = temporaryFolder();
    const first = await startEngine({ folder, page: true, args });
    const { port } = new URL(first.url);
    const tunnel = await Tunnel.open(Number(port));
    try {
      const url = `http://127.0.0.1:${tunnel.port}/ui/node/${host}#token=${tokenOf(first)}`;
      const { page, tolerate } = await screens.open(url);
      tolerate(ENGINE_GONE);
      await page.getByTestId('chart-panel').first().waitFor();
      await choose(page, 'Totals');
      await vi.waitFor(() => expectNoGap(page, first, nodeScope(host), host, cpu), SOON);
      await tunnel.cut();
      await banner(page).waitFor(SOON);
      const away = Date.now();
      const unseen = await eventually(async () => {
        const { times } = await kept(first, nodeScope(host), cpu, away);
        return times.length >= 8 && times;
      }, SOON);
      await first.stop('SIGKILL');
      let refused = 0;
      await page.route('**/api/v1/query?*', async (route) => {
        if (refused++ < 3) await route.abort('connectionrefused');
        else await route.continue();
      });
      const second = await startEngine({ folder, page: true, args: [...args, '--listen', `127.0.0.1:${port}`] });
      await tunnel.mend();
      await page.getByRole('button', { name: 'Try now' }).click();
      await banner(page).waitFor({ state: 'detached', ...PATIENCE });
      const notice = page.getByRole('alert').filter({ hasText: 'The history did not come' });
      await notice.waitFor(SOON);
      await notice.waitFor({ state: 'detached', ...SOON });
      await vi.waitFor(async () => {
        const { times } = await expectNoGap(page, second, nodeScope(host), host, cpu);
        expect(times).toEqual(expect.arrayContaining([...unseen]));
        expect(times.at(-1)).toBeGreaterThan(unseen.at(-1)! + 1000);
      }, SOON);
      expect(refused).toBeGreaterThan(3);
    } finally {
      await tunnel.cut();
    }
  });
});
