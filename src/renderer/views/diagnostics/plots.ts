import type { Series } from '../../../shared/model/described-series.ts';
import type { ScopeId } from '../../../shared/model/scope.ts';
import type { PanelGroup, PanelSpec } from '../../charts/panels.ts';

/** What stands in one plot: families that share a unit and a question, and what their lines are called. */
interface PlotSpec {
  readonly title: string;
  readonly lines: readonly (readonly [family: string, name?: string])[];
}

const plot = (title: string, ...lines: PlotSpec['lines']): PlotSpec => ({ title, lines });

/** By the question that somebody has who looks for what is wrong. */
const PLOTS: readonly (readonly [group: string, plots: readonly PlotSpec[]])[] = [
  [
    'Engine',
    [
      plot(
        'Event loop delay',
        ['vigie_event_loop_delay_seconds', 'mean'],
        ['vigie_event_loop_delay_max_seconds', 'most'],
      ),
      plot('Samples', ['vigie_tick_seconds', 'duration'], ['vigie_tick_lateness_seconds', 'lateness']),
      plot('Processor', ['vigie_cpu_seconds_total', 'all threads']),
      plot('Event loop busy', ['vigie_event_loop_busy_ratio', 'busy']),
      plot('Memory', ['vigie_memory_resident_bytes', 'resident'], ['vigie_memory_heap_bytes', 'objects']),
    ],
  ],
  [
    'Programs',
    [
      plot('Messages', ['vigie_ingest_messages_total', 'messages']),
      plot('Bytes', ['vigie_ingest_bytes_total', 'bytes']),
      plot('Not taken, by reason', ['vigie_ingest_rejected_total']),
      plot('Turned away, by reason', ['vigie_refused_total']),
      plot(
        'Connections',
        ['vigie_ingest_connections', 'programs'],
        ['vigie_ingest_tables', 'tables'],
        ['vigie_http_connections', 'HTTP'],
        ['vigie_live_readers', 'live'],
      ),
    ],
  ],
  [
    'Sizes',
    [
      plot('Series', ['vigie_series', 'series']),
      plot('Values of ranks', ['vigie_rank_values', 'values']),
      plot('Runs', ['vigie_runs_live', 'live runs']),
    ],
  ],
  [
    'Store',
    [
      plot('Size on disk', ['vigie_store_bytes', 'database']),
      plot('Behind', ['vigie_store_behind_seconds', 'age of the newest']),
      plot('Waiting ticks', ['vigie_store_queued_ticks', 'ticks']),
      plot(
        'Lost',
        ['vigie_store_ticks_dropped_total', 'history'],
        ['vigie_live_frames_skipped_total', 'frames'],
        ['vigie_ticks_late_total', 'late'],
      ),
    ],
  ],
  ['Sources', [plot('Cost', ['vigie_source_seconds_total']), plot('Failures', ['vigie_source_failures_total'])]],
];

/** The engine's own figures among the series of its node. */
export const ownSeries = (series: readonly Series[]): Series[] =>
  series.filter((one) => one.family.startsWith('vigie_'));

/** The engine's figures as plots. A plot without series is left out: nothing was rejected, or it keeps all in memory. */
export function diagnosticPanels(scope: ScopeId, series: readonly Series[]): PanelGroup[] {
  return PLOTS.map(([name, plots]) => ({
    name,
    panels: plots.flatMap(({ title, lines }): PanelSpec[] => {
      const shown = lines.flatMap(([family]) => series.filter((one) => one.family === family));
      const [first] = shown;
      if (!first) return [];
      const { quantity, unit, kind } = first;
      const names = new Map(lines.flatMap(([family, line]) => (line === undefined ? [] : [[family, line] as const])));
      return [{ id: `${scope}|${title}`, scope, group: name, title, quantity, unit, kind, series: shown, names }];
    }),
  })).filter((group) => group.panels.length > 0);
}
