/** An alarm from a line that is dragged on a job's plot until everybody knows, over kills of the engine. */

import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AlarmHistory, AlarmList, type Alarm } from '../../src/shared/api/alarms.ts';
import { Channel } from '../../src/shared/api/channels.ts';
import { type Alertmanager, type MailServer, startAlertmanager, startMailServer } from '../support/alarm-receivers.ts';
import { closedPort } from '../support/bad-server.ts';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { eventually } from '../support/wait.ts';
import { askApi, chart, ENGINE_GONE, jobRow, link, SOON } from './console.ts';
import { Program } from './program.ts';

const NAME = 'Too many sends';
const PATIENT = { timeout: 60_000 };

describe.skipIf(lacksComponent('chromium') || lacksComponent('prometheus-alertmanager'))('an alarm on a plot', () => {
  const screens = useBrowser();
  let engine: Engine;
  let data: string;
  let port: number;
  let program: Program;
  let alertmanager: Alertmanager;
  let mail: MailServer;

  const start = async (): Promise<void> => {
    const args = ['--data', data, '--period', '500ms', '--listen', `127.0.0.1:${port}`];
    engine = await startEngine({ page: true, folder: path.dirname(data), args });
  };
  const kill = async (): Promise<void> => {
    await engine.stop('SIGKILL');
    await start();
    await program.connect();
  };
  const ask = (method: string, route: string, body?: unknown): Promise<unknown> => askApi(engine, method, route, body);
  const alarms = async (): Promise<readonly Alarm[]> => AlarmList.parse(await ask('GET', '/alarms')).alarms;
  const told = (words: string): string[] => mail.mails.filter((text) => text.includes(words));

  beforeAll(async () => {
    data = path.join(temporaryFolder(), 'data');
    port = await closedPort();
    [alertmanager, mail] = await Promise.all([startAlertmanager(), startMailServer()]);
    await start();
    const add = async (name: string, settings: unknown): Promise<string> =>
      Channel.parse(await ask('POST', '/channels', { name, settings, per_minute: 600 })).id;
    const channels = [
      await add('Alertmanager', { kind: 'alertmanager', url: alertmanager.base }),
      await add('Mail', {
        ...{ kind: 'email', host: '127.0.0.1', port: mail.port, security: 'none' },
        ...{ from: 'vigie@example.org', to: ['ada@example.org'] },
      }),
    ];
    await ask('PUT', '/channels/routes', { routes: [{ channels, group_interval: '1s' }] });
    const desc = { jobid: 'train', command: './train', start_time: Date.now() };
    program = await Program.start(engine.ready.legacy_socket, { ...desc, ranks: 2 });
    program.run(100);
  });
  afterAll(async () => {
    program.lose();
    await engine.stop('SIGKILL');
    await Promise.all([alertmanager.stop(), mail.stop()]);
  });

  test(
    'is dragged, previewed, saved, fires, is told, taken and resolved, whatever is killed between',
    { timeout: 300_000 },
    async () => {
      const { page, tolerate } = await screens.open(link(engine));
      tolerate(ENGINE_GONE);
      await jobRow(page, 'train').getByRole('link').click(SOON);
      const panel = chart(page, 'MPI: Calls');
      await panel.waitFor(SOON);
      await panel.getByRole('button', { name: /^Set alarm on/ }).click();
      await page.getByRole('menuitem', { name: /send/i }).click();

      // What it compares is there, with a line to take hold of.
      const line = page.getByRole('slider', { name: 'fires at' });
      await line.waitFor(SOON);
      const words = page.getByTestId('sentence');
      await expect
        .poll(() => words.innerText(), SOON)
        .toMatch(/growth per second of mpi___hits___mpi_send of a job with the id “train” is above/);
      const before = Number(await line.getAttribute('aria-valuenow'));
      const box = (await line.boundingBox())!;
      const area = (await page.locator('.v-threshold-area').boundingBox())!;
      await page.mouse.move(box.x + 40, box.y + box.height / 2);
      await page.mouse.down();
      await page.mouse.move(box.x + 40, area.y + area.height * 0.8, { steps: 8 });
      await page.mouse.up();
      await expect.poll(async () => Number(await line.getAttribute('aria-valuenow')), SOON).toBeLessThan(0.9 * before);
      await page.getByLabel('Name', { exact: true }).fill(NAME);
      await page.getByLabel('For at least', { exact: true }).fill('1s');
      // A program on a busy machine rests now and then, and while it connects again.
      await page.getByText('How it ends, and what missing data means').click();
      await page.getByLabel('Keep firing for', { exact: true }).fill('6s');
      await expect.poll(() => words.innerText(), SOON).toContain('for 1s');
      await expect.poll(() => page.getByText(/^It would have fired/).count(), SOON).toBe(1);
      await page.getByLabel('Description').fill('{{value}} sends a second at {{place}}');
      await page.getByRole('button', { name: 'Set alarm', exact: true }).click();

      // It fires, and everybody knows.
      await page.getByText(`It watches now: ${NAME}`).waitFor(SOON);
      await eventually(async () => (await alarms())[0]?.state === 'firing', PATIENT);
      await eventually(async () => {
        const [alert] = await alertmanager.alerts();
        expect(alert?.labels['alarmname']).toBe(NAME);
        return true;
      }, PATIENT);
      await eventually(() => told(NAME).length === 1, PATIENT);
      await expect.poll(() => page.title(), SOON).toContain('1');

      await kill();
      await eventually(async () => (await alarms())[0]?.state === 'firing', PATIENT);
      const [{ fired } = { fired: null }] = await alarms();

      // Taken by somebody, which outlives the next kill.
      await page.goto(link(engine, '/ui/alarms'));
      const row = page.getByTestId('alarms-table').getByRole('row').filter({ hasText: 'train' });
      await row.first().waitFor(PATIENT);
      await row.last().click();
      // It is kept once the engine says so.
      const answered = page.waitForResponse((response) => response.url().endsWith('/alarms/acknowledge'));
      await page.keyboard.press('a');
      expect((await answered).status()).toBe(200);
      expect((await alarms())[0]?.acknowledged).not.toBeNull();
      await kill();
      await eventually(async () => (await alarms())[0]?.acknowledged !== null, PATIENT);
      expect((await alarms())[0]?.fired, 'it fires since the same moment').toBe(fired);
      // What was under way at the kill may come again, as the same message.
      const messages = told(NAME).map((text) => /^Message-ID: (\S+)/m.exec(text)?.[1]);
      expect(new Set(messages).size, 'nobody was told twice').toBe(1);

      // The load ends.
      program.hold();
      await eventually(async () => (await alarms())[0]?.state === 'resolved', PATIENT);
      await eventually(() => told('Resolved').length === 1, PATIENT);
      await eventually(async () => (await alertmanager.alerts()).length === 0, PATIENT);
      const { events } = AlarmHistory.parse(await ask('GET', '/alarms/history'));
      const states = events.filter(({ kind }) => kind === 'state').map(({ state }) => state);
      expect(states.filter((state) => state === 'firing')).toHaveLength(1);
      expect(states[0]).toBe('resolved');

      // The plot keeps where it was.
      await page.goto(link(engine, '/ui/jobs'));
      await jobRow(page, 'train').getByRole('link').click(SOON);
      await chart(page, 'MPI: Calls').getByRole('link', { name: NAME }).waitFor(PATIENT);
    },
  );
});
