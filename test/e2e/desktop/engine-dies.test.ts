/** The engine, or the process around it, dies under the window. */

import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { NOTICES } from '../../../src/shared/bridge.ts';
import { type Desktop, lacksDesktop, useDesktop } from '../../support/desktop.ts';
import { alive, enginePid, processTree } from '../../support/processes.ts';
import { eventually } from '../../support/wait.ts';
import { chart, choose, jobRow, legend, SOON } from '../console.ts';
import { Program } from '../program.ts';
import { expectNothingLeft, LATER, textOf } from './left.ts';

/** The engine's process, another one than before. */
const nextEngine = ({ pid }: Desktop, before: number): Promise<number> =>
  eventually(() => {
    const found = enginePid(pid);
    return found !== null && found !== before && found;
  }, LATER);

const away = (page: Page) => page.getByRole('alert').filter({ hasText: 'Engine does not answer' });

/** Takes a port as soon as it is free, and keeps the requests that arrive. */
async function squat(port: number): Promise<{ server: Server; heard: { url: string; token: string | undefined }[] }> {
  const heard: { url: string; token: string | undefined }[] = [];
  const server = createServer(({ url = '', headers }, answer) => {
    heard.push({ url, token: headers.authorization });
    answer.writeHead(404).end();
  });
  server.on('upgrade', ({ url = '', headers }, socket) => {
    heard.push({ url, token: headers.authorization });
    socket.destroy();
  });
  await eventually(
    async () => {
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      return true;
    },
    { interval: 1 },
  );
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, heard };
}

describe.skipIf(lacksDesktop())('an engine that dies under the window', () => {
  const desktop = useDesktop();

  test('killed five times: the console goes on by itself each time, and is not loaded anew', async () => {
    const started = await desktop.start();
    const { page, settings } = started;
    const socket = String(settings['legacy_socket']);
    await page.getByRole('heading', { name: 'Jobs' }).waitFor(SOON);
    const program = await Program.start(socket, { jobid: 'five-lives', start_time: Date.now() });
    program.run();
    await jobRow(page, 'five-lives').click();
    const calls = chart(page, 'MPI: Calls');
    await calls.waitFor(SOON);
    await choose(page, 'Totals');
    const address = page.url();
    await page.evaluate(() => Object.assign(globalThis, { sameDocument: true }));
    for (let time = 1; time <= 5; time++) {
      const engine = enginePid(started.pid)!;
      program.lose();
      process.kill(engine, 'SIGKILL');
      await away(page).waitFor(SOON);
      await nextEngine(started, engine);
      await eventually(() => program.connect().then(() => true), LATER);
      program.run();
      await away(page).waitFor({ state: 'detached', ...LATER });
      const before = await legend(calls);
      await expect.poll(() => legend(calls), LATER).not.toEqual(before);
    }
    expect(page.url()).toBe(address);
    expect(await page.evaluate(() => 'sameDocument' in globalThis)).toBe(true);
    program.lose();
    await expectNothingLeft(started, () => process.kill(started.pid, 'SIGTERM'));
  });

  test('somebody else takes its port: the page is loaded from the new one and says so, and what he is told opens nothing', async () => {
    const started = await desktop.start();
    const { page, app } = started;
    await page.getByRole('heading', { name: 'Jobs' }).waitFor(SOON);
    await page.getByRole('link', { name: 'Node', exact: true }).click();
    const before = new URL(page.url());
    const engine = enginePid(started.pid)!;
    process.kill(engine, 'SIGKILL');
    const { heard } = await squat(Number(before.port));
    await page.getByText(NOTICES.moved).waitFor(LATER);
    const after = new URL(page.url());
    expect(after.port).not.toBe(before.port);
    expect(after.pathname).toBe(before.pathname);
    expect(after.hash).toBe('');
    await expect.poll(() => textOf(app), SOON).toMatch(/Engine \S+ live/);
    // A request that was on its way when the engine died may have reached him: with what was worth something to that one.
    const told = new Set(heard.flatMap(({ token }) => (token === undefined ? [] : [token])));
    const owners = readFileSync(path.join(String(started.settings['data']), 'token'), 'utf8').trim();
    expect([...told]).not.toContain(`Bearer ${owners}`);
    for (const authorization of told) {
      const answer = await fetch(`${after.origin}/api/v1/status`, { headers: { authorization } });
      expect(answer.status).toBe(401);
    }
    await expectNothingLeft(started, () => process.kill(started.pid, 'SIGTERM'));
  });

  test('loaded anew while it is away: says so, and shows the console as soon as it is there', async () => {
    const started = await desktop.start();
    const { page, app } = started;
    await page.getByRole('heading', { name: 'Jobs' }).waitFor(SOON);
    // The third start waits for a second: long enough to be seen.
    for (let time = 1; time <= 2; time++) {
      const engine = enginePid(started.pid)!;
      process.kill(engine, 'SIGKILL');
      await nextEngine(started, engine);
      await away(page).waitFor({ state: 'detached', ...LATER });
      await eventually(async () => (await textOf(app)).includes('Jobs'), SOON);
    }
    await eventually(() => enginePid(started.pid) !== null);
    process.kill(enginePid(started.pid)!, 'SIGKILL');
    await eventually(() => enginePid(started.pid) === null);
    await app.evaluate(({ Menu }) => {
      const view = Menu.getApplicationMenu()!.items.find(({ label }) => label === '&View');
      view!.submenu!.items.find(({ label }) => label === '&Reload')!.click();
    });
    await page.getByRole('heading', { name: 'The engine does not answer' }).waitFor(SOON);
    await page.getByRole('heading', { name: 'Jobs' }).waitFor(LATER);
  });

  test('the process around it is killed: it is started again, and there is one engine', async () => {
    const started = await desktop.start();
    const { page } = started;
    await page.getByRole('heading', { name: 'Jobs' }).waitFor(SOON);
    const engine = enginePid(started.pid)!;
    const host = processTree(started.pid).find(({ pid, command }) => {
      return pid !== engine && processTree(pid).some((one) => one.pid === engine) && command.includes('node.mojom');
    })!;
    process.kill(host.pid, 'SIGKILL');
    await eventually(() => !alive(engine), SOON);
    await nextEngine(started, engine);
    await away(page).waitFor({ state: 'detached', ...LATER });
    const program = await eventually(
      () => Program.start(String(started.settings['legacy_socket']), { jobid: 'after-the-host' }),
      LATER,
    );
    program.run();
    await jobRow(page, 'after-the-host').waitFor(LATER);
    program.lose();
    const engines = processTree(started.pid).filter(({ command }) => command.includes('embedded.cjs'));
    expect(engines).toHaveLength(1);
    await expectNothingLeft(started, () => process.kill(started.pid, 'SIGTERM'));
  });

  test('hangs: quitting waits for it, and then ends it', async () => {
    const started = await desktop.start();
    await started.page.getByRole('heading', { name: 'Jobs' }).waitFor(SOON);
    const all = processTree(started.pid);
    process.kill(enginePid(started.pid)!, 'SIGSTOP');
    process.kill(started.pid, 'SIGTERM');
    await eventually(() => expect(all.filter((one) => alive(one.pid))).toEqual([]), { timeout: 150_000 });
  });

  test('the main process is killed: the engine closes in order', async () => {
    const started = await desktop.start();
    await started.page.getByRole('heading', { name: 'Jobs' }).waitFor(SOON);
    await expectNothingLeft(started, () => process.kill(started.pid, 'SIGKILL'));
  });
});
