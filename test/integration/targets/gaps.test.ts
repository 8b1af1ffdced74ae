/** Time in which a target was not seen is a gap, as for all other sources: what it grew by then is no rate. */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../support/wait.ts';
import { startHere, type Here } from '../http/here.ts';
import { readLive, type LiveReader } from '../http/reader.ts';
import { addTarget, metric, send, targetOf, until } from './support.ts';

interface Counting {
  readonly url: string;
  /** What the counter is at. */
  count: number;
  broken: boolean;
}

async function counting(): Promise<Counting> {
  const server = createServer((_request, response) => {
    if (target.broken) return void response.writeHead(503).end();
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end(`# TYPE c_total counter\nc_total ${target.count}\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const target: Counting = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`,
    count: 1,
    broken: false,
  };
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return target;
}

const MUCH = 1e9;

/** Highest rate that history has of the counter, and its last total. */
async function historyOf(here: Here, id: string, from: number): Promise<{ most: number; last: number | null }> {
  const range = { scope: `target/${id}`, series: ['c_total'], from, to: Date.now(), maxPoints: 5000 };
  const [series] = (await here.client.query(range)).series;
  const rates = (series?.max ?? []).filter((rate): rate is number => rate !== null);
  const lasts = (series?.last ?? []).filter((last): last is number => last !== null);
  return { most: Math.max(0, ...rates), last: lasts.at(-1) ?? null };
}

async function watched(here: Here, id: string): Promise<LiveReader> {
  const reader = await readLive(here);
  reader.send({ type: 'subscribe', id: 1, scope: `target/${id}` });
  await eventually(() => reader.stream(1).frames.length > 2);
  return reader;
}

/** The frame with which the counter jumped. */
const jump = ({ frames }: ReturnType<LiveReader['stream']>) =>
  frames.find(({ counterValues }) => counterValues.some((value) => value >= MUCH));

test('growth during a long downtime is counted, and no rate', async () => {
  const from = Date.now();
  const target = await counting();
  const here = await startHere({ node: false });
  const { id } = await addTarget(here, { url: target.url, period: '250ms' });
  await until(here, id, ({ state }) => state === 'up');
  const reader = await watched(here, id);
  target.count += 2;
  await eventually(async () => (await metric(here, 'c_total')) === 2);
  target.broken = true;
  await until(here, id, ({ errors }) => (errors[0]?.count ?? 0) >= 3);
  target.count += MUCH;
  target.broken = false;
  await eventually(async () => (await metric(here, 'c_total')) === MUCH + 2);
  target.count += 3;
  await eventually(async () => (await metric(here, 'c_total')) === MUCH + 5);
  const { most } = await eventually(async () => {
    const found = await historyOf(here, id, from);
    return found.last === MUCH + 5 ? found : undefined;
  });
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThan(MUCH / 1e4);
  expect(jump(reader.stream(1))?.gap).toBe(true);
});

test('one scrape that fails makes no gap: what it grew by is spread over two periods', async () => {
  const from = Date.now();
  const target = await counting();
  const here = await startHere({ node: false });
  const { id } = await addTarget(here, { url: target.url, period: '5s' });
  await until(here, id, ({ state }) => state === 'up');
  const reader = await watched(here, id);
  target.count += MUCH;
  target.broken = true;
  await until(here, id, ({ state }) => state === 'down');
  target.broken = false;
  await eventually(async () => (await metric(here, 'c_total')) === MUCH, { timeout: 60_000 });
  const { most } = await eventually(async () => {
    const found = await historyOf(here, id, from);
    return found.last === MUCH ? found : undefined;
  });
  expect(most).toBeGreaterThan(MUCH / 100);
  expect(jump(reader.stream(1))?.gap).toBe(false);
});

test('after a pause there is a gap, however short it was', async () => {
  const target = await counting();
  const here = await startHere({ node: false });
  const { id } = await addTarget(here, { url: target.url, period: '250ms' });
  await until(here, id, ({ state }) => state === 'up');
  const reader = await watched(here, id);
  const gaps = (): number => reader.stream(1).frames.filter(({ gap }) => gap).length;
  const before = gaps();
  await send(here, 'PATCH', `/targets/${id}`, { paused: true });
  const { last_scrape } = await targetOf(here, id);
  await send(here, 'PATCH', `/targets/${id}`, { paused: false });
  await until(here, id, (now) => (now.last_scrape ?? 0) > (last_scrape ?? 0));
  await eventually(() => gaps() === before + 1);
});
