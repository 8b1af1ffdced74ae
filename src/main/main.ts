/** The desktop program: wires window, engine and bridge. Nothing here waits for the engine: a busy one blocks no window. */

import { join } from 'node:path';
import { app, safeStorage, session } from 'electron';
import { DESKTOP_SAYS } from '../shared/launch.ts';
import type { RunningEngine } from '../shared/host.ts';
import { serveBridge } from './bridge.ts';
import { ConsoleTarget } from './console-target.ts';
import { launchEngine } from './engine-process.ts';
import { guardContents, guardProcess, guardSession } from './guard.ts';
import { SecretFile } from './keyring.ts';
import { launchOptions, windowFolder } from './launch-options.ts';
import { setAbout, setMenu } from './menu.ts';
import { failedPage, startingPage, type Action } from './status-page.ts';
import { Supervisor, type EngineState } from './supervisor.ts';
import { ConsoleWindow } from './window.ts';

/** An engine that opens at once shows its console, not first that it starts; in ms. */
const STARTING_AFTER = 700;

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const warn = (line: string): void => void process.stderr.write(`${line}\n`);

/** A process of this machine is there; one that has just ended and nobody has noticed yet counts as there. */
function runs(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

class Desktop {
  readonly #supervisor: Supervisor;
  readonly #folder: string;
  readonly #finishing = new Set<Promise<unknown>>();
  #window: ConsoleWindow | null = null;
  /** The engine that the window is to show: our own, or one that ran already. */
  #engine: RunningEngine | null = null;
  #attached = false;
  /** The person wants to quit; a page that is asked first may keep its window. */
  #wantsQuit = false;
  #quitting = false;

  constructor(folder: string, options: ReturnType<typeof launchOptions>) {
    this.#folder = folder;
    const secrets = new SecretFile(join(folder, 'secrets.json'), safeStorage);
    this.#supervisor = new Supervisor({
      ...options,
      launch: (listener) => launchEngine(join(__dirname, 'host.cjs'), listener, warn),
      keyring: (ask) => secrets.answer(ask),
    });
    this.#supervisor.onState((state) => this.#follow(state));
  }

  /** Electron is ready. */
  open(): void {
    const guarded = {
      target: () => this.#window?.target ?? null,
      contents: () => (this.#window && !this.#window.browser.isDestroyed() ? this.#window.browser.webContents : null),
      away: () =>
        this.#attached ? this.#engine !== null && !runs(this.#engine.pid) : this.#supervisor.state.phase !== 'ready',
      act: (action: Action) => this.#act(action),
    };
    guardContents(guarded);
    guardSession(session.defaultSession, guarded);
    serveBridge({
      window: () => (this.#window && !this.#window.browser.isDestroyed() ? this.#window.browser : null),
      target: guarded.target,
      finish: (work) => void this.#finish(work),
      setTheme: (theme) => this.#window?.setTheme(theme),
    });
    const icon = join(__dirname, '..', 'icon.png');
    setAbout(icon);
    setMenu({
      reload: () => this.#window?.reload(),
      restartEngine: () => void this.#restart(),
      about: () => app.showAboutPanel(),
    });
    this.#supervisor.start();
    this.showWindow();
  }

  /** Brings the window to the front, and makes one where there is none. */
  showWindow(): void {
    if (this.#quitting) return;
    if (this.#window !== null) return this.#window.focus();
    this.#window = new ConsoleWindow({
      preload: join(__dirname, '..', 'preload', 'preload.cjs'),
      stateFile: join(this.#folder, 'window-state.json'),
      icon: join(__dirname, '..', 'icon.png'),
      shown: () => say(DESKTOP_SAYS.open),
      closed: () => {
        this.#window = null;
        // Nobody counts any more: an old number would be taken for what fires now.
        app.setBadgeCount(0);
        if (this.#wantsQuit) void this.quit();
      },
      stays: () => {
        this.#wantsQuit = false;
      },
    });
    if (this.#engine !== null) this.#window.showConsole(new ConsoleTarget(this.#engine));
    else if (this.#supervisor.state.phase === 'failed') this.#follow(this.#supervisor.state);
    else setTimeout(() => this.#showStarting(), STARTING_AFTER);
  }

  /** Closes the window as its own button does, and then quits. */
  close(): void {
    this.#wantsQuit = true;
    if (this.#window === null) void this.quit();
    else this.#window.close();
  }

  /** Saves are written, the engine is closed in order; then nothing of this program is left. */
  async quit(): Promise<void> {
    if (this.#quitting) return;
    this.#quitting = true;
    await Promise.allSettled(this.#finishing);
    await this.#supervisor.stop();
    app.exit(0);
  }

  #showStarting(): void {
    if (this.#engine === null && this.#supervisor.state.phase === 'starting') this.#window?.showPage(startingPage());
  }

  #follow(state: EngineState): void {
    if (state.phase === 'ready') {
      const { engine } = state.ready;
      const before = this.#attached ? null : this.#engine;
      this.#engine = engine;
      this.#attached = false;
      const shows = this.#window?.target?.engine ?? null;
      // The page finds the same engine again by itself.
      const same = shows !== null && shows.url === engine.url;
      if (same && this.#window?.isLost !== true) return this.#window?.adopt(new ConsoleTarget(engine));
      this.#window?.showConsole(new ConsoleTarget(engine), before === null || same ? undefined : 'moved');
    } else if (state.phase === 'failed') {
      warn(`vigie: ${state.failure.message}`);
      this.#engine = null;
      app.setBadgeCount(0);
      this.#window?.showPage(failedPage(state.failure, state.lines));
    }
  }

  #act(action: Action): void {
    if (action === 'quit') return app.quit();
    if (action === 'reload') return this.#window?.reload();
    if (action === 'retry') {
      this.#window?.showPage(startingPage());
      return this.#supervisor.start();
    }
    const { state } = this.#supervisor;
    if (state.phase !== 'failed' || state.failure.running === null) return;
    this.#engine = state.failure.running;
    this.#attached = true;
    this.#window?.showConsole(new ConsoleTarget(this.#engine));
  }

  async #restart(): Promise<void> {
    await this.#supervisor.stop();
    if (!this.#quitting) this.#supervisor.start();
  }

  async #finish(work: Promise<unknown>): Promise<void> {
    this.#finishing.add(work);
    await work.catch(() => undefined);
    this.#finishing.delete(work);
  }
}

function main(): void {
  app.setName('Vigie');
  // The command that started it may be gone: what nobody reads is not an error.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  let options;
  try {
    options = launchOptions(process.env);
  } catch (error) {
    warn(`vigie: the options cannot be read: ${String(error)}`);
    return app.exit(2);
  }
  const folder = windowFolder(app.getPath('appData'), options);
  app.setPath('userData', folder);
  if (!app.requestSingleInstanceLock()) {
    say(DESKTOP_SAYS.second);
    return app.exit(0);
  }
  // It would be put on again in the program's other processes, which refuse to run as root with it.
  if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox();
  guardProcess();
  const desktop = new Desktop(folder, options);
  app.on('second-instance', () => desktop.showWindow());
  app.on('activate', () => desktop.showWindow());
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
  app.on('before-quit', (event) => {
    event.preventDefault();
    desktop.close();
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void desktop.quit());
  void app.whenReady().then(() => desktop.open());
}

main();
