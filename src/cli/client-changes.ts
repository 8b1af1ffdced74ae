/** Which values have changed from one reading to the next, and when. */

import type { Metric } from './client-reading.ts';

/** As it is written. */
export interface TimedValue {
  readonly name: string;
  /** Time of the last change, seconds since the epoch; 0: not known. */
  readonly ts: number;
  readonly value: number;
}

/** `changes`: what {@link Metric.changed} does not tell. */
export function timedValues(metrics: readonly Metric[], changes: ReadonlyMap<string, number>): TimedValue[] {
  return metrics.map(({ name, key, value, changed }) => ({
    name,
    ts: Math.max(changed, changes.get(key) ?? 0) / 1000,
    value,
  }));
}

export class Changes {
  readonly #values = new Map<string, number>();
  /** When the reading before was asked for, ms since the epoch; null: there was none. */
  #last: number | null = null;

  /** Metrics at 0 count as changed only once they have had another value. */
  readonly #withZeros: boolean;

  constructor(withZeros: boolean) {
    this.#withZeros = withZeros;
  }

  /**
   * Those whose value is another than in the reading before; of the first reading all.
   *
   * The engine notes changes at its ticks. When it has noted none since the last reading, the value has changed between
   * that tick and this reading, and the reading's time is the closest that is known.
   *
   * @param time When the reading was asked for and answered, on the engine's clock, ms since the epoch.
   * @param changes For the first reading: when values changed that had changed before.
   */
  take(
    metrics: readonly Metric[],
    { asked, answered }: { readonly asked: number; readonly answered: number },
    changes: ReadonlyMap<string, number> = new Map(),
  ): TimedValue[] {
    const last = this.#last;
    this.#last = asked;
    const changed = metrics.filter(({ key, value }) => {
      const before = this.#values.get(key);
      if (before === value || (before === undefined && value === 0 && !this.#withZeros)) return false;
      this.#values.set(key, value);
      return true;
    });
    if (last === null) return timedValues(changed, changes);
    return changed.map(({ name, value, changed: noted }) => ({
      name,
      ts: (noted > last && noted <= answered ? noted : answered) / 1000,
      value,
    }));
  }
}
