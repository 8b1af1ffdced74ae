/** What axe finds in every state of the alarms' views: nothing, in both themes and in a large and a small window. */

import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine, tokenOf } from '../support/engine.ts';
import { runVigie } from '../support/launch.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { findings } from './axe.ts';
import { link, SOON } from './console.ts';
import { Program } from './program.ts';

const SIZES = [
  { width: 1440, height: 900 },
  { width: 900, height: 700 },
];

/** Leaves whatever is open over the page. */
async function leave(page: Page): Promise<void> {
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  await page.getByRole('menuitem').first().waitFor({ state: 'detached' });
}

const tab = (page: Page, name: string): Promise<void> =>
  page.getByRole('navigation', { name: 'Alarms' }).getByRole('link', { name }).click();

describe.skipIf(lacksComponent('chromium'))('axe finds nothing in alarms', () => {
  const screens = useBrowser();
  let engine: Engine;
  let empty: Engine;
  let viewer: string;
  let programs: Program[];

  /** Steps from one state to the next, on one page. */
  const states: readonly (readonly [state: string, reach: (page: Page) => Promise<unknown>])[] = [
    ['alarms by rule', (page) => page.getByText('6 alarms', { exact: true }).waitFor(SOON)],
    ['a row under the cursor', (page) => page.keyboard.press('j').then(() => page.keyboard.press('j'))],
    [
      'some selected, how long to silence them',
      async (page) => {
        await page.getByLabel('Select all shown').check();
        await page
          .getByRole('group', { name: 'Selected alarms' })
          .getByRole('button', { name: 'Silence', exact: true })
          .click();
        await page.getByRole('menuitem', { name: 'for 1 h' }).waitFor();
      },
    ],
    [
      'an alarm’s menu',
      async (page) => {
        await leave(page);
        await page.getByRole('button', { name: 'Clear' }).click();
        await page
          .getByRole('button', { name: /^Change / })
          .first()
          .click();
        await page.getByRole('menuitem', { name: 'Show the plot' }).waitFor();
      },
    ],
    [
      'a new silence of an alarm',
      async (page) => {
        await page.getByRole('menuitem', { name: 'Silence…' }).click();
        await page.getByText(/^Hits/).waitFor(SOON);
      },
    ],
    [
      'by place, nothing matches',
      async (page) => {
        await leave(page);
        await page.getByLabel('Grouping').selectOption('place');
        await page.getByRole('searchbox', { name: 'Search alarms' }).fill('nothing like it');
        await page.getByText('No alarm matches.').waitFor(SOON);
      },
    ],
    [
      'an alarm',
      async (page) => {
        await page.getByRole('button', { name: 'Show all alarms' }).click();
        await page.getByRole('link', { name: 'Load', exact: true }).first().click();
        await page.getByRole('table', { name: 'History of this alarm' }).waitFor(SOON);
      },
    ],
    [
      'rules',
      async (page) => {
        await page.getByRole('link', { name: 'Alarms', exact: true }).first().click();
        await tab(page, 'Rules');
        await page.getByTestId('rules-table').waitFor(SOON);
      },
    ],
    [
      'a rule’s menu',
      async (page) => {
        await page
          .getByRole('button', { name: /^Change / })
          .first()
          .click();
        await page.getByRole('menuitem', { name: 'Delete' }).waitFor();
      },
    ],
    [
      'ready-made rules',
      async (page) => {
        await leave(page);
        await page.getByRole('button', { name: 'Ready-made rules' }).click();
        await page.getByRole('button', { name: 'Switch all on' }).first().waitFor(SOON);
      },
    ],
    [
      'import, with a preview',
      async (page) => {
        await leave(page);
        await page.getByRole('button', { name: 'Import and export rules' }).click();
        await page.getByRole('menuitem', { name: 'Import rules…' }).click();
        await page.getByLabel('The rules').fill('rules:\n  - name: x\n');
        await page.getByText('refused', { exact: false }).first().waitFor(SOON);
      },
    ],
    [
      'silences',
      async (page) => {
        await leave(page);
        await tab(page, 'Silences');
        await page.getByRole('article').nth(1).waitFor(SOON);
      },
    ],
    [
      'a recurring silence, mistyped',
      async (page) => {
        await page.getByRole('button', { name: 'New silence' }).click();
        await page.getByLabel('Again and again').check();
        await page.getByRole('dialog').getByLabel('For', { exact: true }).fill('nonsense');
        await page.getByText(/expected a duration/).waitFor();
      },
    ],
    [
      'channels',
      async (page) => {
        await leave(page);
        await tab(page, 'Channels');
        await page.getByRole('article', { name: 'Channel Hook' }).waitFor(SOON);
      },
    ],
    [
      'a test that fails',
      async (page) => {
        await page.getByRole('button', { name: 'Test Hook' }).click();
        await page.getByText('The test message was not taken', { exact: false }).waitFor(SOON);
      },
    ],
    ...(['desktop', 'email', 'webhook', 'slack', 'alertmanager'] as const).map(
      (kind) =>
        [
          `a new channel: ${kind}`,
          async (page: Page) => {
            await leave(page);
            await page.getByRole('button', { name: 'New channel' }).click();
            await page.getByLabel('How to tell').selectOption(kind);
            await page.getByLabel('Most messages in a minute').fill('0');
            await page.getByText('a whole number from 1 to 600').waitFor();
          },
        ] as const,
    ),
    [
      'a new route',
      async (page) => {
        await leave(page);
        await page.getByRole('button', { name: 'New route' }).click();
        await page.getByRole('button', { name: 'Add a condition' }).click();
        await page.getByRole('combobox', { name: 'Value' }).waitFor();
      },
    ],
    [
      'the history',
      async (page) => {
        await leave(page);
        await tab(page, 'History');
        await page.getByRole('table', { name: 'History of alarms' }).waitFor(SOON);
      },
    ],
    [
      'the keys',
      async (page) => {
        await page.keyboard.press('?');
        await page.getByRole('dialog').getByText('Group by rule or by place').waitFor();
      },
    ],
  ];

  beforeAll(async () => {
    const data = path.join(temporaryFolder(), 'data');
    engine = await startEngine({ page: true, args: ['--data', data, '--period', '250ms'] });
    programs = await Promise.all(
      ['alpha', 'beta'].map((jobid) => Program.start(engine.ready.legacy_socket, { jobid, ranks: 1 })),
    );
    for (const program of programs) program.run();
    const ask = async (route: string, body: unknown, method = 'POST'): Promise<unknown> => {
      const response = await fetch(`${engine.url}/api/v1${route}`, {
        method,
        headers: { Authorization: `Bearer ${tokenOf(engine)}`, 'Content-Type': 'application/json' },
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`${route}: ${response.status} ${await response.text()}`);
      return response.json();
    };
    const node = { kind: 'node' };
    const load = 'proxy_cpu_load_average_percent';
    await ask('/alarms/rules', {
      ...{ name: 'Load', scope: node, metric: load, raise: -1, severity: 'critical', description: '{{value}} %' },
      link: 'https://example.org/',
    });
    await ask('/alarms/rules', { name: 'Soon', scope: node, metric: load, raise: -1, for: '1h', severity: 'info' });
    const job = { scope: { kind: 'run' }, raise: 0 };
    await ask('/alarms/rules', { name: 'Calls', metric: 'mpi___hits___mpi_send', ...job });
    await ask('/alarms/rules', { name: 'Answers', metric: 'mpi___hits___mpi_recv', ...job, severity: 'info' });
    await ask('/alarms/rules', { name: 'Off', metric: 'nothing', ...job, enabled: false });
    const from = Date.now();
    const answers = { matchers: [{ label: 'alarmname', op: '=', value: 'Answers' }], comment: 'maintenance' };
    await ask('/silences', { ...answers, from, to: from + 600_000 });
    const nights = { days: [1], from: '22:00', lasts: '1h' };
    await ask('/silences', {
      matchers: [{ label: 'severity', op: '=~', value: 'x' }],
      from,
      to: null,
      recurring: nights,
    });
    const channel = (await ask('/channels', {
      ...{ name: 'Hook', settings: { kind: 'webhook', url: 'http://127.0.0.1:9/', bearer: 'x' } },
    })) as { id: string };
    await ask('/channels', { name: 'Desk', settings: { kind: 'desktop' } });
    const routes = [{ severities: ['critical'], channels: [channel.id], more: true }, { channels: [] }];
    await ask('/channels/routes', { routes }, 'PUT');
    empty = await startEngine({ page: true, args: ['--memory'] });
    const place = ['--data', data];
    viewer = (await runVigie(['token', 'add', 'viewer', ...place], { folder: path.dirname(data) })).stdout.trim();
  });
  afterAll(async () => {
    for (const program of programs) program.lose();
    await Promise.all([engine, empty].map((each) => each.stop('SIGKILL')));
  });

  /** Goes through all states. What was found, by state. */
  async function look(viewport: (typeof SIZES)[number]): Promise<Map<string, string[]>> {
    const options = { viewport, reducedMotion: 'reduce' } as const;
    const found = new Map<string, string[]>();
    const { page } = await screens.open(link(engine, '/ui/alarms'), options);
    for (const [state, reach] of states) {
      await reach(page);
      found.set(state, await findings(page));
    }
    const { page: first } = await screens.open(link(empty, '/ui/alarms'), options);
    for (const [view, title] of [
      ['Alarms', 'Nothing is watched yet'],
      ['Rules', 'No rule yet'],
      ['Silences', 'Nothing is silenced'],
      ['Channels', 'Nobody is told yet'],
      ['History', 'Nothing has happened yet'],
    ] as const) {
      await tab(first, view);
      await first.getByRole('heading', { name: title }).waitFor(SOON);
      found.set(title, await findings(first));
    }
    const { page: guest } = await screens.open(`${engine.url}/ui/alarms#token=${viewer}`, options);
    for (const view of ['Alarms', 'Rules', 'Silences', 'Channels']) {
      await tab(guest, view);
      await guest.getByText('may only view').first().waitFor(SOON);
      found.set(`${view} of a viewer`, await findings(guest));
    }
    return found;
  }

  test('in a large and a small window', async () => {
    // Both at a time: axe computes, and each page has a process of its own.
    for (const found of await Promise.all(SIZES.map(look))) {
      expect([...found].filter(([, list]) => list.length > 0)).toEqual([]);
      expect(found.size).toBe(states.length + 9);
    }
  });
});
