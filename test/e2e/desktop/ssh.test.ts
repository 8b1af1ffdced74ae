/** A cluster behind two hops, from the window: the way in, its run and its alarm, a hop that dies, and what stays. */

import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EngineClient } from '../../../src/client/http.ts';
import { RuleList } from '../../../src/shared/api/alarms.ts';
import { lacksComponent } from '../../support/components.ts';
import { type Desktop, lacksDesktop, useDesktop } from '../../support/desktop.ts';
import type { Engine } from '../../support/engine.ts';
import { startFar } from '../../support/far.ts';
import { startKeyring } from '../../support/keyring.ts';
import { processTree } from '../../support/processes.ts';
import { lacksSshd, type Sshd, SshSite } from '../../support/sshd.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { type CodeHost, startCodeHost } from '../code-host.ts';
import { chart, jobRow, SOON } from '../console.ts';
import { CODE, dialog, PASSWORD } from '../login-site.ts';
import { Program } from '../program.ts';
import { expectNothingLeft } from './left.ts';

const PATIENT = { timeout: 60_000 };
const JOB = 'over there';

/** A file that the user of the window can read. */
function configFor(site: SshSite, code: CodeHost, gate: Sshd, alpine: Sshd, folder: string): string {
  const file = path.join(folder, 'ssh_config');
  const lines = [
    ...['Host code', `  Port ${code.port}`, 'Host gate', `  Port ${gate.port}`, '  ProxyJump code'],
    ...['Host alpine', `  Port ${alpine.port}`, '  ProxyJump gate'],
    ...['Host *', '  HostName 127.0.0.1', `  User ${site.user}`, '  IdentityAgent none', '  PubkeyAuthentication no'],
    ...[`  UserKnownHostsFile ${path.join(folder, 'known_hosts')}`, '  GlobalKnownHostsFile none'],
    ...['  StrictHostKeyChecking ask', ''],
  ];
  writeFileSync(file, lines.join('\n'), { mode: 0o600 });
  return file;
}

/** All text below a folder, of files that are not larger than a megabyte. */
function* textsIn(folder: string): Generator<readonly [file: string, text: string]> {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.isFile() && statSync(file).size < 64 * 1024 * 1024) yield [file, readFileSync(file, 'latin1')];
  }
}

