/** The tables as CSV: units in the titles, numbers as they are. */

import type { CsvCell } from '../../../format/csv.ts';
import { callsPerSecond } from './steady.ts';
import type { Sample } from './steady.ts';
import type { MpiSummary, RankRow } from './model.ts';

export function callCells(summary: MpiSummary, samples: readonly Sample[]): CsvCell[][] {
  const { elapsed, calls } = summary;
  return [
    ['call', 'kind', 'time [s]', 'calls', 'calls per second', 'bytes [B]', 'bytes per call [B]'],
    ...calls.map((row): CsvCell[] => [
      row.name,
      row.kind,
      row.time,
      row.calls,
      callsPerSecond(row, samples, elapsed),
      row.bytes,
      row.bytes !== null && row.calls ? row.bytes / row.calls : null,
    ]),
  ];
}

/** `call`: of which the rows are; null: of MPI as a whole. */
export function rankCells(rows: readonly RankRow[], call: string | null): CsvCell[][] {
  return [
    ['rank', 'node', 'of', 'time [s]', 'share of run time', 'bytes [B]', 'calls', 'communication, all calls [s]'],
    ...rows.map((row): CsvCell[] => [
      row.rank,
      row.node,
      call ?? 'mpi',
      row.time,
      row.share,
      row.bytes,
      row.calls,
      row.waited,
    ]),
  ];
}
