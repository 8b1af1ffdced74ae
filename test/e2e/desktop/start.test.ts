/** `vigie start` chooses between a window and the browser, as a person at a terminal sees it. */

import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { DESKTOP_SAYS } from '../../../src/shared/launch.ts';
import { lacksDesktop, useDesktop } from '../../support/desktop.ts';
import { alive, enginePid, processTree } from '../../support/processes.ts';
import { user } from '../../support/electron.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { SOON } from '../console.ts';
import { type Command, expectNothingLeft, LATER, runtimeFiles, vigie } from './left.ts';

/** A display that nobody has. */
const NO_DISPLAY = ':4321';

interface Place {
  readonly folder: string;
  readonly settings: { readonly data: string; readonly socket: string; readonly legacy_socket: string };
  /** Words for `vigie start` that keep it in the folder. */
  readonly words: readonly string[];
}

function newPlace(folder = temporaryFolder()): Place {
  const settings = {
    data: path.join(folder, 'data'),
    socket: path.join(folder, 'engine.socket'),
    legacy_socket: path.join(folder, 'legacy.socket'),
  };
  const { data, socket, legacy_socket: legacy } = settings;
  const words = ['start', '--listen', '127.0.0.1:0', '--data', data, '--socket', socket, '--legacy-socket', legacy];
  return { folder, settings, words };
}

