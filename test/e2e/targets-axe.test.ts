/** What axe finds in every state of targets and nodes: nothing, in both themes and in a large and a small window. */

import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine, tokenOf } from '../support/engine.ts';
import { freePort, runVigie } from '../support/launch.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { findings } from './axe.ts';
import { link, SOON } from './console.ts';
import { type Fleet, startFleet } from './fleet.ts';

const SIZES = [
  { width: 1440, height: 900 },
  { width: 900, height: 700 },
];

describe.skipIf(lacksComponent('chromium'))('axe finds nothing in targets and nodes', () => {
  const screens = useBrowser();
  let fleet: Fleet;
  let engine: Engine;
  let empty: Engine;
  let viewer: string;
  let closed: number;

  /** Steps from one state to the next, on one page. */
  const states: readonly (readonly [state: string, reach: (page: Page) => Promise<unknown>])[] = [
    ['targets', (page) => page.getByTestId('targets-table').getByText('refused').first().waitFor(SOON)],
    [
      'discoveries',
      async (page) => {
        await page.getByRole('button', { name: '2 discoveries' }).click();
        await page.getByRole('dialog', { name: 'Discoveries' }).getByText('node set').first().waitFor();
      },
    ],
    [
      'targets, some selected',
      async (page) => {
        await page.keyboard.press('Escape');
        await page.getByLabel('Select all shown').check();
        await page.getByRole('group', { name: 'Selected targets' }).waitFor();
      },
    ],
    [
      'targets, a row’s menu',
      async (page) => {
        await page.getByRole('button', { name: 'Clear' }).click();
        await page
          .getByRole('button', { name: /^Change / })
          .first()
          .click();
        await page.getByRole('menuitem', { name: 'Pause' }).waitFor();
      },
    ],
    [
      'add, nothing typed',
      async (page) => {
        await page.keyboard.press('Escape');
        await page.getByRole('menuitem').first().waitFor({ state: 'detached' });
        await page.getByRole('button', { name: 'Add target' }).click();
        await page.getByRole('dialog').getByLabel('Address').waitFor();
      },
    ],
    [
      'add, found, with settings',
      async (page) => {
        await page.getByLabel('Address').fill(`127.0.1.3:${fleet.port}`);
        await page.getByRole('list', { name: 'First metrics' }).waitFor(SOON);
        await page.getByText('Period, labels, filter, access').click();
        await page.getByText('series stay').waitFor(SOON);
      },
    ],
    [
      'add, mistyped',
      async (page) => {
        await page.getByLabel('Address').fill(`127.0.0.1:${closed}`);
        await page.getByText('is the exporter running?').first().waitFor(SOON);
      },
    ],
    [
      'add many, preview',
      async (page) => {
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
        await page.getByRole('button', { name: 'Add many' }).click();
        await page.getByLabel('Node sets and addresses').fill('node[001-128]:9100');
        await page.getByText('128 targets will be added').waitFor(SOON);
      },
    ],
    [
      'a target, charts',
      async (page) => {
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({ state: 'detached' });
        await page.getByRole('link', { name: `127.0.1.4:${fleet.port}` }).click();
        await page.getByTestId('chart-panel').first().waitFor(SOON);
      },
    ],
    [
      'a target, settings',
      async (page) => {
        await page.getByRole('tab', { name: 'Settings' }).click();
        await page.getByText('series stay').waitFor(SOON);
      },
    ],
    [
      'a target that is down, failures',
      async (page) => {
        await page.getByRole('link', { name: 'Targets', exact: true }).first().click();
        await page.getByRole('link', { name: `127.0.0.1:${closed}` }).click();
        await page.getByRole('tab', { name: /^Failures/ }).click();
        await page.getByRole('table', { name: 'Last failures' }).waitFor(SOON);
      },
    ],
    [
      'nodes',
      async (page) => {
        await page.getByRole('link', { name: 'Nodes', exact: true }).click();
        await page.getByText('5 nodes', { exact: true }).waitFor(SOON);
      },
    ],
    [
      'nodes, small charts',
      async (page) => {
        await page.getByText('Small charts', { exact: true }).click();
        await page.getByRole('region', { name: 'CPU of all nodes' }).waitFor(SOON);
      },
    ],
  ];

  beforeAll(async () => {
    const data = path.join(temporaryFolder(), 'data');
    [fleet, closed] = await Promise.all([startFleet(4), freePort()]);
    const config = path.join(path.dirname(data), 'config.yaml');
    const list = [`127.0.1.[1-3]:${fleet.port}`, `127.0.0.1:${closed}`];
    await writeFile(config, `targets: ${JSON.stringify(list)}\n`);
    engine = await startEngine({ page: true, args: ['--data', data, '--config', config, '--period', '250ms'] });
    // Only what was added by hand can be edited.
    const added = await fetch(`${engine.url}/api/v1/targets`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${tokenOf(engine)}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ url: `127.0.1.4:${fleet.port}`, labels: { rack: 'r1' } }),
    });
    expect(added.status).toBe(201);
    empty = await startEngine({ page: true, args: ['--memory'] });
    const place = ['--data', data];
    viewer = (await runVigie(['token', 'add', 'viewer', ...place], { folder: path.dirname(data) })).stdout.trim();
  });
  afterAll(async () => {
    await Promise.all([engine, empty].map((each) => each.stop('SIGKILL')));
    await fleet.stop();
  });

  /** Goes through all states. What was found, by state. */
  async function look(viewport: (typeof SIZES)[number]): Promise<Map<string, string[]>> {
    const options = { viewport, reducedMotion: 'reduce' } as const;
    const found = new Map<string, string[]>();
    const { page } = await screens.open(link(engine, '/ui/targets'), options);
    for (const [state, reach] of states) {
      await reach(page);
      found.set(state, await findings(page));
    }
    const { page: first } = await screens.open(link(empty, '/ui/targets'), options);
    await first.getByRole('heading', { name: 'Nothing is joined yet' }).waitFor(SOON);
    found.set('no target yet', await findings(first));
    const { page: guest } = await screens.open(`${engine.url}/ui/targets#token=${viewer}`, options);
    await guest.getByText('may only view').first().waitFor(SOON);
    found.set('targets of a viewer', await findings(guest));
    return found;
  }

  test('in a large and a small window', async () => {
    // Both at a time: axe computes, and each page has a process of its own.
    for (const found of await Promise.all(SIZES.map(look))) {
      expect([...found].filter(([, list]) => list.length > 0)).toEqual([]);
      expect(found.size).toBe(states.length + 2);
    }
  });
});
