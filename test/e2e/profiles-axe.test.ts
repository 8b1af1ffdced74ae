/** What axe finds in every state of profiles and comparisons: nothing, in both themes and in a large and a small window. */

import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { findings } from './axe.ts';
import { askApi, link, SOON } from './console.ts';
import { withStore } from './past.ts';
import { BASELINE, putWeeks, SLOWER } from './past-runs.ts';

const SIZES = [
  { width: 1440, height: 900 },
  { width: 900, height: 700 },
];

describe.skipIf(lacksComponent('chromium'))('axe finds nothing in profiles', () => {
  const screens = useBrowser();
  let engine: Engine;
  let empty: Engine;
  let ids: Map<string, string>;
  const idOf = (jobid: string): string => ids.get(jobid) ?? '';
  const go = async (page: Page, where: string): Promise<void> => {
    await page.goto(`${engine.url}${where}`);
  };
  const compared = (): string =>
    `/ui/profiles/compare?runs=${[BASELINE, SLOWER, 'solver-119'].map(idOf).join('*')}*gone`;

  /** Steps from one state to the next, on one page. */
  const states: readonly (readonly [state: string, reach: (page: Page) => Promise<unknown>])[] = [
    ['by command', (page) => page.getByTestId('profile-groups').getByText('1 regression').waitFor(SOON)],
    [
      'a command opened',
      async (page) => {
        await page.getByRole('button', { name: /^Runs of solver/ }).click();
        await page.getByTestId('profile-groups').getByRole('link', { name: SLOWER }).waitFor(SOON);
      },
    ],
    [
      'how to search',
      async (page) => {
        await page.getByRole('button', { name: 'How to search' }).click();
        await page.getByRole('dialog', { name: 'How to search' }).waitFor();
      },
    ],
    [
      'runs, a search with an error',
      async (page) => {
        await go(page, '/ui/profiles?view=runs&q=cmd:solver+size:many');
        await page.getByRole('alert').getByText('number of processes').waitFor(SOON);
      },
    ],
    [
      'runs, some selected',
      async (page) => {
        await go(page, '/ui/profiles?view=runs&q=-tag:none+cmd:solver');
        await page.getByTestId('profiles-table').getByRole('link', { name: SLOWER }).waitFor(SOON);
        await page.getByLabel('Select all that are loaded').check();
        await page.getByRole('group', { name: 'Selected runs' }).waitFor();
      },
    ],
    [
      'tags',
      async (page) => {
        await page.getByRole('button', { name: 'Tag…' }).click();
        await page.getByRole('combobox', { name: 'Add' }).fill('slow');
        await page.keyboard.press('Enter');
      },
    ],
    [
      'export',
      async (page) => {
        await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
        await page.getByRole('button', { name: 'Export…' }).click();
        await page
          .getByTestId('export-estimate')
          .getByText(/^About/)
          .waitFor(SOON);
      },
    ],
    [
      'rules of grouping',
      async (page) => {
        await go(page, '/ui/profiles?dialog=rules');
        await page.getByRole('list', { name: 'Groups' }).waitFor(SOON);
      },
    ],
    [
      'import',
      async (page) => {
        await go(page, '/ui/profiles?dialog=import');
        await page.getByRole('dialog', { name: 'Import profiles' }).waitFor(SOON);
      },
    ],
    [
      'trash',
      async (page) => {
        await go(page, '/ui/profiles?view=trash');
        await page.getByText('The trash is empty.').waitFor(SOON);
      },
    ],
    [
      'a run',
      async (page) => {
        await go(page, `/ui/jobs/${idOf(SLOWER)}`);
        await page.getByTestId('regression').waitFor(SOON);
      },
    ],
    [
      'a run’s note',
      async (page) => {
        await page.getByRole('button', { name: 'Add a note' }).click();
        await page.getByRole('textbox', { name: 'Note' }).waitFor();
      },
    ],
    [
      'compared, one missing',
      async (page) => {
        await go(page, compared());
        await page.getByTestId('missing').waitFor(SOON);
        await page.getByTestId('rank-difference').waitFor(SOON);
      },
    ],
    [
      'compared, scatter',
      async (page) => {
        await page.getByText('Scatter', { exact: true }).click();
        await page.getByRole('img', { name: /^Run time over start/ }).waitFor(SOON);
      },
    ],
    [
      'compared, boxes',
      async (page) => {
        await page.getByText('Box', { exact: true }).click();
        await page.getByRole('img', { name: /how it is spread/ }).waitFor(SOON);
      },
    ],
    [
      'timelines',
      async (page) => {
        await page.getByRole('tab', { name: 'Timelines' }).click();
        await page.getByTestId('aligned-plot').first().waitFor(SOON);
      },
    ],
    [
      'all series',
      async (page) => {
        await page.getByRole('tab', { name: 'All series' }).click();
        await page.getByTestId('compared-series').waitFor();
      },
    ],
    [
      'descriptions',
      async (page) => {
        await page.getByRole('tab', { name: /^Descriptions/ }).click();
        await page.getByTestId('description-differences').waitFor();
      },
    ],
    [
      'nothing to compare',
      async (page) => {
        await go(page, '/ui/profiles/compare?runs=gone');
        await page.getByRole('heading', { name: 'There is nothing to compare' }).waitFor(SOON);
      },
    ],
  ];

  beforeAll(async () => {
    const data = path.join(temporaryFolder(), 'data');
    await withStore(data, async (store) => {
      ids = await putWeeks(store, Date.now());
    });
    engine = await startEngine({ page: true, args: ['--data', data] });
    empty = await startEngine({ page: true, args: ['--memory'] });
    await askApi(engine, 'PATCH', `/profiles/${idOf(BASELINE)}`, { baseline: true, note: 'Quiet machine.' });
    await askApi(engine, 'PATCH', `/profiles/${idOf(SLOWER)}`, { tags: ['slow', 'barrier', 'told', 'other'] });
    await askApi(engine, 'PATCH', `/profiles/${idOf('solver-119')}`, { tags: ['a', 'b', 'c', 'd', 'e'], pinned: true });
  });
  afterAll(() => Promise.all([engine.stop('SIGKILL'), empty.stop('SIGKILL')]));

  async function look(viewport: (typeof SIZES)[number]): Promise<void> {
    const { page, tolerate } = await screens.open(link(engine, '/ui/profiles'), { viewport });
    tolerate(/status of 404 .*scope=node/);
    for (const [state, reach] of states) {
      await reach(page);
      expect(await findings(page), `${state}, ${viewport.width}`).toEqual([]);
    }
    await page.goto(link(empty, '/ui/profiles'));
    await page.getByRole('heading', { name: 'No profile yet' }).waitFor(SOON);
    expect(await findings(page), `none yet, ${viewport.width}`).toEqual([]);
  }

  test('in a large and a small window', async () => {
    // Both at a time: axe computes, and each page has a process of its own.
    await Promise.all(SIZES.map(look));
  });
});
