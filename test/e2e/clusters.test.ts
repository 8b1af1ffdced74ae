/** Two engines in one page: the one that it came from, and one that is reached by SSH through it. */

import { writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EngineClient } from '../../src/client/http.ts';
import { Connection, EngineList, type ListedEngine } from '../../src/shared/api/connections.ts';
import { AddedToken } from '../../src/shared/api/tokens.ts';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { sshConfig, startFar } from '../support/far.ts';
import { lacksSshd, type Sshd, SshSite } from '../support/sshd.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { eventually } from '../support/wait.ts';
import { findings } from './axe.ts';
import { askApi, chart, jobRow, link, SOON } from './console.ts';
import { Program } from './program.ts';

const PATIENT = { timeout: 60_000 };
const MARKUP = '<img src=x onerror=alert(1)>';
/** Answers about an engine that is away (also of what did not come over), and its live socket that closes. */
const AWAY = /status of (404|50[234])|WebSocket|ERR_/;

describe.skipIf(lacksComponent('chromium') || lacksSshd())('two clusters', () => {
  const screens = useBrowser();
  let site: SshSite;
  let gate: Sshd;
  let near: Engine;
  let far: Engine;
  let connection: string;
  let farId: string;
  const programs: Program[] = [];
  const ask = (method: string, route: string, body?: unknown): Promise<unknown> => askApi(near, method, route, body);
  const askFar = (method: string, route: string, body?: unknown): Promise<unknown> =>
    ask(method, `/engines/${farId}/api/v1${route}`, body);
  const listed = async (): Promise<readonly ListedEngine[]> => EngineList.parse(await ask('GET', '/engines')).engines;
  const isReached = async (): Promise<boolean> =>
    (await listed()).some((one) => one.connection === connection && one.state === 'up');

  const job = async (engine: Engine, jobid: string, ranks = 2): Promise<Program> =>
    Program.start(engine.ready.legacy_socket, { jobid, command: `./${jobid}`, start_time: Date.now(), ranks });

  beforeAll(async () => {
    site = new SshSite();
    const key = site.key('user');
    site.authorize(key);
    gate = await site.sshd();
    const config = path.join(temporaryFolder(), 'config.yaml');
    writeFileSync(config, `ssh_config: ${sshConfig(site, { alpine: gate }, { key })}\n`);
    const args = ['--period', '500ms'];
    far = await startFar(site, 'far', args);
    near = await startEngine({ page: true, folder: path.dirname(config), args: ['--config', config, ...args] });
    const over = await job(far, 'far-done');
    over.run(100);
    const there = new EngineClient({ socket: far.ready.socket! });
    const { ticks } = (await there.status()).sampler;
    // Long enough to have a history.
    await eventually(async () => (await there.status()).sampler.ticks > ticks + 3, PATIENT);
    await over.end();
    await eventually(async () => (await there.runs({})).runs.some(({ state }) => state === 'finished'), PATIENT);
    programs.push(await job(near, 'here-job'), await job(far, 'far-job'), await job(far, MARKUP, 1));
    for (const program of programs) program.run(200);
    const made = await ask('POST', '/connections', { host: 'alpine', name: 'Alpine', group: 'EU' });
    connection = Connection.parse(made).id;
    farId = await eventually(async () => {
      const one = (await listed()).find((engine) => engine.connection === connection);
      return one?.state === 'up' && one.profiles > 0 ? one.id : undefined;
    }, PATIENT);
  });
  afterAll(async () => {
    for (const program of programs) program.lose();
    await near?.stop('SIGKILL');
    await far?.stop('SIGKILL');
    await site?.close();
  });

  async function switchTo(page: Page, name: string): Promise<void> {
    await page.keyboard.press('Control+Shift+K');
    await page.getByLabel('Search the clusters').fill(name);
    // Enter takes the first one, as soon as the list is of what was typed.
    const found = page.getByRole('dialog', { name: 'Switch cluster' }).getByRole('button');
    await expect.poll(() => found.first().innerText(), SOON).toMatch(new RegExp(`^${name}`));
    await page.keyboard.press('Enter');
  }
  const cluster = (page: Page, name: string) => page.getByRole('button', { name: new RegExp(`^Cluster ${name}`) });

  test('the keyboard switches all views, addresses keep it, and nothing of one is in the other', async () => {
    const { page, requests } = await screens.open(link(near));
    await jobRow(page, 'here-job').waitFor(SOON);
    await expect.poll(() => page.title(), SOON).toBe(`Jobs · ${hostname()} · Vigie`);
    await switchTo(page, 'Alpine');
    await jobRow(page, 'far-job').waitFor(SOON);
    expect(new URL(page.url()).pathname).toBe(`/ui/@${farId}/jobs`);
    await expect.poll(() => page.title(), SOON).toBe('Jobs · Alpine · Vigie');
    await cluster(page, 'Alpine').waitFor(SOON);
    expect(await jobRow(page, 'here-job').count()).toBe(0);
    // What it calls its jobs is text.
    await jobRow(page, MARKUP).waitFor(SOON);
    expect(await page.locator('main img').count()).toBe(0);

    // A job there moves.
    await jobRow(page, 'far-job').getByRole('link').click();
    await chart(page, 'MPI: Calls').waitFor(SOON);
    expect(new URL(page.url()).pathname).toMatch(new RegExp(`^/ui/@${farId}/jobs/.`));
    const copied = page.url();
    for (const view of ['Node', 'Nodes', 'Targets', 'Alarms', 'Settings']) {
      await page.getByRole('navigation', { name: 'Views' }).getByRole('link', { name: view, exact: true }).click();
      await expect.poll(() => page.title(), SOON).toContain('· Alpine · Vigie');
      expect(new URL(page.url()).pathname).toContain(`/ui/@${farId}/`);
    }
    // The answers that were asked for here are all of the one that is looked at.
    const asked = requests.filter((url) => /\/api\/v1\/(targets|store|audit|tokens)/.test(url));
    expect(asked.filter((url) => !url.includes(`/engines/${farId}/`))).toEqual([]);
    expect(asked.length).toBeGreaterThan(0);

    // The browser's own way back goes to the other one, too.
    await switchTo(page, hostname());
    await page.getByRole('heading', { name: 'Settings' }).waitFor(SOON);
    expect(new URL(page.url()).pathname).toBe('/ui/settings');
    await page.goBack();
    await cluster(page, 'Alpine').waitFor(SOON);
    expect(new URL(page.url()).pathname).toBe(`/ui/@${farId}/settings`);

    // A copied link opens there.
    await page.goto(copied);
    await page.getByRole('heading', { name: 'far-job', level: 1 }).waitFor(SOON);
    await page.reload();
    await page.getByRole('heading', { name: 'far-job', level: 1 }).waitFor(SOON);
    await page.goto(`${near.url}/ui/@${farId}/jobs`);
    await jobRow(page, 'far-job').waitFor(SOON);
    await switchTo(page, hostname());
    await jobRow(page, 'here-job').waitFor(SOON);
    expect(await jobRow(page, 'far-job').count()).toBe(0);
  });

  test('an id that nobody knows is said, and the own one is no other engine', async () => {
    const { page } = await screens.open(link(near, `/ui/@${'0'.repeat(32)}/nodes`));
    await page.getByRole('heading', { name: 'No connection leads to this engine' }).waitFor(SOON);
    await page.getByRole('link', { name: 'Show all clusters' }).click();
    await page.getByTestId('clusters-table').waitFor(SOON);
    const own = (await listed())[0]!.id;
    await page.goto(`${near.url}/ui/@${own}/nodes?q=x`);
    await page.getByRole('heading', { name: 'Nodes' }).waitFor(SOON);
    expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe('/ui/nodes?q=x');
  });

  test('an alarm that is set there fires there, and is notified by its name while another one is looked at', async () => {
    const { page } = await screens.open();
    await page.addInitScript(() => {
      const notified: string[] = [];
      class Recorded extends EventTarget {
        static permission = 'granted';
        constructor(title: string) {
          super();
          notified.push(title);
        }
        close(): void {}
      }
      Object.assign(globalThis, { notified, Notification: Recorded });
    });
    const notified = (): Promise<string[]> =>
      page.evaluate(() => (globalThis as unknown as { notified: string[] }).notified);
    await page.goto(link(near));
    await jobRow(page, 'here-job').waitFor(SOON);
    await askFar('POST', '/channels', { name: 'Desk', settings: { kind: 'desktop' } });
    const rule = { name: 'Load there', scope: { kind: 'node' }, metric: 'proxy_cpu_load_average_percent', raise: -1 };
    await askFar('POST', '/alarms/rules', rule);
    await expect.poll(notified, PATIENT).toEqual([expect.stringMatching(/^Alpine: .*Load there/)]);
    // Nothing fires here.
    expect(await page.title()).toBe(`Jobs · ${hostname()} · Vigie`);
    await page.getByText('nothing fires').waitFor(SOON);
    await switchTo(page, 'Alpine');
    await expect.poll(() => page.title(), SOON).toBe('(1) Jobs · Alpine · Vigie');
    await page.getByRole('link', { name: /^Alarms/ }).click();
    await page.getByRole('button', { name: /^Acknowledge Load there/ }).click();
    await expect.poll(() => page.title(), SOON).toBe('Alarms · Alpine · Vigie');
    expect(await notified()).toHaveLength(1);
  });

  test('whoever may only view here may only view there', async () => {
    const { token } = AddedToken.parse(await ask('POST', '/tokens', { name: 'guest', role: 'view' }));
    const { page, tolerate } = await screens.open(`${near.url}/ui/@${farId}/targets#token=${token}`);
    tolerate(/status of 403/);
    await page.getByText('may only view').first().waitFor(SOON);
    expect(await page.getByRole('button', { name: 'Add target' }).isDisabled()).toBe(true);
  });

  test('a lost connection is said with how old the figures are; what came over stays readable', async () => {
    const { page, tolerate } = await screens.open(link(near, `/ui/@${farId}/jobs`));
    tolerate(AWAY);
    await jobRow(page, 'far-job').waitFor(SOON);
    gate.signal('SIGKILL');
    await gate.stop();
    const banner = page.getByRole('alert').filter({ hasText: 'Alpine is not reached' });
    await banner.getByText(/What you see is as of \d\d:\d\d:\d\d/).waitFor(PATIENT);
    // What was seen stays.
    await jobRow(page, 'far-job').waitFor(SOON);
    await page.keyboard.press('Control+Shift+K');
    await page.getByRole('dialog').getByText('profile here, readable offline').waitFor(PATIENT);
    await page.keyboard.press('Escape');

    // A page that is opened meanwhile has what came over.
    await page.goto(`${near.url}/ui/@${farId}/jobs`);
    await jobRow(page, 'far-done').waitFor(PATIENT);
    expect(await jobRow(page, 'far-job').count()).toBe(0);
    await jobRow(page, 'far-done').getByRole('link').click();
    await page.getByRole('heading', { name: 'far-done', level: 1 }).waitFor(SOON);
    expect(await findings(page)).toEqual([]);
    await page.getByRole('link', { name: 'Targets', exact: true }).click();
    await page.getByRole('heading', { name: 'Alpine is not reached' }).waitFor(PATIENT);
    await page.goto(`${near.url}/ui/clusters`);
    await page.getByText('1 of 2 reached').waitFor(SOON);
    await page.getByTestId('clusters-table').getByText('far-done').waitFor(PATIENT);

    await gate.start();
    await eventually(isReached, PATIENT);
    await page.goto(`${near.url}/ui/@${farId}/targets`);
    await page.getByTestId('targets-table').waitFor(PATIENT);
    await expect.poll(() => page.getByRole('alert').count(), PATIENT).toBe(0);
  });

  test('all clusters on one page: figures of each, one row leads there', async () => {
    const { page } = await screens.open(link(near, '/ui/clusters'));
    const table = page.getByTestId('clusters-table');
    const row = table.getByRole('row').filter({ hasText: 'Alpine' });
    await row.getByText('connected').waitFor(SOON);
    await expect.poll(() => row.getByRole('gridcell').nth(1).innerText(), SOON).toBe('2');
    await expect.poll(() => row.getByRole('gridcell').nth(4).innerText(), SOON).toMatch(/^\d+ %/);
    await row.getByText('far-done').waitFor(SOON);
    await page.getByRole('button', { name: 'Running' }).click();
    await page.getByLabel('Search clusters').press('Escape');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await jobRow(page, 'far-job').waitFor(SOON);
    expect(new URL(page.url()).pathname).toBe(`/ui/@${farId}/jobs`);
  });

  test('twenty clusters, most of which never answer, hold up none of the others', async () => {
    const { page, tolerate } = await screens.open();
    tolerate(/ERR_/);
    const real = await listed();
    const more = Array.from({ length: 18 }, (_, i): ListedEngine => ({
      ...real.find(({ connection: one }) => one === connection)!,
      ...{ id: i.toString(16).padStart(32, 'f'), connection: `c${i}`, name: `Cluster ${i} ${MARKUP}`, profiles: i },
      ...(i % 3 === 0 ? { state: 'down', reason: 'nothing answers' } : { state: 'up' }),
    }));
    let open = 0;
    let most = 0;
    await page.route('**/api/v1/engines', (route) => route.fulfill({ json: { engines: [...real, ...more] } }));
    await page.route(/\/engines\/f{10,}[0-9a-f]*\/api/, async (route) => {
      most = Math.max(most, ++open);
      await new Promise((resolve) => setTimeout(resolve, 3000));
      await route.abort().catch(() => undefined);
      open--;
    });
    await page.goto(link(near, '/ui/clusters'));
    const table = page.getByTestId('clusters-table');
    await page.getByText(/of 20 reached/).waitFor(SOON);
    await expect
      .poll(
        () => table.getByRole('row').filter({ hasText: 'Alpine' }).getByRole('gridcell').nth(1).innerText(),
        PATIENT,
      )
      .toBe('2');
    // Four engines at once, of each its four questions.
    expect(most).toBeLessThanOrEqual(16);
    expect(await page.locator('main img').count()).toBe(0);
    await page.getByLabel('Search clusters').fill('cluster 17');
    await expect.poll(() => table.getByRole('row').count(), SOON).toBe(2);
  });

  test.each([
    { width: 1440, height: 900 },
    { width: 900, height: 700 },
  ])('axe finds nothing in a window of $width × $height', { timeout: 120_000 }, async (viewport) => {
    const { page } = await screens.open(link(near), { viewport, reducedMotion: 'reduce' });
    const seen = async (name: string): Promise<void> => {
      expect(await findings(page), name).toEqual([]);
    };
    await jobRow(page, 'here-job').waitFor(SOON);
    await page.keyboard.press('Control+Shift+K');
    await page.getByRole('dialog').getByText('Alpine').waitFor(SOON);
    await seen('switcher');
    await page.keyboard.press('Escape');
    await page.goto(`${near.url}/ui/clusters`);
    await page.getByTestId('clusters-table').getByText('far-done').waitFor(SOON);
    await seen('clusters');
    await page.goto(`${near.url}/ui/@${farId}/jobs`);
    await jobRow(page, 'far-job').waitFor(SOON);
    await seen('far');
    await page.goto(`${near.url}/ui/@${'0'.repeat(32)}/jobs`);
    await page.getByRole('heading', { name: 'No connection leads to this engine' }).waitFor(SOON);
    await seen('unknown');
  });
});
