import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Pusher } from '../../../src/client/pusher.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { startHere, type Here } from './here.ts';
import { readLive } from './reader.ts';

interface Moving {
  readonly scope: string;
  readonly pusher: Pusher;
  stop(): void;
}

/** A run whose counter grows all the time, with a new series now and then. */
async function movingRun(here: Here, jobid: string): Promise<Moving> {
  const pusher = await here.pusher();
  pusher.job({ jobid });
  pusher.describeCounter('x_total');
  pusher.describeGauge('g');
  let n = 0;
  const timer = setInterval(() => {
    pusher.increase('x_total', 1);
    if (++n % 20 === 0) {
      pusher.describeCounter(`new${n}_total`);
      pusher.increase(`new${n}_total`, n);
    }
  }, 3);
  const run = await eventually(async () =>
    (await here.client.runs({ state: 'live' })).runs.find((r) => r.jobid === jobid && r.series >= 2),
  );
  return { scope: run.scope, pusher, stop: () => clearInterval(timer) };
}

const consecutive = (sequences: readonly number[]): void => {
  expect(sequences.length).toBeGreaterThan(0);
  expect(sequences).toEqual(sequences.map((_, i) => sequences[0]! + i));
};

describe.each([
  ['--memory', () => ({})],
  ['--data', () => ({ data: join(temporaryFolder(), 'data') })],
])('with %s', (_name, settings) => {
  test('a reader that comes back has the frames it missed, then live ones, without a hole or repeat', async () => {
    // A fast clock, so that ticks fall between the question to the store and its answer.
    const here = await startHere({ period: '10ms', node: false, ...settings() });
    const moving = [await movingRun(here, 'one'), await movingRun(here, 'two'), await movingRun(here, 'three')];
    const witness = await readLive(here);
    moving.forEach(({ scope }, i) => witness.send({ type: 'subscribe', id: i + 1, scope }));
    await eventually(() => moving.every((_, i) => witness.stream(i + 1).frames.length > 30));
    const from = moving.map((_, i) => witness.stream(i + 1).frames[10]!);

    // Many seams: each is at another moment of the tick.
    for (let round = 0; round < 8; round++) {
      const reader = await readLive(here);
      moving.forEach(({ scope }, i) => reader.send({ type: 'subscribe', id: i + 1, scope, from: from[i]!.time }));
      await eventually(() =>
        moving.every((_, i) => {
          const { order } = reader.stream(i + 1);
          const live = order.indexOf('live');
          return live >= 0 && order.length > live + 5;
        }),
      );
      reader.socket.terminate();
      moving.forEach((_, i) => {
        const stream = reader.stream(i + 1);
        expect(stream.order.filter((e) => e === 'gap' || e === 'error')).toEqual([]);
        consecutive(stream.sequences);
        expect(stream.sequences[0]).toBe(from[i]!.sequence + 1);
        expect(stream.order.filter((e) => e === 'live')).toHaveLength(1);
      });
    }

    for (const { stop } of moving) stop();
    // What it was sent is what others saw at the time.
    const reader = await readLive(here);
    moving.forEach(({ scope }, i) => reader.send({ type: 'subscribe', id: i + 1, scope, from: from[i]!.time }));
    await eventually(() =>
      moving.every(
        (_, i) =>
          reader.stream(i + 1).order.includes('live') &&
          reader.stream(i + 1).sequences.at(-1)! > from[i]!.sequence + 20,
      ),
    );
    moving.forEach((_, i) => {
      const [seen, again] = [witness.stream(i + 1), reader.stream(i + 1)];
      let compared = 0;
      for (const [sequence, totals] of again.totals) {
        const then = seen.totals.get(sequence);
        if (!then) continue;
        compared++;
        expect(totals, `at ${sequence}`).toEqual(then);
      }
      expect(compared).toBeGreaterThan(20);
    });
  });

  test('some series only', async () => {
    const here = await startHere({ period: '10ms', node: false, ...settings() });
    const { scope } = await movingRun(here, 'one');
    const witness = await readLive(here);
    witness.send({ type: 'subscribe', id: 1, scope });
    await eventually(() => witness.stream(1).frames.length > 20);
    const reader = await readLive(here);
    reader.send({ type: 'subscribe', id: 1, scope, series: ['x_total'], from: witness.stream(1).frames[5]!.time });
    const stream = reader.stream(1);
    await eventually(() => stream.order.includes('live') && stream.frames.length > 30);
    consecutive(stream.sequences);
    const place = stream.place('x_total')!;
    for (const [sequence, totals] of stream.totals) {
      const seen = witness.stream(1).totals.get(sequence);
      if (seen) expect(totals[place]).toBe(seen[place]);
      expect(totals.every((total, i) => i === place || Number.isNaN(total))).toBe(true);
    }
  });

  test('what was before the scope opened is told as a gap; what is there is sent', async () => {
    const here = await startHere({ period: '10ms', node: false, ...settings() });
    const { scope } = await movingRun(here, 'one');
    const reader = await readLive(here);
    reader.send({ type: 'subscribe', id: 1, scope, from: 0 });
    const stream = reader.stream(1);
    await eventually(() => stream.order.includes('live') && stream.frames.length > 10);
    const [gap] = reader.of('gap');
    expect(gap!.from).toBe(0);
    expect(gap!.to).toBeLessThanOrEqual(stream.frames[0]!.time);
    expect(reader.of('gap')).toHaveLength(1);
    consecutive(stream.sequences);
  });

  test('from the future there is nothing to send again', async () => {
    const here = await startHere({ node: false, ...settings() });
    const { scope } = await movingRun(here, 'one');
    const reader = await readLive(here);
    reader.send({ type: 'subscribe', id: 1, scope, from: Date.now() + 1e9 });
    const stream = reader.stream(1);
    await eventually(() => stream.frames.length > 1);
    expect(new Set(stream.order.slice(0, 2))).toEqual(new Set(['live', 'schema']));
  });
});

