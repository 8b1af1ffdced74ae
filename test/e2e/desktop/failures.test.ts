/** What goes wrong around the window: its page, its display, its files, and ends at a bad moment. */

import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ElectronApplication } from 'playwright-core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { windowFolder } from '../../../src/main/launch-options.ts';
import { BRIDGE_NAME, NOTICES, type Bridge } from '../../../src/shared/bridge.ts';
import { type Desktop, lacksDesktop, useDesktop } from '../../support/desktop.ts';
import { alive, enginePid, processTree } from '../../support/processes.ts';
import { openDisplay } from '../../support/display.ts';
import { hand } from '../../support/electron.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { chart, jobRow, SOON } from '../console.ts';
import { Program } from '../program.ts';
import { expectNothingLeft, inWindow, LATER, textOf } from './left.ts';

const crash = (app: ElectronApplication): Promise<void> =>
  app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.webContents.forcefullyCrashRenderer());

/** Closes the window as its button does. */
const closeWindow = (app: ElectronApplication): Promise<void> =>
  app
    .evaluate(({ BrowserWindow }) => setImmediate(() => BrowserWindow.getAllWindows()[0]?.close()))
    .then(() => undefined);

const shows = (app: ElectronApplication, text: string): Promise<unknown> =>
  eventually(async () => expect(await textOf(app)).toContain(text), LATER);

describe.skipIf(lacksDesktop())('a window in trouble', () => {
  const desktop = useDesktop();

  test('its page crashes: it is loaded again and says so; the fourth time in a minute it asks', async () => {
    const started = await desktop.start();
    const { app, page } = started;
    await page.getByRole('heading', { name: 'Jobs' }).waitFor(SOON);
    const engine = enginePid(started.pid);
    for (let time = 1; time <= 3; time++) {
      await crash(app);
      await shows(app, NOTICES.crashed);
      await shows(app, 'Jobs');
    }
    expect(await inWindow(app, 'location.hash')).toBe('');
    await crash(app);
    await shows(app, 'The page crashes');
    expect(enginePid(started.pid)).toBe(engine);
    await inWindow(app, `[...document.links].find((link) => link.textContent === 'Load it again').click()`);
    await shows(app, 'Jobs');
    expect(await textOf(app)).not.toContain('crash');
    // The bridge is that of the new page.
    expect(await inWindow(app, `${BRIDGE_NAME}.setTheme('dark').then(() => 'taken')`)).toBe('taken');
    await expectNothingLeft(started, () => process.kill(started.pid, 'SIGTERM'));
  });

  test('its display is lost: everything ends in order', async () => {
    const display = await openDisplay();
    onTestFinished(() => display.close());
    const started = await desktop.start({ env: { DISPLAY: display.name } });
    await started.page.getByRole('heading', { name: 'Jobs' }).waitFor(SOON);
    await expectNothingLeft(started, () => display.lose());
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s quits in order', async (signal) => {
    const started = await desktop.start();
    await started.page.getByRole('heading', { name: 'Jobs' }).waitFor(SOON);
    const ended = once(started.app.process(), 'exit');
    await expectNothingLeft(started, () => process.kill(started.pid, signal));
    expect(await ended).toEqual([0, null]);
  });

  test('told to quit while its engine is still starting, it does', async () => {
    const started = await desktop.start();
    const all = processTree(started.pid);
    const ended = once(started.app.process(), 'exit');
    process.kill(started.pid, 'SIGTERM');
    process.kill(started.pid, 'SIGINT');
    expect(await ended).toEqual([0, null]);
    await eventually(() => expect(all.filter((one) => alive(one.pid))).toEqual([]), LATER);
    expect(existsSync(String(started.settings['socket']))).toBe(false);
  });
});

