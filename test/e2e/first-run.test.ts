/** Nobody has pushed yet: the page teaches how, and what it teaches works. */

import { execFile, spawn } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { startEngine } from '../support/engine.ts';
import { cell, jobRow, link, SOON } from './console.ts';

const root = path.join(import.meta.dirname, '..', '..');

describe.skipIf(lacksComponent('chromium'))('the first run', () => {
  const screens = useBrowser();

  test('the command shown can be copied, and running it makes the job appear', async () => {
    const engine = await startEngine({ page: true, args: ['--memory'] });
    const { page } = await screens.open(link(engine, '/'));
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: engine.url });
    await page.getByRole('heading', { name: 'No job yet' }).waitFor(SOON);
    expect(new URL(page.url()).pathname).toBe('/ui/jobs');

    // Clients of the old proxy find the engine here. What else is taught is for this engine, too, once its state is known.
    await page.getByText(engine.ready.legacy_socket!).waitFor();
    const taught = page.getByRole('main').locator('code').filter({ hasText: 'vigie push' });
    const [first = '', loop = ''] = await taught.allInnerTexts();
    await page.getByRole('button', { name: 'Copy the first command' }).click();
    await expect.poll(() => page.evaluate('navigator.clipboard.readText()'), SOON).toBe(first);
    await page.getByRole('button', { name: 'Copy the loop' }).click();
    await expect.poll(() => page.evaluate('navigator.clipboard.readText()'), SOON).toBe(loop);

    // As typed into a shell in the folder of the sources, by somebody who has set nothing.
    const { VIGIE_SOCKET: _, PROXY_PATH: __, ...bare } = process.env;
    const shell = { cwd: root, env: { ...bare, VIGIE_SKIP_BUILD: '1' } };
    await promisify(execFile)('sh', ['-c', first], shell);
    const jobid = /--job (\S+)/.exec(first)![1]!;
    const row = jobRow(page, jobid);
    await row.waitFor(SOON);
    await expect.poll(() => cell(page, row, 'State'), SOON).toBe('finished');
    await expect.poll(() => page.getByRole('heading', { name: 'No job yet' }).count(), SOON).toBe(0);

    // The shell becomes the command, so that its end is the command's.
    const looping = spawn('sh', ['-c', `exec ${loop}`], { ...shell, stdio: 'ignore' });
    try {
      const running = page.getByTestId('jobs-table').getByRole('row', { name: /running/ });
      await running.waitFor(SOON);
      await expect.poll(() => cell(page, running, 'Rate'), SOON).toMatch(/^[\d.]+.*\/s$/);
    } finally {
      looping.kill();
    }
  });
});
