import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { startHere, type Here } from '../http/here.ts';
import { add, counter, ended, job, push } from './wire.ts';

type Points = readonly [seconds: number, value: number][];

const plot = async ({ client }: Here, jobid: string): Promise<Points> => {
  const { status, body } = await client.raw(`/trace/plot?jobid=${jobid}&filter=c`);
  expect(status).toBe(200);
  return JSON.parse(body) as Points;
};
const total = async (here: Here, jobid: string): Promise<number | undefined> => (await plot(here, jobid)).at(-1)?.[1];

/** A run that counts to `value`. Ends when its trace has that. */
async function count(here: Here, jobid: string, value: number): Promise<void> {
  const runs = async (): Promise<number> => (await here.client.runs({ state: 'ended' })).runs.length;
  const before = await runs();
  const client = await push(here, job(jobid), counter('c'), add('c', value));
  await eventually(
    async () => (await here.client.status()).ingest.messages >= 3 && (await total(here, jobid)) === value,
  );
  client.end();
  await eventually(async () => (await runs()) === before + 1);
}

describe('the time of a sample is an average of all times since 1970', () => {
  test('samples are at the times at which they were taken, each later than the one before', async () => {
    const here = await startHere({ node: false });
    const before = Date.now() / 1000;
    const client = await push(here, job('j'), counter('c'), add('c', 1));
    for (let n = 2; n <= 5; n++) {
      await eventually(async () => (await total(here, 'j')) === n - 1);
      client.write(add('c', 1));
    }
    client.end();
    await ended(here, 'j');
    const { body } = await here.client.raw('/trace/read?job=j&filter=c');
    const read = JSON.parse(body) as { time_serie: [number, { Counter: { ts: number; value: number } }][] };
    const times = read.time_serie.map(([time]) => time);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(new Set(times).size).toBe(times.length);
    expect(times[0]).toBeGreaterThanOrEqual(before - 1);
    expect(times.at(-1)).toBeLessThanOrEqual(Date.now() / 1000 + 1);
    for (const [time, { Counter }] of read.time_serie) {
      // Microseconds, of the last change: not later than the sample.
      if (Counter.ts === 0) continue;
      expect(Counter.ts / 1e6).toBeLessThanOrEqual(time + 1);
      expect(Counter.ts / 1e6).toBeGreaterThanOrEqual(before - 1);
    }
    expect(read.time_serie.at(-1)![1].Counter.value).toBe(5);
  });
});

describe('a job id that comes back', () => {
  test('is recorded again: the trace is the latest run’s', async () => {
    const here = await startHere({ node: false });
    for (const value of [3, 5, 7]) {
      await count(here, 'again', value);
      expect(await total(here, 'again')).toBe(value);
    }
    // The histories of the others are there, too.
    const { runs } = await here.client.runs({ state: 'ended' });
    const last = await Promise.all(
      runs.map(async ({ scope }) =>
        (await here.client.query({ scope, from: 0, to: Date.now() + 1000 })).series[0]!.last.at(-1),
      ),
    );
    expect(last).toEqual([7, 5, 3]);
  });

  test('after a restart destroys nothing', async () => {
    const folder = temporaryFolder();
    const settings = { node: false, data: join(folder, 'data') };
    const first = await startHere(settings, folder);
    await count(first, 'again', 3);
    const trace = await plot(first, 'again');
    await first.engine.close();
    const second = await startHere(settings, folder);
    expect(await plot(second, 'again')).toEqual(trace);
    await count(second, 'again', 4);
    await count(second, 'again', 5);
    expect(await total(second, 'again')).toBe(5);
    const { runs } = await second.client.runs({ state: 'ended' });
    expect(runs.length).toBe(3);
    const [oldest] = runs.slice(-1);
    const { series } = await second.client.query({ scope: oldest!.scope, from: 0, to: Date.now() + 1000 });
    expect(series[0]!.last.at(-1)).toBe(3);
    await second.engine.close();
  });
});

describe('the trace of the node is deleted at each start', () => {
  test('it goes on', async () => {
    const folder = temporaryFolder();
    const settings = { data: join(folder, 'data') };
    const first = await startHere(settings, folder);
    await eventually(async () => (await first.client.status()).sampler.ticks > 5);
    await first.engine.close();
    const stopped = Date.now();
    const second = await startHere(settings, folder);
    const { scope } = (await second.client.nodes()).nodes[0]!;
    const { times } = await second.client.query({
      scope,
      from: 0,
      to: Date.now() + 1000,
      series: ['vigie_ticks_late_total'],
    });
    expect(times.filter((time) => time <= stopped).length).toBeGreaterThan(3);
    await second.engine.close();
  });
});
