/** Runs side by side: their series by what changed most, and what their descriptions differ in. */

import type { Compared, ComparedSeries } from '../api/profile-compare.ts';
import type { Profile, ProfileSummary } from '../api/profiles.ts';
import type { SeriesValue } from '../api/series.ts';
import { median } from './statistics.ts';

/** A share of a run's time weighs this much more than a relative change: 10 points of share count as a doubling. */
const SHARE_WEIGHT = 10;
/** A relative change counts up to here: from nothing to little is infinitely much. */
const MOST_CHANGE = 10;
/** Relative changes of series of this share and less of a run's time count less. */
const SMALL_SHARE = 0.01;

/** Of one profile, without its ranks. */
export interface ComparedRun {
  readonly summary: ProfileSummary;
  readonly versions: Profile['versions'];
}

interface Row {
  readonly of: SeriesValue;
  readonly values: (number | null)[];
}

/** Takes profiles one after another, so that they need not all be in memory. */
export class Comparison {
  readonly #runs: ComparedRun[] = [];
  readonly #rows = new Map<string, Row>();
  readonly #wanted: string;

  /** `series`: those whose key or description contains this, without case; empty: all. */
  constructor(series: string) {
    this.#wanted = series.toLowerCase();
  }

  add(run: ComparedRun, series: readonly SeriesValue[]): void {
    const at = this.#runs.push(run) - 1;
    for (const one of series) {
      const key = `${one.kind} ${one.key}`;
      let row = this.#rows.get(key);
      if (!row) {
        if (!this.#isWanted(one)) continue;
        this.#rows.set(key, (row = { of: one, values: [] }));
      }
      while (row.values.length < at) row.values.push(null);
      row.values[at] = one.value;
    }
  }

  #isWanted({ key, doc }: SeriesValue): boolean {
    const wanted = this.#wanted;
    return wanted === '' || key.toLowerCase().includes(wanted) || doc.toLowerCase().includes(wanted);
  }

  /** `baseline`: id of one of them; absent or none of them: the marked one, else the first that did not fail. */
  finish(baseline: string | undefined, limit: number): Omit<Compared, 'missing'> {
    const runs = this.#runs.map(({ summary }) => summary);
    const named = runs.findIndex(({ id }) => id === baseline);
    const marked = runs.findIndex((run) => run.baseline);
    const good = runs.findIndex(({ exit }) => exit.outcome !== 'failed');
    const base = [named, marked, good].find((at) => at >= 0) ?? 0;
    const times = runs.map(timeOf);
    const series = Array.from(this.#rows.values(), (row) => compared(row, runs.length, base, times));
    series.sort((a, b) => b.rank - a.rank || (a.key < b.key ? -1 : 1));
    return {
      runs,
      baseline: runs[base]?.id ?? null,
      series: series.slice(0, limit),
      total: series.length,
      ...fieldsOf(this.#runs),
    };
  }
}

/** Seconds that all processes of a run had; null: not known. */
function timeOf({ duration, ranks, size }: ProfileSummary): number | null {
  const processes = ranks > 0 ? ranks : size;
  return duration === null || duration <= 0 || processes <= 0 ? null : (duration / 1000) * processes;
}

function compared({ of, values }: Row, runs: number, base: number, times: readonly (number | null)[]): ComparedSeries {
  while (values.length < runs) values.push(null);
  const known = values.filter((value) => value !== null);
  const min = known.length > 0 ? known.reduce((a, b) => Math.min(a, b)) : null;
  const max = known.length > 0 ? known.reduce((a, b) => Math.max(a, b)) : null;
  const middle = median(known);
  const { key, kind, family, labels, doc, unit, group, operation, quantity } = of;
  const isTime = kind === 'counter' && unit === 's';
  const shares = isTime
    ? values.map((value, i) => (value === null || times[i] === null ? null : value / times[i]!))
    : null;
  const change = furthest(values, base, (value, from) => (from === 0 ? null : (value - from) / Math.abs(from)));
  const shareChange = shares && furthest(shares, base, (value, from) => value - from);
  return {
    ...{ key, kind, family, labels, doc, unit, group, operation, quantity, values, min, max, median: middle },
    avg: known.length > 0 ? known.reduce((a, b) => a + b, 0) / known.length : null,
    spread: middle === null || middle === 0 ? null : (max! - min!) / Math.abs(middle),
    change,
    share_of_time: shares,
    share_change: shareChange,
    rank: rankOf(values, base, change, shares, shareChange),
  };
}

/** The difference that is furthest from nothing. */
function furthest(
  values: readonly (number | null)[],
  base: number,
  differenceOf: (value: number, from: number) => number | null,
): number | null {
  const from = values[base] ?? null;
  if (from === null) return null;
  let most: number | null = null;
  for (const [i, value] of values.entries()) {
    if (i === base || value === null) continue;
    const difference = differenceOf(value, from);
    if (difference !== null && (most === null || Math.abs(difference) > Math.abs(most))) most = difference;
  }
  return most;
}

function rankOf(
  values: readonly (number | null)[],
  base: number,
  change: number | null,
  shares: readonly (number | null)[] | null,
  shareChange: number | null,
): number {
  // What is in some runs only has changed as much as can be.
  const from = values[base] ?? null;
  const appeared = (from === null || from === 0) && values.some((value) => value !== null && value !== 0);
  const relative = appeared ? MOST_CHANGE : Math.min(MOST_CHANGE, Math.abs(change ?? 0));
  const [logged, share] = [Math.log2(1 + relative), Math.abs(shareChange ?? 0)];
  if (!shares) return logged;
  const most = shares.reduce<number>((a, b) => Math.max(a, b ?? 0), 0);
  return SHARE_WEIGHT * share + logged * Math.min(1, most / SMALL_SHARE);
}

const FIELDS = ['command', 'jobid', 'user', 'size', 'nodelist', 'partition', 'cluster', 'run_dir', 'state'] as const;

function fieldsOf(runs: readonly ComparedRun[]): Pick<Compared, 'differences' | 'common'> {
  const all: { field: string; values: string[] }[] = FIELDS.map((field) => ({
    field,
    values: runs.map(({ summary }) => String(summary[field])),
  }));
  all.push({ field: 'nodes', values: runs.map(({ summary }) => summary.nodes.join(' ')) });
  all.push({ field: 'ranks', values: runs.map(({ summary }) => String(summary.ranks)) });
  all.push({
    field: 'exit codes',
    values: runs.map(({ summary }) => summary.exit.codes.map(({ code, count }) => `${code} × ${count}`).join(', ')),
  });
  all.push({ field: 'tags', values: runs.map(({ summary }) => summary.tags.join(', ')) });
  all.push({ field: 'version of vigie', values: runs.map(({ versions }) => versions?.engine ?? '') });
  const exporters = new Set(runs.flatMap(({ versions }) => versions?.exporters.map(({ name }) => name) ?? []));
  for (const name of exporters) {
    const of = ({ versions }: ComparedRun): string =>
      (versions?.exporters ?? []).flatMap((each) => (each.name === name ? [each.version] : [])).join(', ');
    all.push({ field: `version of ${name}`, values: runs.map(of) });
  }
  const isSame = ({ values }: { values: string[] }): boolean => values.every((value) => value === values[0]);
  return {
    differences: all.filter((field) => !isSame(field)),
    common: all
      .filter((field) => isSame(field) && (field.values[0] ?? '') !== '')
      .map(({ field, values }) => ({ field, value: values[0]! })),
  };
}