/** It runs in the browser seat until it is told to end; gives what it wrote. */
async function expectBrowserSeat(command: Command, { settings }: Place): Promise<string> {
  await eventually(() => command.output().includes('Vigie is ready at'), LATER).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${command.output()}`);
  });
  process.kill(command.pid, 'SIGTERM');
  const { code, output } = await command.exited;
  expect(code).toBe(0);
  expect(runtimeFiles(settings).filter((file) => existsSync(file))).toEqual([]);
  return output;
}

/** The one line that says why there is no window. */
const whyBrowser = (output: string): string[] =>
  output.split('\n').filter((line) => line.startsWith('No window, but the browser: '));

describe.skipIf(lacksDesktop())('vigie start', () => {
  const desktop = useDesktop();
  const env = (display: string | null): Record<string, string> => ({
    ELECTRON_OVERRIDE_DIST_PATH: desktop.runtime(),
    ...(display === null ? {} : { DISPLAY: display }),
  });

  test('opens a window; Ctrl-C in its terminal closes all in order', async () => {
    const place = newPlace();
    const command = await vigie(place.words, { ...place, env: env(desktop.display().name) });
    await eventually(() => command.line(new RegExp(DESKTOP_SAYS.open)), LATER);
    await eventually(() => existsSync(place.settings.legacy_socket), SOON);
    await eventually(() => existsSync(path.join(place.settings.data, 'engine.json')), SOON);
    // To everybody in the terminal's group, as the terminal does.
    await expectNothingLeft({ pid: command.pid, settings: place.settings }, () => process.kill(-command.pid, 'SIGINT'));
    expect(await command.exited).toEqual({ code: 0, output: `${DESKTOP_SAYS.open}\n` });
  });

  test('a second start brings the window of the first to the front, and ends', async () => {
    const first = await desktop.start();
    const { app, folder } = first;
    await first.page.getByRole('heading', { name: 'Jobs' }).waitFor(SOON);
    await app.evaluate(({ BrowserWindow }) => {
      const window = BrowserWindow.getAllWindows()[0]!;
      // Without a window manager nothing is ever minimized.
      let minimized = true;
      const done: string[] = [];
      Object.assign(globalThis, { done });
      window.isMinimized = () => minimized;
      window.restore = () => {
        minimized = false;
        done.push('restore');
      };
      const focus = window.focus.bind(window);
      window.focus = () => {
        done.push('focus');
        focus();
      };
      window.hide();
    });
    const place = newPlace(folder);
    const second = await vigie(place.words, { folder, env: env(desktop.display().name) });
    expect(await second.exited).toEqual({ code: 0, output: `${DESKTOP_SAYS.second}\n` });
    const done = await app.evaluate(() => (globalThis as unknown as { done: string[] }).done);
    expect(done).toEqual(['restore', 'focus']);
    const windows = await app.evaluate(({ BrowserWindow }) =>
      BrowserWindow.getAllWindows().map((window) => window.isVisible()),
    );
    expect(windows).toEqual([true]);
    expect(alive(first.pid)).toBe(true);
    expect(enginePid(first.pid)).not.toBeNull();
  });

  test('without a display: the browser, and why', async () => {
    const place = newPlace();
    const output = await expectBrowserSeat(await vigie(place.words, { ...place, env: env(null) }), place);
    expect(whyBrowser(output)).toEqual(['No window, but the browser: there is no display here.']);
  });

  test('without a display and with --window: refused', async () => {
    const place = newPlace();
    const command = await vigie([...place.words, '--window'], { ...place, env: env(null) });
    expect(await command.exited).toEqual({ code: 1, output: 'vigie: no window: there is no display here\n' });
  });

  test('with a display that is none: the browser, and why in one line', async () => {
    const place = newPlace();
    const output = await expectBrowserSeat(await vigie(place.words, { ...place, env: env(NO_DISPLAY) }), place);
    const [line, ...more] = whyBrowser(output);
    expect(line).toMatch(/it does not open \(.*\S.*\)\.$/);
    expect(line).toMatch(/display/i);
    expect(more).toEqual([]);
  });

  test('with a display that is none and with --window: refused, and nothing is left', async () => {
    const place = newPlace();
    const command = await vigie([...place.words, '--window'], { ...place, env: env(NO_DISPLAY) });
    const { code, output } = await command.exited;
    expect(code).toBe(1);
    expect(output).toMatch(/^vigie: the window does not open: .*display/im);
    expect(runtimeFiles(place.settings).filter((file) => existsSync(file))).toEqual([]);
  });

  test('with a runtime that is not where it is said to be: the browser, and why', async () => {
    const place = newPlace();
    const wrong = { ...env(desktop.display().name), ELECTRON_OVERRIDE_DIST_PATH: place.folder };
    const output = await expectBrowserSeat(await vigie(place.words, { ...place, env: wrong }), place);
    expect(whyBrowser(output)).toEqual([
      `No window, but the browser: ELECTRON_OVERRIDE_DIST_PATH is ${place.folder}, and there is no electron in it.`,
    ]);
  });

  test('--browser takes the browser where a window could be opened, and says nothing of it', async () => {
    const place = newPlace();
    const words = [...place.words, '--browser'];
    const command = await vigie(words, { ...place, env: env(desktop.display().name) });
    expect(whyBrowser(await expectBrowserSeat(command, place))).toEqual([]);
    expect(processTree(command.pid)).toEqual([]);
  });

  test('a setting that cannot be used is told in the terminal, not in a window', async () => {
    const place = newPlace();
    const words = [...place.words, '--period', 'never'];
    const { code, output } = await (await vigie(words, { ...place, env: env(desktop.display().name) })).exited;
    expect(code).toBe(1);
    expect(output).toMatch(/^vigie: .*period/);
  });

  describe.skipIf(user === null)('as root', () => {
    const why = 'as root the window’s sandbox does not work; run it as another user';

    test('takes the browser, and says why', async () => {
      const place = newPlace();
      const command = await vigie(place.words, { ...place, env: env(desktop.display().name), asRoot: true });
      expect(whyBrowser(await expectBrowserSeat(command, place))).toEqual([`No window, but the browser: ${why}.`]);
    });

    test('--window is refused with the reason', async () => {
      const place = newPlace();
      const words = [...place.words, '--window'];
      const command = await vigie(words, { ...place, env: env(desktop.display().name), asRoot: true });
      expect(await command.exited).toEqual({
        code: 1,
        output: `vigie: no window: ${why} (or add --no-sandbox, which gives a hostile page your rights)\n`,
      });
    });

    test('--no-sandbox opens one', async () => {
      const place = newPlace();
      const words = [...place.words, '--window', '--no-sandbox'];
      const command = await vigie(words, { ...place, env: env(desktop.display().name), asRoot: true });
      await eventually(() => command.line(new RegExp(DESKTOP_SAYS.open)), LATER);
      await eventually(() => existsSync(path.join(place.settings.data, 'engine.json')), LATER);
      await expectNothingLeft({ pid: command.pid, settings: place.settings }, () => process.kill(command.pid));
      expect((await command.exited).code).toBe(0);
    });
  });
});
