/** The browser for tests of the page: one per file, and no page may have had a problem. */

import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';

import { type OpenedPage, launchBrowser, openPage } from './browser.ts';
import { temporaryFolder } from './tmp.ts';

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
/** Milliseconds; an action that takes longer never happens. */
const ACTION_TIMEOUT = 20_000;

/**
 * One browser for the tests of a file. After each test its pages are closed, and none may have had a problem: neither an
 * error on the console, which is also where the browser reports what its Content-Security-Policy forbids, nor an
 * exception, nor a failed request.
 */
export function useBrowser(): Screens {
  let browser: Browser;
  const opened: { screen: Screen; tolerated: RegExp[] }[] = [];
  beforeAll(async () => {
    browser = await launchBrowser(temporaryFolder());
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
      page.setDefaultTimeout(ACTION_TIMEOUT);
      const requests: string[] = [];
      const tolerated: RegExp[] = [];
      page.on('request', (request) => requests.push(request.url()));
      page.on('websocket', (socket) => requests.push(socket.url()));
      const tolerate = (...patterns: readonly RegExp[]): void => void tolerated.push(...patterns);
      const screen: Screen = { page, problems, requests, tolerate };
      opened.push({ screen, tolerated });
      if (url !== undefined) await page.goto(url);
      return screen;
    },
  };
}
