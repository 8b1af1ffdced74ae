/** Targets: what somebody does who meets them the first time, and what a list of many needs. */

import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine, tokenOf } from '../support/engine.ts';
import { freePort, runVigie } from '../support/launch.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { eventually } from '../support/wait.ts';
import { cell, chart, link, SOON } from './console.ts';
import { type Exporter, type Fleet, startExporter, startFleet } from './fleet.ts';

const NODES = 128;

const table = (page: Page): Locator => page.getByTestId('targets-table');
const targetRow = (page: Page, address: string): Locator =>
  table(page)
    .getByRole('row')
    .filter({ has: page.getByRole('link', { name: address, exact: true }) });
const dialog = (page: Page, name: string): Locator => page.getByRole('dialog', { name });
const button = (within: Page | Locator, name: string | RegExp): Locator =>
  within.getByRole('button', { name, exact: typeof name === 'string' });

/** Opens a row's menu and chooses. */
async function change(page: Page, address: string, what: string): Promise<void> {
  await targetRow(page, address)
    .getByRole('button', { name: /^Change / })
    .click();
  await page.getByRole('menuitem', { name: what, exact: true }).click();
}

/** Adds one target as people do, and waits until its row is there. */
async function add(page: Page, address: string): Promise<void> {
  await button(page, 'Add target').click();
  await page.getByLabel('Address').fill(address);
  await button(dialog(page, 'Add a target'), 'Add').click(SOON);
  await targetRow(page, address).waitFor(SOON);
}

