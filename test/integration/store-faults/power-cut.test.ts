/** The power goes at any moment: replayed from what a writing store told the system to write. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import Database from 'better-sqlite3';
import { expect, test } from 'vitest';
import { processTree } from '../../support/processes.ts';
import { lacksComponent } from '../../support/components.ts';
import { Disk, readRecording, straceWords, type Recording } from '../../support/recorded-writes.ts';
import { openInside } from '../../support/small-store.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { atOnce } from '../../../src/engine/store/sqlite-reader.ts';
import { T0 } from '../../unit/engine/store/support.ts';
import { either, figure } from './form.ts';

const CHILD = fileURLToPath(new URL('../store/writing-child.ts', import.meta.url));
/** Enough that some of it becomes blocks. */
const TICKS = 1500;
/** Cuts per life, half of them right after a call that makes something safe. */
const CUTS = either(60, 1500);
const BASE = (epoch: number): number => T0 + epoch * 1_000_000;

/** Records a store that is written to until it is killed. */
async function record(folder: string, data: string, name: string): Promise<Recording> {
  const [command, ...words] = straceWords(join(folder, name));
  const child = spawn(command!, [...words, process.execPath, CHILD, data], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  for await (const text of createInterface(child.stdout)) {
    if (((JSON.parse(text) as { ticks?: number }).ticks ?? 0) < TICKS) continue;
    for (const { pid } of processTree(child.pid!).slice(1)) process.kill(pid, 'SIGKILL');
    break;
  }
  await closed;
  return readRecording(join(folder, name), data);
}

interface Claim {
  readonly time: number;
  readonly ticks: number;
}

/** Ticks of node/n1 of a start, in order. */
function ticksOf(data: string, epoch: number): { ticks: number[]; integrity: unknown; warnings: readonly string[] } {
  const { db, store, warnings } = openInside(data);
  try {
    const query = {
      scope: 'node/n1',
      series: ['ticks'],
      from: BASE(epoch),
      to: BASE(epoch) + 999_999,
      maxPoints: 20_000,
    };
    const columns = atOnce(store.read.query(query));
    const ticks = Array.from(columns?.last ?? []).filter((value) => !Number.isNaN(value));
    return { ticks, integrity: db.pragma('integrity_check', { simple: true }), warnings };
  } finally {
    store.close();
  }
}

test.skipIf(lacksComponent('strace'))(
  'after any prefix of the writes it opens, whole, with all that was said to be durable',
  async () => {
    const folder = temporaryFolder();
    const data = join(folder, 'data');
    const counts = { cuts: 0, torn: 0, syncs: 0 };
    const disk = new Disk();
    const copy = join(folder, 'copy');
    // The second start finds what the first one left.
    for (const epoch of [1, 2]) {
      const { calls, said } = await record(folder, data, `life-${epoch}`);
      const claims = said.flatMap(({ time, text }): Claim[] =>
        text.split('\n').flatMap((line) => {
          const ticks = line === '' ? undefined : (JSON.parse(line) as { ticks?: number }).ticks;
          return ticks === undefined ? [] : [{ time, ticks }];
        }),
      );
      expect(claims.at(-1)!.ticks).toBeGreaterThanOrEqual(TICKS);
      // Ticks that the queue refused, since recording is slow, were never there.
      cpSync(data, join(folder, `all-${epoch}`), { recursive: true });
      const all = ticksOf(join(folder, `all-${epoch}`), epoch).ticks;
      expect(all.length).toBeGreaterThan(TICKS / 4);
      const syncs = calls.flatMap(({ kind }, i) => (kind === 'sync' ? [i] : []));
      counts.syncs += syncs.length;
      const chosen = new Set<number>([0]);
      for (let n = 0; n < CUTS / 2; n++) {
        chosen.add(syncs[Math.floor(Math.random() * syncs.length)]!);
        chosen.add(Math.floor(Math.random() * calls.length));
      }
      for (const [i, call] of calls.entries()) {
        disk.take(call);
        if (!chosen.has(i)) continue;
        // What it said before the next call was begun.
        const until = calls[i + 1]?.time ?? Infinity;
        const claimed = claims.findLast(({ time }) => time < until)?.ticks ?? 0;
        rmSync(copy, { recursive: true, force: true });
        mkdirSync(copy, { mode: 0o700 });
        for (const [file, bytes] of disk.afterCut(Math.random)) writeFileSync(join(copy, file), bytes);
        const { ticks, integrity, warnings } = ticksOf(copy, epoch);
        const where = `life ${epoch}, call ${i} of ${calls.length} (${call.kind} ${call.file})`;
        expect([where, integrity, warnings]).toEqual([where, 'ok', []]);
        // From the first one on, none missing.
        expect([where, ticks]).toEqual([where, all.slice(0, ticks.length)]);
        expect(ticks.at(-1) ?? 0, where).toBeGreaterThanOrEqual(claimed);
        counts.cuts++;
        if (call.kind !== 'sync') counts.torn++;
      }
    }
    const written = new Database(join(folder, 'all-2', 'vigie.sqlite'), { readonly: true });
    const blocks = written.prepare('SELECT count(*) FROM block').pluck().get() as number;
    written.close();
    expect(blocks).toBeGreaterThan(0);
    const { cuts, torn, syncs } = counts;
    figure(
      `${cuts} power cuts (${torn} between fsyncs, of which there were ${syncs}, ${blocks} blocks): opened whole, nothing durable lost`,
    );
  },
  3_600_000,
);
