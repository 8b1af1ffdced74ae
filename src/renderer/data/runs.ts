import type { LiveRun } from '../../shared/api/live.ts';
import type { Run } from '../../shared/api/runs.ts';

/** Rates kept per live run for its sparkline. */
const TRAIL = 48;

export interface RunRow {
  readonly run: Run;
  /** Present rate per second of the headline series, a gauge's value; null: not known. */
  readonly rate: number | null;
  /** Rates of the last periods, oldest first. */
  readonly trail: readonly number[];
}

export const isLive = (run: Run): boolean => run.state === 'running' || run.state === 'ending';

/** How far a description has got; a page fetched before a live message must not turn a run back. */
const progress = (run: Run): number => (isLive(run) ? (run.state === 'running' ? 0 : 1) : 2);

/** Runs as pages list them, added to what is known. Live knowledge of a run is newer than a page's. */
export function mergePage(rows: ReadonlyMap<string, RunRow>, page: readonly Run[]): Map<string, RunRow> {
  const next = new Map(rows);
  for (const run of page) {
    const known = next.get(run.id);
    if (!known) next.set(run.id, { run, rate: null, trail: [] });
    else if (progress(run) > progress(known.run)) next.set(run.id, { run, rate: null, trail: known.trail });
  }
  return next;
}

/** The known object where nothing changed, so that views of one run need not look again. */
const steady = (known: Run | undefined, run: Run): Run =>
  known && JSON.stringify(known) === JSON.stringify(run) ? known : run;

/**
 * A message of the `runs` topic. With `all` it is the complete list of live runs: known live runs that it leaves out
 * have ended meanwhile; they are returned as `lost` and keep their row until a page tells how they ended.
 */
export function mergeLive(
  rows: ReadonlyMap<string, RunRow>,
  runs: readonly LiveRun[],
  all: boolean,
): { rows: Map<string, RunRow>; lost: string[] } {
  const next = new Map(rows);
  for (const { rate, ...run } of runs) {
    const known = next.get(run.id);
    next.set(run.id, { run: steady(known?.run, run), rate: isLive(run) ? rate : null, trail: known?.trail ?? [] });
  }
  if (!all) return { rows: next, lost: [] };
  const listed = new Set(runs.map((run) => run.id));
  const lost = [...rows.values()].filter((row) => isLive(row.run) && !listed.has(row.run.id)).map((row) => row.run.id);
  return { rows: next, lost };
}

/** A period passed: the trail of each live run gets its present rate, also where no message said that it changed. */
export function extendTrails(rows: ReadonlyMap<string, RunRow>): ReadonlyMap<string, RunRow> {
  let next: Map<string, RunRow> | null = null;
  for (const [id, row] of rows) {
    if (row.rate === null || !isLive(row.run)) continue;
    next ??= new Map(rows);
    next.set(id, { ...row, trail: [...row.trail, row.rate].slice(-TRAIL) });
  }
  return next ?? rows;
}

export const RUN_SORTS = ['state', 'jobid', 'command', 'size', 'nodes', 'start', 'elapsed', 'rate'] as const;
export type RunSort = (typeof RUN_SORTS)[number];
export type StateFilter = 'all' | 'live' | 'ended';

export interface RunQuery {
  readonly search: string;
  readonly state: StateFilter;
  readonly sort: RunSort;
  readonly descending: boolean;
}

/** ms from start to end, or to now for a live run; NaN when the start is not known. */
export function elapsedOf(run: Run, now: number): number {
  if (run.start_time <= 0) return NaN;
  return (isLive(run) || run.end_time <= 0 ? now : run.end_time) - run.start_time;
}

function sortKey(row: RunRow, sort: RunSort, now: number): number | string {
  switch (sort) {
    case 'state':
      return row.run.state;
    case 'jobid':
      return row.run.jobid;
    case 'command':
      return row.run.command;
    case 'size':
      return row.run.size;
    case 'nodes':
      return row.run.nodes.length;
    case 'start':
      return row.run.start_time;
    case 'elapsed':
      return elapsedOf(row.run, now);
    case 'rate':
      return row.rate ?? -1;
  }
}

const collator = new Intl.Collator('en', { numeric: true });

function compare(a: number | string, b: number | string): number {
  if (typeof a === 'string' || typeof b === 'string') return collator.compare(String(a), String(b));
  return (Number.isNaN(a) ? -1 : a) - (Number.isNaN(b) ? -1 : b);
}

/** The rows to show, in order. Equal rows: newest start first, then by id, so that rows never swap places by chance. */
export function selectRuns(rows: Iterable<RunRow>, query: RunQuery, now: number): RunRow[] {
  const words = query.search.toLowerCase().split(/\s+/).filter(Boolean);
  const keyed: { row: RunRow; key: number | string }[] = [];
  for (const row of rows) {
    if (query.state !== 'all' && isLive(row.run) !== (query.state === 'live')) continue;
    if (words.length > 0) {
      const { jobid, command, nodelist, cluster, nodes } = row.run;
      const text = `${jobid}\n${command}\n${nodelist}\n${cluster}\n${nodes.join(' ')}`.toLowerCase();
      if (!words.every((word) => text.includes(word))) continue;
    }
    keyed.push({ row, key: sortKey(row, query.sort, now) });
  }
  const sign = query.descending ? -1 : 1;
  keyed.sort(
    (a, b) =>
      sign * compare(a.key, b.key) ||
      b.row.run.start_time - a.row.run.start_time ||
      (a.row.run.id < b.row.run.id ? -1 : 1),
  );
  return keyed.map((entry) => entry.row);
}
