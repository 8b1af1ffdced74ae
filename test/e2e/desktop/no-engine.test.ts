/** The engine does not start: the window says why, and what can be done. */

import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { lacksDesktop, useDesktop } from '../../support/desktop.ts';
import { alive, enginePid } from '../../support/processes.ts';
import { hand } from '../../support/electron.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { jobRow, SOON } from '../console.ts';
import { Program } from '../program.ts';
import { expectNothingLeft, LATER, runtimeFiles, serve } from './left.ts';

const title = (page: Page, name: string) => page.getByRole('heading', { name });
const press = (page: Page, name: string) => page.getByRole('link', { name, exact: true }).click();

/** A listener that is none of ours, until the end of the test. */
async function occupy(where: number | string): Promise<void> {
  const server = createServer((socket) => socket.destroy());
  if (typeof where === 'number') server.listen(where, '127.0.0.1');
  else server.listen(where);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
}

describe.skipIf(lacksDesktop())('an engine that does not start', () => {
  const desktop = useDesktop();

  test('the usual port is taken: it takes another one', async () => {
    // Whoever has it already is as good.
    await occupy(1337).catch(() => undefined);
    const { page, pid } = await desktop.start({ settings: { listen: undefined } });
    await title(page, 'Jobs').waitFor(SOON);
    expect(new URL(page.url()).port).not.toBe('1337');
    expect(enginePid(pid)).not.toBeNull();
  });

  test('a port that was asked for is taken: says so, and tries again', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const { page } = await desktop.start({ settings: { listen: `127.0.0.1:${port}` } });
    await title(page, 'The engine does not start').waitFor(LATER);
    expect(await page.locator('main').innerText()).toContain(String(port));
    await new Promise((resolve) => server.close(resolve));
    await press(page, 'Try again');
    await title(page, 'Jobs').waitFor(LATER);
    expect(new URL(page.url()).port).toBe(String(port));
  });

  test('its socket is that of another engine: shows that one, and leaves it alone', async () => {
    const folder = temporaryFolder();
    const socket = path.join(folder, 'taken.socket');
    const legacy = path.join(folder, 'taken-legacy.socket');
    const other = await serve(folder, [
      ...['--listen', '127.0.0.1:0', '--socket', socket, '--legacy-socket', legacy],
      ...['--data', path.join(folder, 'its-data')],
    ]);
    const { page, app, pid } = await desktop.start({ folder, settings: { socket } });
    await title(page, 'Another engine runs here').waitFor(LATER);
    expect(await page.locator('main').innerText()).toContain(`pid ${other.ready.pid}`);
    expect(enginePid(pid)).toBeNull();
    await press(page, 'Show that engine');
    await title(page, 'Jobs').waitFor(SOON);
    expect(new URL(page.url()).origin).toBe(other.ready.url);
    const program = await Program.start(legacy, { jobid: 'of-the-other' });
    program.run();
    await jobRow(page, 'of-the-other').waitFor(SOON);
    program.lose();
    const ended = once(app.process(), 'exit');
    await page.close();
    await ended;
    expect(alive(other.ready.pid)).toBe(true);
    expect(existsSync(socket)).toBe(true);
    // What the window's own engine had opened before it gave up is closed.
    expect(existsSync(path.join(folder, 'data', 'lock.json'))).toBe(false);
  });

  test('its socket is not that of an engine: says so, and offers none', async () => {
    const folder = temporaryFolder();
    const socket = path.join(folder, 'engine.socket');
    await occupy(socket);
    const { page } = await desktop.start({ folder });
    await title(page, 'The engine’s socket is taken').waitFor(LATER);
    expect(await page.getByRole('link').allInnerTexts()).toEqual(['Try again', 'Quit']);
  });

  test('another engine has its data: shows that one, or starts when that one has ended', async () => {
    const folder = temporaryFolder();
    const data = path.join(folder, 'data');
    const args = ['--listen', '127.0.0.1:0', '--data', data, '--socket', path.join(folder, 'its.socket')];
    const other = await serve(folder, [...args, '--legacy-socket', 'off']);
    const started = await desktop.start({ folder });
    const { page } = started;
    const locked = title(page, 'Another engine has this data');
    await locked.waitFor(LATER);
    await press(page, 'Try again');
    await locked.waitFor({ state: 'detached', ...SOON }).catch(() => undefined);
    await locked.waitFor(LATER);
    await press(page, 'Show that engine');
    await title(page, 'Jobs').waitFor(SOON);
    expect(new URL(page.url()).origin).toBe(other.ready.url);
    expect(enginePid(started.pid)).toBeNull();
    process.kill(other.ready.pid, 'SIGTERM');
    await other.exited;
    await page.getByRole('alert').filter({ hasText: 'Engine does not answer' }).waitFor(SOON);
    await started.app.evaluate(({ Menu }) => {
      const file = Menu.getApplicationMenu()!.items.find(({ label }) => label === '&File');
      file!.submenu!.items.find(({ label }) => label === 'Restart the &engine')!.click();
    });
    await eventually(() => enginePid(started.pid) !== null, SOON);
    await eventually(() => new URL(page.url()).origin !== other.ready.url, LATER);
    await title(page, 'Jobs').waitFor(SOON);
    await expectNothingLeft(started, () => process.kill(started.pid, 'SIGTERM'));
  });

  test('another engine had its data and has ended: “Try again” starts', async () => {
    const folder = temporaryFolder();
    const args = ['--listen', '127.0.0.1:0', '--data', path.join(folder, 'data')];
    const other = await serve(folder, [...args, '--socket', path.join(folder, 'its.socket'), '--legacy-socket', 'off']);
    const started = await desktop.start({ folder });
    const { page } = started;
    await title(page, 'Another engine has this data').waitFor(LATER);
    process.kill(other.ready.pid, 'SIGTERM');
    await other.exited;
    await press(page, 'Try again');
    await title(page, 'Jobs').waitFor(LATER);
    expect(enginePid(started.pid)).not.toBeNull();
    await expectNothingLeft(started, () => process.kill(started.pid, 'SIGTERM'));
  });

  test('the place for its data is a file, with a hostile name: told as text, and mended by another try', async () => {
    const folder = temporaryFolder();
    const data = path.join(folder, '<img src=x onerror="document.title=1"><script>document.title=2<\\script>&amp;');
    writeFileSync(data, '');
    const started = await desktop.start({ folder, settings: { data } });
    const { page } = started;
    await title(page, 'The engine does not start').waitFor(LATER);
    expect(await page.locator('main').innerText()).toContain(data);
    expect(await page.locator('img, script').count()).toBe(0);
    expect(await page.title()).toBe('Vigie');
    expect(runtimeFiles(started.settings).filter((file) => existsSync(file))).toEqual([]);
    rmSync(data);
    mkdirSync(data);
    hand(folder);
    await press(page, 'Try again');
    await title(page, 'Jobs').waitFor(LATER);
    await expectNothingLeft(started, () => process.kill(started.pid, 'SIGTERM'));
  });

  test('a setting that cannot be used is named, and “Quit” quits', async () => {
    const { page, app } = await desktop.start({ settings: { period: '<b>never</b>' } });
    await title(page, 'The engine does not start').waitFor(LATER);
    expect(await page.locator('main p').first().innerText()).toMatch(/^period: /);
    const ended = once(app.process(), 'exit');
    await press(page, 'Quit').catch(() => undefined);
    expect(await ended).toEqual([0, null]);
  });

  test('it dies before it is ready, each time: its end and its last lines, and another try', async () => {
    const { page, pid } = await desktop.start({ folder: temporaryFolder() });
    // The first one may be ready already: then it is given up after more tries.
    const seen = new AbortController();
    const killing = (async () => {
      while (!seen.signal.aborted) {
        const engine = enginePid(pid);
        if (engine !== null && alive(engine)) process.kill(engine, 'SIGKILL');
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    try {
      await title(page, 'The engine does not start').waitFor({ timeout: 120_000 });
    } finally {
      seen.abort();
      await killing;
    }
    const says = await page.locator('main').innerText();
    expect(says).toContain('The engine ended with status 1 before it was ready.');
    expect(says).toContain('The last lines of its log:');
    expect(says).toContain('the engine was ended by SIGKILL');
    await press(page, 'Try again');
    await title(page, 'Jobs').waitFor(LATER);
  });
});
