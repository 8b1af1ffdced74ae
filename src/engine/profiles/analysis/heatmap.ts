/** One series of each rank of a run over time. */

import type { Heatmap, HeatmapQuery } from '../../../shared/api/profile-analysis.ts';
import type { Profile } from '../../../shared/api/profiles.ts';
import { isShort } from '../../../shared/model/intervals.ts';
import { rankScope } from '../../../shared/model/scope.ts';
import { FOLDED } from '../../../shared/profiles/mpi-summary.ts';
import type { Matrix, MatrixQuery } from '../../store/matrix.ts';

/** Ranks are kept every ten seconds: narrower columns than this, ms, would say nothing more. */
const LEAST_STEP = 1000;
/** Runs with more ranks than this have no history of them (src/engine/rank-history.ts). */
const MOST_RANKS = 512;

/** What a heatmap asks the store; null: the span has nothing of the run. `now`: where it has not ended. */
export function matrixQuery(
  { run }: Pick<Profile, 'run'>,
  { from, to, columns }: HeatmapQuery,
  key: string,
  now: number,
): MatrixQuery | null {
  const end = run.end_time > 0 ? run.end_time : now;
  const [first, last] = [Math.max(from ?? 0, run.start_time), Math.min(to ?? end, end)];
  if (!(last > first) || run.start_time <= 0) return null;
  const most = Math.max(1, Math.min(columns, Math.ceil((last - first) / LEAST_STEP)));
  // Clients tell increases, so a rank's counters were 0 when the run began.
  return {
    below: rankScope(run.id, 0).slice(0, -1),
    series: key,
    from: first,
    to: last,
    columns: most,
    since: run.start_time,
  };
}

export function heatmapOf(profile: Profile, query: MatrixQuery, matrix: Matrix | null): Heatmap {
  const { from, to, columns, series: key } = query;
  const place = profile.series.findIndex((one) => one.key === key);
  const kind = matrix?.kind ?? profile.series[place]?.kind ?? 'gauge';
  const base = { key, kind, from, to, step: (to - from) / columns };
  const rows = (matrix?.scopes ?? [])
    .map((scope, row) => ({ rank: Number(scope.slice(query.below.length)), row }))
    .filter(({ rank }) => Number.isSafeInteger(rank) && rank >= 0)
    .sort((a, b) => a.rank - b.rank);
  if (!matrix || rows.length === 0) return { ...base, ...NOTHING, reason: whyNothing(profile, place) };
  const own = new Map(profile.ranks.filter(({ node }) => node !== FOLDED).map((each) => [each.rank, each]));
  const values = new Float32Array(rows.length * columns);
  let [min, max] = [Infinity, -Infinity];
  for (const [i, { rank, row }] of rows.entries()) {
    const cells = values.subarray(i * columns, (i + 1) * columns);
    cells.set(matrix.values.subarray(row * columns, (row + 1) * columns));
    const total = place < 0 ? null : (own.get(rank)?.values[place] ?? null);
    if (kind === 'counter' && profile.run.end_time > 0 && total !== null) {
      endRow(cells, base, profile.run.end_time, total, matrix, row);
    }
    for (let c = 0; c < columns; c++) {
      const value = cells[c]!;
      if (value < min) min = value;
      if (value > max) max = value;
    }
  }
  if (min > max) return { ...base, ...NOTHING, reason: 'no rank has a sample of this series in this time' };
  const nodes = rows.map(({ rank }) => own.get(rank)?.node ?? '');
  return {
    ...base,
    columns,
    ranks: rows.map(({ rank }) => rank),
    nodes: nodes.some((node) => node !== '') ? nodes : [],
    values: Buffer.from(values.buffer).toString('base64'),
    ...{ min, max, reason: null },
  };
}

const NOTHING = { columns: 0, ranks: [], nodes: [], values: '', min: null, max: null };

/**
 * What a counter grew by between its last sample and the run's end is known from its final value. A moment is told together
 * with the time before it, as everywhere (shared/model/intervals.ts).
 */
function endRow(
  cells: Float32Array,
  { from, step }: { readonly from: number; readonly step: number },
  end: number,
  total: number,
  { lastTime, lastTotal, lastLength, lastGrown }: Matrix,
  row: number,
): void {
  const since = lastTime[row]!;
  let [ms, grown] = [end - since, total - lastTotal[row]!];
  // A total below the sample's is of another life of the rank.
  if (!(ms > 0) || !(grown >= 0)) return;
  if (isShort(ms, lastLength[row]!)) [ms, grown] = [ms + lastLength[row]!, grown + lastGrown[row]!];
  const rate = grown / (ms / 1000);
  for (let c = Math.max(0, Math.floor((since - from) / step)); c < cells.length; c++) {
    if (cells[c] !== cells[c] && from + c * step < end) cells[c] = rate;
  }
}

function whyNothing({ run, series }: Profile, place: number): string {
  const known = run.ranks;
  if (known === 1) return 'the run has one rank: its own charts show it';
  if (known > MOST_RANKS) return `the run has ${known} ranks; over time they are kept of runs with up to ${MOST_RANKS}`;
  if (series.length > 0 && place < 0) return 'the run has no such series';
  return 'there is no history of its ranks: it is older than what is kept, was too short, or did not come along when it was brought here';
}
