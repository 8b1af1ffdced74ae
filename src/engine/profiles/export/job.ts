/** An export as the formats see it: what it is of, and its values piece by piece. */

import type { ExportEstimate, ExportResolution } from '../../../shared/api/exports.ts';
import type { Profile } from '../../../shared/api/profiles.ts';
import type { RangeQuery } from '../../../shared/api/query.ts';
import type { Run } from '../../../shared/api/runs.ts';
import type { Label } from '../../../shared/model/metric.ts';
import type { Unit } from '../../../shared/model/naming.ts';
import type { ScopeId } from '../../../shared/model/scope.ts';
import type { Kind } from '../../../shared/model/values.ts';
import type { RangeColumns } from '../../store/aggregate.ts';

/** A scope over a span of time. The same node may be there several times, with a run each. */
export interface ExportScope {
  readonly number: number;
  readonly scope: ScopeId;
  /** Null: it was asked for by itself. */
  readonly run: Run | null;
  /** Null: it is no rank. */
  readonly rank: number | null;
  /** Host; empty: several, or unknown. */
  readonly node: string;
  readonly from: number;
  readonly to: number;
}

/** The same object in all pieces of a scope. */
export interface ExportSeries {
  readonly scope: ExportScope;
  readonly key: string;
  readonly family: string;
  readonly labels: readonly Label[];
  readonly kind: Kind;
  readonly doc: string;
  readonly unit: Unit;
}

/** By row of a piece; NaN: no value. */
export interface Values {
  /** Total of a counter, mean of a gauge. In buckets: average, of a counter of its rate per second. */
  readonly value: Float64Array;
  /** Null: it has none, as a counter's sample. In buckets of a counter's rate. */
  readonly min: Float64Array | null;
  readonly max: Float64Array | null;
  /** In buckets: the last value, of a counter its total. Null: these are samples. */
  readonly last: Float64Array | null;
}

/** Some rows of a scope, in the order of time. */
export interface Piece {
  readonly scope: ExportScope;
  /** Milliseconds since the epoch, whole ones; of a bucket its beginning. */
  readonly times: Float64Array;
  readonly series: readonly ExportSeries[];
  readonly values: (series: number) => Values;
}

/** Of the whole file; its bytes are measured for who asks for them ({@link measureBytes} in measure.ts). */
export type PlannedSize = Omit<ExportEstimate, 'bytes'>;

export interface ExportJob {
  readonly runs: readonly Run[];
  readonly scopes: readonly ExportScope[];
  readonly resolution: ExportResolution;
  readonly estimate: PlannedSize;
  /** Wall clock when it began, ms. */
  readonly now: number;
  readonly engine: { readonly host: string; readonly version: string };
  /** Null: it was deleted meanwhile. */
  profile(run: Run): Promise<Profile | null>;
  /** Of one scope in the order of time, scope after scope. `wanted`: only these series. */
  pieces(scopes?: readonly ExportScope[], wanted?: (series: ExportSeries) => boolean): AsyncGenerator<Piece>;
  /** Series of a scope, those of its last start first. */
  series(scope: ExportScope): Promise<ExportSeries[]>;
  range(query: RangeQuery): Promise<RangeColumns | null>;
  /** Rows of a scope, about. */
  rows(scope: ExportScope): number;
  /** So many more runs are written, of formats that are of profiles. */
  count(runs: number): void;
}
