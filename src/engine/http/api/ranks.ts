import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Profile, RankValues } from '../../../shared/api/profiles.ts';
import { RanksQuery, RankTable } from '../../../shared/api/ranks.ts';
import type { SeriesValue } from '../../../shared/api/series.ts';
import { ApiError } from '../../../shared/errors.ts';
import { describeSeries } from '../../../shared/model/series.ts';
import { gaugeValue } from '../../../shared/model/values.ts';
import type { EngineContext } from '../../context.ts';
import type { Contributor } from '../../live/contributor.ts';
import { MAX_RANK_VALUES, type LiveRun } from '../../live/runs.ts';
import type { App } from '../app.ts';
import { RunParams } from './runs.ts';

const finite = (n: number): number | null => (Number.isFinite(n) ? n : null);

function isWanted({ group, quantity }: RanksQuery, series: SeriesValue): boolean {
  if (series.kind === 'counter' && series.value === 0) return false;
  if (group !== undefined && series.group !== group) return false;
  return quantity.length === 0 || quantity.includes(series.quantity);
}

/** The wanted series of a live run, and which column each of the scope's counters and gauges has; -1: none. */
function liveColumns(run: LiveRun, query: RanksQuery): { series: SeriesValue[]; columns: Record<string, Int32Array> } {
  const { scope } = run;
  const series: SeriesValue[] = [];
  const counter = new Int32Array(scope.counterCount).fill(-1);
  const gauge = new Int32Array(scope.gaugeCount).fill(-1);
  const add = (columns: Int32Array, i: number, value: SeriesValue): void => {
    if (isWanted(query, value)) columns[i] = series.push(value) - 1;
  };
  for (let i = 0; i < scope.counterCount; i++) {
    // Most of a program's counters never move: what their names mean need not be found out.
    if (scope.counters[i] === 0) continue;
    const described = describeSeries(scope.table.def('counter', i));
    const changed = scope.counterChanged[i]!;
    add(counter, i, { ...described, value: finite(scope.counters[i]!), gauge: null, changed });
  }
  for (let i = 0; i < scope.gaugeCount; i++) {
    const g = scope.gauge(i);
    add(gauge, i, {
      ...describeSeries(scope.table.def('gauge', i)),
      value: finite(gaugeValue(g)),
      gauge: { min: finite(g.min), max: finite(g.max), hits: g.hits, total: g.total },
      changed: scope.gaugeChanged[i]!,
    });
  }
  return { series, columns: { counter, gauge } };
}

function rankValues(rank: Contributor, width: number, columns: Record<string, Int32Array>): RankValues {
  const values = Array.from<number | null>({ length: width }).fill(null);
  for (let i = 0; i < rank.counterCount; i++) {
    const column = columns['counter']![rank.counterMap[i]!] ?? -1;
    if (column >= 0) values[column] = (values[column] ?? 0) + rank.counters[i]!;
  }
  for (let i = 0; i < rank.gaugeCount; i++) {
    const column = columns['gauge']![rank.gaugeMap[i]!] ?? -1;
    if (column >= 0) values[column] = finite(gaugeValue(rank.gauge(i)));
  }
  return { rank: rank.rank, node: rank.node, values };
}

function liveTable(run: LiveRun, query: RanksQuery, now: number): RankTable {
  run.scope.settle();
  const { series, columns } = liveColumns(run, query);
  const all = [...run.rankList()];
  if (all.length * series.length > MAX_RANK_VALUES) {
    throw new ApiError('response_too_large', 'too many ranks and series at once: name a group and quantities');
  }
  const ranks = all.map((rank) => rankValues(rank, series.length, columns)).toSorted((a, b) => a.rank - b.rank);
  return { run: run.describe(), time: now, series, ranks };
}

function endedTable({ run, series, ranks }: Profile, query: RanksQuery): RankTable {
  const wanted = series.flatMap((one, i) => (isWanted(query, one) ? [i] : []));
  return {
    run,
    time: run.end_time,
    series: wanted.map((i) => series[i]!),
    ranks: ranks.map((rank) => ({ ...rank, values: wanted.map((i) => rank.values[i] ?? null) })),
  };
}

export function registerRanks(app: App, engine: EngineContext): void {
  app.get(
    '/runs/:id/ranks',
    {
      schema: {
        summary: 'Values of a run and of each of its ranks, present or last',
        params: RunParams,
        querystring: RanksQuery,
        response: { 200: RankTable },
      },
    },
    async (request: FastifyRequest<{ Params: z.infer<typeof RunParams>; Querystring: RanksQuery }>) => {
      const { id } = request.params;
      const live = engine.liveRun(id);
      if (live) return liveTable(live, request.query, engine.now());
      const profile = await engine.store.profile(id);
      if (!profile) throw new ApiError('run_not_found', 'no run has this id here; it may be older than what is kept');
      return endedTable(profile, request.query);
    },
  );
}
