/** The desktop program for tests: real Electron, on a display of its own, as a user without rights. */

import path from 'node:path';

import { type ElectronApplication, type Page, _electron } from 'playwright-core';
import { TestRunner, afterAll, beforeAll, onTestFinished } from 'vitest';

import { DESKTOP_ENV } from '../../src/shared/launch.ts';
import { lacksComponent } from './components.ts';
import { type Display, openDisplay } from './display.ts';
import { electronProgram, hand, provideElectron } from './electron.ts';
import { ensureBuilt } from './launch.ts';
import { processTree } from './processes.ts';
import { temporaryFolder } from './tmp.ts';

export const root = path.join(import.meta.dirname, '..', '..');

/** Why desktop tests cannot run here; guard suites with `describe.skipIf(lacksDesktop())`. */
export const lacksDesktop = (): boolean => lacksComponent('Xvfb') || lacksComponent('pip3');

export interface DesktopOptions {
  /** A folder from an earlier start: home, data and sockets are there. */
  readonly folder?: string;
  /** The engine's settings, over a free port, and sockets and data in the folder. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Desktop {
  readonly app: ElectronApplication;
  /** The window's page. */
  readonly page: Page;
  readonly folder: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** Everything that the program has written on both streams. */
  output(): string;
  /** Pid of Electron's main process. */
  readonly pid: number;
}

/**
 * A display for the tests of a file, and what starts the desktop program on it. What a test has started is killed after
 * it, with everything below it; what a hook has started, after the last test of the file.
 */
export function useDesktop(): {
  display(): Display;
  runtime(): string;
  start(options?: DesktopOptions): Promise<Desktop>;
} {
  let display: Display;
  let runtime: string;
  beforeAll(async () => {
    for (const part of ['engine', 'renderer', 'desktop'] as const) await ensureBuilt(part);
    runtime = await provideElectron();
    display = await openDisplay();
  });
  const ofFile: (() => void)[] = [];
  afterAll(async () => {
    for (const end of ofFile) end();
    await display?.close();
  });
  return {
    display: () => display,
    runtime: () => runtime,
    async start(options = {}) {
      const folder = options.folder ?? temporaryFolder();
      const settings = {
        listen: '127.0.0.1:0',
        socket: path.join(folder, 'engine.socket'),
        legacy_socket: path.join(folder, 'legacy.socket'),
        data: path.join(folder, 'data'),
        ...options.settings,
      };
      const executablePath = electronProgram(runtime, folder);
      hand(folder);
      const inherited = Object.entries(process.env).filter(
        ([name, value]) => value !== undefined && !/^(VIGIE_|XDG_|NODE_|VITEST|ELECTRON_|DBUS_)/.test(name),
      ) as [string, string][];
      const app = await _electron.launch({
        executablePath,
        args: [root, ...(options.args ?? [])],
        cwd: folder,
        // Playwright would switch it off.
        chromiumSandbox: true,
        env: {
          ...Object.fromEntries(inherited),
          HOME: folder,
          TMPDIR: folder,
          DISPLAY: display.name,
          [DESKTOP_ENV]: JSON.stringify({ settings, config: null }),
          ...options.env,
        },
      });
      const child = app.process();
      const pid = child.pid!;
      const end = (): void => {
        for (const one of processTree(pid).reverse()) {
          try {
            process.kill(one.pid, 'SIGKILL');
          } catch {
            // Gone meanwhile.
          }
        }
      };
      if (TestRunner.getCurrentTest() === undefined) ofFile.push(end);
      else onTestFinished(end);
      let output = '';
      child.stdout?.on('data', (data: Buffer) => (output += data.toString('utf8')));
      child.stderr?.on('data', (data: Buffer) => (output += data.toString('utf8')));
      const page = await app.firstWindow().catch((error: unknown) => {
        throw new Error(`no window: ${String(error)}\n${output}`);
      });
      page.setDefaultTimeout(30_000);
      return { app, page, folder, settings, output: () => output, pid };
    },
  };
}
