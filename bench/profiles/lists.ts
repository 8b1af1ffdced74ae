/** Lists of 100,000 profiles and comparing 500 runs, over HTTP, of an engine in this process. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { resolveConfig } from '../../src/engine/config.ts';
import { startEngine } from '../../src/engine/engine.ts';
import { openDatabase } from '../../src/engine/store/mending.ts';
import { aboutOf } from '../../src/engine/store/profiles/card.ts';
import { SqliteStore } from '../../src/engine/store/sqlite.ts';
import type { Profile } from '../../src/shared/api/profiles.ts';
import type { Run } from '../../src/shared/api/runs.ts';
import { describeSeries } from '../../src/shared/model/series.ts';
import { temporaryFolder } from '../support/engine.ts';
import { random } from '../support/random.ts';
import { median, printTable, verdict } from '../support/report.ts';

const GOAL = { list: 50, compare: 1000 } as const;
const [COMPARED, METRICS, RANKS] = [500, 200, 64];
const T0 = 1_790_000_000_000;
const ROUNDS = 15;

const { int } = random(1);
const APPS = ['lulesh2.0 -s', 'solver --grid', 'ior -t 1m -b', 'gmx mdrun -deffnm run', 'python3 train.py --epochs'];

function runOf(i: number): Run {
  const nodes = Array.from({ length: 1 + (i % 4) }, (_, n) => `node${String((i + n) % 512).padStart(4, '0')}`);
  const start = T0 + i * 60_000;
  return {
    ...{
      id: `run${i}`,
      scope: `run/run${i}`,
      state: i % 50 === 0 ? 'interrupted' : 'finished',
      jobid: `${400_000 + i}`,
    },
    ...{
      command: `srun /work/p${i % 40}/bin/${APPS[i % 5]!} ${i % 20}`,
      size: 2 ** (i % 10),
      nodelist: nodes.join(','),
    },
    ...{ partition: 'batch', cluster: `c${i % 3}`, run_dir: `/scratch/job-${i}`, start_time: start },
    ...{
      end_time: start + 60_000 + int(0, 3_600_000),
      nodes,
      ranks: 2 ** (i % 10),
      clients: 0,
      series: 1,
      headline: null,
    },
  };
}

function wide(i: number): Profile {
  const run = { ...runOf(i), ranks: RANKS, size: RANKS, series: METRICS };
  const series = Array.from({ length: METRICS }, (_, index) => {
    const name = `mpi___${index % 2 ? 'time' : 'hits'}___mpi_call_${index >> 1}`;
    const described = describeSeries({ kind: 'counter', index, name, doc: `what ${name} is` });
    return { ...described, value: int(1, 1e9) / 1e3, gauge: null, changed: run.end_time };
  });
  const ranks = Array.from({ length: RANKS }, (_, rank) => ({
    ...{ rank, node: run.nodes[rank % run.nodes.length]! },
    values: series.map(() => int(1, 1e9) / 1e3),
  }));
  return {
    run,
    series,
    ranks,
    exits: { outcome: 'ok', codes: [{ code: '0', count: RANKS }], ranks: [] },
    user: `u${i % 30}`,
  };
}

function fill(data: string, profiles: number): void {
  mkdirSync(data, { mode: 0o700 });
  const { db, store } = openDatabase(data, {}, [], (opened) => {
    const inside = new SqliteStore(opened);
    inside.saveEpoch();
    return { db: opened, store: inside };
  });
  db.pragma('synchronous = OFF');
  db.pragma('cache_size = -262144');
  for (let i = 0; i < profiles;) {
    db.exec('BEGIN');
    for (const end = Math.min(profiles, i + 5000); i < end; i++) {
      const profile: Profile =
        i >= profiles - COMPARED ? wide(i) : { run: runOf(i), series: [], ranks: [], user: `u${i % 30}` };
      store.putProfile(profile.run, Buffer.from(JSON.stringify(profile)), aboutOf(profile));
    }
    db.exec('COMMIT');
  }
  store.close();
}

/** Milliseconds: the first time, the median of the others, the slowest, and the CPU time of all threads, also of who asks. */
async function timed(ask: () => Promise<unknown>): Promise<[number, number, number, number]> {
  const all: number[] = [];
  const cpu: number[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    const [since, before] = [performance.now(), process.cpuUsage()];
    await ask();
    all.push(performance.now() - since);
    const { user, system } = process.cpuUsage(before);
    cpu.push((user + system) / 1000);
  }
  const rest = all.slice(1);
  return [all[0]!, median(rest), Math.max(...rest), median(cpu.slice(1))];
}

export async function benchLists(profiles: number): Promise<Record<string, unknown>> {
  const folder = temporaryFolder('profiles');
  const data = join(folder.path, 'data');
  fill(data, profiles);
  const config = await resolveConfig(
    {
      listen: '127.0.0.1:0',
      data,
      socket: join(folder.path, 'engine.socket'),
      legacy_socket: join(folder.path, 'legacy.socket'),
    },
    {},
    null,
  );
  const engine = await startEngine(config, { log: pino({ level: 'silent' }) });
  const headers = { authorization: `Bearer ${engine.token}`, 'content-type': 'application/json' };
  const url = `${engine.ready.url!}/api/v1/profiles`;
  const ask = async (path: string, body?: unknown): Promise<unknown> => {
    const sent = body === undefined ? { headers } : { headers, method: 'POST', body: JSON.stringify(body) };
    const answer = await fetch(`${url}${path}`, sent);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  try {
    const list = (query: string) => () => ask(`?limit=100${query}`);
    const lists: [string, () => Promise<unknown>][] = [
      ['newest', list('')],
      ['longest', list('&sort=duration')],
      ['by command', list('&sort=command')],
      ['largest', list('&sort=size')],
    ];
    const searches: [string, () => Promise<unknown>][] = [
      ['of a user and node', list('&search=user:u7%20node:node0131')],
      ['a word that is nowhere', list('&search=nowhere')],
      ['a week', list('&search=time:2026-11-01..2026-11-07')],
      ['groups', () => ask('/groups')],
      ['groups of a search', () => ask('/groups?search=lulesh%20size:%3E64')],
    ];
    const runs = Array.from({ length: COMPARED }, (_, i) => `run${profiles - 1 - i}`);
    const compare = (): Promise<unknown> => ask('/compare', { runs });
    const rows: string[][] = [];
    const result: Record<string, number> = {};
    let met = true;
    for (const [name, work, goal] of [
      ...lists.map((one) => [...one, GOAL.list] as const),
      ...searches.map((one) => [...one, null] as const),
      [`compare ${COMPARED} × ${METRICS}`, compare, GOAL.compare] as const,
    ]) {
      const [first, middle, most, cpu] = await timed(work);
      const shown = [first, middle, most, cpu].map((ms) => `${ms.toFixed(1)} ms`);
      rows.push([name, ...shown, goal === null ? '' : `${goal} ms ${verdict(middle <= goal)}`]);
      if (goal !== null) met &&= middle <= goal;
      result[`profiles_${name.replaceAll(/\W+/g, '_')}_ms`] = middle;
    }
    printTable([`of ${profiles} profiles`, 'first', 'median', 'slowest', 'CPU', 'goal'], rows);
    return { ...result, profiles_met: met };
  } finally {
    await engine.close();
    folder.remove();
  }
}
