/**
 * What clients may still add: new series, runs and ranks' values are asked for here before they are made. What is there
 * already is never touched: a metric that the scope knows goes on counting, whatever is full.
 */

import { parseMetric } from '../../shared/model/metric.ts';
import type { Limits } from '../limits.ts';
import type { Runs } from '../live/runs.ts';
import type { Scope } from '../live/scope.ts';
import type { Reason } from './messages.ts';

/** Families that the node's own sources and the engine write: a client that took one would speak for them. */
const RESERVED = /^(?:proxy|vigie)_/;
/** The memory is looked at again after so many new series: a fast client adds a lot within one period. */
const LOOK_EVERY = 4096;

export interface BudgetOptions {
  readonly limits: Limits;
  readonly maxSeries: number;
  readonly node: Scope;
  /** There is no room for anything new. Asked seldom. */
  readonly memoryFull: () => boolean;
}

export class Budget {
  readonly limits: Limits;
  readonly maxSeries: number;
  readonly #node: Scope;
  readonly #memoryFull: () => boolean;
  #runSeries = 0;
  #sinceLook = 0;
  #full = false;
  /** Ranks' values of the runs that are open, and of clients without a job. */
  readonly #rankValues = new Map<Scope, number>();
  rankValues = 0;

  constructor({ limits, maxSeries, node, memoryFull }: BudgetOptions) {
    this.limits = limits;
    this.maxSeries = maxSeries;
    this.#node = node;
    this.#memoryFull = memoryFull;
  }

  /** Series that live now. */
  get series(): number {
    return this.#runSeries + this.#node.seriesCount;
  }

  /** Series a scope may have. */
  seriesOf(scope: Scope): number {
    return scope === this.#node ? this.limits.series_per_node : this.limits.series_per_run;
  }

  /** Once per tick. */
  look(): void {
    this.#sinceLook = 0;
    this.#full = this.#memoryFull();
  }

  get memoryFull(): boolean {
    return this.#full;
  }

  /** Why this scope cannot have a series of this name, or null. */
  refuseSeries(scope: Scope, name: string): Reason | null {
    const { limits } = this;
    if (name.length > limits.name_length) return 'name_too_long';
    if (scope === this.#node && RESERVED.test(name)) return 'name_reserved';
    // Parsed only where a brace promises labels: most names have none.
    if (name.includes('{') && parseMetric(name).labels.length > limits.labels) return 'name_too_many_labels';
    const full = this.#refuseNew(scope);
    return full === null || scope.find(parseMetric(name).key) ? null : full;
  }

  #refuseNew(scope: Scope): Reason | null {
    if (scope.seriesCount >= this.seriesOf(scope)) return 'too_many_series';
    if (this.series >= this.maxSeries) return 'engine_full';
    return this.#full ? 'memory_full' : null;
  }

  /** Why this job cannot have a run, or null: one that is open goes on taking clients. */
  refuseRun(runs: Runs, jobid: string): Reason | null {
    if (runs.live.has(jobid)) return null;
    if (runs.live.size >= this.limits.runs) return 'too_many_runs';
    return this.#full ? 'memory_full' : null;
  }

  /** A scope has so many series more, or, below 0, has retired them. */
  added(scope: Scope, series: number): void {
    if (series === 0) return;
    if (scope !== this.#node) this.#runSeries += series;
    this.#sinceLook += series;
    if (this.#sinceLook >= LOOK_EVERY) this.look();
  }

  get rankValuesFull(): boolean {
    return this.rankValues >= this.limits.rank_values;
  }

  /** A rank of this scope keeps so many values of its own, or, below 0, gives them up. */
  addRankValues(scope: Scope, values: number): void {
    this.rankValues += values;
    this.#rankValues.set(scope, (this.#rankValues.get(scope) ?? 0) + values);
  }

  /** The run is over: nothing of it is held any more. */
  ended(scope: Scope): void {
    this.#runSeries -= scope.livingCount;
    this.rankValues -= this.#rankValues.get(scope) ?? 0;
    this.#rankValues.delete(scope);
  }
}
