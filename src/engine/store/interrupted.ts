/** Runs that were open when the engine stopped: what can be said of them from what is stored. */

import type { Profile, RankValues } from '../../shared/api/profiles.ts';
import type { Run } from '../../shared/api/runs.ts';
import type { SeriesValue } from '../../shared/api/series.ts';
import { parseMetric } from '../../shared/model/metric.ts';
import { describeSeries, type SeriesDef } from '../../shared/model/series.ts';
import { profileExits } from '../../shared/profiles/exits.ts';
import { GAUGE_WIDTH } from '../../shared/model/values.ts';
import type { Snapshot } from './store.ts';

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** A counter's total, a gauge's total / hits; null when there is none. */
function shown(def: SeriesDef, { columns }: Snapshot): number | null {
  if (def.kind === 'counter') return finite(columns.counters[def.index]!);
  const at = GAUGE_WIDTH * def.index;
  const hits = columns.gauges[at + 2]!;
  return hits > 0 ? finite(columns.gauges[at + 3]! / hits) : null;
}

function seriesValue(def: SeriesDef, snapshot: Snapshot): SeriesValue {
  const value = shown(def, snapshot);
  // When a value last changed is not stored.
  if (def.kind === 'counter') return { ...describeSeries(def), value, gauge: null, changed: 0 };
  const [min, max, hits, total] = snapshot.columns.gauges.subarray(GAUGE_WIDTH * def.index);
  const gauge = { min: finite(min!), max: finite(max!), hits: hits! > 0 ? hits! : 0, total: finite(total!) ?? 0 };
  return { ...describeSeries(def), value, gauge, changed: 0 };
}

export interface StoredRank {
  readonly rank: number;
  readonly snapshot: Snapshot;
}

/** The profile of a run that nobody saw end: it ends with its last stored sample. */
export function interruptedProfile(run: Run, snapshot: Snapshot | null, ranks: readonly StoredRank[]): Profile {
  const defs = snapshot?.series ?? [];
  const keys = defs.map((def) => parseMetric(def.name).key);
  // Which node a rank ran on is not stored; with one node there is no doubt.
  const node = run.nodes.length === 1 ? run.nodes[0]! : '';
  const rankValues = ranks.map(({ rank, snapshot: own }): RankValues => {
    const values = new Map(own.series.map((def) => [parseMetric(def.name).key, shown(def, own)]));
    return { rank, node, values: keys.map((key) => values.get(key) ?? null) };
  });
  rankValues.sort((a, b) => a.rank - b.rank);
  const series = snapshot ? defs.map((def) => seriesValue(def, snapshot)) : [];
  return {
    run: {
      ...run,
      state: 'interrupted',
      end_time: Math.max(snapshot?.time ?? 0, run.start_time),
      clients: 0,
      series: Math.max(run.series, defs.length),
    },
    series,
    ranks: rankValues,
    exits: profileExits({ series, ranks: rankValues }),
  };
}
