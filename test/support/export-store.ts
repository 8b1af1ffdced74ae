/** A store with runs to export: three sizes of one command, ranks, a node, gaps, hostile names; blocks and a tail. */

import { mkdirSync } from 'node:fs';
import type { Profile } from '../../src/shared/api/profiles.ts';
import { describeSeries } from '../../src/shared/model/series.ts';
import { atOnce } from '../../src/engine/store/sqlite-reader.ts';
import { openInside } from './small-store.ts';
import { def, run, T0, Teller, tick } from '../unit/engine/store/support.ts';

/** Seconds of each run, one tick each; ranks every ten seconds. */
export const SECONDS = 300;
export const SIZES = [2, 4, 8, 16, 32] as const;
/** A name with what text formats, spreadsheets and pages stumble over. */
export const HOSTILE = `=cmd|' /C calc'!A0 "<img src=x onerror=alert(1)>",&amp;`;
export const SEND = 'mpi___time___mpi_send';
export const BARRIER = 'mpi___time___mpi_barrier';
export const GAUGE = 'residual{solver="a\\"b,c"}';

export const runStart = (index: number): number => T0 + index * 1_000_000;

/** What a counter of a run has grown to after some seconds. */
export const sent = (size: number, second: number): number => 0.25 * size * second;

/** Makes the directory. Ids of the runs: `r2`, `r4`, … by their sizes; `empty` has no numbers at all. */
export function makeExportStore(data: string): void {
  mkdirSync(data, { mode: 0o700 });
  const { db, store } = openInside(data);
  db.pragma('synchronous = OFF');
  const node = new Teller('node/n1');
  for (const [index, size] of SIZES.entries()) {
    const start = runStart(index);
    const id = `r${size}`;
    const about = {
      ...{ jobid: `job-${size}`, command: `./solve --input <b>&"x"`, size, nodes: ['n1'], nodelist: 'n1' },
      ...{ start_time: start, end_time: start + SECONDS * 1000, ranks: Math.min(size, 4), series: 5 },
    };
    store.putRun(run(id, { ...about, state: 'running', end_time: 0 }));
    const teller = new Teller(`run/${id}`);
    const ranks = Array.from({ length: about.ranks }, (_, rank) => new Teller(`rank/${id}/${rank}`));
    for (let second = 1; second <= SECONDS; second++) {
      // Ten seconds of nothing.
      if (second > 100 && second <= 110) continue;
      const time = start + second * 1000;
      const values = {
        [SEND]: sent(size, second),
        [BARRIER]: second / 8,
        [HOSTILE]: second,
        [GAUGE]: [second - 1, second + 1, 2, 2 * second] as const,
        unset: [Infinity, -Infinity, 0, 0] as const,
      };
      const own = second % 10 === 0 ? ranks.map((one, rank) => one.at(time, { [SEND]: sent(1, second) + rank })) : [];
      const scopes = [node.at(time, { busy: second * (index + 1) }), teller.at(time, values, second === 111), ...own];
      store.writeTick(store.prepare(tick(time, ...scopes)));
      if (second === 120 || second === 240) atOnce(store.sealing.seal(Infinity));
    }
    const ended = run(id, about);
    store.putProfile(ended, Buffer.from(JSON.stringify(profileOf(ended, size))));
  }
  const empty = run('empty', {
    jobid: 'empty',
    command: './solve',
    size: 0,
    nodes: [],
    start_time: T0,
    end_time: T0 + 1,
  });
  store.putProfile(empty, Buffer.from(JSON.stringify({ run: empty, series: [], ranks: [] })));
  store.close();
}

function profileOf(ended: Profile['run'], size: number): Profile {
  const values = { [SEND]: sent(size, SECONDS), [BARRIER]: SECONDS / 8, [HOSTILE]: SECONDS };
  const series = Object.entries(values).map(([name, value], i) => ({
    ...describeSeries(def('counter', i, name)),
    ...{ value, gauge: null, changed: ended.end_time },
  }));
  const ranks = Array.from({ length: ended.ranks }, (_, rank) => ({
    ...{ rank, node: 'n1' },
    values: [sent(1, SECONDS) + rank, (SECONDS / 8) * (rank === 1 ? 0.1 : 1), rank === 0 ? SECONDS : null],
  }));
  return { run: ended, series, ranks };
}
