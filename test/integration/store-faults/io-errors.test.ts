/** The system refuses the Nth write or fsync of the database, once or from then on: full disks, disks that fail. */

import { execFile } from 'node:child_process';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { StoreStatus } from '../../../src/shared/api/status.ts';
import { atOnce } from '../../../src/engine/store/sqlite-reader.ts';
import { lacksComponent } from '../../support/components.ts';
import { runFolder } from '../../support/run-cache.ts';
import { makeSmallStore, openInside } from '../../support/small-store.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { T0 } from '../../unit/engine/store/support.ts';
import { either, figure, some } from './form.ts';

const CHILD = fileURLToPath(new URL('./faulted-child.ts', import.meta.url));
/** Calls that one start makes, about; of which so many are tried. */
const CALLS = either(60, 130);
const TRIED = either(3, 130);

const before = join(temporaryFolder(), 'data');
beforeAll(() => makeSmallStore(before));

const counts = { runs: 0, refused: 0, told: 0 };
afterAll(() => {
  const { runs, refused, told } = counts;
  figure(`${runs} runs with failing writes: ${told} told by the status, ${refused} not opened, nothing durable lost`);
});

interface Line {
  readonly refused?: string;
  readonly durable?: number;
  readonly epoch?: number;
  readonly status?: StoreStatus;
}

/** Runs the child with some calls on the database and its log failing. */
async function faulted(data: string, call: string, inject: string): Promise<Line[]> {
  const paths = ['', '-wal', '-journal'].flatMap((suffix) => ['-P', join(data, `vigie.sqlite${suffix}`)]);
  // Only these calls stop it; all others are as fast as ever.
  const traced = ['--seccomp-bpf', '-e', `trace=${call}`, '-e', `inject=${inject}`];
  const words = ['-f', '-o', '/dev/null', ...paths, ...traced, process.execPath, CHILD, data];
  // Its sources are compiled once.
  const env = { ...process.env, NODE_COMPILE_CACHE: runFolder('compiled') };
  const { stdout } = await promisify(execFile)('strace', words, { timeout: 120_000, env });
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

function expectTicks(data: string, epoch: number, upTo: number, what: string): void {
  const { db, store, warnings } = openInside(data);
  try {
    expect([what, warnings, db.pragma('integrity_check', { simple: true })]).toEqual([what, [], 'ok']);
    const from = T0 + epoch * 1_000_000;
    const query = { scope: 'node/n1', series: ['ticks'], from, to: from + upTo, maxPoints: 1000 };
    const columns = atOnce(store.read.query(query));
    const last = Array.from(columns?.last ?? []).filter((value) => !Number.isNaN(value));
    // What was given up while it failed may be missing; what came last before it said so is not.
    if (upTo > 0) expect([what, last.at(-1)]).toEqual([what, upTo]);
  } finally {
    store.close();
  }
}

describe.skipIf(lacksComponent('strace'))('a failing', () => {
  test.each([
    ['pwrite64', 'EIO'],
    ['pwrite64', 'ENOSPC'],
    ['fsync', 'EIO'],
  ])(
    '%s (%s) ends nothing, and nothing durable is lost',
    async (call, error) => {
      for (const on of [false, true]) {
        for (const nth of some(CALLS, TRIED)) {
          const data = join(temporaryFolder(), 'data');
          cpSync(before, data, { recursive: true });
          const inject = `${call}:error=${error}:when=${nth + 1}${on ? '+' : ''}`;
          const lines = await faulted(data, call, inject);
          counts.runs++;
          const refused = lines.find((line) => line.refused !== undefined);
          if (refused) {
            counts.refused++;
            expect(['store_not_writable', 'store_failed']).toContain(refused.refused);
          } else {
            const status = StoreStatus.parse(lines.at(-1)!.status);
            if (on && nth < CALLS / 3) expect([inject, status.error]).toEqual([inject, expect.any(String)]);
            if (status.error !== null || status.dropped > 0) counts.told++;
          }
          const last = lines.findLast((line) => line.durable !== undefined);
          expectTicks(data, last?.epoch ?? 2, last?.durable ?? 0, inject);
          rmSync(data, { recursive: true, force: true });
        }
      }
    },
    3_600_000,
  );
});