describe.skipIf(lacksDesktop())('a window that is closed while something is being saved', () => {
  const desktop = useDesktop();

  test('an export: asks, and stays or leaves as it is told', async () => {
    const started = await desktop.start();
    const { app, page, settings } = started;
    await page.getByRole('heading', { name: 'Jobs' }).waitFor(SOON);
    const program = await Program.start(String(settings['legacy_socket']), { jobid: 'exported' });
    program.run();
    await jobRow(page, 'exported').click();
    await chart(page, 'MPI: Calls').waitFor(SOON);
    await app.evaluate(({ dialog }) => {
      // The person is still looking for a folder.
      dialog.showSaveDialog = () => new Promise(() => undefined);
      const asked: string[] = [];
      Object.assign(globalThis, { asked, answer: 0 });
      dialog.showMessageBoxSync = ((_window: unknown, { message }: { message: string }) => {
        asked.push(message);
        return (globalThis as unknown as { answer: number }).answer;
      }) as typeof dialog.showMessageBoxSync;
    });
    const asked = (): Promise<string[]> => app.evaluate(() => (globalThis as unknown as { asked: string[] }).asked);
    await page.getByRole('button', { name: 'Export', exact: true }).click();
    await page.getByRole('menuitem', { name: /^CSV/ }).click();
    await page.locator('button[data-loading]').waitFor(SOON);
    await closeWindow(app);
    await expect.poll(asked, SOON).toEqual(['An export is still being made. Leave without it?']);
    // It stays, and so does the program, also when it was to quit.
    await app.evaluate((electron) => setImmediate(() => electron.app.quit()));
    await expect.poll(asked, SOON).toHaveLength(2);
    await expect(page.getByRole('heading', { name: 'exported' }).count()).resolves.toBeGreaterThan(0);
    expect(alive(started.pid)).toBe(true);
    program.lose();
    await app.evaluate(() => Object.assign(globalThis, { answer: 1 }));
    await expectNothingLeft(started, () => closeWindow(app));
  });

  const SIZE = 160_000_000;

  /** Saves a large file, and gives its path as soon as some of it is written. */
  async function save({ app, page, folder }: Desktop): Promise<string> {
    const place = path.join(folder, 'saved');
    mkdirSync(place);
    const file = path.join(place, 'large.csv');
    writeFileSync(file, 'what was there before');
    hand(place);
    await page.getByRole('heading', { name: 'Jobs' }).waitFor(SOON);
    await app.evaluate(({ dialog }, filePath) => {
      dialog.showSaveDialog = () => Promise.resolve({ canceled: false, filePath });
    }, file);
    await page.evaluate(
      ([name, size]) => {
        const bridge = (globalThis as unknown as Record<string, Bridge>)[name]!;
        void bridge.saveFile('large.csv', 'x'.repeat(size));
      },
      [BRIDGE_NAME, SIZE] as const,
    );
    await eventually(() => readdirSync(place).some((name) => name.endsWith('.part')), { ...LATER, interval: 1 });
    return file;
  }

  test('a large file: it is whole before the program ends', async () => {
    const started = await desktop.start();
    const file = await save(started);
    await expectNothingLeft(started, () => closeWindow(started.app));
    expect(statSync(file).size).toBe(SIZE);
    expect(readdirSync(path.dirname(file))).toEqual(['large.csv']);
  });

  test('a large file, and the program is told to end: the same', async () => {
    const started = await desktop.start();
    const file = await save(started);
    await expectNothingLeft(started, () => process.kill(started.pid, 'SIGTERM'));
    expect(statSync(file).size).toBe(SIZE);
    expect(readdirSync(path.dirname(file))).toEqual(['large.csv']);
  });

  test('a large file, and the program is killed: what was there before, or the whole', async () => {
    const started = await desktop.start();
    const file = await save(started);
    await expectNothingLeft(started, () => process.kill(started.pid, 'SIGKILL'));
    const { size } = statSync(file);
    if (size !== SIZE) expect(readFileSync(file, 'utf8')).toBe('what was there before');
  });
});

describe.skipIf(lacksDesktop())('a file of the window’s state that is none', () => {
  const desktop = useDesktop();
  const place = { x: 100, y: 100 };
  const states: readonly (readonly [string, string | null])[] = [
    ['garbage', '\0\xff{"width":'],
    ['nothing', ''],
    ['other types', JSON.stringify({ place: [1, 2], width: '900', height: null, maximized: 'yes', theme: 7 })],
    ['another value', '[[]]'],
    ['a place that no screen shows', JSON.stringify({ place: { x: 90_000, y: -90_000 }, width: 900, height: 700 })],
    ['a size beyond any screen', JSON.stringify({ place, width: 19_999, height: 19_999 })],
    ['numbers beyond any', JSON.stringify({ place: { x: 1e300, y: 1e300 }, width: 1e300, height: -5 })],
    ['a directory', null],
  ];

  test.each(states)('%s: the window opens where it is seen', async (_name, text) => {
    const folder = temporaryFolder();
    const settings = { data: path.join(folder, 'data'), socket: path.join(folder, 'engine.socket') };
    const state = path.join(
      windowFolder(path.join(folder, '.config'), { settings, config: null }),
      'window-state.json',
    );
    mkdirSync(text === null ? state : path.dirname(state), { recursive: true });
    if (text !== null) writeFileSync(state, text, 'latin1');
    const started = await desktop.start({ folder });
    const { app, page } = started;
    await page.getByRole('heading', { name: 'Jobs' }).waitFor(SOON);
    const seen = await app.evaluate(({ BrowserWindow, screen }) => {
      const window = BrowserWindow.getAllWindows()[0]!;
      return { visible: window.isVisible(), bounds: window.getBounds(), area: screen.getPrimaryDisplay().workArea };
    });
    expect(seen.visible).toBe(true);
    const { bounds, area } = seen;
    expect(bounds.width).toBeGreaterThanOrEqual(640);
    expect(bounds.width).toBeLessThanOrEqual(area.width);
    expect(bounds.height).toBeLessThanOrEqual(area.height);
    expect(bounds.x).toBeLessThan(area.width - 80);
    expect(bounds.x + bounds.width).toBeGreaterThan(80);
    expect(bounds.y).toBeGreaterThanOrEqual(0);
    expect(bounds.y).toBeLessThan(area.height - 80);
    await expectNothingLeft(started, () => closeWindow(app));
    // The next start finds a good one.
    if (text !== null) expect(JSON.parse(readFileSync(state, 'utf8'))).toMatchObject({ theme: 'system' });
  });
});
