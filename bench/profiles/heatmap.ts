/** A heatmap of 512 ranks over an hour, and the analysis of that run, over HTTP, of an engine in this process. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { resolveConfig } from '../../src/engine/config.ts';
import { startEngine } from '../../src/engine/engine.ts';
import { openDatabase } from '../../src/engine/store/mending.ts';
import { aboutOf } from '../../src/engine/store/profiles/card.ts';
import { SqliteStore } from '../../src/engine/store/sqlite.ts';
import { atOnce } from '../../src/engine/store/sqlite-reader.ts';
import type { Profile } from '../../src/shared/api/profiles.ts';
import type { Run } from '../../src/shared/api/runs.ts';
import { encodeFrame } from '../../src/shared/frame.ts';
import { describeSeries } from '../../src/shared/model/series.ts';
import type { SeriesDef } from '../../src/shared/model/series.ts';
import { temporaryFolder } from '../support/engine.ts';
import { random } from '../support/random.ts';
import { median, printTable, verdict } from '../support/report.ts';

const GOAL = 100;
const [RANKS, SECONDS, SERIES] = [512, 3600, 40];
/** As src/engine/rank-history.ts does. */
const EVERY = 10;
const T0 = 1_790_000_000_000;
const ROUNDS = 15;

const defs = Array.from({ length: SERIES }, (_, index): SeriesDef => {
  const name = `mpi___${index % 2 ? 'time' : 'hits'}___mpi_call_${index >> 1}`;
  return { kind: 'counter', index, name, doc: `what ${name} is` };
});

const run: Run = {
  ...{ id: 'wide', scope: 'run/wide', state: 'finished', jobid: '1', command: './solver', size: RANKS },
  ...{ nodelist: 'n1', partition: 'p', cluster: 'c', run_dir: '/d', start_time: T0, end_time: T0 + SECONDS * 1000 },
  ...{ nodes: ['n1'], ranks: RANKS, clients: 0, series: SERIES, headline: null },
};

function fill(data: string): void {
  mkdirSync(data, { mode: 0o700 });
  const { db, store } = openDatabase(data, {}, [], (opened) => {
    const inside = new SqliteStore(opened);
    inside.interrupted();
    inside.saveEpoch();
    return { db: opened, store: inside };
  });
  db.pragma('synchronous = OFF');
  const { int } = random(1);
  const ranks = Array.from({ length: RANKS }, () => new Float64Array(SERIES));
  const total = new Float64Array(SERIES);
  for (let n = 0; n < SECONDS / EVERY; n++) {
    const time = T0 + 1000 * EVERY * (n + 1);
    const frameOf = (counters: Float64Array): Uint8Array =>
      encodeFrame(
        { stream: 0, time, interval: EVERY * 1000, sequence: n, gap: false },
        { counterCount: SERIES, gaugeCount: 0, counters, gauges: new Float64Array(0) },
        null,
      );
    const added = n === 0 ? defs : [];
    const scopes = ranks.map((counters, rank) => {
      for (let i = 0; i < SERIES; i++) {
        // Half of the calls of a program are made in each ten seconds.
        if (int(0, 1) === 0) continue;
        const by = i % 2 ? int(0, 1e6) / 1e6 : int(0, 1000);
        counters[i]! += by;
        total[i]! += by;
      }
      return { scope: `rank/${run.id}/${rank}`, added, frame: frameOf(counters) };
    });
    store.writeTick(store.prepare({ time, scopes: [{ scope: run.scope, added, frame: frameOf(total) }, ...scopes] }));
  }
  // As when a run ends: each scope has one block.
  atOnce(store.sealing.seal(Infinity));
  const profile: Profile = {
    run,
    series: defs.map((def) => ({
      ...describeSeries(def),
      ...{ value: total[def.index]!, gauge: null, changed: run.end_time },
    })),
    ranks: ranks.map((counters, rank) => ({ rank, node: `n${rank >> 5}`, values: Array.from(counters) })),
  };
  store.putProfile(run, Buffer.from(JSON.stringify(profile)), aboutOf(profile));
  for (let i = 0; i < 40; i++) {
    const other = { ...profile, run: { ...run, id: `other${i}`, scope: `run/other${i}`, start_time: T0 - i * 4e6 } };
    store.putProfile(other.run, Buffer.from(JSON.stringify(other)), aboutOf(other));
  }
  store.close();
}

export async function benchHeatmap(): Promise<Record<string, unknown>> {
  const folder = temporaryFolder('heatmap');
  const data = join(folder.path, 'data');
  fill(data);
  const config = await resolveConfig(
    {
      ...{ listen: '127.0.0.1:0', data, socket: join(folder.path, 'engine.socket') },
      legacy_socket: join(folder.path, 'legacy.socket'),
    },
    {},
    null,
  );
  const engine = await startEngine(config, { log: pino({ level: 'silent' }) });
  /** Reading the answer is no part of it: a page does that elsewhere. */
  const ask = async (path: string): Promise<string> => {
    const answer = await fetch(`${engine.ready.url!}/api/v1/profiles/${run.id}/${path}`, {
      headers: { authorization: `Bearer ${engine.token}` },
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.text();
  };
  try {
    const rows: string[][] = [];
    const result: Record<string, unknown> = {};
    for (const [name, path, goal] of [
      ['heatmap', `heatmap?series=${defs[1]!.name}`, GOAL],
      ['analysis', 'analysis', null],
    ] as const) {
      const [wall, cpu]: [number[], number[]] = [[], []];
      for (let i = 0; i < ROUNDS; i++) {
        const [since, before] = [performance.now(), process.cpuUsage()];
        const text = await ask(path);
        wall.push(performance.now() - since);
        const { user, system } = process.cpuUsage(before);
        cpu.push((user + system) / 1000);
        const { ranks } = JSON.parse(text) as { ranks?: unknown[] };
        if (ranks && ranks.length !== RANKS) throw new Error(`${ranks.length} ranks`);
      }
      const middle = median(wall.slice(1));
      const shown = [wall[0]!, middle, Math.max(...wall.slice(1)), median(cpu.slice(1))];
      rows.push([
        name,
        ...shown.map((ms) => `${ms.toFixed(1)} ms`),
        goal === null ? '' : `${goal} ms ${verdict(middle <= goal)}`,
      ]);
      result[`profiles_${name}_ms`] = middle;
      if (goal !== null) result[`profiles_${name}_met`] = middle <= goal;
    }
    printTable([`${RANKS} ranks × ${SECONDS} s`, 'first', 'median', 'slowest', 'CPU', 'goal'], rows);
    return result;
  } finally {
    await engine.close();
    folder.remove();
  }
}
