/** What passes between the engine's thread and that of an export. Both are one build, so nothing here needs checking. */

import type { ExportFormat, ExportQuery } from '../../../shared/api/exports.ts';
import type { Profile } from '../../../shared/api/profiles.ts';
import type { RangeQuery } from '../../../shared/api/query.ts';
import type { Run } from '../../../shared/api/runs.ts';
import type { ErrorCode } from '../../../shared/errors.ts';
import type { ScopeId } from '../../../shared/model/scope.ts';
import type { SeriesDef } from '../../../shared/model/series.ts';
import type { RangeColumns } from '../../store/aggregate.ts';
import type { PlannedSize } from './job.ts';
import type { SharedPiece } from './shared-pieces.ts';
import type { Extent } from './source.ts';

/** workerData of the thread. */
export interface ExportOptions {
  readonly query: ExportQuery & { readonly format: ExportFormat };
  /** In the order in which they were asked for. */
  readonly runs: readonly Run[];
  /** Ids of those that live: the engine tells their profiles. */
  readonly live: readonly string[];
  /** Of the database; null: the engine answers questions. */
  readonly directory: string | null;
  /** Nothing is written: it is only to say how much it would be. */
  readonly isEstimate: boolean;
  /** Wall clock, ms since the epoch. */
  readonly now: number;
  readonly engine: { readonly host: string; readonly version: string };
}

/** What the thread asks of the engine: arguments and answer. */
export interface Asked {
  profile: [run: string, answer: Profile | null];
  ranks: [run: string, answer: number[]];
  series: [scope: ScopeId, answer: readonly (readonly SeriesDef[])[]];
  extent: [span: { scope: ScopeId; from: number; to: number }, answer: Extent | null];
  range: [query: RangeQuery, answer: RangeColumns | null];
  frames: [
    span: { scope: ScopeId; from: number; to: number; limit: number },
    /** `defs`: what they are numbered by. */
    answer: { frames: Uint8Array[]; truncated: boolean; defs: readonly SeriesDef[] },
  ];
}

export type Question = {
  [M in keyof Asked]: { readonly method: M; readonly argument: Asked[M][0] };
}[keyof Asked];

export type ToExport =
  /** So many more pieces may be on their way. `free`: memory of one that was written; null: of none. */
  | { readonly type: 'more'; readonly pieces: number; readonly free: SharedPiece['memory'] }
  | { readonly type: 'stop' }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'unanswered'; readonly id: number; readonly message: string };

export type FromExport =
  /** `bytes`: of the file, about; null: it was not asked for. */
  | { readonly type: 'planned'; readonly estimate: PlannedSize; readonly bytes: number | null }
  | { readonly type: 'refused'; readonly code: ErrorCode; readonly message: string }
  /** `done`: of the estimate's samples. */
  | ({ readonly type: 'bytes'; readonly done: number } & SharedPiece)
  | { readonly type: 'end'; readonly done: number; readonly damaged: number }
  | { readonly type: 'failed'; readonly message: string }
  | ({ readonly type: 'ask'; readonly id: number } & Question);
