/** What axe finds in every state of connections and their prompts: nothing, in both themes, in a large and a small window. */

import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConnectionList } from '../../src/shared/api/connections.ts';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { runVigie } from '../support/launch.ts';
import { lacksSshd } from '../support/sshd.ts';
import { findings } from './axe.ts';
import { askApi, link, SOON } from './console.ts';
import { dialog, EVIL, type LoginSite, PASSWORD, startLoginSite } from './login-site.ts';

const SIZES = [
  { width: 1440, height: 900 },
  { width: 900, height: 700 },
];
const PATIENT = { timeout: 60_000 };

describe.skipIf(lacksComponent('chromium') || lacksSshd())('axe finds nothing in connections', () => {
  const screens = useBrowser();
  let hosts: LoginSite;
  let viewer: string;

  beforeAll(async () => {
    hosts = await startLoginSite();
    const place = ['--data', hosts.data];
    viewer = (await runVigie(['token', 'add', 'viewer', ...place], { folder: path.dirname(hosts.data) })).stdout.trim();
  });
  afterAll(() => hosts.close());

  const add = (host: string, more: object = {}): Promise<unknown> =>
    askApi(hosts.engine, 'POST', '/connections', { host, ...more });

  async function clear(): Promise<void> {
    const { connections } = ConnectionList.parse(await askApi(hosts.engine, 'GET', '/connections'));
    for (const { id } of connections) await askApi(hosts.engine, 'DELETE', `/connections/${id}`);
  }

  /** Steps from one state to the next, on one page. */
  const states: readonly (readonly [state: string, reach: (page: Page) => Promise<unknown>])[] = [
    ['no connection yet', (page) => page.getByRole('heading', { name: 'Reach a cluster by SSH' }).waitFor(SOON)],
    [
      'add, with settings',
      async (page) => {
        await page.keyboard.press('a');
        await page.getByRole('option', { name: /^login/ }).click();
        await page.getByText('Name, group, engine over there').click();
        await page.getByRole('combobox', { name: 'Engine over there' }).selectOption('port');
        await page.getByLabel('Its port').fill('70000');
        await page.getByText('there is no port 70000').waitFor(SOON);
      },
    ],
    [
      'a key that nobody knows',
      async (page) => {
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
        await add('login', { group: 'Jülich' });
        const trust = dialog(page, 'Is this gate?');
        await trust.getByText('Where do I get it from?').click(PATIENT);
        await trust.getByLabel('Compare').fill('SHA256:another');
        await trust.getByText('This is another one').waitFor(SOON);
      },
    ],
    [
      'a code, and what was typed is about to go',
      async (page) => {
        await dialog(page, 'Is this gate?').getByLabel('Compare').fill('');
        await page.getByRole('button', { name: 'This time only' }).click();
        await dialog(page, 'Is this login?').getByRole('button', { name: 'This time only' }).click(PATIENT);
        const asks = dialog(page, /^login asks/);
        await asks.getByText(EVIL).waitFor(PATIENT);
        await asks.getByRole('textbox', { name: 'Password:' }).fill(PASSWORD);
        await page.keyboard.press('Escape');
        await asks.getByRole('button', { name: 'Keep typing' }).waitFor(SOON);
      },
    ],
    [
      'a key that changed, second of two',
      async (page) => {
        await add('swapped', { name: EVIL });
        await dialog(page, /^login asks/)
          .getByText('1 of 2', { exact: true })
          .waitFor(PATIENT);
        await page.getByRole('button', { name: 'Later' }).click();
        await page.getByText('The site says that the new key is right').click(SOON);
      },
    ],
    [
      'a command that the configuration runs',
      async (page) => {
        await page.getByRole('button', { name: 'I have seen it' }).click();
        await add('proxied');
        await page.getByRole('button', { name: 'Do not run it' }).waitFor(PATIENT);
      },
    ],
    [
      'the list, with groups and something put off',
      async (page) => {
        await page.getByRole('button', { name: 'Do not run it' }).click();
        await add('gate', { connect: false });
        await page.getByText('In no group').waitFor(SOON);
        await page.getByRole('button', { name: 'A login asks' }).waitFor();
      },
    ],
    [
      'a row’s menu',
      async (page) => {
        await page.getByRole('button', { name: 'Change gate' }).click();
        await page.getByRole('menuitem', { name: 'Settings…' }).waitFor();
      },
    ],
    [
      'a connection that is not up',
      async (page) => {
        await page.keyboard.press('Escape');
        await page.getByRole('menuitem').first().waitFor({ state: 'detached' });
        await page.getByRole('link', { name: 'login', exact: true }).click();
        await page.getByRole('list', { name: 'The way there' }).waitFor(SOON);
        await page.getByRole('log').getByText('login: says').waitFor(SOON);
      },
    ],
    [
      'a connection with forwards, of which one fails',
      async (page) => {
        await page.getByRole('link', { name: 'Connections' }).first().click();
        await page.getByRole('button', { name: 'Connect gate' }).click();
        await dialog(page, 'Is this gate?').getByRole('button', { name: 'This time only' }).click(PATIENT);
        await page.getByRole('link', { name: 'gate', exact: true }).click();
        await page.locator('header .v-state').getByText('connected', { exact: true }).waitFor(PATIENT);
        await page.getByRole('textbox', { name: 'Over there' }).fill('127.0.0.1:1');
        await page.getByRole('button', { name: 'Open', exact: true }).click();
        const close = page.getByRole('button', { name: /^Close 127\.0\.0\.1:/ });
        await close.waitFor(SOON);
        const address = (await close.getAttribute('aria-label'))!.replace('Close ', '');
        await fetch(`http://${address}/`).catch(() => undefined);
        await page.getByRole('table', { name: 'Forwards' }).locator('.v-bad-text').waitFor(PATIENT);
      },
    ],
    [
      'before an engine is started there',
      async (page) => {
        await page.getByRole('button', { name: 'Start an engine there…' }).click(PATIENT);
        await page.getByLabel('Folder over there').fill('no path');
        await page.getByText('expected the whole path').waitFor(SOON);
      },
    ],
    [
      'the settings of a connection',
      async (page) => {
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
        await page.getByRole('button', { name: 'Settings', exact: true }).click();
        await page.getByRole('dialog', { name: 'Settings of gate' }).getByLabel('Name').waitFor();
      },
    ],
  ];

  test.each(SIZES)('in a window of $width × $height', { timeout: 180_000 }, async (viewport) => {
    await clear();
    const options = { viewport, reducedMotion: 'reduce' } as const;
    const { page } = await screens.open(link(hosts.engine, '/ui/connections'), options);
    const found = new Map<string, string[]>();
    for (const [state, reach] of states) {
      await reach(page);
      found.set(state, await findings(page));
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), state).toBe(true);
    }
    const { page: guest } = await screens.open(`${hosts.engine.url}/ui/connections#token=${viewer}`, options);
    await guest.getByText('may only view').first().waitFor(SOON);
    found.set('the list of a viewer', await findings(guest));
    expect([...found].filter(([, list]) => list.length > 0)).toEqual([]);
    expect(found.size).toBe(states.length + 1);
    expect(await page.evaluate('window.__ran')).toBeUndefined();
  });
});
