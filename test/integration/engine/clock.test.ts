/** The wall clock is set while the engine runs, or the engine stands still for a time. */

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { listenToClock } from '../../../bench/support/crowd.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { startHere, type Here } from '../http/here.ts';
import { readLive } from '../http/reader.ts';
import { serve, within } from './child.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** A clock that people set. */
function settable() {
  const set = { by: 0 };
  return { set, clock: { now: () => Date.now() + set.by, monotonic: () => performance.now() } };
}

async function liveRun(here: Here) {
  const pusher = await here.pusher();
  pusher.job({ jobid: 'j' });
  pusher.describeCounter('c_total');
  const run = await eventually(async () => {
    const [first] = (await here.client.runs({ state: 'live' })).runs;
    return first?.series === 1 && first;
  });
  return { pusher, run };
}

describe.each([
  ['on disk', true],
  ['in memory', false],
])('a clock that is set, history %s', (_where, onDisk) => {
  test('back and forth: no tick is left out, sums are exact, each jump is a gap, the store goes on', async () => {
    const folder = temporaryFolder();
    const { set, clock } = settable();
    const here = await startHere({ node: false, ...(onDisk ? { data: join(folder, 'data') } : {}) }, folder, clock);
    const { pusher, run } = await liveRun(here);
    const reader = await readLive(here);
    reader.send({ type: 'subscribe', id: 1, scope: run.scope });
    const stream = reader.stream(1);
    await eventually(() => stream.frames.length > 3);
    let sum = 0;
    for (const by of [-HOUR, 0, DAY, 0, -30 * DAY, -HOUR, 10_000, 0]) {
      const before = stream.frames.length;
      set.by = by;
      pusher.increase('c_total', ++sum);
      const total = (sum * (sum + 1)) / 2;
      await eventually(() => stream.value('c_total') === total && stream.frames.length > before + 3);
      const frames = stream.frames.slice(before);
      expect(frames.filter(({ gap }) => gap).length, `${by}`).toBeGreaterThanOrEqual(1);
      // It is believed.
      expect(Math.abs(frames.at(-1)!.time - clock.now())).toBeLessThan(5000);
      const { store, time } = await here.client.status();
      expect(store).toMatchObject({ error: null, dropped: 0 });
      expect(Math.abs(time - clock.now())).toBeLessThan(5000);
      expect((await here.client.raw('/metrics')).body).toContain(`\nc_total ${total}\n`);
    }
    const { sequences } = stream;
    expect(sequences).toEqual(sequences.map((_, i) => sequences[0]! + i));
    await pusher.close();
    const [ended] = await eventually(async () => {
      const { runs } = await here.client.runs({ state: 'ended' });
      return runs.length === 1 && runs;
    });
    expect((await here.client.profile(ended!.id)).series).toMatchObject([
      { name: 'c_total', value: (sum * (sum + 1)) / 2 },
    ]);
    const { series, times } = await here.client.query({ scope: run.scope, from: 0, to: Date.now() + 2 * DAY });
    expect(times.length).toBeGreaterThan(1);
    expect(Math.max(...series[0]!.last.filter((value) => value !== null))).toBe((sum * (sum + 1)) / 2);
    for (const rate of series[0]!.max) expect(rate ?? 0).toBeGreaterThanOrEqual(0);
  });

  test('back while a run is open: the run does not end before it began', async () => {
    const folder = temporaryFolder();
    const { set, clock } = settable();
    const here = await startHere({ node: false, ...(onDisk ? { data: join(folder, 'data') } : {}) }, folder, clock);
    const { pusher, run } = await liveRun(here);
    set.by = -DAY;
    await pusher.close();
    const [ended] = await eventually(async () => {
      const { runs } = await here.client.runs({ state: 'ended' });
      return runs.length === 1 && runs;
    });
    expect(ended!.start_time).toBe(run.start_time);
    expect(ended!.end_time).toBeGreaterThanOrEqual(run.start_time);
  });
});

describe('an engine that is stopped (SIGSTOP) for some seconds', () => {
  // A minute is no different: nothing within counts the time but timers, and those that fire while it stands still
  // (grace, first message, request time) are all set to less than the stop here.
  const STOP = 4000;

  test('goes on where it was: clients stay, what they sent counts, runs do not end, a tick is late and none is invented', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'vigie.yaml');
    writeFileSync(file, 'limits:\n  first_message: 1s\n  keep_alive: 1s\n');
    const served = await serve([...within(folder), '--memory', '--no-node', `--config=${file}`]);
    const target = { url: served.ready.url!, token: served.token, legacySocket: served.ready.legacy_socket! };
    const clock = await listenToClock(target, (await served.client.nodes()).nodes[0]!.scope);
    onTestFinished(() => clock.close());
    const pushers = await Promise.all(Array.from({ length: 50 }, () => served.pusher()));
    for (const pusher of pushers) {
      pusher.job({ jobid: 'j' });
      pusher.describeCounter('c');
      pusher.increase('c', 1);
    }
    await eventually(async () => (await served.client.status()).ingest.messages === 150);
    // It has not said anything yet; it will while the engine stands still.
    const late = createConnection(target.legacySocket);
    onTestFinished(() => void late.destroy());
    await once(late, 'connect');
    await eventually(async () => (await served.client.status()).limits.connections.used === 51);
    served.child.kill('SIGSTOP');
    onTestFinished(() => void served.child.kill('SIGCONT'));
    late.write('{"Desc":{"name":"late","doc":"","ctype":{"Counter":{"ts":0,"value":0.0}}}}\0');
    for (const pusher of pushers) pusher.increase('c', 1);
    // Comes and goes meanwhile.
    const brief = await served.pusher();
    brief.job({ jobid: 'j' });
    brief.describeCounter('c');
    brief.increase('c', 1000);
    const closed = brief.close();
    await sleep(STOP);
    const ticks = clock.lateness.length;
    served.child.kill('SIGCONT');
    await closed;
    await eventually(async () => {
      const { body } = await served.client.raw('/metrics?job=j');
      return body.includes('\nc 1100\n');
    });
    await eventually(() => clock.lateness.length > ticks + 5);
    expect(Math.max(...clock.lateness)).toBeGreaterThan(STOP - 500);
    const { runs, ingest, refused } = await served.client.status();
    expect(runs).toEqual({ live: 1, ended: 0 });
    expect(ingest).toMatchObject({ connections: 51, rejected: {} });
    expect(refused).toEqual({});
    expect(late.destroyed).toBe(false);
    expect((await served.client.raw('/metrics')).body).toContain('\nlate 0\n');
  });
});
