/** The editor of rules: what it says while one types, what it changes, and that axe finds nothing in it. */

import { hostname } from 'node:os';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RuleList } from '../../src/shared/api/alarms.ts';
import { ShownRoutes } from '../../src/shared/api/channels.ts';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine, tokenOf } from '../support/engine.ts';
import { runVigie } from '../support/launch.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { findings } from './axe.ts';
import { link, SOON } from './console.ts';

const NEW = `/ui/alarms/rules/new?scope=node/${encodeURIComponent(hostname())}&metric=proxy_memory_used_percent&measure=value`;
const field = (page: Page, name: string) => page.getByRole('textbox', { name, exact: true });
const sentence = (page: Page): Promise<string> => page.getByTestId('sentence').innerText();
const line = (page: Page, name: string) => page.getByRole('slider', { name });

describe.skipIf(lacksComponent('chromium'))('the editor of rules', () => {
  const screens = useBrowser();
  let engine: Engine;
  let viewer: string;
  beforeAll(async () => {
    const data = path.join(temporaryFolder(), 'data');
    engine = await startEngine({ page: true, args: ['--data', data, '--period', '250ms'] });
    const place = ['--data', data];
    viewer = (await runVigie(['token', 'add', 'guest', ...place], { folder: path.dirname(data) })).stdout.trim();
  });
  afterAll(async () => void (await engine.stop('SIGKILL')));
  const ask = async (route: string): Promise<unknown> => {
    const headers = { Authorization: `Bearer ${tokenOf(engine)}` };
    return (await fetch(`${engine.url}/api/v1${route}`, { headers })).json();
  };

  test('says what the rule does, and what is wrong beside the field', async () => {
    const { page } = await screens.open(link(engine, NEW));
    await line(page, 'fires at').waitFor(SOON);
    await field(page, 'Fires at').fill('90');
    await field(page, 'Ends at').fill('80');
    await expect
      .poll(() => sentence(page), SOON)
      .toMatch(/is above 90 % for 30s\. It ends when that is at or below 80 %/);
    await line(page, 'ends at').waitFor();
    await line(page, 'fires at').focus();
    await page.keyboard.press('PageUp');
    await expect.poll(() => sentence(page), SOON).not.toContain('above 90 %');
    await field(page, 'Ends at').fill('1000');
    await page.getByText(/it must end at or below/).waitFor(SOON);
    expect(await page.getByRole('button', { name: 'Set alarm', exact: true }).isDisabled()).toBe(true);
    await field(page, 'Ends at').fill('');
    await field(page, 'Fires at').fill('a lot');
    await page.getByText('a number such as 90, 0.5 or 1.5 Gi').waitFor(SOON);
    await field(page, 'Fires at').fill('90');
    await page.getByRole('combobox', { name: 'Metric' }).fill('{');
    await page.getByText(/expected the name of a label/).waitFor(SOON);
  });

  test('saves, changes, and makes a route of whom to tell', async () => {
    const { page } = await screens.open(link(engine, NEW));
    await line(page, 'fires at').waitFor(SOON);
    await page.getByRole('button', { name: 'Tell me on this desktop' }).click();
    await page.getByRole('radio', { name: 'only these:' }).check(SOON);
    await field(page, 'Name').fill('Memory');
    await field(page, 'Fires at').fill('99.5');
    await page.getByRole('button', { name: 'Set alarm', exact: true }).click();
    await page.getByText('It watches now: Memory').waitFor(SOON);
    const { rules } = RuleList.parse(await ask('/alarms/rules'));
    expect(rules.map(({ name, raise, metric }) => ({ name, raise, metric }))).toEqual([
      { name: 'Memory', raise: 99.5, metric: 'proxy_memory_used_percent' },
    ]);
    const { routes } = ShownRoutes.parse(await ask('/channels/routes'));
    expect(routes.map(({ matchers }) => matchers)).toEqual([[{ label: 'alarmname', op: '=', value: 'Memory' }], []]);

    await page.getByRole('link', { name: 'Memory', exact: true }).click();
    await page.getByText('Critical', { exact: true }).click(SOON);
    await expect.poll(() => sentence(page), SOON).toContain('Critical when');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByText('Saved: Memory').waitFor(SOON);
    expect(RuleList.parse(await ask('/alarms/rules')).rules[0]?.severity).toBe('critical');
  });

  test('a viewer sees all and changes nothing', async () => {
    const { page } = await screens.open(`${engine.url}${NEW}#token=${viewer}`);
    await page
      .getByText(/may only view/)
      .first()
      .waitFor(SOON);
    await line(page, 'fires at').waitFor(SOON);
    expect(await line(page, 'fires at').getAttribute('aria-disabled')).toBe('true');
    expect(await field(page, 'Name').isDisabled()).toBe(true);
    expect(await page.getByRole('button', { name: 'Set alarm', exact: true }).isDisabled()).toBe(true);
  });

  test.each([
    { viewport: { width: 1440, height: 900 }, colorScheme: 'dark' },
    { viewport: { width: 900, height: 700 }, colorScheme: 'light' },
  ] as const)('axe finds nothing: $colorScheme, $viewport.width × $viewport.height', async (look) => {
    const { page } = await screens.open(link(engine, NEW), { ...look, reducedMotion: 'reduce' });
    await line(page, 'fires at').waitFor(SOON);
    await page.getByRole('button', { name: 'End at another line' }).click();
    await page.getByText('How it ends, and what missing data means').click();
    await page.getByText('Labels and a link').click();
    await field(page, 'Fires at').fill('?');
    await field(page, 'For at least').fill('8d');
    await expect.poll(() => sentence(page), SOON).toBe('Something is not right yet: it stands at its field.');
    expect(await findings(page)).toEqual([]);
    await page.goto(link(engine, '/ui/alarms/rules/new'));
    await page.getByText(/Name a metric/).waitFor(SOON);
    expect(await findings(page)).toEqual([]);
  });
});
