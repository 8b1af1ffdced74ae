/** CPU time and memory of a real program under `vigie-run`: charts while it runs, footprint and description afterwards. */

import { spawn, type ChildProcess } from 'node:child_process';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { buildNative } from '../support/native.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { chart, jobRow, link, SOON } from './console.ts';

/** Has 100 MB, and is busy until its input ends. */
const PROGRAM = `
import select, sys
held = b"x" * 100_000_000
while not select.select([sys.stdin], [], [], 0)[0]:
    sum(range(100_000))
`;

describe.skipIf(lacksComponent('chromium') || lacksComponent('python3'))('what a program uses', () => {
  const screens = useBrowser();
  let engine: Engine;
  let program: ChildProcess;

  beforeAll(async () => {
    const targets = ['vigie-run', 'vigie-preload', 'vigie-exporter-io'];
    const built = await buildNative(path.join(temporaryFolder(), 'build'), targets);
    engine = await startEngine({ page: true, args: ['--period', '250ms', '--grace', '200ms'] });
    program = spawn(built('run/vigie-run'), ['-j', 'busy', '--', 'python3', '-c', PROGRAM], {
      env: { PATH: process.env['PATH'], VIGIE_SOCKET: engine.ready.socket! },
      stdio: ['pipe', 'ignore', 'inherit'],
    });
  }, 300_000);

  afterAll(async () => {
    program.kill('SIGKILL');
    await (engine as Engine | undefined)?.stop();
  });

  test('is in its charts, its footprint and what it was measured by', { timeout: 180_000 }, async () => {
    const { page } = await screens.open(link(engine));
    await jobRow(page, 'busy').click(SOON);
    await chart(page, 'Program: CPU · time').waitFor(SOON);
    await chart(page, 'Program: Memory · bytes').waitFor(SOON);
    program.stdin!.end();
    await page.getByText('finished', { exact: true }).first().waitFor(SOON);
    await page.getByRole('button', { name: 'Description' }).click();
    const measured = page.getByLabel('Description of the job').getByText(/^Vigie \d.*, vigie_io \d.*, vigie_run \d/);
    await measured.waitFor(SOON);
    await page.getByRole('tab', { name: 'Analysis' }).click(SOON);
    const row = (axis: string) => page.getByTestId('footprint').getByRole('row').filter({ hasText: axis });
    await row('CPU use').first().waitFor(SOON);
    for (const axis of ['CPU use', 'Memory']) expect(await row(axis).first().innerText()).not.toContain('not measured');
    expect(await row('Memory').first().innerText()).toMatch(/1\d\d MiB|9\d\.?\d* MiB/);
  });
});
