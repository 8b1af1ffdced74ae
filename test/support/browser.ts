/** A real browser: Debian's chromium, driven by Playwright. Nothing here needs a test runner; tests take chromium.ts. */

import { type Browser, type Page, chromium } from 'playwright-core';

import { findProgram } from '../../scripts/lib/components.mjs';

export interface OpenedPage {
  readonly page: Page;
  /** Errors on the console, exceptions nobody caught, and requests that failed, in order. A good page has none. */
  readonly problems: string[];
}

/**
 * Starts a browser without a window. Its profile is new and gone when it closes; the caller closes it, and removes the
 * folder that it has for its home.
 *
 * @throws {Error} When chromium is not installed; guard the suite with `describe.skipIf(lacksComponent('chromium'))`.
 */
export async function launchBrowser(home: string, args: readonly string[] = []): Promise<Browser> {
  const executablePath = findProgram('chromium');
  if (executablePath === undefined) throw new Error('chromium is not installed (Debian package chromium)');
  return chromium.launch({
    executablePath,
    headless: true,
    // Tests may run as root, where chromium has no sandbox of its own; they open nothing but our own pages.
    args: ['--no-sandbox', '--disable-gpu', ...args],
    env: { ...process.env, HOME: home },
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
    if (message.type() === 'error') problems.push(`console: ${message.text()} (${message.location().url})`);
  });
  page.on('pageerror', (error) => problems.push(`exception: ${error.message}`));
  page.on('requestfailed', (request) => {
    problems.push(`request: ${request.method()} ${request.url()}: ${request.failure()?.errorText ?? 'failed'}`);
  });
  return { page, problems };
}
