/** A target that did not answer for a while, over real scrapes: what it counted meanwhile is no rate of now. */

import { expect, test } from 'vitest';
import { httpServer } from '../../support/bad-server.ts';
import { eventually } from '../../support/wait.ts';
import { startHere } from '../http/here.ts';
import { addTarget, metric, targetOf } from '../targets/support.ts';
import { addRule, alarmList, history } from './support.ts';

test('fires nothing for what it counted while it did not answer', async () => {
  const here = await startHere({ node: false });
  let [work, isDown] = [1, false];
  const port = await httpServer((_request, response) => {
    if (isDown) response.statusCode = 503;
    response.end(`# TYPE work_total counter\nwork_total ${work++}\n`);
  });
  const rate = { metric: 'work_total', measure: { kind: 'rate' }, raise: 100_000 } as const;
  await addRule(here, { ...rate, name: 'rate', scope: { kind: 'target' } });
  await addRule(here, { ...rate, name: 'sum', scope: { kind: 'merge', name: 'main' } });
  const measure = { kind: 'increase', window: '10s' } as const;
  await addRule(here, { ...rate, name: 'increase', scope: { kind: 'target' }, measure });
  const { id } = await addTarget(here, { url: `http://127.0.0.1:${port}/metrics`, period: '250ms' });
  const seen = async (least: number): Promise<boolean> => ((await metric(here, 'work_total')) ?? 0) >= least;
  await eventually(() => seen(4));
  isDown = true;
  await eventually(async () => (await targetOf(here, id)).state === 'down');
  // Longer than three periods.
  await new Promise((resolve) => void setTimeout(resolve, 1500));
  work += 10_000_000;
  isDown = false;
  await eventually(() => seen(10_000_000));
  const from = work;
  await eventually(() => seen(from + 3));
  expect((await history(here)).events).toEqual([]);
  // While it answers it is one.
  work += 10_000_000;
  await eventually(async () => (await history(here)).events.filter(({ state }) => state === 'firing').length >= 3);
  expect(new Set((await alarmList(here)).alarms.map(({ name }) => name))).toEqual(new Set(['rate', 'sum', 'increase']));
});
