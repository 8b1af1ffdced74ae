/** The settings: what the engine is, who may use it, who changed what. */

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine, tokenOf } from '../support/engine.ts';
import { runVigie } from '../support/launch.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { eventually } from '../support/wait.ts';
import { choose, link, SOON } from './console.ts';

const section = (page: Page, name: string) => page.getByRole('region', { name, exact: true });
const table = (page: Page, name: string) => page.getByRole('table', { name, exact: true });

/** The fact beside a name. */
async function fact(page: Page, inside: string, name: string): Promise<string> {
  const row = section(page, inside)
    .locator('dl > div')
    .filter({ has: page.getByRole('term').getByText(name, { exact: true }) });
  return (await row.getByRole('definition').innerText()).trim();
}

async function open(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1, name: 'Settings' }).waitFor(SOON);
  await section(page, 'Engine').waitFor(SOON);
}

describe.skipIf(lacksComponent('chromium'))('the settings', () => {
  const screens = useBrowser();
  let engine: Engine;
  let memory: Engine;

  beforeAll(async () => {
    engine = await startEngine({ page: true, folder: temporaryFolder() });
    memory = await startEngine({ page: true, args: ['--memory', '--max-series', '500'] });
  });
  afterAll(async () => {
    await Promise.all([engine, memory].map((each) => each.stop('SIGKILL')));
  });

  const ask = (token: string, path = '/api/v1/status'): Promise<Response> =>
    fetch(`${engine.url}${path}`, { headers: { authorization: `Bearer ${token}` } });

  test('are reached from the navigation and the palette, and tell what the engine is and keeps', async () => {
    const { page } = await screens.open(link(engine));
    await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: 'Settings' }).click();
    await open(page);
    expect(page.url()).toBe(`${engine.url}/ui/settings`);
    expect(await page.title()).toBe('Settings · Vigie');
    const status = (await (await ask(tokenOf(engine))).json()) as { version: string; engine: Record<string, unknown> };
    expect(await fact(page, 'Engine', 'Version')).toBe(status.version);
    expect(await fact(page, 'Engine', 'Identity')).toBe(`${String(status.engine['id'])}, start 1`);
    expect(await fact(page, 'Engine', 'Host and process')).toContain(`pid ${engine.ready.pid}`);
    expect(await fact(page, 'Engine', 'Listens on')).toBe(engine.url);
    expect(await fact(page, 'Engine', 'Socket')).toBe(engine.ready.socket);
    expect(await fact(page, 'Engine', 'Data')).toBe(engine.ready.data);
    expect(await fact(page, 'Engine', 'Token file')).toBe(engine.ready.token_file);
    expect(await fact(page, 'Engine', 'Old proxy’s routes')).toBe('need the token');
    expect(await fact(page, 'Retention', 'Samples')).toBe('14 days');
    expect(await fact(page, 'Retention', 'Profiles')).toBe('until they are deleted');
    // It runs on while one looks.
    const running = await fact(page, 'Engine', 'Running for');
    await eventually(async () => (await fact(page, 'Engine', 'Running for')) !== running);

    await page.goto(`${engine.url}/ui/jobs`);
    await page.getByRole('heading', { level: 1, name: 'Jobs' }).waitFor(SOON);
    await page.keyboard.press('Control+k');
    const palette = page.getByRole('dialog');
    await palette.getByRole('textbox').fill('audit log');
    await palette.getByText('Settings', { exact: true }).waitFor();
    await page.keyboard.press('Enter');
    await open(page);
  });

  test('of an engine in memory say so, with the limits it was started with', async () => {
    const { page } = await screens.open(link(memory, '/ui/settings'));
    await open(page);
    expect(await fact(page, 'Engine', 'Data')).toContain('in memory only');
    expect(await fact(page, 'Retention', 'Samples')).toBe('1 hour, and at most 64 MiB with all else');
    const series = table(page, 'Limits').getByRole('row').filter({ hasText: 'Live series' });
    const cells = await series.getByRole('cell').allInnerTexts();
    expect(Number(cells[0]!.replace(/\D/g, ''))).toBeGreaterThan(10);
    expect(cells[1]).toBe('500');
    await section(page, 'Audit log').getByText('Nothing was changed yet.').waitFor();
    await section(page, 'Tokens').getByText('vigie token add').waitFor();
  });

  test('change the theme', async () => {
    const { page } = await screens.open(link(engine, '/ui/settings'), { colorScheme: 'light' });
    await open(page);
    const scheme = () => page.evaluate('document.documentElement.dataset.mantineColorScheme');
    await choose(page, 'Dark');
    await eventually(async () => (await scheme()) === 'dark');
    await page.reload();
    await open(page);
    expect(await scheme()).toBe('dark');
    await choose(page, 'System');
    await eventually(async () => (await scheme()) === 'light');
  });

  test('add a token that is shown once, and revoke it after a question', async () => {
    const { page, tolerate } = await screens.open(link(engine, '/ui/settings'));
    await open(page);
    const tokens = section(page, 'Tokens');
    const add = tokens.getByRole('button', { name: 'Add token' });
    const name = tokens.getByLabel('Name of a new token');
    expect(await add.isDisabled()).toBe(true);
    await name.fill('not a name');
    await tokens.getByText('expected 1 to 64 letters').waitFor();
    expect(await add.isDisabled()).toBe(true);
    await name.fill('dashboard');
    await add.click();
    const field = tokens.getByLabel('The new token', { exact: true });
    await field.waitFor(SOON);
    const token = await field.inputValue();
    expect(token).toMatch(/^[\w-]{43}$/);
    const who = await (await ask(token, '/api/v1/whoami')).json();
    expect(who).toEqual({ role: 'view', by: 'token', name: 'dashboard' });
    await tokens.getByRole('button', { name: 'I have it' }).click();
    await field.waitFor({ state: 'detached' });
    const row = table(page, 'Tokens').getByRole('row').filter({ hasText: 'dashboard' });
    expect((await row.getByRole('cell').allInnerTexts())[1]).toBe('view');
    expect(await page.content()).not.toContain(token);

    // A second one of that name is refused in words.
    await name.fill('dashboard');
    tolerate(/status of 409/);
    await add.click();
    await tokens.getByText('a token is called dashboard already').waitFor(SOON);

    await row.getByRole('button', { name: 'Revoke dashboard' }).click();
    const dialog = page.getByRole('dialog', { name: /Revoke the token/ });
    await dialog.getByText('cannot be undone').waitFor();
    await dialog.getByRole('button', { name: 'Keep it' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect((await ask(token)).status).toBe(200);
    await row.getByRole('button', { name: 'Revoke dashboard' }).click();
    await dialog.getByRole('button', { name: 'Revoke', exact: true }).click();
    await row.waitFor({ state: 'detached' });
    expect((await ask(token)).status).toBe(401);
    // The owner's has no such button.
    const owner = table(page, 'Tokens').getByRole('row').filter({ hasText: 'owner' });
    expect(await owner.getByRole('button').count()).toBe(0);

    const log = table(page, 'Audit log').getByRole('row');
    await log.filter({ hasText: 'DELETE /api/v1/tokens/:name' }).waitFor(SOON);
    const texts = (await log.allInnerTexts()).map((text) => text.replace(/\s+/g, ' '));
    expect(texts[1]).toMatch(/token owner DELETE \/api\/v1\/tokens\/:name name=dashboard 1 done$/);
    expect(texts[2]).toMatch(/POST \/api\/v1\/tokens name=dashboard role=view 1 refused \(409\)$/);
    expect(texts[3]).toMatch(/POST \/api\/v1\/tokens name=dashboard role=view 1 done$/);
    expect(texts.join()).not.toContain(token);
  });

  test('show what a shell does, in pages', async () => {
    const folder = temporaryFolder();
    const data = engine.ready.data!;
    const { page } = await screens.open(link(engine, '/ui/settings'));
    await open(page);
    const headers = { authorization: `Bearer ${tokenOf(engine)}`, 'content-type': 'application/json' };
    for (let i = 0; i < 60; i++) {
      await fetch(`${engine.url}/push`, { method: 'POST', headers, body: JSON.stringify({ key: `shell_${i}_total` }) });
    }
    await runVigie(['token', 'add', 'from-a-shell', '--data', data], { folder });
    const refresh = section(page, 'Audit log').getByRole('button', { name: 'Refresh' });
    const rows = table(page, 'Audit log').getByRole('row');
    await eventually(async () => {
      await refresh.click();
      return (await rows.filter({ hasText: 'edited in tokens.json' }).count()) === 1;
    });
    expect(await rows.filter({ hasText: 'shell_0_total' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Show older ones' }).click();
    await rows.filter({ hasText: 'shell_0_total' }).waitFor(SOON);
  });

  test('say to a viewer why nothing can be done, and let nothing be done', async () => {
    const folder = temporaryFolder();
    const data = engine.ready.data!;
    const added = await runVigie(['token', 'add', 'guest', '--role', 'view', '--data', data], { folder });
    const token = added.stdout.trim();
    const { page, requests, tolerate } = await screens.open(`${engine.url}/ui/settings#token=${token}`);
    await open(page);
    const tokens = section(page, 'Tokens');
    await tokens.getByText('This page’s token, “guest”, may only view.').waitFor();
    expect(await tokens.getByLabel('Name of a new token').isDisabled()).toBe(true);
    const add = tokens.getByRole('button', { name: 'Add token' });
    expect(await add.isDisabled()).toBe(true);
    // The reason belongs to the button, also for those who do not see it beside it.
    const reason = (await add.getAttribute('aria-describedby'))!;
    expect(await page.locator(`#${reason}`).innerText()).toContain('may only view');
    await section(page, 'Audit log').getByText('may only view').waitFor();
    expect(await table(page, 'Tokens').count()).toBe(0);
    // What a viewer may see is there.
    expect(await fact(page, 'Retention', 'Samples')).toBe('14 days');
    expect(requests.filter((url) => /\/api\/v1\/(tokens|audit)/.test(url))).toEqual([]);

    // When it is revoked the page asks for another one.
    tolerate(/status of 401/);
    await runVigie(['token', 'revoke', 'guest', '--data', data], { folder });
    await page.getByRole('heading', { name: 'A token is needed' }).waitFor(SOON);
  });
});