describe.skipIf(lacksComponent('chromium') || lacksComponent('prometheus-node-exporter'))('targets', () => {
  const screens = useBrowser();
  let exporter: Exporter;
  let fleet: Fleet;
  let engine: Engine;
  let data: string;

  beforeAll(async () => {
    data = path.join(temporaryFolder(), 'data');
    [exporter, fleet] = await Promise.all([startExporter(), startFleet(NODES)]);
    engine = await startEngine({ page: true, args: ['--data', data, '--period', '250ms'] });
  });
  afterAll(async () => {
    await engine.stop('SIGKILL');
    await Promise.all([exporter.stop(), fleet.stop()]);
  });

  test('a newcomer adds a node exporter, mistypes the next, adds 128, pauses, and undoes a removal', async () => {
    const { page, tolerate } = await screens.open(link(engine));
    // A node set that is none is refused.
    tolerate(/status of 400 .*targets\/bulk/);
    await page.getByRole('link', { name: 'Targets', exact: true }).click();
    await page.getByRole('heading', { name: 'Nothing is joined yet' }).waitFor(SOON);

    // Two clicks, and between them what is there.
    await button(page, 'Add target').click();
    const adding = dialog(page, 'Add a target');
    await adding.getByLabel('Address').fill(exporter.address);
    const found = adding.getByRole('status', { name: 'What is there' });
    await found.getByText('Prometheus', { exact: true }).waitFor(SOON);
    const text = await found.innerText();
    expect(text).toMatch(/a day on disk\s+about [\d.]+ [KM]iB/);
    expect(Number(/series\s+([\d\u202f]+)/.exec(text)![1]!.replace('\u202f', ''))).toBeGreaterThan(100);
    await found.getByRole('list', { name: 'First metrics' }).getByRole('listitem').nth(3).waitFor();
    await button(adding, 'Add').click();
    await adding.waitFor({ state: 'detached' });
    const row = targetRow(page, exporter.address);
    await expect.poll(() => cell(page, row, 'State'), SOON).toBe('up');
    expect(await cell(page, row, 'Type')).toBe('Prometheus');
    expect(Number((await cell(page, row, 'Samples')).replace('\u202f', ''))).toBeGreaterThan(100);
    await page.getByRole('heading', { name: 'Nothing is joined yet' }).waitFor({ state: 'detached' });

    // A wrong scheme, a blank, a port where nothing is: each says what is wrong beside the address.
    await button(page, 'Add target').click();
    const address = adding.getByLabel('Address');
    const wrong = (words: string | RegExp) => adding.getByText(words).first().waitFor(SOON);
    await address.fill(`htp://${exporter.address}`);
    await wrong(/htp:\/\/ is not known here: did you mean http:\/\//);
    expect(await address.getAttribute('aria-invalid')).toBe('true');
    expect(await button(adding, 'Add').isDisabled()).toBe(true);
    await address.fill('127.0.0.1:99999');
    await wrong('there is no port 99999: ports are 1 to 65535');
    const free = await freePort();
    await address.fill(`127.0.0.1:${free}`);
    await wrong(`connection refused on port ${free}: is the exporter running?`);
    // What is on the list already is said, not added again.
    await address.fill(exporter.address);
    await adding.getByText('on the list already').waitFor(SOON);
    expect(await button(adding, 'Add').isDisabled()).toBe(true);
    await button(adding, 'Cancel').click();
    await adding.waitFor({ state: 'detached' });

    // 128 at once, after a look at what the set expands to.
    await button(page, 'Add many').click();
    const many = dialog(page, 'Add many targets');
    const set = many.getByLabel('Node sets and addresses');
    await set.fill(`127.0.1.[5-1]:${fleet.port}`);
    await many.getByText(/the range 5-1 in .* runs backwards/).waitFor(SOON);
    await set.fill(`127.0.1.[1-${NODES}]:${fleet.port}`);
    const preview = many.getByRole('status', { name: 'Preview' });
    await preview.getByText(`${NODES} targets will be added`).waitFor(SOON);
    expect(await preview.getByRole('listitem').allInnerTexts()).toEqual([
      ...[1, 2, 3, 4].map((n) => `127.0.1.${n}:${fleet.port}`),
      `… ${NODES - 6} more …`,
      ...[NODES - 1, NODES].map((n) => `127.0.1.${n}:${fleet.port}`),
    ]);
    await button(many, `Add ${NODES}`).click();
    await many.waitFor({ state: 'detached' });
    await page.getByText(`${NODES + 2} targets`, { exact: true }).waitFor(SOON);
    await button(page, `up ${NODES + 2}`).waitFor({ timeout: 60_000 });
    expect(await table(page).getByRole('row').count()).toBeLessThan(60);

    // Paused, and not any more.
    const second = `127.0.1.2:${fleet.port}`;
    await change(page, second, 'Pause');
    await expect.poll(() => cell(page, targetRow(page, second), 'State'), SOON).toBe('paused');
    await button(page, 'paused 1').click();
    await expect.poll(() => table(page).getByRole('row').count(), SOON).toBe(2);
    await change(page, second, 'Resume');
    await page.getByText('No target matches.').waitFor(SOON);
    await button(page, 'Show all targets').click();

    // Removed, and back with all that was known of it.
    await change(page, exporter.address, 'Remove');
    await row.waitFor({ state: 'detached', ...SOON });
    await button(page, 'Undo').click();
    await expect.poll(() => cell(page, row, 'State'), SOON).toBe('up');
    await page.getByText(`${NODES + 2} targets`, { exact: true }).waitFor(SOON);

    // Many at a time: those that the search leaves, by keyboard; undone by keyboard.
    await page.getByRole('searchbox', { name: 'Search targets' }).fill('127.0.1.12');
    await page.getByText('10 of 130 targets', { exact: true }).waitFor(SOON);
    await page.getByLabel('Select all shown').check();
    await page.getByText('10 selected').waitFor();
    await page.keyboard.press('Delete');
    await page.getByText('0 of 120 targets', { exact: true }).waitFor(SOON);
    await page.keyboard.press('u');
    await page.getByText('10 of 130 targets', { exact: true }).waitFor(SOON);
  });

  test('nodes: each target that tells of one, ordered by what it does, as a list and as small charts', async () => {
    const { page } = await screens.open(link(engine, '/ui/nodes'));
    await page.getByText(`${NODES + 2} nodes`, { exact: true }).waitFor(SOON);
    const nodes = page.getByTestId('nodes-table');
    await button(nodes.getByRole('columnheader', { name: 'Load', exact: true }), 'Load').click();
    const from = async () => (await nodes.getByRole('row').nth(1).getByRole('gridcell').nth(1).innerText()).trim();
    await expect.poll(from, SOON).toBe(`127.0.1.${NODES}:${fleet.port}`);
    const first = nodes.getByRole('row').nth(1);
    expect(await cell(page, first, 'Load')).toBe(String(NODES));
    expect(await cell(page, first, 'Memory')).toBe('75 %');
    // A rate: it is there after two scrapes of ten seconds.
    await expect.poll(() => cell(page, first, 'CPU'), { timeout: 100_000 }).toMatch(/^2[3-7] %$/);
    expect(await nodes.getByRole('row').count()).toBeLessThan(60);

    await page.getByText('Small charts', { exact: true }).click();
    const grid = page.getByRole('region', { name: 'CPU of all nodes' });
    await grid.getByRole('link').nth(10).waitFor(SOON);
    expect(await grid.getByRole('link').count()).toBeLessThan(NODES);
    await page.getByLabel('What the charts show').selectOption('Load per core');
    await page.getByLabel('Order').selectOption('Highest first');
    const busiest = page.getByRole('region', { name: 'Load per core of all nodes' }).getByRole('link').first();
    await expect.poll(() => busiest.innerText(), SOON).toContain(String(NODES));
    await busiest.click();
    await page.getByRole('heading', { level: 1, name: `127.0.1.${NODES}:${fleet.port}` }).waitFor(SOON);
  });

  test('a target’s page: its numbers, settings with a live count of what stays, and its failures', async () => {
    let answers = true;
    const server = createServer((_, response) => {
      if (!answers) return void response.writeHead(503).end('no');
      response.setHeader('content-type', 'text/plain; version=0.0.4');
      response.end('# TYPE wanted_total counter\nwanted_total{n="1"} 5\nwanted_total{n="2"} 6\nunwanted 7\n');
    });
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    try {
      const { page } = await screens.open(link(engine, '/ui/targets'));
      const address = `127.0.0.1:${port}`;
      await add(page, address);
      await targetRow(page, address).click();
      await page.getByRole('heading', { level: 1, name: address }).waitFor(SOON);
      await page.getByText('Show 1 idle series').or(page.getByTestId('chart-panel').first()).first().waitFor(SOON);

      await page.getByRole('tab', { name: 'Settings' }).click();
      const stays = page.getByRole('status', { name: 'What the filter leaves' });
      await stays.getByText('3 of 3 series stay.').waitFor(SOON);
      await page.getByLabel('Without these metrics').fill('unw*');
      await stays.getByText('2 of 3 series stay.').waitFor(SOON);
      await page.getByLabel('Period').fill('100ms');
      await page.getByText('the shortest period is 250ms').waitFor();
      expect(await button(page, 'Save').isDisabled()).toBe(true);
      await page.getByLabel('Period').fill('250ms');
      await page.getByLabel('Timeout').fill('200ms');
      await page.getByLabel('Labels added to every series').fill('rack');
      await page.getByText('“rack” is not name=value').waitFor();
      await page.getByLabel('Labels added to every series').fill('rack=r12');
      await button(page, 'Save').click();
      await page.getByText('every 250ms').waitFor(SOON);
      await page.getByText('with rack=r12').waitFor(SOON);
      expect(await button(page, 'Save').isDisabled()).toBe(true);

      answers = false;
      await page.getByRole('tab', { name: /^Failures/ }).click();
      await page.getByRole('table', { name: 'Last failures' }).getByText(/503/).waitFor(SOON);
      answers = true;
      await expect.poll(() => page.locator('header .v-state').innerText(), SOON).toContain('up');

      await button(page, 'Remove').click();
      await page.getByRole('heading', { name: 'There is no such target' }).waitFor(SOON);
      await button(page, 'Undo').click();
      await page.getByRole('heading', { level: 1, name: address }).waitFor(SOON);
      await button(page, 'Remove').click();
      await page.getByRole('heading', { name: 'There is no such target' }).waitFor(SOON);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });

  test('a node exporter’s metrics are charts by what they are about', async () => {
    const { page } = await screens.open(link(engine, '/ui/targets'));
    await targetRow(page, exporter.address).click();
    await chart(page, 'CPU: CPU · time').waitFor({ timeout: 60_000 });
    const groups = await page.locator('.v-group > h3').allInnerTexts();
    expect(groups.indexOf('CPU')).toBe(0);
    expect(groups).toContain('Memory');
  });

  test('the list goes out as text and comes back', async () => {
    const { page, tolerate } = await screens.open(link(engine, '/ui/targets'));
    tolerate(/status of 400 .*targets\/import/);
    await targetRow(page, exporter.address).waitFor(SOON);
    const save = async (item: string): Promise<string> => {
      await button(page, 'Import and export the list').click();
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('menuitem', { name: item }).click(),
      ]);
      return readFile(await file.path(), 'utf8');
    };
    const prometheus = await save('Export as Prometheus scrape_configs');
    expect(prometheus).toContain('scrape_configs:');
    expect(prometheus).toContain(exporter.address);
    const yaml = await save('Export as YAML');
    expect(yaml.match(/^ {2}- url:/gm)).toHaveLength(NODES + 1);

    const gone = `127.0.1.7:${fleet.port}`;
    await page.getByRole('searchbox', { name: 'Search targets' }).fill(gone);
    await change(page, gone, 'Remove');
    await page.getByText('No target matches.').waitFor(SOON);
    await button(page, 'Import and export the list').click();
    await page.getByRole('menuitem', { name: 'Import a list…' }).click();
    const importing = dialog(page, 'Import targets');
    await importing.getByLabel('The list').fill('neither: this\n nor: that: is');
    await importing.getByText(/neither YAML nor JSON/).waitFor(SOON);
    await importing.getByLabel('The list').fill(yaml);
    await importing.getByText(`1 target will be added, ${NODES} are on the list already`).waitFor(SOON);
    await button(importing, 'Import 1').click();
    await expect.poll(() => cell(page, targetRow(page, gone), 'State'), SOON).toBe('up');
  });

  test('what answers on the engine’s own host is offered', async () => {
    // On a machine with an exporter of its own that one is found as well.
    const own = await startExporter(9100).catch(() => null);
    await eventually(async () => (await (await fetch('http://localhost:9100/metrics')).text()).includes('node_load1'));
    const fresh = await startEngine({ page: true, args: ['--memory', '--period', '250ms'] });
    try {
      const { page } = await screens.open(link(fresh, '/ui/targets'));
      await button(page, 'Add target').click();
      await button(page, 'Add node exporter at localhost:9100').click(SOON);
      await expect.poll(() => cell(page, targetRow(page, 'localhost:9100'), 'State'), SOON).toBe('up');
    } finally {
      await fresh.stop('SIGKILL');
      await own?.stop();
    }
  });

  test('who may only view sees all of it and is told why nothing can be changed', async () => {
    const folder = path.dirname(data);
    const viewer = (
      await runVigie(['token', 'add', 'looks', '--role', 'view', '--data', data], { folder })
    ).stdout.trim();
    expect(viewer).not.toBe(tokenOf(engine));
    const { page, requests } = await screens.open(`${engine.url}/ui/targets?dialog=add#token=${viewer}`);
    await targetRow(page, exporter.address).waitFor(SOON);
    await page.getByText('may only view').waitFor(SOON);
    for (const name of ['Add target', 'Add many']) expect(await button(page, name).isDisabled()).toBe(true);
    expect(await page.getByRole('button', { name: /^Change / }).count()).toBe(0);
    expect(await page.getByRole('dialog').count()).toBe(0);
    await page.getByLabel('Select all shown').check();
    expect(await button(page, 'Remove').isDisabled()).toBe(true);
    await page.keyboard.press('Delete');
    await targetRow(page, exporter.address).click();
    await page.getByRole('tab', { name: 'Settings' }).click();
    expect(await page.getByLabel('Period').isDisabled()).toBe(true);
    expect(await button(page, 'Remove').isDisabled()).toBe(true);
    expect(requests.filter((url) => /targets\/(probe|bulk|import)/.test(url))).toEqual([]);
  });
});
