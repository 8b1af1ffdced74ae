/** Thousands of clients and readers at once, bad ones among them: nobody starves, nothing is lost, the clock goes on. */

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import {
  comeAndGo,
  deaf,
  drips,
  listenToClock,
  programs,
  readers,
  type Crowd,
  type CrowdTarget,
} from '../../../bench/support/crowd.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { serve, within, type Served } from './child.ts';

async function start(): Promise<{ served: Served; target: CrowdTarget; scope: string }> {
  const folder = temporaryFolder();
  // The later flag holds.
  const served = await serve([...within(folder), '--memory', '--period=1s']);
  const { scope } = (await served.client.nodes()).nodes[0]!;
  return {
    served,
    target: { url: served.ready.url!, token: served.token, legacySocket: served.ready.legacy_socket! },
    scope,
  };
}

const closing = <T extends Crowd>(crowd: T): T => {
  onTestFinished(() => crowd.close());
  return crowd;
};

/** The counter of the only run of this job, when that has ended. */
async function countOf({ client }: Served, jobid: string): Promise<{ ranks: number; value: number | null }> {
  const run = await eventually(
    async () => (await client.runs({ state: 'ended' })).runs.find((one) => one.jobid === jobid),
    { timeout: 50_000 },
  );
  return { ranks: run.ranks, value: (await client.profile(run.id)).series[0]!.value };
}

test('4,000 programs at once, 300 readers kept alive, some that never read and some that send a byte a second', async () => {
  const { served, target, scope } = await start();
  const clock = closing(await listenToClock(target, scope));
  closing(deaf(target, 30));
  closing(drips(target, 60));
  const asking = closing(readers(target, 300, 1000));
  const crowd = closing(await programs(target, 4000, 'many'));
  for (let i = 0; i < 5; i++) {
    crowd.add();
    await sleep(1000);
  }
  expect((await served.client.status()).ingest.connections).toBeGreaterThanOrEqual(4000);
  await eventually(() => asking.answers.every((answers) => answers >= 3));
  crowd.close();
  expect(await countOf(served, 'many')).toEqual({ ranks: 4000, value: 20_000 });
  expect(asking.failures).toEqual([]);
  expect(clock.lost).toBe(0);
  expect(clock.lateness.length).toBeGreaterThanOrEqual(5);
  expect(Math.max(...clock.lateness)).toBeLessThan(1000);
  expect((await served.client.status()).ingest.rejected).toEqual({});
}, 120_000);

test('1,000 programs a second that come, count and go: each one counts, the clock goes on', async () => {
  const { served, target, scope } = await start();
  const clock = closing(await listenToClock(target, scope));
  const asking = closing(readers(target, 20, 500));
  // The run must not end between two of them.
  const first = closing(await programs(target, 1, 'brief'));
  const count = await comeAndGo(target, 1000, 5, 'brief');
  expect(count).toBe(5000);
  await eventually(() => asking.answers.every((answers) => answers >= 3));
  first.close();
  expect(await countOf(served, 'brief')).toEqual({ ranks: 5001, value: 5000 });
  expect(asking.failures).toEqual([]);
  expect(clock.lost).toBe(0);
  expect(Math.max(...clock.lateness)).toBeLessThan(1000);
  await eventually(async () => (await served.client.status()).ingest.connections === 0);
}, 120_000);
