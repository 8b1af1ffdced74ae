/** The token: how it comes to the page, and where it must never be. */

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine, tokenOf } from '../support/engine.ts';
import { jobRow, link, SOON } from './console.ts';
import { Program } from './program.ts';

/** Everywhere that another page, another user or a history could find it. */
async function leaks(page: Page): Promise<unknown> {
  const cdp = await page.context().newCDPSession(page);
  const history = await cdp.send('Page.getNavigationHistory');
  return {
    history: history.entries.map((entry) => entry.url),
    cookies: await page.context().cookies(),
    local: await page.evaluate('JSON.stringify(localStorage)'),
    document: await page.evaluate('document.documentElement.outerHTML'),
    fields: await page.evaluate('[...document.querySelectorAll("input")].map((input) => input.value)'),
    name: await page.evaluate('window.name + document.title + document.referrer'),
  };
}

describe.skipIf(lacksComponent('chromium'))('the token', () => {
  const screens = useBrowser();
  let engine: Engine;
  let program: Program;

  beforeAll(async () => {
    engine = await startEngine({ page: true, args: ['--memory'] });
    program = await Program.start(engine.ready.legacy_socket, { jobid: 'secret-keeper' });
    program.run();
  });
  afterAll(async () => {
    program.lose();
    await engine.stop('SIGKILL');
  });

  test('comes with the link, leaves the address at once, and is nowhere else', async () => {
    const { page, requests } = await screens.open(link(engine));
    const row = jobRow(page, 'secret-keeper');
    await row.waitFor(SOON);
    expect(page.url()).toBe(`${engine.url}/ui/jobs`);
    await row.click();
    await page.getByTestId('chart-panel').first().waitFor();
    await page.reload();
    await page.getByTestId('chart-panel').first().waitFor();

    const token = tokenOf(engine);
    expect(JSON.stringify(await leaks(page))).not.toContain(token);
    // A fragment is not sent; the rest of every address is.
    const sent = requests.map((url) => url.replace(/#.*/, ''));
    expect(sent.some((url) => url.includes('/api/v1/live'))).toBe(true);
    expect(sent.filter((url) => url.includes(token))).toEqual([]);
    expect(await page.evaluate('Object.values(sessionStorage)')).toContain(token);
  });

  test('is not shared with another tab of the same browser', async () => {
    const { page } = await screens.open(link(engine));
    await jobRow(page, 'secret-keeper').waitFor(SOON);
    const other = await page.context().newPage();
    await other.goto(`${engine.url}/ui/jobs`);
    await other.getByRole('heading', { name: 'A token is needed' }).waitFor();
  });

  test('is asked for where there is none; a wrong one is refused in words, the right one opens the view', async () => {
    const { page, tolerate } = await screens.open(`${engine.url}/ui/node`);
    tolerate(/status of 401/);
    await page.getByRole('heading', { name: 'A token is needed' }).waitFor();
    const field = page.getByLabel('Token', { exact: true });
    const go = page.getByRole('button', { name: 'Continue' });
    expect(await go.isDisabled()).toBe(true);
    expect(await field.getAttribute('type')).toBe('password');

    await field.fill('0123456789abcdef0123456789abcdef');
    await go.click();
    await page.getByRole('alert').filter({ hasText: 'did not accept' }).waitFor(SOON);
    expect(await page.evaluate('JSON.stringify(sessionStorage)')).not.toContain('0123456789abcdef');

    await page.getByLabel('Token', { exact: true }).fill(`  ${tokenOf(engine)}\n`);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('heading', { level: 1, name: /^Node / }).waitFor(SOON);
    expect(new URL(page.url()).pathname).toMatch(/^\/ui\/node/);
    expect(JSON.stringify(await leaks(page))).not.toContain(tokenOf(engine));
  });

  test('a link with a wrong one is refused too, and the view stays in the address', async () => {
    const { page, tolerate } = await screens.open();
    tolerate(/status of 401/);
    await page.goto(`${engine.url}/ui/jobs?q=keeper#token=ffffffffffffffffffffffffffffffff`);
    await page.getByRole('alert').filter({ hasText: 'did not accept' }).waitFor(SOON);
    expect(page.url()).toBe(`${engine.url}/ui/jobs?q=keeper`);
  });
});
