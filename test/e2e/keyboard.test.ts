/** Keys, the palette and the theme. */

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { chart, jobRow, link, SOON } from './console.ts';
import { Program } from './program.ts';

/** What has the focus: its accessible name as far as its markup tells, or its role. */
const focused = (page: Page): Promise<string> =>
  page.evaluate(`(() => {
    const at = document.activeElement;
    return at.getAttribute('aria-label') ?? at.getAttribute('role') ?? at.innerText.trim() ?? at.tagName;
  })()`);

/** The colours that the page is drawn in. */
const ground = (page: Page): Promise<string> => page.evaluate('getComputedStyle(document.body).backgroundColor');

describe.skipIf(lacksComponent('chromium'))('keys and themes', () => {
  const screens = useBrowser();
  let engine: Engine;
  let programs: Program[];

  beforeAll(async () => {
    engine = await startEngine({ page: true, args: ['--memory'] });
    programs = await Promise.all(
      ['alpha', 'beta', 'gamma'].map((jobid, i) =>
        Program.start(engine.ready.legacy_socket, { jobid, ranks: 1, start_time: Date.now() - 1000 * i }),
      ),
    );
    for (const program of programs) program.run();
  });
  afterAll(async () => {
    for (const program of programs) program.lose();
    await engine.stop('SIGKILL');
  });

  test('Ctrl+K finds a job and opens it', async () => {
    const { page } = await screens.open(link(engine));
    await jobRow(page, 'beta').waitFor(SOON);
    await page.keyboard.press('Control+k');
    const search = page.getByRole('textbox', { name: 'Search the command palette' });
    await search.waitFor();
    await expect.poll(() => focused(page), SOON).toBe('Search the command palette');
    await page.keyboard.type('bet');
    await page.getByRole('dialog').getByText('beta', { exact: true }).waitFor();
    await expect.poll(() => page.getByRole('dialog').getByText('gamma', { exact: true }).count(), SOON).toBe(0);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'beta' }).waitFor(SOON);
    await search.waitFor({ state: 'detached' });

    await page.keyboard.press('Control+k');
    await search.waitFor();
    await page.keyboard.press('Escape');
    await search.waitFor({ state: 'detached' });
    await page.getByRole('heading', { level: 1, name: 'beta' }).waitFor();
  });

  test('? lists the keys, / goes to the search', async () => {
    const { page } = await screens.open(link(engine));
    await jobRow(page, 'alpha').waitFor(SOON);
    await page.keyboard.press('?');
    const help = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
    await help.waitFor();
    await help.getByText('Command palette').waitFor();
    await page.keyboard.press('Escape');
    await help.waitFor({ state: 'detached' });

    await page.keyboard.press('/');
    await expect.poll(() => focused(page), SOON).toBe('Search jobs');
    // Keys of the view are letters here.
    await page.keyboard.type('j?');
    expect(await page.getByRole('searchbox', { name: 'Search jobs' }).inputValue()).toBe('j?');
    expect(await help.count()).toBe(0);
    await page.getByRole('searchbox', { name: 'Search jobs' }).fill('gam');
    await expect.poll(() => jobRow(page, 'alpha').count(), SOON).toBe(0);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'gamma' }).waitFor(SOON);

    await chart(page, 'MPI: Calls').waitFor(SOON);
    await page.keyboard.press('/');
    await expect.poll(() => focused(page), SOON).toBe('Search series');
    await page.keyboard.press('Escape');
    await page.keyboard.press('t');
    await expect.poll(() => page.getByRole('radio', { name: 'Totals' }).isChecked(), SOON).toBe(true);
  });

  test('Tab goes through the page in its order, and every job opens by keys alone', async () => {
    const { page } = await screens.open(link(engine));
    await jobRow(page, 'alpha').waitFor(SOON);
    const order: string[] = [];
    for (let i = 0; i < 30 && order.at(-1) !== 'Jobs grid'; i++) {
      await page.keyboard.press('Tab');
      const at = await focused(page);
      order.push(at === 'Jobs' && (await page.evaluate('document.activeElement.role')) === 'grid' ? 'Jobs grid' : at);
    }
    const expected = [
      'Skip to content',
      'Vigie',
      /^Cluster /,
      'Jobs',
      'Profiles',
      'Node',
      'Nodes',
      'Targets',
      'Alarms',
      'Connections',
      'Settings',
      /^Go to/,
      /^Theme:/,
      'Keyboard shortcuts',
      'Search jobs',
    ];
    expect(order.slice(0, expected.length)).toEqual(
      expected.map((name) => (typeof name === 'string' ? name : expect.stringMatching(name))),
    );
    expect(order.at(-1)).toBe('Jobs grid');

    // Newest first: alpha, beta, gamma.
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await expect.poll(() => jobRow(page, 'beta').getAttribute('aria-selected'), SOON).toBe('true');
    await page.keyboard.press('k');
    await expect.poll(() => jobRow(page, 'alpha').getAttribute('aria-selected'), SOON).toBe('true');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'beta' }).waitFor(SOON);
  });

  test('the first Tab skips to the content', async () => {
    const { page } = await screens.open(link(engine));
    await jobRow(page, 'alpha').waitFor(SOON);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Search jobs');
  });

  test('light, dark and system: chosen by the button, kept over a reload, drawn in other colours', async () => {
    const { page } = await screens.open(link(engine), { colorScheme: 'dark' });
    await jobRow(page, 'alpha').waitFor(SOON);
    const button = (name: string) => page.getByRole('button', { name: new RegExp(`^Theme: ${name}`) });
    await button('system').waitFor();
    const dark = await ground(page);
    // The system's choice is followed at once.
    await page.emulateMedia({ colorScheme: 'light' });
    await expect.poll(() => ground(page), SOON).not.toBe(dark);
    const light = await ground(page);

    await button('system').click();
    await button('light').click();
    await button('dark').waitFor();
    await expect.poll(() => ground(page), SOON).toBe(dark);
    await page.reload();
    await button('dark').waitFor();
    expect(await ground(page)).toBe(dark);

    await page.keyboard.press('Control+k');
    await page.getByRole('textbox', { name: 'Search the command palette' }).fill('light theme');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await button('light').waitFor(SOON);
    await expect.poll(() => ground(page), SOON).toBe(light);
    await page.emulateMedia({ colorScheme: 'dark' });
    await page.reload();
    await button('light').waitFor();
    expect(await ground(page)).toBe(light);
  });
});
