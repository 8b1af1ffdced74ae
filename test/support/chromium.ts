/** A real browser for tests of the page: Debian's chromium, driven by Playwright. */

import { type Browser, type Page, chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';

import { findProgram } from '../../scripts/lib/components.mjs';
import { temporaryFolder } from './tmp.ts';

export interface OpenedPage {
  readonly page: Page;
  /** Errors on the console, exceptions nobody caught, and requests that failed, in order. A good page has none. */
  readonly problems: string[];
}

/**
 * Starts a browser without a window. Its profile is new and gone when it closes; the caller closes it.
 *
 * @throws {Error} When chromium is not installed; guard the suite with `describe.skipIf(lacksComponent('chromium'))`.
 */
export async function launchBrowser(args: readonly string[] = []): Promise<Browser> {
  const executablePath = findProgram('chromium');
  if (executablePath === undefined) throw new Error('chromium is not installed (Debian package chromium)');
  return chromium.launch({
    executablePath,
    headless: true,
    // Tests may run as root, where chromium has no sandbox of its own; they open nothing but our own pages.
    args: ['--no-sandbox', '--disable-gpu', ...args],
    env: { ...process.env, HOME: temporaryFolder() },
  });
}

/** A page in a context of its own (storage, cookies), 1280 × 800, that collects what goes wrong in it. */
export async function openPage(
  browser: Browser,
  options: Parameters<Browser['newContext']>[0] = {},
): Promise<OpenedPage> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => problems.push(`exception: ${error.message}`));
  page.on('requestfailed', (request) => {
    problems.push(`request: ${request.method()} ${request.url()}: ${request.failure()?.errorText ?? 'failed'}`);
  });
  return { page, problems };
}

export interface Screen extends OpenedPage {
  /** Every URL that the page has asked for, in order. */
  readonly requests: readonly string[];
  /** What matches may be among the problems of this page: the test causes it on purpose. */
  tolerate(...patterns: readonly RegExp[]): void;
}

export interface Screens {
  /** A page in a context of its own, at `url` if one is given. It is closed after the test. */
  open(url?: string, options?: Parameters<Browser['newContext']>[0]): Promise<Screen>;
}

/** A request that the page itself gave up, because it was left or reloaded. */
const GIVEN_UP = /^request: .*: net::ERR_ABORTED$/;

/**
 * One browser for the tests of a file. After each test its pages are closed, and none may have had a problem: neither an
 * error on the console, which is also where the browser reports what its Content-Security-Policy forbids, nor an
 * exception, nor a failed request.
 */
export function useBrowser(): Screens {
  let browser: Browser;
  const opened: { screen: Screen; tolerated: RegExp[] }[] = [];
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    const all = opened.splice(0);
    await Promise.all(all.map(({ screen }) => screen.page.context().close()));
    const bad = all.flatMap(({ screen, tolerated }) =>
      screen.problems.filter((problem) => ![GIVEN_UP, ...tolerated].some((pattern) => pattern.test(problem))),
    );
    expect(bad, 'problems of the pages').toEqual([]);
  });
  return {
    async open(url, options) {
      const { page, problems } = await openPage(browser, options);
      // A page that does not come within this time never comes.
      page.setDefaultTimeout(30_000);
      const requests: string[] = [];
      const tolerated: RegExp[] = [];
      page.on('request', (request) => requests.push(request.url()));
      page.on('websocket', (socket) => requests.push(socket.url()));
      const screen = { page, problems, requests, tolerate: (...patterns: RegExp[]) => void tolerated.push(...patterns) };
      opened.push({ screen, tolerated });
      if (url !== undefined) await page.goto(url);
      return screen;
    },
  };
}
