/** An engine that writes is killed at any moment, again and again. */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { EngineClient } from '../../../src/client/http.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { serve, within } from '../engine/child.ts';
import { either, figure } from './form.ts';

const START = 1_795_188_214_224;
const KILLS = either(20, 300);
/** A life lasts so long at most, and is killed so long after it last said what is durable, ms. */
const LIFE = 500;
const AFTER = 80;

async function history(client: EngineClient, scope: string, to: number): Promise<Map<number, number>> {
  const { times, series } = await client.query({ scope, series: ['x_total'], from: 0, to, maxPoints: 20_000 });
  const found = new Map<number, number>();
  times.forEach((time, i) => {
    const value = series[0]?.last[i] ?? null;
    if (value !== null) found.set(time, value);
  });
  return found;
}

test('kill -9 at random moments: nothing durable is lost, the run is interrupted at once, its client goes on', async () => {
  const folder = temporaryFolder();
  const flags = [...within(folder), '--period=20ms', '--no-node', `--data=${join(folder, 'data')}`];
  const durable = new Map<number, number>();
  let id: string | null = null;
  let last = 0;
  const expectAll = async (client: EngineClient): Promise<void> => {
    const there = await history(client, `run/${id}`, Date.now() + 60_000);
    for (const [time, value] of durable) expect([time, there.get(time)]).toEqual([time, value]);
  };
  for (let life = 0; life < KILLS; life++) {
    const engine = await serve(flags);
    if (id !== null) {
      // The first question after the ready line.
      const { runs } = await engine.client.runs();
      expect(runs.map((run) => [run.id, run.state])).toEqual([[id, 'interrupted']]);
      await expectAll(engine.client);
    }
    const pusher = await engine.pusher();
    pusher.job({ jobid: 'goes-on', command: './a.out', start_time: START });
    pusher.describeCounter('x_total');
    const run = await eventually(async () =>
      (await engine.client.runs({ state: 'live' })).runs.find(({ clients, series }) => clients === 1 && series === 1),
    );
    id ??= run.id;
    expect(run.id).toBe(id);
    const end = performance.now() + Math.random() * LIFE;
    do {
      pusher.increase('x_total', 1);
      await sleep(5);
    } while (performance.now() < end);
    const { store } = await engine.client.status();
    const seen = await history(engine.client, run.scope, store.durable_until);
    for (const [time, value] of seen) durable.set(time, value);
    // Its counter goes on from what was known.
    const newest = Math.max(0, ...seen.values());
    expect(newest).toBeGreaterThanOrEqual(last);
    last = newest;
    const killAt = performance.now() + Math.random() * AFTER;
    while (performance.now() < killAt) {
      pusher.increase('x_total', 1);
      await sleep(2);
    }
    await engine.stop('SIGKILL');
    pusher.destroy();
  }
  const engine = await serve(flags);
  await expectAll(engine.client);
  expect(durable.size).toBeGreaterThan(KILLS);
  figure(`${KILLS} times killed: all of ${durable.size} durable samples are there, one run, interrupted each time`);
}, 3_600_000);
