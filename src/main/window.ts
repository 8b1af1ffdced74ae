/** The one window: shows the console of an engine, or a page that says why there is none. */

import { BrowserWindow, dialog, nativeTheme, screen } from 'electron';
import type { Notice } from '../shared/bridge.ts';
import type { ConsoleTarget } from './console-target.ts';
import { RateLimit } from './rate-limit.ts';
import { crashedPage, unreachablePage } from './status-page.ts';
import { readState, visiblePlace, visibleSize, writeState, type WindowState } from './window-state.ts';

/** The page's ground (`--v-ground` of the interface), so that the first moment does not flash. */
const GROUND = { light: '#f6f7f8', dark: '#14181c' };
/** A page that crashes more often than this in a minute is not loaded again by itself. */
const CRASHES = 3;
const MINUTE = 60_000;
/** Chromium's code for a load that another one took the place of (`ERR_ABORTED`). */
const OVERTAKEN = -3;
/** Moving and resizing come in hundreds of events. */
const SAVE_AFTER = 500;
/** Shown after this time even if nothing has been drawn, in ms. */
const SHOW_AFTER = 3000;

export interface WindowOptions {
  readonly preload: string;
  readonly stateFile: string;
  readonly icon: string;
  /** It is on the screen. */
  shown(): void;
  closed(): void;
  /** The person was asked and keeps it open. */
  stays(): void;
}

export class ConsoleWindow {
  readonly browser: BrowserWindow;
  readonly #options: WindowOptions;
  readonly #crashes = new RateLimit(CRASHES, MINUTE);
  #state: WindowState;
  #saving: NodeJS.Timeout | null = null;
  #closing = false;
  #target: ConsoleTarget | null = null;
  #lost = false;
  /** The last view of the console, for when it is loaded anew. */
  #path = '/ui/jobs';

  constructor(options: WindowOptions) {
    this.#options = options;
    this.#state = readState(options.stateFile);
    nativeTheme.themeSource = this.#state.theme;
    const screens = screen.getAllDisplays().map((display) => display.workArea);
    this.browser = new BrowserWindow({
      ...visiblePlace(this.#state, screens),
      ...visibleSize(this.#state, screens),
      minWidth: 640,
      minHeight: 420,
      show: false,
      title: 'Vigie',
      icon: options.icon,
      backgroundColor: nativeTheme.shouldUseDarkColors ? GROUND.dark : GROUND.light,
      webPreferences: {
        preload: options.preload,
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        nodeIntegrationInSubFrames: false,
        webviewTag: false,
        navigateOnDragDrop: false,
        spellcheck: false,
        // Charts go on while the window is behind others: people look at them out of the corner of the eye.
        backgroundThrottling: false,
      },
    });
    if (this.#state.maximized) this.browser.maximize();
    this.#listen();
  }

  get target(): ConsoleTarget | null {
    return this.#target;
  }

  /** The console could not be loaded: its engine did not answer. */
  get isLost(): boolean {
    return this.#lost;
  }

  /** Shows an engine's console. `notice` is told to the person by the page. */
  showConsole(target: ConsoleTarget, notice?: Notice): void {
    this.#target = target;
    this.#lost = false;
    void this.#load(`${target.page(this.#path)}${notice === undefined ? '' : `#notice=${notice}`}`);
  }

  /** The same console is served by another start of the engine: the page finds it by itself. */
  adopt(target: ConsoleTarget): void {
    this.#target = target;
  }

  /** Shows a page without a console; no engine may be spoken to any more. */
  showPage(url: string): void {
    this.#target = null;
    this.#lost = false;
    void this.#load(url);
  }

  reload(): void {
    if (this.#target !== null) this.showConsole(this.#target);
  }

  focus(): void {
    if (this.browser.isDestroyed()) return;
    if (this.browser.isMinimized()) this.browser.restore();
    this.browser.show();
    this.browser.focus();
  }

  /** Closes it, unless the page has something to lose and the person stays. */
  close(): void {
    this.#closing = true;
    this.browser.close();
  }

  setTheme(theme: WindowState['theme']): void {
    this.#state = { ...this.#state, theme };
    this.#save();
  }

  async #load(url: string): Promise<void> {
    // A load that is overtaken by another one, or an engine that has just ended: what comes next says so.
    await this.browser.loadURL(url).catch(() => undefined);
  }

  #listen(): void {
    const { browser } = this;
    const show = (): void => {
      clearTimeout(late);
      if (browser.isDestroyed() || browser.isVisible()) return;
      browser.show();
      this.#options.shown();
    };
    const late = setTimeout(show, SHOW_AFTER);
    browser.once('ready-to-show', show);
    for (const event of ['resize', 'move', 'maximize', 'unmaximize'] as const) {
      browser.on(event as 'resize', () => this.#remember());
    }
    browser.on('close', () => {
      if (this.#saving !== null) clearTimeout(this.#saving);
      this.#remember();
      this.#save();
    });
    browser.on('closed', () => {
      clearTimeout(late);
      this.#options.closed();
    });
    const { webContents } = browser;
    const viewed = (url: string): void => {
      if (this.#target?.isPage(url)) this.#path = new URL(url).pathname + new URL(url).search;
    };
    webContents.on('did-navigate', (_event, url) => {
      // The one address that a page cannot be kept from.
      if (url === 'about:blank') this.reload();
      else viewed(url);
    });
    webContents.on('did-navigate-in-page', (_event, url, isMainFrame) => {
      if (isMainFrame) viewed(url);
    });
    webContents.on('did-fail-load', (_event, code, _reason, url, isMainFrame) => {
      if (!isMainFrame || code === OVERTAKEN || this.#target?.isPage(url) !== true) return;
      this.#lost = true;
      void this.#load(unreachablePage());
    });
    webContents.on('render-process-gone', (_event, { reason }) => {
      if (reason === 'clean-exit' || this.#target === null) return;
      if (this.#crashes.take(Date.now())) this.showConsole(this.#target, 'crashed');
      else this.#crashed(reason);
    });
    webContents.on('will-prevent-unload', (event) => {
      const choice = dialog.showMessageBoxSync(browser, {
        type: 'question',
        message: 'An export is still being made. Leave without it?',
        buttons: ['Stay', 'Leave'],
        defaultId: 0,
        cancelId: 0,
      });
      if (choice === 1) event.preventDefault();
      else {
        this.#closing = false;
        this.#options.stays();
      }
    });
    browser.on('unresponsive', () => {
      if (this.#closing) browser.destroy();
    });
  }

  /** The engine is kept, so that the person can load the page again. */
  #crashed(reason: string): void {
    void this.#load(crashedPage(reason));
  }

  #remember(): void {
    const { browser } = this;
    if (browser.isDestroyed() || browser.isMinimized() || browser.isFullScreen()) return;
    const maximized = browser.isMaximized();
    const { x, y, width, height } = browser.getNormalBounds();
    this.#state = { ...this.#state, place: { x, y }, width, height, maximized };
    if (this.#saving !== null) clearTimeout(this.#saving);
    this.#saving = setTimeout(() => this.#save(), SAVE_AFTER);
  }

  #save(): void {
    this.#saving = null;
    writeState(this.#options.stateFile, this.#state);
  }
}
