/** One metric of many scopes as one: point by point, on one grid. */

import type { MergeOperation } from '../../shared/api/merge.ts';
import type { Kind } from '../../shared/model/values.ts';
import type { RangeColumns } from './aggregate.ts';

const COLUMNS = ['min', 'avg', 'max', 'last'] as const;

type Column = (typeof COLUMNS)[number];

export class RangeMerge {
  readonly #operation: MergeOperation;
  #kind: Kind | null = null;
  #scopes = 0;
  #first: RangeColumns | null = null;
  readonly #sums: Record<Column, Float64Array<ArrayBuffer>>;
  readonly #counts: Record<Column, Uint32Array>;

  constructor(operation: MergeOperation, points: number) {
    this.#operation = operation;
    const column = (): Float64Array<ArrayBuffer> => new Float64Array(points).fill(NaN);
    const count = (): Uint32Array => new Uint32Array(points);
    this.#sums = { min: column(), avg: column(), max: column(), last: column() };
    this.#counts = { min: count(), avg: count(), max: count(), last: count() };
  }

  /** Of a scope, one series, on the common grid. The first scope's kind is that of the merge; others are left out. */
  add(range: RangeColumns): void {
    const [target] = range.targets;
    if (!target || range.times.length !== this.#sums.avg.length) return;
    this.#kind ??= target.kind;
    if (target.kind !== this.#kind) return;
    this.#first ??= range;
    this.#scopes++;
    for (const name of COLUMNS) {
      const [sums, counts, values] = [this.#sums[name], this.#counts[name], range[name]];
      // A counter's total stays what it was where it was not sampled, and when its scope has ended.
      const stays = name === 'last' && target.kind === 'counter';
      let known = NaN;
      for (let i = 0; i < sums.length; i++) {
        const value = Number.isNaN(values[i]!) && stays ? known : values[i]!;
        known = value;
        if (Number.isNaN(value)) continue;
        const isFirst = counts[i]! < 1;
        sums[i] = isFirst ? value : this.#join(sums[i]!, value);
        counts[i]!++;
      }
    }
  }

  #join(a: number, b: number): number {
    if (this.#operation === 'min') return Math.min(a, b);
    return this.#operation === 'max' ? Math.max(a, b) : a + b;
  }

  get scopes(): number {
    return this.#scopes;
  }

  /** Null: no scope had the series. */
  finish(scope: string): RangeColumns | null {
    if (!this.#first) return null;
    if (this.#operation === 'avg') {
      for (const name of COLUMNS) {
        const [sums, counts] = [this.#sums[name], this.#counts[name]];
        for (let i = 0; i < sums.length; i++) sums[i]! /= counts[i]!;
      }
    }
    return { ...this.#first, ...this.#sums, scope };
  }
}
