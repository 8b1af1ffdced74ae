/** Exports: values per CPU second, memory, and how late a clock on the engine's thread becomes meanwhile. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXPORT_FORMATS, ExportFormat } from '../../src/shared/api/exports.ts';
import { SqliteStore } from '../../src/engine/store/sqlite.ts';
import { openDatabase } from '../../src/engine/store/mending.ts';
import { atOnce } from '../../src/engine/store/sqlite-reader.ts';
import { encodeFrame } from '../../src/shared/frame.ts';
import type { Run } from '../../src/shared/api/runs.ts';
import type { SeriesDef } from '../../src/shared/model/series.ts';
import { startChild } from '../support/child.ts';
import { startEngine, temporaryFolder, type Engine } from '../support/engine.ts';
import { cpuSeconds, residentBytes } from '../support/proc.ts';
import { random } from '../support/random.ts';
import { megabytes, printTable, verdict } from '../support/report.ts';

const GOAL = { csv: 2e6, parquet: 1e6 } as const;
const MEMORY = 150e6;
const [COUNTERS, GAUGES, RUNS] = [160, 40, 10];
const T0 = 1_790_000_000_000;
const SEAL_EVERY = 512;
/** After the start, and until the last tick has told of itself. */
const SETTLE_MS = 5000;
const RUN_IDS = Array.from({ length: RUNS }, (_, i) => `run${i}`);
const MAIN = join(import.meta.dirname, '../profiles.ts');
const DEADLINE_MS = 1_800_000;

interface Measured {
  readonly format: ExportFormat;
  readonly values: number;
  readonly bytes: number;
  readonly cpu: number;
  readonly seconds: number;
  /** Most that the engine had in memory, all of it, and what it had before. */
  readonly peak: number;
  readonly before: number;
  /** Longest that a timer of the engine's thread waited, ms. */
  readonly late: number;
}

const runOf = (id: string): Run => ({
  ...{ id, scope: `run/${id}`, state: 'finished', jobid: `job-${id}`, command: './solver', size: 64 },
  ...{ nodelist: 'n1', partition: 'p', cluster: 'c', run_dir: '/d', start_time: T0, end_time: T0 + 1e6, nodes: ['n1'] },
  ...{ ranks: 64, clients: 0, series: COUNTERS + GAUGES, headline: null },
});

/** Times of calls and their numbers grow by what is random; gauges are random. */
function fill(data: string, values: number): void {
  const { db, store } = openDatabase(data, {}, [], (opened) => {
    const inside = new SqliteStore(opened);
    inside.interrupted();
    inside.saveEpoch();
    return { db: opened, store: inside };
  });
  db.pragma('synchronous = OFF');
  const { int } = random(1);
  const next = (): number => int(0, 1e9) / 1e9;
  const defs = Array.from({ length: COUNTERS + GAUGES }, (_, i): SeriesDef => {
    const [kind, index] = i < COUNTERS ? (['counter', i] as const) : (['gauge', i - COUNTERS] as const);
    const name = kind === 'counter' ? `mpi___${i % 2 ? 'time' : 'hits'}___mpi_call_${i >> 1}` : `gauge_${index}_bytes`;
    return { kind, index, name, doc: `what ${name} is` };
  });
  const ticks = Math.ceil(values / RUNS / defs.length);
  const runs = RUN_IDS.map((id) => ({
    ...{ scope: `run/${id}`, counters: new Float64Array(COUNTERS), gauges: new Float64Array(4 * GAUGES) },
  }));
  for (let n = 0; n < ticks; n++) {
    const time = T0 + 1000 * n;
    const scopes = runs.map(({ scope, counters, gauges }) => {
      for (let i = 0; i < COUNTERS; i++) {
        if (next() < 0.5) counters[i]! += i % 2 ? Math.round(next() * 1e6) / 1e6 : Math.floor(next() * 1000);
      }
      for (let i = 0; i < GAUGES; i++) {
        const value = Math.floor(next() * 1e6) * 4096;
        gauges.set([value, value, 1, value], 4 * i);
      }
      const columns = { counterCount: COUNTERS, gaugeCount: GAUGES, counters, gauges };
      const frame = encodeFrame({ stream: 0, time, interval: 1000, sequence: n, gap: false }, columns, null);
      return { scope, added: n === 0 ? defs : [], frame };
    });
    store.writeTick(store.prepare({ time, scopes }));
    if (n % SEAL_EVERY === SEAL_EVERY - 1) atOnce(store.sealing.seal(Infinity));
  }
  atOnce(store.sealing.seal(Infinity));
  for (const id of RUN_IDS) {
    const profile = { run: runOf(id), series: [], ranks: [] };
    store.putProfile(profile.run, Buffer.from(JSON.stringify(profile)));
  }
  store.close();
}

