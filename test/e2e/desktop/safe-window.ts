/** A window for several tests, none of which may move it from the console, nor speak to anybody else. */

import type { ElectronApplication, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { type Desktop, useDesktop } from '../../support/desktop.ts';
import { SOON } from '../console.ts';
import { type Elsewhere, openElsewhere } from './elsewhere.ts';

/** Time in which something that is refused would have happened, in ms. */
export const WHILE = 400;

export interface SafeWindow {
  readonly app: ElectronApplication;
  readonly page: Page;
  /** Of the engine. */
  readonly origin: string;
  readonly elsewhere: Elsewhere;
  /** The document that is there now is the one to stay. */
  mark(): Promise<unknown>;
}

/**
 * Starts the window before the first test. After each one there is one page with the same document in it, and nobody was
 * spoken to. That is looked at without a driver's own waiting: a navigation that is refused never ends for it.
 */
export function useSafeWindow(): () => SafeWindow {
  const desktop = useDesktop();
  let started: Desktop;
  let elsewhere: Elsewhere;
  let origin: string;
  const mark = () => started.page.evaluate('globalThis.sameDocument = true');
  beforeAll(async () => {
    elsewhere = await openElsewhere();
    started = await desktop.start();
    await started.page.getByRole('heading', { name: 'Jobs' }).waitFor(SOON);
    ({ origin } = new URL(started.page.url()));
    await mark();
  });
  afterAll(() => elsewhere?.close());
  afterEach(async () => {
    const { app, page } = started;
    await page.waitForTimeout(WHILE);
    expect(elsewhere.heard()).toEqual([]);
    const pages = await app.evaluate(({ webContents }) => webContents.getAllWebContents().map((one) => one.getURL()));
    expect(pages).toEqual([`${origin}/ui/jobs`]);
    expect(await page.evaluate("document.querySelector('h1')?.textContent")).toBe('Jobs');
    expect(await page.evaluate("'sameDocument' in globalThis")).toBe(true);
  });
  return () => ({ app: started.app, page: started.page, origin, elsewhere, mark });
}