test('leaving while stored frames are sent stops them, and the id is free', async () => {
  const here = await startHere({ period: '10ms', node: false });
  const { scope } = await movingRun(here, 'one');
  const reader = await readLive(here);
  for (let i = 0; i < 50; i++)
    reader.send({ type: 'subscribe', id: 1, scope, from: 0 }, { type: 'unsubscribe', id: 1 });
  reader.send({ type: 'subscribe', id: 1, scope, from: Date.now() - 50 }, { type: 'watch', topic: 'status' });
  await eventually(() => reader.stream(1).order.includes('live') && reader.stream(1).frames.length > 10);
  expect(reader.of('error')).toEqual([]);
  // Those that were left came to their end before, or never.
  const { order } = reader.stream(1);
  const last = order.slice(order.lastIndexOf('live') + 1);
  consecutive(last.filter((e) => typeof e === 'number'));
});

test('after a restart the frames of the earlier engine are a gap, its history is there', async () => {
  const data = join(temporaryFolder(), 'data');
  const first = await startHere({ period: '20ms', data });
  const { scope } = (await first.client.nodes()).nodes[0]!;
  await eventually(async () => (await first.client.status()).sampler.ticks > 10);
  const from = Date.now() - 60;
  await first.engine.close();

  const second = await startHere({ period: '20ms', data });
  const reader = await readLive(second);
  const hello = await reader.next('hello');
  expect(hello.epoch).toBe(2);
  reader.send({ type: 'subscribe', id: 1, scope, from });
  const stream = reader.stream(1);
  await eventually(() => stream.order.includes('live') && stream.frames.length > 10);
  const { started } = (await second.client.status()).engine;
  expect(reader.of('gap')).toEqual([{ type: 'gap', id: 1, from, to: started }]);
  expect(stream.frames[0]!.sequence).toBe(0);
  consecutive(stream.sequences);
  const history = await second.client.query({ scope, from, to: started, series: ['vigie_ingest_messages_total'] });
  expect(history.times.length).toBeGreaterThan(0);
});
