import type { Series } from '../../shared/model/described-series.ts';
import { toCsv } from './csv.ts';
import type { CsvCell } from './csv.ts';

/** Series of one scope over the shown range; they share their times. */
export interface ExportBlock {
  /** `run/ID` or `node/HOST`. */
  readonly scope: string;
  readonly label: string;
  readonly series: readonly Series[];
  /** ms since the epoch. */
  readonly times: readonly number[];
  /** A column per series. */
  readonly values: readonly (readonly (number | null)[])[];
}

export interface ExportData {
  /** The view, such as the job id. */
  readonly title: string;
  readonly from: number;
  readonly to: number;
  /** Counters are totals, otherwise rates per second. */
  readonly totals: boolean;
  readonly blocks: readonly ExportBlock[];
}

const unitOf = (series: Series, totals: boolean): string => {
  const rate = series.kind === 'counter' && !totals;
  return rate ? `${series.unit}/s` : series.unit;
};

/** One row per time, one column per series; times as ISO 8601 and as ms. A series has no cell where it has no value. */
export function exportCsv(data: ExportData): string {
  const head: CsvCell[] = ['time', 'time_ms'];
  const offsets: number[] = [];
  for (const block of data.blocks) {
    offsets.push(head.length);
    for (const series of block.series) head.push(`${block.label}: ${series.name} [${unitOf(series, data.totals)}]`);
  }
  const rows = new Map<number, CsvCell[]>();
  data.blocks.forEach((block, b) => {
    block.times.forEach((time, i) => {
      let row = rows.get(time);
      if (!row) {
        row = new Array<CsvCell>(head.length).fill(null);
        row[0] = new Date(time).toISOString();
        row[1] = time;
        rows.set(time, row);
      }
      for (let s = 0; s < block.series.length; s++) row[offsets[b]! + s] = block.values[s]?.[i] ?? null;
    });
  });
  const sorted = [...rows].sort(([a], [b]) => a - b).map(([, row]) => row);
  return toCsv([head, ...sorted]);
}

/** The same as a document for programs. */
export function exportJson(data: ExportData): string {
  const document = {
    title: data.title,
    from: { iso: new Date(data.from).toISOString(), ms: Math.round(data.from) },
    to: { iso: new Date(data.to).toISOString(), ms: Math.round(data.to) },
    counters_as: data.totals ? 'totals' : 'rates per second',
    scopes: data.blocks.map((block) => ({
      scope: block.scope,
      label: block.label,
      times_ms: block.times,
      times_iso: block.times.map((time) => new Date(time).toISOString()),
      series: block.series.map((series, s) => ({
        name: series.name,
        key: series.key,
        kind: series.kind,
        group: series.group,
        operation: series.operation,
        quantity: series.quantity,
        unit: unitOf(series, data.totals),
        labels: series.labels,
        values: block.values[s] ?? [],
      })),
    })),
  };
  return `${JSON.stringify(document, null, 1)}\n`;
}