describe.skipIf(lacksDesktop() || lacksSshd() || lacksComponent('gnome-keyring-daemon'))('a cluster by SSH', () => {
  const desktop = useDesktop();
  let site: SshSite;
  let far: Engine;
  let code: CodeHost;
  let gate: Sshd;
  let alpine: Sshd;
  let program: Program;

  beforeAll(async () => {
    site = new SshSite();
    [gate, alpine, code, far] = await Promise.all([
      site.sshd(),
      site.sshd(),
      startCodeHost({
        ...{
          hostKey: site.key('code'),
          banner: '',
          title: 'Two factors',
          instruction: '',
          right: `${PASSWORD}|${CODE}`,
        },
        prompts: [
          { prompt: 'Password: ', echo: false },
          { prompt: 'One-time code: ', echo: true },
        ],
      }),
      startFar(site, 'far', ['--period', '250ms']),
    ]);
    const over = await Program.start(far.ready.legacy_socket, { jobid: 'done', start_time: Date.now(), ranks: 2 });
    over.run(100);
    const there = new EngineClient({ socket: far.ready.socket! });
    const { ticks } = (await there.status()).sampler;
    await eventually(async () => (await there.status()).sampler.ticks > ticks + 3, PATIENT);
    await over.end();
    await eventually(async () => (await there.runs({})).runs.some(({ state }) => state === 'finished'), PATIENT);
  });
  beforeEach(async () => {
    program = await Program.start(far.ready.legacy_socket, { jobid: JOB, start_time: Date.now(), ranks: 2 });
    program.run(100);
  });
  afterEach(() => program.lose());
  afterAll(async () => {
    await far?.stop('SIGKILL');
    await code?.close();
    await site?.close();
  });

  async function answerCode(page: Page): Promise<void> {
    const asks = dialog(page, /^code asks/);
    await asks.getByLabel('Password:', { exact: true }).fill(PASSWORD, PATIENT);
    await asks.getByLabel('One-time code:', { exact: true }).fill(CODE);
    await page.keyboard.press('Enter');
    await asks.waitFor({ state: 'detached', timeout: 60_000 });
  }

  /** `hop`: of an sshd, which asks for the user's password. */
  async function answerPassword(page: Page, hop: string, keep: string | RegExp | null): Promise<void> {
    const asks = dialog(page, new RegExp(`^Password of ${site.user} on ${hop}`));
    await asks.getByLabel('Password', { exact: true }).fill(site.password, PATIENT);
    if (keep !== null) await asks.getByLabel(keep).check();
    await page.keyboard.press('Enter');
    await asks.waitFor({ state: 'detached', timeout: 60_000 });
  }

  async function accept(page: Page, hop: string): Promise<void> {
    const asks = dialog(page, `Is this ${hop}?`);
    await asks
      .getByText(/SHA256:/)
      .first()
      .waitFor(PATIENT);
    await asks.getByRole('button', { name: 'Yes, and remember it' }).click();
  }

  async function open(env: Readonly<Record<string, string>>, folder: string): Promise<Desktop> {
    const settings = { ssh_config: configFor(site, code, gate, alpine, folder), period: '250ms' };
    const started = await desktop.start({ folder, settings, env });
    await started.page.getByRole('heading', { name: 'Jobs' }).waitFor(PATIENT);
    return started;
  }

  async function addAlpine(page: Page, keep: string | RegExp): Promise<void> {
    await page.getByRole('link', { name: 'Connections', exact: true }).first().click();
    await page.getByRole('heading', { name: 'Reach a cluster by SSH' }).waitFor(SOON);
    await page.keyboard.press('a');
    await dialog(page, 'Add a connection')
      .getByRole('option', { name: /^alpine/ })
      .click(SOON);
    await page.getByRole('button', { name: 'Add and connect' }).click();
    await accept(page, 'code');
    await answerCode(page);
    await accept(page, 'gate');
    await answerPassword(page, 'gate', keep);
    await accept(page, 'alpine');
    await answerPassword(page, 'alpine', keep);
    await page.locator('header .v-state').getByText('connected', { exact: true }).waitFor(PATIENT);
  }

  async function switchTo(page: Page, name: string): Promise<void> {
    await page.keyboard.press('Control+Shift+K');
    await page.getByLabel('Search the clusters').fill(name);
    // Enter takes the first one, as soon as the list is of what was typed.
    const found = page.getByRole('dialog', { name: 'Switch cluster' }).getByRole('button');
    await expect.poll(() => found.first().innerText(), PATIENT).toMatch(new RegExp(`^${name}`));
    await page.keyboard.press('Enter');
  }

  /** In the editor of rules of the cluster that is looked at. */
  async function setAlarm(page: Page): Promise<void> {
    await page.getByRole('button', { name: 'Make a rule' }).click(PATIENT);
    const field = (name: string): Locator => page.getByRole('textbox', { name, exact: true });
    await field('Name').fill('Load there');
    await page.getByRole('combobox', { name: 'Where' }).selectOption({ label: 'Nodes' });
    await page.getByRole('combobox', { name: 'Metric' }).fill('proxy_cpu_load_average_percent');
    await field('Fires at').fill('-1');
    await field('For at least').fill('2s');
    await page.getByRole('button', { name: 'Tell me on this desktop' }).click();
    await page.getByRole('radio', { name: /^all channels/ }).waitFor(PATIENT);
    await expect.poll(() => page.getByTestId('sentence').innerText(), PATIENT).toMatch(/is above -1 .*for 2s/);
    await page.getByRole('button', { name: 'Set alarm', exact: true }).click();
    await page.getByText('It watches now: Load there').waitFor(PATIENT);
  }

  test(
    'is reached, watched, alarmed, lost, found again; its profiles stay, and nothing else does',
    { timeout: 400_000 },
    async () => {
      const folder = temporaryFolder();
      const keyring = await startKeyring(folder);
      const first = await open(keyring, folder);
      const { app, page } = first;
      await app.evaluate(({ Notification }) => {
        const notified: string[] = [];
        Object.assign(globalThis, { notified });
        Notification.isSupported = () => true;
        Notification.prototype.on = function on(this: Electron.Notification) {
          this.show = () => void notified.push(this.title);
          return this;
        };
      });
      const notified = (): Promise<string[]> =>
        app.evaluate(() => (globalThis as unknown as { notified: string[] }).notified);
      await addAlpine(page, /Keep this password in the desktop/);

      // Its run moves.
      await switchTo(page, 'alpine');
      await jobRow(page, JOB).getByRole('link').click(PATIENT);
      await chart(page, 'MPI: Calls').waitFor(PATIENT);
      const calls = (): Promise<string> =>
        page.getByTestId('chart-panel').first().locator('.v-legend-value').first().innerText();
      await expect.poll(calls, PATIENT).not.toBe('');
      const elapsed = (): Promise<string> => page.locator('main header').first().innerText();
      const before = await elapsed();
      await expect.poll(elapsed, PATIENT).not.toBe(before);

      // An alarm that is set there is told here, by that cluster's name, while another one is looked at.
      await page
        .getByRole('link', { name: /^Alarms/ })
        .first()
        .click();
      await setAlarm(page);
      const { body: rules } = await new EngineClient({ socket: far.ready.socket! }).raw('/api/v1/alarms/rules');
      expect(RuleList.parse(JSON.parse(rules)).rules.map(({ name }) => name)).toEqual(['Load there']);
      await switchTo(page, hostname());
      await expect.poll(notified, PATIENT).toEqual([expect.stringMatching(/^alpine: .*Load there/)]);
      await page.getByText('nothing fires').first().waitFor(SOON);

      // A hop dies, and comes back: what was kept is not asked for again, the one-time code is.
      await switchTo(page, 'alpine');
      gate.signal('SIGKILL');
      await gate.stop();
      const banner = page.getByRole('alert').filter({ hasText: 'alpine is not reached' });
      await banner.waitFor(PATIENT);
      await gate.start();
      await answerCode(page);
      await banner.waitFor({ state: 'detached', timeout: 120_000 });
      await page.getByRole('link', { name: 'Jobs', exact: true }).click();
      await jobRow(page, JOB).waitFor(PATIENT);

      // Nothing that was typed is anywhere but, encrypted, in one file.
      const secrets = [site.password, PASSWORD];
      const found = [...textsIn(folder)].filter(([, text]) => secrets.some((secret) => text.includes(secret)));
      expect(found.map(([file]) => file)).toEqual([]);
      let engines = 0;
      for (const { pid } of processTree(first.pid)) {
        const seen = ['cmdline', 'environ'].map((name) => readFileSync(`/proc/${pid}/${name}`, 'latin1')).join();
        expect(secrets.filter((secret) => seen.includes(secret))).toEqual([]);
        if (!seen.includes('embedded.cjs')) continue;
        // Nor in what a crash of the engine would leave.
        expect(readFileSync(`/proc/${pid}/coredump_filter`, 'latin1').trim()).toBe('00000000');
        engines++;
      }
      expect(engines).toBe(1);
      expect(first.output()).not.toContain(site.password);
      const kept = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
        file.endsWith('secrets.json'),
      );
      expect(kept).toHaveLength(1);
      expect(statSync(path.join(folder, kept[0]!)).mode & 0o777).toBe(0o600);
      expect(
        Object.keys((JSON.parse(readFileSync(path.join(folder, kept[0]!), 'utf8')) as { secrets: object }).secrets),
      ).toHaveLength(2);
      await expectNothingLeft(first, () => app.evaluate(({ app: electron }) => electron.quit()).catch(() => undefined));

      // Without the cluster its finished jobs are here; with it, only the code is asked for.
      await gate.stop();
      const second = await open(keyring, folder);
      await switchTo(second.page, 'alpine');
      await jobRow(second.page, 'done').getByRole('link').click(PATIENT);
      await second.page.getByRole('heading', { name: 'done', level: 1 }).waitFor(PATIENT);
      await gate.start();
      await second.page.getByRole('link', { name: 'Connections', exact: true }).first().click();
      await second.page.getByRole('button', { name: 'Connect alpine', exact: true }).click(PATIENT);
      await answerCode(second.page);
      await expect.poll(() => second.page.getByRole('dialog').count(), SOON).toBe(0);
      await switchTo(second.page, 'alpine');
      await jobRow(second.page, JOB).waitFor(PATIENT);
      await expectNothingLeft(second, () =>
        second.app.evaluate(({ app: electron }) => electron.quit()).catch(() => undefined),
      );
      expect(existsSync(path.join(folder, 'data', 'connections.json'))).toBe(true);
    },
  );

  test('without a keyring it says so, and keeps what is typed in memory only', { timeout: 200_000 }, async () => {
    const folder = temporaryFolder();
    const started = await open({}, folder);
    const { page, app } = started;
    await addAlpine(page, /Keep this password until the engine stops/);
    expect(existsSync(path.join(folder, '.config'))).toBe(true);
    expect(
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('secrets.json')),
    ).toEqual([]);
    await expectNothingLeft(started, () => app.evaluate(({ app: electron }) => electron.quit()).catch(() => undefined));
  });
});
