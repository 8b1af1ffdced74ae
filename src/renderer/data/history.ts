import type { RangeResult, RangeSeries } from '../../shared/api/query.ts';

/** One series of an answer, with the times it belongs to. */
export interface HistoryColumn {
  readonly times: readonly number[];
  /** Width of a bucket, ms; 0: each point is a sample. */
  readonly step: number;
  readonly data: RangeSeries;
}

/** What has been fetched of one scope for the range that is shown. A finer answer replaces a coarser one by key. */
export class History {
  readonly #columns = new Map<string, HistoryColumn>();
  /** End of the span that is covered; samples after it come from the ring. */
  to = 0;
  /** Some points stand for more than one sample. */
  coarse = false;

  add(result: RangeResult): void {
    this.to = Math.max(this.to, result.to);
    for (const data of result.series) {
      this.#columns.set(data.key, { times: result.times, step: result.step, data });
    }
    this.coarse = false;
    for (const column of this.#columns.values()) if (column.step > 0) this.coarse = true;
  }

  get(key: string): HistoryColumn | undefined {
    return this.#columns.get(key);
  }

  get size(): number {
    return this.#columns.size;
  }
}
