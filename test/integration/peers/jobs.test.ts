import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { serve, within } from '../engine/child.ts';
import { startHere } from '../http/here.ts';
import { add, counter, ended, job, profileOf, push } from './wire.ts';

describe('a job id is a file name', () => {
  test.each(['../../x', '../../../../../../tmp/vigie-peers-x', '/tmp/vigie-peers-abs', 'no/such/dir/y', '..', '.'])(
    '%s: a job like any other; no file is made anywhere',
    async (jobid) => {
      const around = temporaryFolder();
      const data = join(around, 'a', 'b', 'data');
      const here = await startHere(
        { node: false, data, socket: join(around, 's'), legacy_socket: join(around, 'l') },
        join(around, 'a', 'b'),
      );
      const files = (): string[] =>
        readdirSync(around, { recursive: true, encoding: 'utf8' })
          .filter((file) => !/-(wal|shm|journal)$/.test(file))
          .toSorted();
      const before = files();
      (await push(here, job(jobid), counter('c'), add('c', 2))).end();
      expect(await profileOf(here, jobid)).toEqual({ c: 2 });
      const { body, status } = await here.client.raw(`/profiles/get?jobid=${encodeURIComponent(jobid)}`);
      expect([status, JSON.parse(body)]).toMatchObject([200, { desc: { jobid } }]);
      expect(files()).toEqual(before);
      for (const outside of ['/tmp/vigie-peers-x', '/tmp/vigie-peers-abs'])
        for (const suffix of ['', '.trace', '.profile']) expect(existsSync(outside + suffix)).toBe(false);
    },
  );
});

describe('the job id main feeds the built-in sum', () => {
  test.each(['main', 'Node: n1'])('%s is refused; what it counts is the node’s', async (jobid) => {
    const here = await startHere({ node: false });
    await push(here, job(jobid), counter('c'), add('c', 5));
    await eventually(async () => (await here.client.raw('/metrics')).body.includes('\nc 5\n'));
    const { runs, ingest } = await here.client.status();
    expect(runs).toEqual({ live: 0, ended: 0 });
    expect(ingest.rejected).toEqual({ jobid_reserved: 1 });
  });
});

describe('a second job on one connection leaks the first', () => {
  test('the first one ends, with what was counted until then', async () => {
    const here = await startHere({ node: false });
    const client = await push(here, job('first'), counter('c'), add('c', 1), job('second'), add('c', 10));
    expect(await profileOf(here, 'first')).toEqual({ c: 1 });
    expect((await here.client.runs({ state: 'live' })).runs.map((run) => run.jobid)).toEqual(['second']);
    client.end();
    expect(await profileOf(here, 'second')).toEqual({ c: 10 });
  });
});

describe('a second run of a job id records nothing and overwrites the first', () => {
  test('both are kept apart, each with its values', async () => {
    const here = await startHere({ node: false });
    for (const value of [1, 2, 3]) {
      (await push(here, job('again'), counter('c'), add('c', value))).end();
      await eventually(async () => (await here.client.runs({ state: 'ended', search: 'again' })).runs.length === value);
    }
    const { runs } = await here.client.runs({ state: 'ended' });
    const values = await Promise.all(runs.map(async ({ id }) => (await here.client.profile(id)).series[0]!.value));
    // Newest first.
    expect(values).toEqual([3, 2, 1]);
    const latest = JSON.parse((await here.client.raw('/profiles/get?jobid=again')).body) as { counters: object[] };
    expect(latest.counters).toContainEqual({
      name: 'c',
      doc: '',
      ctype: { Counter: { ts: expect.any(Number) as number, value: 3 } },
    });
  });
});

describe('job times are milliseconds here and seconds there', () => {
  test('both are understood', async () => {
    const here = await startHere({ node: false });
    (await push(here, job('s', { start_time: 1_700_000_000 }))).end();
    (await push(here, job('ms', { start_time: 1_700_000_000_000 }))).end();
    for (const jobid of ['s', 'ms']) expect((await ended(here, jobid)).start_time).toBe(1_700_000_000_000);
  });
});

describe('a client that is killed', () => {
  test('within a message: its job ends, the message is dropped', async () => {
    const here = await startHere({ node: false });
    const client = await push(here, job('j'), counter('c'), add('c', 1), add('c', 7).slice(0, -3));
    await eventually(async () => (await here.client.status()).ingest.messages === 3);
    client.destroy();
    expect(await profileOf(here, 'j')).toEqual({ c: 1 });
  });
});

describe('SIGTERM with an open job saves nothing', () => {
  test('its profile is there after the next start, as interrupted', async () => {
    const folder = temporaryFolder();
    const args = [...within(folder), `--data=${join(folder, 'data')}`, '--no-node'];
    const first = await serve(args);
    const pusher = await first.pusher();
    pusher.job({ jobid: 'open' });
    pusher.describeCounter('c');
    pusher.increase('c', 42);
    await eventually(async () => (await first.client.status()).ingest.messages === 3);
    expect(await first.stop('SIGTERM')).toEqual({ code: 0, signal: null });
    const second = await serve(args);
    const { runs } = await second.client.runs({ state: 'ended' });
    expect(runs).toMatchObject([{ jobid: 'open', state: 'interrupted' }]);
    expect((await second.client.profile(runs[0]!.id)).series).toMatchObject([{ name: 'c', value: 42 }]);
    await second.stop('SIGTERM');
  });
});

describe('jobs that end together take each other’s time', () => {
  test('300 jobs of one command that end at once are all closed, each with its profile', async () => {
    const here = await startHere({ node: false });
    const clients = await Promise.all(
      Array.from({ length: 300 }, (_, i) => push(here, job(`j${i}`), counter('c'), add('c', i))),
    );
    await eventually(async () => (await here.client.status()).runs.live === 300);
    for (const client of clients) client.end();
    await eventually(async () => (await here.client.status()).runs.ended === 300);
    const { runs } = await here.client.runs({ state: 'ended' });
    expect(runs.length).toBe(300);
    const values = await Promise.all(runs.map(async ({ id }) => (await here.client.profile(id)).series[0]!.value));
    expect(values.toSorted((a, b) => a! - b!)).toEqual(Array.from({ length: 300 }, (_, i) => i));
    const { limits, ingest } = await here.client.status();
    expect(limits).toMatchObject({ series: { used: expect.any(Number) as number }, rank_values: { used: 0 } });
    expect(ingest.connections).toBe(0);
  });
});
