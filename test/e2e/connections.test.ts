/** Connections as people make them: a host of the own configuration, what its login asks, what goes over it, what breaks. */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ConnectionList, ConnectionLog, type Connection } from '../../src/shared/api/connections.ts';
import { TargetList } from '../../src/shared/api/targets.ts';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { runVigie } from '../support/launch.ts';
import { lacksSshd } from '../support/sshd.ts';
import { eventually } from '../support/wait.ts';
import { askApi, cell, link, SOON } from './console.ts';
import { startExporter } from './fleet.ts';
import { CODE, dialog, type LoginSite, PASSWORD, printOf, startLoginSite, tabTo } from './login-site.ts';

const PATIENT = { timeout: 60_000 };

/** A page that is in no window, in a browser that shows notifications: what it shows is in `shown`. */
const UNSEEN = `
  window.shown = [];
  Object.defineProperty(document, 'hidden', { get: () => true });
  window.Notification = class extends EventTarget {
    static permission = 'granted';
    constructor(title, { body }) {
      super();
      window.shown.push(title + ': ' + body);
    }
  };
`;

describe.skipIf(lacksComponent('chromium') || lacksSshd())('connections', () => {
  const screens = useBrowser();
  let hosts: LoginSite;
  let web: Server;

  beforeAll(async () => {
    hosts = await startLoginSite();
    web = createServer((incoming, response) => void response.end(`you asked for ${incoming.url}`));
    await new Promise<void>((resolve) => void web.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    web.close();
    await hosts.close();
  });
  afterEach(async () => {
    const { targets } = TargetList.parse(await askApi(hosts.engine, 'GET', '/targets'));
    for (const { id, url } of targets)
      if (url.startsWith('ssh:')) await askApi(hosts.engine, 'DELETE', `/targets/${id}`);
    for (const { id } of await list()) await askApi(hosts.engine, 'DELETE', `/connections/${id}`);
  });

  const list = async (): Promise<Connection[]> =>
    ConnectionList.parse(await askApi(hosts.engine, 'GET', '/connections')).connections;
  const add = (host: string): Promise<unknown> => askApi(hosts.engine, 'POST', '/connections', { host });
  const state = (page: Page, word: string): Locator => page.locator('header .v-state').getByText(word, { exact: true });
  const way = (page: Page): Locator => page.getByRole('list', { name: 'The way there' }).locator('.v-place');

  async function expectOnlyText(page: Page): Promise<void> {
    expect(await page.evaluate('window.__ran')).toBeUndefined();
    expect(await page.evaluate('document.querySelectorAll("img").length')).toBe(0);
  }

  /** Types what the login node asks for. */
  async function logIn(page: Page, password = PASSWORD): Promise<void> {
    await dialog(page, /^login asks/)
      .getByRole('textbox', { name: 'Password:' })
      .waitFor(PATIENT);
    await expect.poll(() => page.evaluate('document.activeElement.type'), SOON).toBe('password');
    await page.keyboard.type(password);
    await tabTo(page, 'One-time code:');
    await page.keyboard.type(CODE);
    await page.keyboard.press('Enter');
  }

  test(
    'behind a hop, with two keys and a code, by keyboard; a forward; the hop dies and comes back',
    {
      timeout: 240_000,
    },
    async () => {
      const { engine, gate, login, site, config, known, data } = hosts;
      const { page } = await screens.open(link(engine, '/ui/connections'));
      await page.getByRole('heading', { name: 'Reach a cluster by SSH' }).waitFor(SOON);
      await page.getByRole('heading', { name: 'Connect: look at it there' }).waitFor();
      await page.getByRole('heading', { name: 'Join: pull its numbers in here' }).waitFor();

      // Picked from the own configuration, which says where it stands.
      await page.keyboard.press('a');
      await dialog(page, 'Add a connection').getByRole('option', { name: /^gate/ }).waitFor(SOON);
      await expect.poll(() => page.evaluate('document.activeElement.getAttribute("role")'), SOON).toBe('combobox');
      await page.keyboard.type('log');
      const option = page.getByRole('listbox', { name: 'Hosts of your ssh configuration' }).getByRole('option');
      await expect.poll(() => option.allInnerTexts(), SOON).toEqual([expect.stringContaining('login')]);
      expect(await option.innerText()).toContain(`${config}:3`);
      await page.keyboard.press('ArrowDown');
      expect(await page.getByRole('combobox', { name: 'Host' }).inputValue()).toBe('login');
      await page.keyboard.press('Enter');

      // Each hop under its own name, with its fingerprint.
      const [gateKey] = gate.hostKeys;
      const first = dialog(page, 'Is this gate?');
      await first.getByText(printOf(gateKey ?? '')).waitFor(PATIENT);
      await first.getByText('(hop 1 of 2)').waitFor(SOON);
      await tabTo(page, 'Compare');
      await page.keyboard.insertText(printOf(site.file('code')));
      await first.getByText('This is another one').waitFor(SOON);
      expect(await first.getByRole('button', { name: 'Yes, and remember it' }).isDisabled()).toBe(true);
      await page.keyboard.press('Control+A');
      await page.keyboard.insertText(printOf(gateKey ?? ''));
      await first.getByText('It is the same.').waitFor(SOON);
      await tabTo(page, 'Yes, and remember it');
      await page.keyboard.press('Enter');
      const second = dialog(page, 'Is this login?');
      await second.getByText(printOf(site.file('code'))).waitFor(PATIENT);
      await tabTo(page, 'Yes, and remember it');
      await page.keyboard.press('Enter');

      // What the host says is text in a place of its own; Escape asks before it throws away what was typed.
      const asks = dialog(page, /^login asks/);
      await asks.getByRole('region', { name: 'What login says and asks' }).getByText('<img src=x').waitFor(PATIENT);
      await expectOnlyText(page);
      await expect.poll(() => page.evaluate('document.activeElement.type'), SOON).toBe('password');
      await page.keyboard.type('x');
      await page.keyboard.press('Escape');
      await asks.getByRole('button', { name: 'Cancel the login' }).waitFor(SOON);
      await page.keyboard.press('Escape');
      await asks.getByRole('button', { name: 'Cancel the login' }).waitFor({ state: 'detached' });
      const password = asks.getByLabel('Password:', { exact: true });
      expect([await password.getAttribute('autocomplete'), await password.getAttribute('type')]).toEqual([
        'off',
        'password',
      ]);
      await tabTo(page, 'Show what is typed');
      await page.keyboard.press('Enter');
      expect(await password.getAttribute('type')).toBe('text');
      await page.keyboard.press('Enter');
      await password.fill('');
      await password.focus();
      await logIn(page, 'a wrong one');
      await dialog(page, /the last answer was not accepted/).waitFor(PATIENT);
      await logIn(page);
      await state(page, 'connected').waitFor(PATIENT);
      expect(login.answers).toEqual([`a wrong one|${CODE}`, `${PASSWORD}|${CODE}`]);
      expect(readFileSync(known, 'utf8').trim().split('\n')).toHaveLength(2);
      await expect
        .poll(() => way(page).allInnerTexts(), SOON)
        .toEqual([
          expect.stringMatching(/this machine/i),
          expect.stringContaining(`${site.user}@127.0.0.1:${gate.port}`),
          expect.stringContaining(`${site.user}@127.0.0.1:${login.port}`),
          expect.stringMatching(/engine over there/i),
        ]);

      // A port of this machine that leads there, with a real request through it.
      await page.getByRole('textbox', { name: 'Over there' }).fill(`127.0.0.1:${(web.address() as AddressInfo).port}`);
      await page.keyboard.press('Enter');
      const forward = page.getByRole('table', { name: 'Forwards' });
      const close = forward.getByRole('button', { name: /^Close 127\.0\.0\.1:/ });
      await close.waitFor(SOON);
      const address = (await close.getAttribute('aria-label'))!.replace('Close ', '');
      expect(await (await fetch(`http://${address}/hello`)).text()).toBe('you asked for /hello');
      await close.click();
      await forward.waitFor({ state: 'detached' });
      await expect(fetch(`http://${address}/`)).rejects.toThrow('fetch failed');
      await page.getByRole('button', { name: 'Undo' }).click();
      await close.waitFor(SOON);
      expect(await (await fetch(`http://${address}/again`)).text()).toBe('you asked for /again');
      await page
        .getByRole('region', { name: 'Traffic' })
        .getByText(/[\d.]+ (KiB|B) in all/)
        .first()
        .waitFor(SOON);

      // The log tells what was done and by whom, and not what was typed.
      const log = page.getByRole('log', { name: 'What this connection did' });
      await log.getByText(`let ${site.user} in`).first().waitFor(SOON);
      await log.getByText('Welcome <img').first().waitFor(SOON);
      await page.getByRole('searchbox', { name: 'Search the log' }).fill('login says');
      await log.getByText(`gate: let ${site.user} in`).waitFor({ state: 'detached' });
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: 'Download to send to support' }).click(),
      ]);
      const saved = readFileSync(await file.path(), 'utf8');
      expect(saved).toContain(`gate: let ${site.user} in`);
      const [{ id }] = (await list()) as [Connection];
      const told = ConnectionLog.parse(await askApi(engine, 'GET', `/connections/${id}/log`));
      const audit = JSON.stringify(await askApi(engine, 'GET', '/audit'));
      const kept = readFileSync(path.join(data, 'connections.json'), 'utf8');
      const places = [saved, JSON.stringify(told), audit, kept, engine.stderr(), await page.content()];
      for (const secret of [PASSWORD, CODE, 'a wrong one']) {
        expect(places.map((text) => text.includes(secret))).toEqual(places.map(() => false));
      }
      await expectOnlyText(page);

      // The hop dies: said in words, and gone on with by itself as far as nobody is needed.
      gate.signal('SIGKILL');
      await state(page, 'reconnecting').waitFor(PATIENT);
      await page.locator('.v-connection-notes').getByRole('status').first().waitFor(SOON);
      await gate.stop();
      await gate.start();
      await logIn(page);
      await state(page, 'connected').waitFor(PATIENT);
      await eventually(async () => (await (await fetch(`http://${address}/back`)).text()) === 'you asked for /back', {
        timeout: 60_000,
      });

      // Off the list, and back with its forward.
      await page.getByRole('button', { name: 'Remove', exact: true }).click();
      await page.getByRole('heading', { name: 'Reach a cluster by SSH' }).waitFor(SOON);
      await page.getByRole('button', { name: 'Undo' }).click();
      await dialog(page, /^login asks/).waitFor(PATIENT);
      expect((await list()).map(({ forwards }) => forwards.map(({ listen }) => listen.port))).toEqual([
        [Number(address.split(':')[1])],
      ]);
    },
  );

  test('a changed key is refused, with both, and with the line that corrects it', { timeout: 120_000 }, async () => {
    const { engine, gate, site, swappedKnown } = hosts;
    const { page } = await screens.open(link(engine, '/ui/jobs'));
    await add('swapped');
    // Wherever in the console one is.
    const warning = dialog(page, 'The key of swapped has changed');
    await warning.getByText(printOf(gate.hostKeys[0] ?? '')).waitFor(PATIENT);
    await warning.getByText(printOf(site.file('user'))).waitFor();
    await warning.getByText(`${swappedKnown}:2`).waitFor();
    await warning.getByText('The site says that the new key is right').click();
    const command = await warning.locator('.v-command code').innerText();
    await expect.poll(() => page.evaluate('document.activeElement.tagName'), SOON).not.toBe('BODY');
    await tabTo(page, 'I have seen it');
    await page.keyboard.press('Enter');
    await warning.waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Connections' }).click();
    const row = page.getByTestId('connections-table').getByRole('row').filter({ hasText: 'swapped' });
    await row.getByText('refused', { exact: true }).waitFor(SOON);
    await row.getByText('its host key has changed').waitFor();

    execFileSync('sh', ['-c', command], { stdio: 'pipe' });
    await row.getByRole('button', { name: 'Connect swapped' }).click();
    await dialog(page, 'Is this swapped?').getByRole('button', { name: 'This time only' }).click(PATIENT);
    await row.getByText('connected', { exact: true }).waitFor(PATIENT);
  });

  test(
    'several ask at once; somebody else’s answer closes it with a word; later is later',
    {
      timeout: 120_000,
    },
    async () => {
      const { engine, config } = hosts;
      const [{ page }, { page: other }] = await Promise.all([
        screens.open(link(engine, '/ui/connections')),
        screens.open(link(engine, '/ui/jobs')),
      ]);
      await page.getByRole('heading', { name: 'Reach a cluster by SSH' }).waitFor(SOON);
      await add('proxied');
      const run = dialog(page, 'May the ssh configuration run these for proxied?');
      // A command is text, with where it stands.
      await run.getByText('/bin/false %h %p').waitFor(PATIENT);
      await run.getByText(`${config}:11`).waitFor();
      await add('plain');
      await run.getByText('1 of 2', { exact: true }).waitFor(PATIENT);
      await run.getByText(/cancelled by itself in [45]:\d\d/).waitFor();
      await dialog(other, 'May the ssh configuration run these for proxied?').waitFor(PATIENT);
      await run.getByRole('button', { name: 'Later' }).click();
      await dialog(page, 'Is this plain?').getByRole('button', { name: 'No', exact: true }).click(SOON);
      await dialog(page, 'Is this plain?').waitFor({ state: 'detached' });
      await page.getByRole('button', { name: 'A login asks' }).click();
      await run.waitFor(SOON);
      await other.getByRole('button', { name: 'Do not run it' }).click();
      await run.waitFor({ state: 'detached', ...SOON });
      await page.getByText('The question of proxied is over: somebody else answered it').waitFor(SOON);
      await page.getByTestId('connections-table').getByText('refused').first().waitFor(PATIENT);
    },
  );

  test.skipIf(lacksComponent('prometheus-node-exporter'))(
    'an exporter behind a host is added as a target; the code is asked for at its hop, and it becomes up',
    { timeout: 120_000 },
    async () => {
      const { engine, known, gate, login, site } = hosts;
      // Both hosts' keys are known; the third one is the first under another name.
      const keys = [`${gate.hostKeys[0]}.pub`, `${site.file('code')}.pub`].map((file) => readFileSync(file, 'utf8'));
      const lines = keys.map((key, i) => `[127.0.0.1]:${[gate, login][i]!.port} ${key}`);
      writeFileSync(known, [...lines, ''].join('\n'));
      const exporter = await startExporter();
      onTestFinished(() => exporter.stop());
      const url = `ssh://inner/${exporter.address}`;
      const { page } = await screens.open(link(engine, '/ui/targets'));
      await page.getByRole('button', { name: 'Add target' }).first().click(SOON);
      const adding = dialog(page, 'Add a target');
      await adding.getByLabel('Address').fill(url);
      // A look does not log in.
      await adding.getByText('inner is not among the connections yet').first().waitFor(SOON);
      expect(await list()).toEqual([]);
      await adding.getByRole('button', { name: 'Add all the same' }).click();
      await page.getByText(/^Added: .*, through the connection inner$/).waitFor(SOON);

      const asks = dialog(page, /^login asks/);
      await asks.getByText('Connection inner, at login (hop 2 of 3)', { exact: true }).waitFor(PATIENT);
      await asks.getByText(/Open the app on your phone/).waitFor(SOON);
      const row = page.getByTestId('targets-table').getByRole('row').filter({ hasText: url });
      await row.getByText('the connection inner asks something first').waitFor(PATIENT);
      await logIn(page);
      await row.getByText('up', { exact: true }).waitFor(PATIENT);
      await row.getByText('Prometheus', { exact: true }).waitFor(SOON);
      expect(Number((await cell(page, row, 'Samples')).replace('\u202f', ''))).toBeGreaterThan(100);

      await page.getByRole('link', { name: 'Connections', exact: true }).first().click();
      const listed = page.getByTestId('connections-table').getByRole('row').filter({ hasText: 'inner' });
      await listed.getByText('connected', { exact: true }).waitFor(SOON);
      expect([await cell(page, listed, 'Way'), await cell(page, listed, 'Targets')]).toEqual([
        '2 hops\ngate → login',
        '1',
      ]);
    },
  );

  test('a page that is not looked at shows a notification', { timeout: 120_000 }, async () => {
    const { page } = await screens.open();
    await page.context().grantPermissions(['notifications'], { origin: hosts.engine.url });
    await page.addInitScript(UNSEEN);
    await page.goto(link(hosts.engine, '/ui/jobs'));
    await page.getByRole('link', { name: 'Connections' }).waitFor(SOON);
    await add('plain');
    await expect.poll(() => page.evaluate('window.shown'), PATIENT).toEqual(['plain asks: Is this plain?']);
  });

  test('who may only view sees how it is, and is asked nothing', { timeout: 120_000 }, async () => {
    const { engine, data } = hosts;
    const place = ['--data', data];
    const token = (await runVigie(['token', 'add', 'viewer', ...place], { folder: path.dirname(data) })).stdout.trim();
    const { page } = await screens.open(`${engine.url}/ui/connections#token=${token}`);
    await page.getByText('may only view').first().waitFor(SOON);
    await add('plain');
    const row = page.getByTestId('connections-table').getByRole('row').filter({ hasText: 'plain' });
    await row.getByText('asks a person', { exact: true }).waitFor(PATIENT);
    expect(await page.getByRole('button', { name: 'Add connection' }).isDisabled()).toBe(true);
    await row.getByRole('link', { name: 'plain' }).click();
    await page.getByText('A person who may control is asked').waitFor(SOON);
    expect(await page.getByRole('button', { name: 'Disconnect' }).isDisabled()).toBe(true);
    expect(await page.getByRole('dialog').count()).toBe(0);
    expect(await page.getByRole('log').count()).toBe(0);
  });
});
