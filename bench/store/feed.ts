/** Feeds a source to a store in a process of its own, at the source's times, and seals what is open. */

import { writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { openWorkerStore } from '../../src/engine/store/client.ts';
import type { Store } from '../../src/engine/store/store.ts';
import type { Run } from '../../src/shared/api/runs.ts';
import { GAUGE_WIDTH } from '../../src/shared/model/values.ts';
import { cpuSeconds, residentBytes } from '../support/proc.ts';
import { sourceOf, type Fed, type FeedSpec } from './spec.ts';
import { tickOf, type Source, type Told } from './told.ts';

/** Ticks, and bytes of them, that are on their way at a time. */
const AHEAD_TICKS = 32;
const AHEAD_BYTES = 8 * 1024 * 1024;
/** The age at which everything that is open is sealed is less than this, ms. */
const LATER = 7 * 3_600_000;
const SEAL_DEADLINE = 300_000;

const setClock = (time: number): void => {
  process.env['VIGIE_BENCH_NOW'] = String(time);
};

function runOf({ scope, jobid }: Told, time: number, state: Run['state']): Run {
  const texts = {
    jobid: jobid ?? '',
    command: './program',
    nodelist: 'n0001',
    partition: '',
    cluster: '',
    run_dir: '/',
  };
  const times = { start_time: time, end_time: state === 'running' ? 0 : time };
  const counts = { size: 2, nodes: ['n0001'], ranks: 2, clients: 0, series: 0, headline: null };
  return { id: scope.slice(4), scope, state, ...texts, ...times, ...counts };
}

/** CPU seconds of making the ticks alone. */
function makingOf(source: Source): number {
  const before = process.cpuUsage();
  for (const step of source()) tickOf(step);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** Looked at once at the end: what is stored must be what was told. */
async function isRight(store: Store, { scope, columns }: Told): Promise<boolean> {
  const stored = await store.snapshot(scope, Number.MAX_SAFE_INTEGER);
  if (!stored) return false;
  const { counterCount, gaugeCount, counters, gauges } = columns;
  if (stored.columns.counterCount !== counterCount || stored.columns.gaugeCount !== gaugeCount) return false;
  for (let i = 0; i < counterCount; i++) if (!Object.is(stored.columns.counters[i], counters[i])) return false;
  for (let i = 0; i < GAUGE_WIDTH * gaugeCount; i++) if (!Object.is(stored.columns.gauges[i], gauges[i])) return false;
  return true;
}

export async function feed(spec: FeedSpec): Promise<void> {
  const source = sourceOf(spec.source);
  // The first time compiles; an engine runs for days.
  const making = makingOf(source);
  globalThis.gc?.();
  // The most it has had begins anew here.
  writeFileSync('/proc/self/clear_refs', '5');
  const before = residentBytes(process.pid).now;
  const { store } = await openWorkerStore({ dataDir: spec.data, queueLimit: { ticks: 200, bytes: 1 << 28 } });
  const cpu = cpuSeconds(process.pid);
  const began = performance.now();
  let [ticks, samples, changed, time, bytes, ahead] = [0, 0, 0, 0, 0, 0];
  const ended: Told[] = [];
  let live = new Map<string, Told>();
  for (const step of source()) {
    time = step.time;
    setClock(time);
    const tick = tickOf(step);
    if (!store.append(tick)) throw new Error(`a tick was not taken: ${JSON.stringify(store.status())}`);
    ticks++;
    ahead++;
    live = new Map();
    for (const [i, told] of step.told.entries()) {
      samples += told.samples;
      changed += told.changed;
      bytes += tick.scopes[i]!.frame.byteLength;
      if (told.last) {
        const run = runOf(told, time, 'finished');
        store.putProfile({ run, ranks: [] } as never);
        ended.push(told);
      } else live.set(told.scope, told);
    }
    if (ahead < AHEAD_TICKS && bytes < AHEAD_BYTES) continue;
    await store.flush();
    [ahead, bytes] = [0, 0];
  }
  await store.flush();
  // What is open counts as memory that is used again and again; here it is sealed, as it will be some time later.
  await sealed(store, spec.data, time);
  const used = cpuSeconds(process.pid) - cpu - making;
  const seconds = (performance.now() - began) / 1000;
  let wrong = 0;
  for (const told of [...ended.slice(-20), ...live.values()]) if (!(await isRight(store, told))) wrong++;
  const peakResidentBytes = residentBytes(process.pid).peak;
  await store.close();
  const fed: Fed = {
    ticks,
    samples,
    changed,
    cpuSeconds: used,
    makingSeconds: making,
    seconds,
    peakResidentBytes,
    residentBytes: before,
    wrong,
  };
  process.stdout.write(`${JSON.stringify(fed)}\n`);
}

/** Waits until the tail is empty. */
async function sealed(store: Store, data: string, time: number): Promise<void> {
  const db = new Database(`${data}/vigie.sqlite`, { readonly: true });
  const left = db.prepare('SELECT count(*) FROM tail').pluck();
  const end = performance.now() + SEAL_DEADLINE;
  try {
    for (let turn = 1; (left.get() as number) > 0; turn++) {
      // Further at each turn: the age of what was open counts from the end of the sealing before.
      setClock(time + turn * LATER);
      if (performance.now() > end) throw new Error('not all of it was sealed');
      // The store looks at what is due after each write.
      store.putAudit({ id: 'later', time: 0, who: '', role: 'control', what: '', address: '', summary: '' } as never);
      await new Promise((resolve) => setTimeout(resolve, 20));
      await store.flush();
    }
  } finally {
    db.close();
  }
}
