/** What axe finds in every state of the page: nothing, in both themes and in a large and a small window. */

import { hostname } from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine, tokenOf } from '../support/engine.ts';
import { runVigie } from '../support/launch.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { findings } from './axe.ts';
import { chart, jobRow, link, SOON } from './console.ts';
import { putRunWithHistory, withStore } from './past.ts';
import { Program } from './program.ts';

const START = Date.now() - 3_600_000;

/** Steps from one state to the next, on one page. Each ends when the state is complete on the screen. */
const STATES: readonly (readonly [state: string, reach: (page: Page, engine: Engine) => Promise<unknown>])[] = [
  ['jobs', (page) => jobRow(page, 'busy').waitFor(SOON)],
  [
    'no job matches',
    async (page) => {
      await page.getByRole('searchbox').fill('nothing is called so');
      await page.getByRole('button', { name: 'Show all jobs' }).waitFor();
    },
  ],
  [
    'palette',
    async (page) => {
      await page.getByRole('button', { name: 'Show all jobs' }).click();
      await page.keyboard.press('Control+k');
      await page.getByRole('dialog').getByText('busy', { exact: true }).waitFor();
    },
  ],
  [
    'shortcuts',
    async (page) => {
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.getByRole('button', { name: 'Keyboard shortcuts' }).click();
      await page.getByRole('dialog').getByText('Command palette').waitFor();
    },
  ],
  [
    'job, charts and description',
    async (page) => {
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await jobRow(page, 'busy').click();
      await chart(page, 'MPI: Calls').waitFor(SOON);
      await page.getByRole('button', { name: 'Description' }).click();
      await page.getByRole('definition').first().waitFor();
    },
  ],
  [
    'job, paused, export menu',
    async (page) => {
      await page.getByRole('button', { name: 'Pause' }).click();
      await page.getByTestId('shown-range').waitFor();
      await page.getByRole('button', { name: 'Export', exact: true }).click();
      await page.getByRole('menuitem').first().waitFor();
    },
  ],
  [
    'job, series',
    async (page) => {
      await page.keyboard.press('Escape');
      await page.getByRole('menuitem').first().waitFor({ state: 'detached' });
      await page.getByRole('tab', { name: 'Series' }).click();
      await page.getByTestId('series-table').getByRole('row').nth(3).waitFor();
    },
  ],
  [
    'finished job',
    async (page, engine) => {
      await page.goto(`${engine.url}/ui/jobs/past`);
      await chart(page, 'MPI: Calls').waitFor(SOON);
    },
  ],
  [
    'finished job, ranks',
    async (page) => {
      await page.getByRole('tab', { name: /^Ranks/ }).click();
      await page.getByTestId('ranks-table').getByRole('row').nth(1).waitFor();
    },
  ],
  [
    'node',
    async (page, engine) => {
      await page.goto(`${engine.url}/ui/node/${hostname()}`);
      await page.getByTestId('chart-panel').first().waitFor(SOON);
    },
  ],
  [
    'settings',
    async (page, engine) => {
      await page.goto(`${engine.url}/ui/settings`);
      await page.getByRole('table', { name: 'Tokens' }).waitFor(SOON);
    },
  ],
  [
    'settings, a new token',
    async (page) => {
      await page.getByLabel('Name of a new token').fill(`axe-${Date.now()}-${Math.random().toString(36).slice(2)}`);
      await page.getByRole('button', { name: 'Add token' }).click();
      await page.getByLabel('The new token', { exact: true }).waitFor(SOON);
      await page.getByRole('table', { name: 'Audit log' }).waitFor(SOON);
    },
  ],
  [
    'settings, before a token is revoked',
    async (page) => {
      await page.getByRole('button', { name: 'I have it' }).click();
      await page
        .getByRole('button', { name: /^Revoke axe-/ })
        .first()
        .click();
      await page.getByRole('dialog').getByRole('button', { name: 'Keep it' }).waitFor();
    },
  ],
  [
    'not found',
    async (page, engine) => {
      await page.goto(`${engine.url}/ui/none`);
      await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
    },
  ],
];

const SIZES = [
  { width: 1440, height: 900 },
  { width: 900, height: 700 },
];

describe.skipIf(lacksComponent('chromium'))('axe finds nothing', () => {
  const screens = useBrowser();
  let engine: Engine;
  let empty: Engine;
  let program: Program;
  let viewer: string;

  beforeAll(async () => {
    const data = path.join(temporaryFolder(), 'data');
    await withStore(data, (store) =>
      putRunWithHistory(store, 'past', 'past', START, 600, (second) => ({
        mpi___hits___mpi_send: 7 * second,
        mpi___hits___mpi_recv: 5 * second,
      })),
    );
    engine = await startEngine({ page: true, args: ['--data', data, '--period', '250ms'] });
    empty = await startEngine({ page: true, args: ['--memory'] });
    const place = ['--data', data];
    viewer = (await runVigie(['token', 'add', 'viewer', ...place], { folder: path.dirname(data) })).stdout.trim();
    program = await Program.start(engine.ready.legacy_socket, { jobid: 'busy', command: './busy --now' });
    program.run();
  });
  afterAll(async () => {
    program.lose();
    await Promise.all([engine, empty].map((each) => each.stop('SIGKILL')));
  });

  /** Goes through all states. What was found, by state. */
  async function look(viewport: (typeof SIZES)[number]): Promise<Map<string, string[]>> {
    const options = { viewport, reducedMotion: 'reduce' } as const;
    const found = new Map<string, string[]>();
    const { page } = await screens.open(link(engine), options);
    for (const [state, reach] of STATES) {
      await reach(page, engine);
      found.set(state, await findings(page));
    }
    const { page: first } = await screens.open(link(empty), options);
    await first.getByRole('heading', { name: 'No job yet' }).waitFor(SOON);
    found.set('no job yet', await findings(first));

    await first.getByRole('link', { name: 'Settings' }).click();
    await first.getByText('Nobody else has a token yet').waitFor(SOON);
    found.set('settings, nothing yet', await findings(first));

    const { page: guest } = await screens.open(`${engine.url}/ui/settings#token=${viewer}`, options);
    await guest.getByText('may only view').first().waitFor(SOON);
    found.set('settings of a viewer', await findings(guest));

    const { page: asking, tolerate } = await screens.open(`${empty.url}/ui/jobs`, options);
    tolerate(/status of 401/);
    await asking.getByRole('heading', { name: 'A token is needed' }).waitFor();
    found.set('token', await findings(asking));
    await asking.getByLabel('Token', { exact: true }).fill(`not-${tokenOf(empty)}`);
    await asking.getByRole('button', { name: 'Continue' }).click();
    await asking.getByRole('alert').waitFor(SOON);
    found.set('token refused', await findings(asking));
    return found;
  }

  test('in a large and a small window', async () => {
    // Both at a time: axe computes, and each page has a process of its own.
    for (const found of await Promise.all(SIZES.map(look))) {
      expect([...found].filter(([, list]) => list.length > 0)).toEqual([]);
      expect(found.size).toBe(STATES.length + 5);
    }
  });
});
