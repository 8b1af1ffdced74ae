/** A job's I/O: a real program under `vigie-run -e io,strace`, and what people read of it while it runs and afterwards. */

import { spawn, type ChildProcess } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { buildNative } from '../support/native.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { eventually } from '../support/wait.ts';
import { findings } from './axe.ts';
import { jobRow, link, SOON } from './console.ts';

/** Rounds of 200 small writes, 4 large ones, one read of it all, and 20 looks; until a file appears. */
const PROGRAM = `
import os, select, sys, time
folder, stop = sys.argv[1:3]
rounds = 0
while rounds < 20 or not os.path.exists(stop):
    at = os.open(folder + "/data", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    for _ in range(200): os.write(at, b"x" * 100)
    for _ in range(4): os.write(at, b"y" * 100000)
    os.lseek(at, 0, os.SEEK_SET)
    while os.read(at, 50000): pass
    os.close(at)
    for _ in range(20): os.stat(folder)
    rounds += 1
    select.select([], [], [], 0.05)
print(rounds)
`;

/** A second rank, which does nothing but wait; longer than the first one's calls that wait. */
const WAITER = `
import os, select, sys
waits, at = 0, select.epoll()
while not os.path.exists(sys.argv[1]):
    at.poll(0.2)
    waits += 1
print(waits)
`;

/** Cells of a table's rows, by what the first one says. */
async function rows(page: Page, testId: string): Promise<Map<string, string[]>> {
  const cells = await page
    .getByTestId(testId)
    .locator('tbody tr')
    .evaluateAll((list) => list.map((row) => [...row.children].map((cell) => (cell.textContent ?? '').trim())));
  return new Map(cells.map((row) => [row[0]!, row]));
}

describe.skipIf(lacksComponent('chromium') || lacksComponent('python3'))('I/O of a job', () => {
  const screens = useBrowser();
  const folder = temporaryFolder();
  const stop = path.join(folder, 'stop');
  let engine: Engine;
  const programs: ChildProcess[] = [];
  const said = ['', ''];

  beforeAll(async () => {
    const built = await buildNative(path.join(folder, 'build'), [
      'vigie-run',
      'vigie-preload',
      'vigie-exporter-io',
      'vigie-exporter-strace',
    ]);
    engine = await startEngine({ page: true, args: ['--period', '250ms', '--grace', '200ms'] });
    const env = { PATH: process.env['PATH'], VIGIE_SOCKET: engine.ready.socket! };
    for (const [rank, text] of [PROGRAM, WAITER].entries()) {
      const script = path.join(folder, `rank${rank}.py`);
      writeFileSync(script, text);
      const command = ['python3', script, ...(rank === 0 ? [folder] : []), stop];
      const program = spawn(built('run/vigie-run'), ['-e', 'io,strace', '-j', 'reads and writes', '--', ...command], {
        env: { ...env, PMI_RANK: String(rank), PMI_SIZE: '2' },
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      program.stdout.on('data', (bytes: Buffer) => (said[rank] += bytes.toString()));
      programs.push(program);
    }
  }, 300_000);

  afterAll(async () => {
    for (const program of programs) program.kill('SIGKILL');
    await (engine as Engine | undefined)?.stop();
  });

  test('bandwidth, shares, sizes, mounts and calls, live and when it has ended', { timeout: 180_000 }, async () => {
    const { page } = await screens.open(link(engine));
    await jobRow(page, 'reads and writes').click();
    await page.getByRole('tab', { name: 'I/O' }).click(SOON);
    await page.getByTestId('io-headline').waitFor(SOON);
    await page.getByTestId('io-bandwidth').waitFor(SOON);
    await eventually(async () => (await rows(page, 'io-calls')).has('write'));
    // Who waits is asked for apart from what is waited for.
    await eventually(async () => (await rows(page, 'io-wait-ranks')).size === 2);

    writeFileSync(stop, '');
    await eventually(() => programs.every(({ exitCode }) => exitCode !== null), { timeout: 60_000 });
    const [rounds, waits] = said.map(Number) as [number, number];
    expect(rounds).toBeGreaterThanOrEqual(20);
    await page.getByText('finished').first().waitFor(SOON);

    // The interpreter makes some of its own.
    const own = async (table: string, call: string, least: number): Promise<void> => {
      const calls = await eventually(() => exact(page, table, call));
      expect(calls).toBeGreaterThanOrEqual(least);
      expect(calls).toBeLessThan(least + 1000);
    };
    // What is shown until the profile is here is a little older.
    await eventually(async () => (await exact(page, 'io-sizes', '64 KiB to 1 MiB')) === 4 * rounds);
    await own('io-sizes', 'below 512 B', 200 * rounds);
    await own('io-calls', 'write', 204 * rounds);
    expect([...(await rows(page, 'io-mounts')).values()].some(([mount]) => mount!.startsWith('/'))).toBe(true);
    await expect(page.getByTestId('io-headline').textContent()).resolves.toMatch(/^I\/O took .* of the run time; .*/);

    // Waiting, which is in none of these numbers: each call as often as it was made, by the rank that made it.
    await eventually(async () => (await exact(page, 'io-wait-calls', 'epoll_wait')) === waits);
    expect(await exact(page, 'io-wait-calls', 'select')).toBe(rounds);
    const ranks = [...(await rows(page, 'io-wait-ranks'))].map(([rank, cells]) => [rank, cells.at(-1)]);
    expect(Object.fromEntries(ranks)).toEqual({ 0: 'select', 1: 'epoll_wait' });
    expect(await exact(page, 'io-wait-ranks', '1')).toBe(waits);
    await expect(page.getByTestId('io-waits-headline').textContent()).resolves.toMatch(
      / of that in (epoll_wait|select)\.$/,
    );
    expect([...(await rows(page, 'io-calls')).keys()]).not.toContain('epoll_wait');

    // The kernel's view of the same: the program's own system calls are among them.
    await page.getByText('System calls', { exact: true }).click();
    await eventually(async () => (await rows(page, 'io-calls')).has('newfstatat'));
    expect(page.url()).toContain('layer=system');
    await own('io-calls', 'write', 204 * rounds);
    expect(await findings(page)).toEqual([]);

    // A link leads to the same.
    await page.reload();
    await eventually(async () => (await rows(page, 'io-calls')).has('newfstatat'));
    await page.setViewportSize({ width: 900, height: 700 });
    expect(await findings(page)).toEqual([]);
  });
});

/** The number of calls, which stands in full in its cell's title; of sizes that of the writes. */
const exact = async (page: Page, table: string, name: string): Promise<number | undefined> => {
  const row = page
    .getByTestId(table)
    .locator('tbody tr')
    .filter({ has: page.getByRole('rowheader', { name, exact: true }) });
  if ((await row.count()) === 0) return undefined;
  const title = await row.locator('td[title]').last().getAttribute('title');
  return title === null ? undefined : Number(title.replace(/\D/g, ''));
};
