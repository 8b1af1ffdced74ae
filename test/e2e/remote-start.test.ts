/** An engine is started on a host behind a real sshd with the buttons of its connection's page, and goes from there again. */

import { rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { VERSION } from '../../src/engine/version.ts';
import { Connection } from '../../src/shared/api/connections.ts';
import { Far } from '../integration/remote/far.ts';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { makeEnginePackage } from '../support/engine-package.ts';
import { alive } from '../support/processes.ts';
import { lacksSshd } from '../support/sshd.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { askApi, link, SOON } from './console.ts';
import { dialog } from './login-site.ts';

const PATIENT = { timeout: 120_000 };
/** Of a start, as they are shown. */
const STEPS = [
  ...['Log in', 'Look at the host', 'Find the package for it', 'Make a private folder', 'Send the package'],
  ...['Compare the checksum', 'Unpack and try it', 'Start the engine', 'Reach the engine'],
];
/** Writes down whatever was said of each step while it went on. */
const WATCH = `
  window.seen = new Set();
  new MutationObserver(() => {
    for (const step of document.querySelectorAll('.v-work-steps li')) window.seen.add(step.textContent);
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
`;

describe.skipIf(lacksComponent('chromium') || lacksSshd())('an engine over there, by its buttons', () => {
  const screens = useBrowser();
  const closing: (() => Promise<void>)[] = [];
  let far: Far;
  let engine: Engine;
  let id: string;
  let page: Page;

  beforeAll(async () => {
    const archive = await makeEnginePackage();
    far = new Far('', (close) => void closing.push(close));
    far.configure(await far.sshd());
    const folder = temporaryFolder();
    const file = path.join(folder, 'config.yaml');
    writeFileSync(file, `ssh_config: ${far.config}\n`);
    const env = { VIGIE_PACKAGES: path.dirname(archive) };
    engine = await startEngine({ page: true, folder, env, args: ['--config', file, '--period', '250ms'] });
    const made = await askApi(engine, 'POST', '/connections', { host: 'login', connect: false });
    ({ id } = Connection.parse(made));
  }, 600_000);
  afterAll(async () => {
    await engine?.stop('SIGKILL');
    for (const close of closing) await close();
  });
  beforeEach(async () => {
    ({ page } = await screens.open(link(engine, `/ui/connections/${id}`)));
    await page.getByRole('heading', { name: 'login', level: 1 }).waitFor(SOON);
  });

  const button = (name: string): Locator => page.getByRole('button', { name, exact: true });
  const work = (name: string): Locator => page.getByRole('region', { name: `${name} the engine` });
  const card = (): Locator => page.getByRole('region', { name: 'Engine over there' });

  /** What is shown of each step: its title and state, and what it found. */
  async function steps(name: string): Promise<Record<string, string>> {
    const items = await work(name).getByRole('listitem').locator('xpath=./span[2]').allTextContents();
    return Object.fromEntries(items.map((text) => text.split(/: (.*)/s).slice(0, 2) as [string, string]));
  }

  /** Chooses, and confirms in the dialog. `name`: of the dialog. */
  async function ask(choice: string, name: string, confirm: string): Promise<void> {
    await button(choice).click(SOON);
    await dialog(page, name).getByRole('button', { name: confirm, exact: true }).click();
    await dialog(page, name).waitFor({ state: 'detached', ...SOON });
  }

  test.each([
    [
      'another architecture',
      'uname',
      '[ "$1" = -m ] && echo riscv64 || exec /bin/uname "$@"',
      'Look at the host',
      'riscv64',
    ],
    [
      'an old glibc',
      'getconf',
      'echo glibc 2.17',
      'Find the package for it',
      'has glibc 2.17, and the engine needs 2.',
    ],
  ])('is refused in words: %s', PATIENT, async (_what, program, script, step, words) => {
    far.fake(program, script);
    try {
      await ask('Start an engine there…', 'Start an engine on login', 'Start it');
      const status = work('Starting').getByRole('status');
      await expect.poll(() => status.innerText(), PATIENT).toMatch(/^Starting the engine did not work: /);
      expect(await status.innerText()).toContain(words);
      const shown = await steps('Starting');
      expect(Object.keys(shown)).toEqual(STEPS);
      expect(shown).toMatchObject({
        'Log in': 'done',
        [step]: expect.stringMatching(/^failed /) as string,
        'Send the package': 'waiting',
      });
      expect(shown[step]).toContain(words);
      expect(far.left()).toEqual([]);
      // It can be begun again.
      expect(await button('Start an engine there…').isEnabled()).toBe(true);
    } finally {
      rmSync(path.join(far.tools, program));
    }
  });

  test(
    'is started step by step, looked at, stopped, started again, upgraded and removed',
    { timeout: 240_000 },
    async () => {
      await page.evaluate(WATCH);
      await ask('Start an engine there…', 'Start an engine on login', 'Start it');
      const starting = work('Starting').getByRole('status');
      await expect.poll(() => starting.innerText(), PATIENT).toMatch(/^Starting the engine (is done|did not|was)/);
      expect(await starting.innerText()).toContain(`is done: vigie ${VERSION} runs on ${hostname()}`);
      const started = await steps('Starting');
      expect(Object.keys(started)).toEqual(STEPS);
      for (const [title, state] of Object.entries(started))
        expect([title, state]).toEqual([title, expect.stringMatching(/^done/)]);
      const seen = await page.evaluate(() => [...(globalThis as unknown as { seen: Set<string> }).seen].join('\n'));
      expect(seen).toMatch(/Send the package: running.*iB of [\d.]+ MiB/);
      await card().getByText('reached', { exact: true }).waitFor(PATIENT);
      await card()
        .getByText(`Put there by this engine: Vigie ${VERSION} in ${far.folder} on ${hostname()}`)
        .waitFor(SOON);
      const pid = far.pid()!;
      expect(alive(pid)).toBe(true);

      await page.getByRole('link', { name: 'Look at it' }).click();
      await page.getByRole('heading', { name: 'Jobs' }).waitFor(SOON);
      expect(new URL(page.url()).pathname).toMatch(/^\/ui\/@[0-9a-f]{32}\/jobs$/);
      await page.goBack();

      await ask('Upgrade…', `Upgrade the engine on ${hostname()}`, 'Upgrade it');
      await work('Upgrading').getByText('Upgrading the engine is done').waitFor(PATIENT);
      expect(await steps('Upgrading')).toMatchObject({
        'Send the package': 'skipped it is there already',
        'Stop the engine': 'skipped this version runs already',
      });
      expect(far.pid()).toBe(pid);

      await ask('Stop…', `Stop the engine on ${hostname()}`, 'Stop it');
      await work('Stopping').getByText('Stopping the engine is done').waitFor(PATIENT);
      expect(alive(pid)).toBe(false);
      await card().getByText('none there', { exact: true }).waitFor(PATIENT);
      await card()
        .getByText(/does not run: start it again/)
        .waitFor(SOON);

      await ask('Start an engine there…', `Start an engine on ${hostname()}`, 'Start it');
      await expect.poll(() => starting.innerText(), PATIENT).toContain('is done');
      expect(await steps('Starting')).toMatchObject({ 'Send the package': 'skipped it is there already' });
      await card().getByText('reached', { exact: true }).waitFor(PATIENT);

      await ask('Remove…', `Remove the engine on ${hostname()}`, 'Stop and remove it');
      await work('Removing').getByText('Removing the engine is done').waitFor(PATIENT);
      expect(far.left()).toEqual([]);
      // Nothing is there, so it has no version.
      await card().getByText('none there', { exact: true }).waitFor(PATIENT);
      expect(await card().innerText()).not.toContain(VERSION);
      expect(await button('Upgrade…').count()).toBe(0);
      await page.getByRole('link', { name: 'Connections', exact: true }).first().click();
      const row = page.getByTestId('connections-table').getByRole('row').filter({ hasText: 'login' });
      await row.getByText('none there', { exact: true }).waitFor(SOON);
      expect(await row.innerText()).not.toContain(VERSION);
    },
  );
});