/** A new engine with the store, as its users start it, and a reader that takes all there is. */
async function exportOnce(data: string, format: ExportFormat, values: number): Promise<Measured> {
  const engine = await startEngine(['--data', data]);
  try {
    await sleep(SETTLE_MS);
    const before = residentBytes(engine.pid).now;
    // What it needed to open is not what it needs to export.
    writeFileSync(`/proc/${engine.pid}/clear_refs`, '5');
    const [cpu, begin, from] = [cpuSeconds(engine.pid), performance.now(), Date.now()];
    const query = new URLSearchParams([
      ['format', format],
      ['ranks', 'false'],
      ...RUN_IDS.map((id): [string, string] => ['run', id]),
    ]);
    const headers = { authorization: `Bearer ${engine.token}` };
    const answer = await fetch(`${engine.url}/api/v1/export?${query.toString()}`, { headers });
    if (!answer.ok || !answer.body) throw new Error(`${format}: ${answer.status} ${await answer.text()}`);
    let bytes = 0;
    for await (const piece of answer.body) bytes += piece.byteLength;
    const [used, seconds] = [cpuSeconds(engine.pid) - cpu, (performance.now() - begin) / 1000];
    const { peak } = residentBytes(engine.pid);
    await sleep(SETTLE_MS);
    return { format, values, bytes, cpu: used, seconds, peak, before, late: await lateness(engine, from) };
  } finally {
    await engine.stop();
  }
}

/** Longest that a timer of the engine's own thread waited since a time, ms. */
async function lateness(engine: Engine, from: number): Promise<number> {
  const { nodes } = (await engine.get('/api/v1/nodes')) as { nodes: { scope: string }[] };
  const series = 'vigie_event_loop_delay_max_seconds';
  const asked = new URLSearchParams({ scope: nodes[0]!.scope, series, from: String(from), to: String(Date.now()) });
  const answer = (await engine.get(`/api/v1/query?${asked.toString()}`)) as { series: { max: (number | null)[] }[] };
  return 1000 * Math.max(0, ...(answer.series[0]?.max ?? []).map((value) => value ?? 0));
}

/** `values`: of the store that is made for it. */
export async function benchExport(values: number, formats: readonly string[]): Promise<Record<string, unknown>> {
  const folder = temporaryFolder('export');
  const data = join(folder.path, 'data');
  const all: Measured[] = [];
  try {
    mkdirSync(data, { mode: 0o700 });
    console.log(
      `A store with ${values / 1e6} M values of ${RUNS} runs with ${COUNTERS + GAUGES} series each is made …`,
    );
    const child = startChild(process.execPath, [MAIN, 'child', 'fill', data, String(values)]);
    await child.line(DEADLINE_MS);
    await child.finish(DEADLINE_MS);
    for (const format of ExportFormat.options) {
      if (EXPORT_FORMATS[format].of !== 'samples' || !formats.includes(format)) continue;
      all.push(await exportOnce(data, format, values));
    }
  } finally {
    folder.remove();
  }
  const met = ({ format, cpu, peak }: Measured): boolean =>
    peak <= MEMORY && (!(format in GOAL) || values / cpu >= GOAL[format as keyof typeof GOAL]);
  printTable(
    ['format', 'M values/CPU s', 'B/value', 'CPU s', 's', 'peak', 'before', 'clock late', 'goal'],
    all.map((one) => [
      ...[one.format, (one.values / one.cpu / 1e6).toFixed(2), (one.bytes / one.values).toFixed(1)],
      ...[one.cpu.toFixed(1), one.seconds.toFixed(1), megabytes(one.peak), megabytes(one.before)],
      ...[`${one.late.toFixed(0)} ms`, verdict(met(one))],
    ]),
  );
  return { export: all };
}

/** In a process of its own: what writing needs is not what reading is measured by. */
export function fillOnce(data: string, values: number): void {
  fill(data, values);
  console.log('filled');
}
