/** Channels in the console: whom to tell, tried with the real answer, routes in order, and what became of each message. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine, tokenOf } from '../support/engine.ts';
import { freePort } from '../support/launch.ts';
import { link, SOON } from './console.ts';

/** A server that is told of alarms, and answers as it is asked to. */
class Hook {
  readonly heard: { readonly headers: IncomingMessage['headers']; readonly body: string }[] = [];
  status = 200;
  answer = 'thank you';
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<Hook> {
    const server = createServer();
    const hook = new Hook(server);
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        hook.heard.push({ headers: request.headers, body });
        response.writeHead(hook.status, { 'Content-Type': 'text/plain' }).end(hook.answer);
      });
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    return hook;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => void this.#server.close(resolve));
  }
}

const button = (within: Page | Locator, name: string | RegExp): Locator =>
  within.getByRole('button', { name, exact: typeof name === 'string' });
const dialogOf = (page: Page, name: string): Locator => page.getByRole('dialog', { name });
const card = (page: Page, name: string): Locator => page.getByRole('article', { name: `Channel ${name}` });

describe.skipIf(lacksComponent('chromium'))('channels', () => {
  const screens = useBrowser();
  let engine: Engine;
  let hook: Hook;

  const ask = async (method: string, route: string, body: unknown): Promise<unknown> => {
    const response = await fetch(`${engine.url}/api/v1${route}`, {
      method,
      headers: { Authorization: `Bearer ${tokenOf(engine)}`, 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${route}: ${response.status} ${await response.text()}`);
    return response.json();
  };

  beforeAll(async () => {
    [engine, hook] = await Promise.all([
      startEngine({ page: true, args: ['--memory', '--period', '250ms'] }),
      Hook.start(),
    ]);
  });
  afterAll(async () => {
    await engine.stop('SIGKILL');
    await hook.stop();
  });

  test('a webhook is tried before it is saved, with the real answer, and told of what fires', async () => {
    const { page } = await screens.open(link(engine, '/ui/alarms/channels'));
    await page.getByRole('heading', { name: 'Nobody is told yet' }).waitFor(SOON);
    await button(page, 'Add a channel').click();
    const dialog = dialogOf(page, 'New channel');
    await dialog.getByLabel('How to tell').selectOption('webhook');
    const address = dialog.getByLabel('Address');
    await address.fill('example');
    await dialog.getByText('an address such as https://example.org/hook').waitFor();
    expect(await address.getAttribute('aria-invalid')).toBe('true');
    expect(await button(dialog, 'Add channel').isDisabled()).toBe(true);

    const answer = dialog.getByRole('status', { name: 'Answer to the test' });
    await address.fill(`http://127.0.0.1:${await freePort()}/`);
    await button(dialog, 'Send a test').click();
    await answer.getByText('The test message was not taken', { exact: false }).waitFor(SOON);
    await answer.getByText(/refused/i).waitFor();
    await address.fill(hook.url);
    await answer.waitFor({ state: 'detached' });
    hook.status = 500;
    hook.answer = 'the disk is full here';
    await button(dialog, 'Send a test').click();
    await answer.getByText('the disk is full here', { exact: false }).waitFor(SOON);
    await answer.getByText('500', { exact: false }).waitFor();
    hook.status = 200;
    hook.answer = '<i>thank you</i>';
    await button(dialog, 'Send a test').click();
    await answer.getByText('The test message was taken', { exact: false }).waitFor(SOON);
    await answer.getByText('<i>thank you</i>', { exact: false }).waitFor();
    expect(hook.heard).toHaveLength(2);

    await dialog.getByLabel('Name', { exact: true }).fill('Ops');
    await dialog.getByLabel('Key of the signature').fill('a secret key');
    await button(dialog, 'Add channel').click();
    await dialog.waitFor({ state: 'detached', ...SOON });
    await card(page, 'Ops').getByText(hook.url, { exact: false }).waitFor(SOON);

    hook.heard.length = 0;
    const scope = { kind: 'node' };
    await ask('POST', '/alarms/rules', { name: 'Load', scope, metric: 'proxy_cpu_load_average_percent', raise: -1 });
    await expect.poll(() => hook.heard.length, SOON).toBe(1);
    expect(hook.heard[0]!.body).toContain('Load');
    expect(hook.heard[0]!.headers['x-vigie-signature']).toMatch(/^sha256=[0-9a-f]{64}$/);
    const messages = page.getByRole('table', { name: 'Messages' });
    const sent = messages.getByRole('row').filter({ hasText: 'began, 1 alarm' });
    await sent.getByText('sent', { exact: true }).waitFor(SOON);
    await sent.getByText('Ops', { exact: true }).waitFor();
    await card(page, 'Ops').getByText('sent', { exact: true }).waitFor(SOON);
  });

  test('a secret is never in the page again, and stays while the rest is changed', async () => {
    const { page } = await screens.open(link(engine, '/ui/alarms/channels'));
    await button(page, 'Edit Ops').click(SOON);
    const dialog = dialogOf(page, 'Edit Ops');
    const key = dialog.getByLabel('Key of the signature');
    expect(await key.inputValue()).toBe('');
    await dialog.getByText('is set; empty: stays as it is', { exact: false }).waitFor();
    expect(await page.content()).not.toContain('a secret key');
    await dialog.getByLabel('Name', { exact: true }).fill('Operators');
    await button(dialog, 'Save').click();
    await dialog.waitFor({ state: 'detached', ...SOON });
    hook.heard.length = 0;
    await button(page, 'Test Operators').click();
    await card(page, 'Operators').getByText('The test message was taken', { exact: false }).waitFor(SOON);
    expect(hook.heard[0]!.headers['x-vigie-signature']).toMatch(/^sha256=/);

    await button(page, 'Edit Operators').click();
    await button(page, 'Remove it').click();
    await button(page, 'Save').click();
    await page.getByRole('dialog').waitFor({ state: 'detached', ...SOON });
    await button(page, 'Test Operators').click();
    await expect.poll(() => hook.heard.length, SOON).toBe(2);
    expect(hook.heard[1]!.headers['x-vigie-signature']).toBeUndefined();
  });

  test('routes: added, put in order, changed, removed, each with a way back', async () => {
    const { page } = await screens.open(link(engine, '/ui/alarms/channels'));
    const routes = page.getByRole('list', { name: 'Routes in order' }).getByRole('listitem');
    await page.getByText('every channel is told of every alarm', { exact: false }).waitFor(SOON);
    // The second channel is told of less; the first one goes on to be told of all.
    await button(page, 'New channel').click();
    const adding = dialogOf(page, 'New channel');
    await adding.getByLabel('How to tell').selectOption('email');
    await adding.getByLabel('To', { exact: true }).fill('ops@example.org nobody');
    await adding.getByText('e-mail addresses, one a line').waitFor();
    await adding.getByLabel('To', { exact: true }).fill('ops@example.org');
    await adding.getByLabel('From', { exact: true }).fill('vigie@example.org');
    await adding.getByLabel('Mail server').fill('127.0.0.1');
    await adding.getByLabel('Encryption').selectOption('tls');
    expect(await adding.getByLabel('Port').inputValue()).toBe('465');
    await adding.getByLabel('Tell it of').selectOption('critical');
    await button(adding, 'Add channel').click();
    await adding.waitFor({ state: 'detached', ...SOON });
    await expect.poll(() => routes.count(), SOON).toBe(2);
    expect(await routes.allInnerTexts()).toEqual([
      expect.stringMatching(/^Critical alarms → E-mail\s+.*then those below as well/),
      expect.stringMatching(/^All alarms → Operators\s/),
    ]);

    await button(page, 'New route').click();
    const form = dialogOf(page, 'New route');
    await button(form, 'Warning').click();
    await button(form, 'Add a condition').click();
    await form.getByRole('combobox', { name: 'Label' }).fill('rack');
    await form.getByRole('combobox', { name: 'Value' }).fill('r12');
    await form
      .getByRole('combobox', { name: 'Tell' })
      .or(form.getByLabel('Tell', { exact: true }))
      .first()
      .click();
    await form.getByRole('option', { name: 'Operators' }).click();
    await form.getByLabel('Again after').fill('often');
    await form.getByText(/expected a duration/).waitFor();
    expect(await button(form, 'Add route').isDisabled()).toBe(true);
    await form.getByLabel('Again after').fill('0s');
    await button(form, 'Add route').click();
    await expect.poll(() => routes.count(), SOON).toBe(3);
    expect(await routes.nth(2).innerText()).toMatch(/^Warning alarms with rack="r12" → Operators\s+.*once/);
    await button(page, 'Route 3 earlier').click();
    await expect.poll(() => routes.nth(1).innerText(), SOON).toContain('rack="r12"');
    await button(page, 'Undo').last().click();
    await expect.poll(() => routes.nth(2).innerText(), SOON).toContain('rack="r12"');
    await button(page, 'Remove route 3').click();
    await expect.poll(() => routes.count(), SOON).toBe(2);
    await button(page, 'Undo').last().click();
    await expect.poll(() => routes.count(), SOON).toBe(3);
    await page.reload();
    await expect.poll(() => routes.count(), SOON).toBe(3);
  });

  test('a channel is switched off, and removed after a question', async () => {
    const { page } = await screens.open(link(engine, '/ui/alarms/channels'));
    await card(page, 'E-mail').locator('.mantine-Switch-track').click(SOON);
    await expect.poll(() => page.getByLabel('E-mail is on').isChecked(), SOON).toBe(false);
    await button(page, 'Remove E-mail').click();
    const dialog = dialogOf(page, 'Remove the channel “E-mail”?');
    await button(dialog, 'Keep it').click();
    await dialog.waitFor({ state: 'detached' });
    await button(page, 'Remove E-mail').click();
    await button(dialog, 'Remove').click();
    await card(page, 'E-mail').waitFor({ state: 'detached', ...SOON });
    // What it was told of is told to nobody now: that is said.
    await page.getByText('Nobody is told by this route', { exact: false }).waitFor(SOON);
  });

  test('a browser that allows it shows a notification', async () => {
    const { page } = await screens.open();
    await page.context().grantPermissions(['notifications'], { origin: engine.url });
    await page.addInitScript(`(() => {
      globalThis.shown = [];
      const Real = globalThis.Notification;
      globalThis.Notification = class extends EventTarget {
        static permission = Real.permission;
        static requestPermission() { return Real.requestPermission(); }
        constructor(title, options) { super(); globalThis.shown.push({ title, ...options }); }
        close() {}
      };
    })()`);
    await page.goto(link(engine, '/ui/alarms/channels?dialog=new'));
    const dialog = dialogOf(page, 'New channel');
    await dialog.getByText('This browser shows them while the page is open.').waitFor(SOON);
    await dialog.getByLabel('Name', { exact: true }).fill('Desk');
    await button(dialog, 'Add channel').click();
    await dialog.waitFor({ state: 'detached', ...SOON });
    await ask('POST', '/alarms/rules', {
      ...{ name: 'On the desk', scope: { kind: 'node' }, metric: 'proxy_cpu_load_average_percent', raise: -2 },
      ...{ severity: 'critical' },
    });
    const shown = (): Promise<{ title: string; tag: string }[]> => page.evaluate('globalThis.shown');
    await expect.poll(async () => (await shown()).some(({ title }) => title.includes('On the desk')), SOON).toBe(true);
  });
});
