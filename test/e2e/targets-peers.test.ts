/** The pages of what has hosts and jobs of its own: an old proxy, another engine; and what their jobs leave here. */

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Pusher } from '../../src/client/pusher.ts';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine, tokenOf } from '../support/engine.ts';
import { golden, recordedJobs } from '../support/recording.ts';
import { cell, jobRow, link, SOON } from './console.ts';

const QUICK = ['--memory', '--period', '250ms'];

/** A proxy that answers what the recorded child did: idle, then with its job, then without it. */
interface OldProxy {
  readonly address: string;
  next(): void;
  stop(): void;
}

async function startProxy(): Promise<OldProxy> {
  const recorded = recordedJobs('child1').map((body) => body.replaceAll('Node: vm', 'Node: elsewhere'));
  const busy = recorded.findLast((body) => body.includes('"jobid":"tbonjob"'))!;
  const jobs = JSON.parse(busy) as { desc: { jobid: string } }[];
  const answers = [recorded[0]!, busy, JSON.stringify(jobs.filter(({ desc }) => desc.jobid !== 'tbonjob'))];
  let at = 0;
  const server: Server = createServer(({ url }, response) => {
    const body = answers[Math.min(at, answers.length - 1)]!;
    response.setHeader('content-type', 'application/json; charset=utf-8');
    if (url === '/job') return void response.end(body);
    if (url === '/job/list') {
      return void response.end(JSON.stringify((JSON.parse(body) as { desc: unknown }[]).map(({ desc }) => desc)));
    }
    if (url === '/join/list') return void response.end(JSON.stringify(golden('join_list.json')));
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    next: () => void at++,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Adds a target as people do and opens its page. */
async function addAndOpen(page: Page, address: string, type: string, token?: string): Promise<void> {
  await page.getByRole('button', { name: 'Add target', exact: true }).click();
  const adding = page.getByRole('dialog', { name: 'Add a target' });
  await adding.getByLabel('Address').fill(address);
  const settings = adding.getByText('Period, labels, filter, access');
  if (token !== undefined) {
    await adding.getByText('this is an engine: give a token of it').first().waitFor(SOON);
    await settings.click();
    await adding.getByLabel('How it lets the engine in').selectOption('bearer');
    await adding.getByLabel('Token', { exact: true }).fill(token);
  } else await settings.click();
  await adding.getByLabel('Period').fill('250ms');
  await adding.getByRole('status', { name: 'What is there' }).getByText(type, { exact: true }).waitFor(SOON);
  await adding.getByRole('button', { name: 'Add', exact: true }).click(SOON);
  await page.getByTestId('targets-table').getByRole('link', { name: address, exact: true }).click(SOON);
  await page.getByRole('heading', { level: 1, name: address }).waitFor(SOON);
}

/** The job is on the list as finished, and its page has its last values. */
async function isFinished(page: Page, jobid: string, value: RegExp): Promise<void> {
  await page.getByRole('link', { name: 'Jobs', exact: true }).click();
  await jobRow(page, jobid).waitFor(SOON);
  expect(await cell(page, jobRow(page, jobid), 'State')).toBe('finished');
  await page.getByRole('link', { name: jobid, exact: true }).click();
  await page.getByRole('heading', { level: 1, name: jobid }).waitFor(SOON);
  await page.getByRole('tab', { name: /^Series/ }).click();
  await page.getByRole('row').filter({ hasText: value }).first().waitFor(SOON);
}

describe.skipIf(lacksComponent('chromium'))('targets with hosts and jobs of their own', () => {
  const screens = useBrowser();
  let engine: Engine;
  let remote: Engine;
  let proxy: OldProxy;

  beforeAll(async () => {
    [engine, remote, proxy] = await Promise.all([
      startEngine({ page: true, args: QUICK }),
      startEngine({ args: QUICK }),
      startProxy(),
    ]);
  });
  afterAll(async () => {
    proxy.stop();
    await Promise.all([engine.stop('SIGKILL'), remote.stop('SIGKILL')]);
  });

  test('an old proxy: its host and its job apart, what is wrong with it said, its job finished in the end', async () => {
    const { page } = await screens.open(link(engine, '/ui/targets'));
    await addAndOpen(page, proxy.address, 'metric proxy');
    await page.getByText('proxy_network_…_total are not taken').waitFor(SOON);
    await page.getByRole('region', { name: 'Node elsewhere' }).waitFor(SOON);
    proxy.next();
    const job = page.getByRole('region', { name: 'Job tbonjob' });
    await job.waitFor(SOON);
    proxy.next();
    await job.waitFor({ state: 'detached', ...SOON });
    await isFinished(page, 'tbonjob', /c0002/);
  });

  test('another engine: its host beside its jobs, and the memory of a job that is over', async () => {
    const { page, tolerate } = await screens.open(link(engine, '/ui/targets'));
    tolerate(/status of 40[019]/);
    await addAndOpen(page, new URL(remote.url).host, 'Vigie engine', tokenOf(remote));
    await page.getByRole('region', { name: /^Node / }).waitFor(SOON);
    const pusher = await Pusher.connect(remote.ready.socket!);
    pusher.job({ jobid: 'faraway', command: './far' });
    pusher.describeCounter('steps');
    pusher.increase('steps', 7);
    await page.getByRole('region', { name: /^Job / }).waitFor(SOON);
    pusher.destroy();
    await page.getByRole('region', { name: /^Job / }).waitFor({ state: 'detached', ...SOON });
    await isFinished(page, 'faraway', /steps/);
  });

  test('small charts of nodes have the last minutes from the store when the page is opened', async () => {
    const { page } = await screens.open(link(engine, '/ui/jobs'));
    // One look, and no second one: its rate can only be of what is stored.
    let looks = 0;
    await page.route(/\/api\/v1\/nodes$/, (route) => (looks++ === 0 ? route.continue() : undefined));
    await page.getByRole('link', { name: 'Nodes', exact: true }).click();
    await page.getByTestId('nodes-table').getByText(hostname()).first().waitFor(SOON);
    await page.getByText('Small charts', { exact: true }).click();
    const own = page
      .getByRole('region', { name: 'CPU of all nodes' })
      .getByRole('link')
      .filter({ hasText: hostname() });
    await expect.poll(() => own.first().innerText(), SOON).toMatch(/\d %/);
    const line = own.first().getByRole('img', { name: /^CPU of / });
    // One that was not drawn has the size that it was made with.
    expect(await line.getAttribute('width')).not.toBeNull();
    await page.getByLabel('What the charts show').selectOption('Network');
    const network = page.getByRole('region', { name: 'Network of all nodes' }).getByRole('link');
    await expect
      .poll(() => network.filter({ hasText: hostname() }).first().innerText(), SOON)
      .toMatch(/\d\S* .?i?B\/s/);
    expect(looks).toBeGreaterThan(0);
  });
});
