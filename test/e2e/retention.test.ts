/** What is kept how long and at full detail, as its owner changes it and a viewer sees it. */

import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KeepList, RetentionState } from '../../src/shared/api/store.ts';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine, tokenOf } from '../support/engine.ts';
import { runVigie } from '../support/launch.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { findings } from './axe.ts';
import { chart, link, SOON } from './console.ts';
import { putRunWithHistory, withStore } from './past.ts';

const section = (page: Page, name: string) => page.getByRole('region', { name, exact: true });
const kept = (page: Page) => page.getByRole('table', { name: 'Kept at full detail', exact: true });

describe.skipIf(lacksComponent('chromium'))('what is kept', () => {
  const screens = useBrowser();
  const start = Date.now() - 3_600_000;
  let engine: Engine;
  let data: string;

  beforeAll(async () => {
    data = path.join(temporaryFolder(), 'data');
    await withStore(data, (store) =>
      putRunWithHistory(store, 'kept-run', 'kept-job', start, 120, (second) => ({
        mpi___hits___mpi_send: 7 * second,
        mpi___hits___mpi_recv: 5 * second,
      })),
    );
    engine = await startEngine({ page: true, args: ['--data', data] });
  });
  afterAll(async () => void (await engine.stop('SIGKILL')));

  const ask = async (at: string): Promise<unknown> =>
    (
      await fetch(`${engine.url}/api/v1/store/${at}`, { headers: { authorization: `Bearer ${tokenOf(engine)}` } })
    ).json();
  const retention = async (): Promise<RetentionState> => RetentionState.parse(await ask('retention'));
  const keeps = async () => KeepList.parse(await ask('keeps')).keeps;

  test('ages and the limit are changed, checked before, and taken back', async () => {
    const { page } = await screens.open(link(engine, '/ui/settings'), { reducedMotion: 'reduce' });
    const card = section(page, 'Retention');
    const raw = card.getByLabel('Raw samples are kept for');
    const size = card.getByLabel('Most that is kept in all');
    await raw.waitFor(SOON);
    expect([await raw.inputValue(), await size.inputValue()]).toEqual(['14d', '4GiB']);
    const save = card.getByRole('button', { name: 'Save' });
    expect(await save.isDisabled()).toBe(true);

    await raw.fill('14');
    await card.getByText('A duration with a unit, 1h or more.').waitFor();
    expect(await save.isDisabled()).toBe(true);
    await size.fill('1 KiB');
    await card.getByText('A size with a unit, 16MiB or more, or off.').waitFor();
    await raw.fill('200d');
    await card.getByText('1 min buckets are removed before the raw samples').waitFor();
    expect(await findings(page)).toEqual([]);
    await card.getByRole('button', { name: 'Discard' }).click();
    expect(await raw.inputValue()).toBe('14d');

    await raw.fill('7d');
    await size.fill('off');
    await save.click();
    await expect.poll(async () => (await retention()).now, SOON).toMatchObject({ raw: '7d', size: 'off' });
    await page.getByText('What is kept is changed.').waitFor();
    expect(await raw.inputValue()).toBe('7d');
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(async () => (await retention()).now, SOON).toMatchObject({ raw: '14d', size: '4GiB' });
    await expect.poll(() => raw.inputValue(), SOON).toBe('14d');
  });

  test('a run is pinned on its page, stands in the settings, and is let go again', async () => {
    const { page } = await screens.open(link(engine, '/ui/jobs/kept-run'), { reducedMotion: 'reduce' });
    await chart(page, 'MPI: Calls').waitFor(SOON);
    await page.getByRole('button', { name: 'Pin', exact: true }).click();
    const pinned = page.getByRole('button', { name: 'Pinned', exact: true });
    await pinned.waitFor(SOON);
    expect(await pinned.getAttribute('aria-pressed')).toBe('true');
    expect(await keeps()).toMatchObject([{ kind: 'run', scope: 'run/kept-run', from: start, to: start + 120_000 }]);
    await page.getByRole('button', { name: 'Undo' }).click();
    await expect.poll(async () => (await keeps()).length, SOON).toBe(0);
    await page.getByRole('button', { name: 'Pin', exact: true }).click();
    await pinned.waitFor(SOON);

    await page.getByRole('link', { name: 'Settings' }).click();
    await kept(page).getByRole('link', { name: 'kept-run' }).waitFor(SOON);
    expect(await findings(page)).toEqual([]);
    await kept(page).getByRole('button', { name: 'Remove run kept-run' }).click();
    await section(page, 'Kept at full detail').getByText('Nothing yet.').waitFor(SOON);
    expect(await keeps()).toEqual([]);
    await page.getByRole('button', { name: 'Undo' }).last().click();
    await kept(page).getByRole('link', { name: 'kept-run' }).click();
    await pinned.click();
    await page.getByRole('button', { name: 'Pin', exact: true }).waitFor(SOON);
    expect(await keeps()).toEqual([]);
  });

  test('a window is kept, and its link leads back to it', async () => {
    const range = `from=${start + 30_000}&to=${start + 90_000}`;
    const { page } = await screens.open(link(engine, `/ui/jobs/kept-run?${range}`), { reducedMotion: 'reduce' });
    await chart(page, 'MPI: Calls').waitFor(SOON);
    await page.getByRole('button', { name: 'Keep this window at full detail' }).click();
    await expect
      .poll(async () => keeps(), SOON)
      .toMatchObject([{ kind: 'window', scope: 'run/kept-run', from: start + 30_000, to: start + 90_000 }]);
    await page.getByRole('link', { name: 'Settings' }).click();
    await kept(page).getByRole('link', { name: 'kept-run' }).click();
    await chart(page, 'MPI: Calls').waitFor(SOON);
    expect(new URL(page.url()).search).toBe(`?${range}`);
  });

  test('who may only view sees all of it and changes nothing', async () => {
    const folder = path.dirname(data);
    const added = await runVigie(['token', 'add', 'guest', '--role', 'view', '--data', data], { folder });
    const token = added.stdout.trim();
    const { page } = await screens.open(`${engine.url}/ui/settings#token=${token}`, { reducedMotion: 'reduce' });
    const card = section(page, 'Retention');
    await card.getByLabel('Raw samples are kept for').waitFor(SOON);
    expect(await card.getByLabel('Raw samples are kept for').isEditable()).toBe(false);
    expect(await card.getByRole('button').count()).toBe(0);
    await card.getByText('may only view').waitFor();
    await kept(page).getByRole('row').nth(1).waitFor(SOON);
    expect(await kept(page).getByRole('button').count()).toBe(0);
    await page.goto(`${engine.url}/ui/jobs/kept-run`);
    const pin = page.getByRole('button', { name: 'Pin', exact: true });
    await pin.waitFor(SOON);
    expect(await pin.isDisabled()).toBe(true);
    expect(await findings(page)).toEqual([]);
  });
});
