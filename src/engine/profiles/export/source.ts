/** Where an export has its numbers from: the database itself, or, where only one may read it, whoever has it open. */

import type { Profile } from '../../../shared/api/profiles.ts';
import type { RangeQuery } from '../../../shared/api/query.ts';
import type { ScopeId } from '../../../shared/model/scope.ts';
import type { SeriesDef } from '../../../shared/model/series.ts';
import type { RangeColumns } from '../../store/aggregate.ts';

/** What there is of a scope over a span. */
export interface Extent {
  /** First and last time, ms. */
  readonly from: number;
  readonly to: number;
  /** Rows of samples; about. Where they are no longer kept, of buckets. */
  readonly rows: number;
  /** Width of the buckets that are all there is of some of it, ms; 0: all samples are there. */
  readonly width: number;
}

/** Samples in the order of time, a column for each series: rows from `start` on, before `end`. NaN: no value. */
export interface SampleRows {
  /** Those that are known in these rows. */
  readonly defs: readonly SeriesDef[];
  readonly times: Float64Array;
  readonly counter: (place: number) => Float64Array;
  /** min, max, hits, total. */
  readonly gauge: (place: number) => readonly Float64Array[];
  readonly start: number;
  readonly end: number;
}

export interface SampleSource {
  profile(run: string): Promise<Profile | null>;
  /** Numbers of the ranks that have a history. */
  ranks(run: string): Promise<number[]>;
  /** Of each start of the engine, newest first; nothing: the scope is not known. */
  series(scope: ScopeId): Promise<readonly (readonly SeriesDef[])[]>;
  /** Null: nothing is there. */
  extent(scope: ScopeId, from: number, to: number): Promise<Extent | null>;
  /** As the store answers it. */
  range(query: RangeQuery): Promise<RangeColumns | null>;
  /** Both ends included. What is written or removed meanwhile is there or not, and nothing is there twice. */
  samples(scope: ScopeId, from: number, to: number): AsyncGenerator<SampleRows>;
  /** Blocks that could not be read so far. */
  readonly damaged: number;
  close(): void;
}
