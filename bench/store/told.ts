/** What a sampler tells at a tick, before it is a frame: two stores are fed the same. */

import { encodeFrame, type Columns } from '../../src/shared/frame.ts';
import type { SeriesDef } from '../../src/shared/model/series.ts';
import type { ScopeId } from '../../src/shared/model/scope.ts';
import { GAUGE_WIDTH } from '../../src/shared/model/values.ts';
import type { Tick } from '../../src/engine/store/store.ts';

/** One scope at one tick. Columns and bits are the teller's own, and hold until its next step. */
export interface Told {
  readonly scope: ScopeId;
  /** Job of a run; null: not a run. */
  readonly jobid: string | null;
  readonly added: readonly SeriesDef[];
  readonly columns: Columns;
  /** What changed; null: all is told. */
  readonly bits: { readonly counters: Uint8Array; readonly gauges: Uint8Array } | null;
  /** Values that are known at this tick, and those among them that are not what they were. A gauge is one. */
  readonly samples: number;
  readonly changed: number;
  /** ms since the tick before. */
  readonly interval: number;
  /** It has no more ticks: a run that ended. */
  readonly last: boolean;
}

export interface Step {
  /** ms since the epoch. */
  readonly time: number;
  readonly number: number;
  readonly told: readonly Told[];
}

/** Made anew each time it is walked over. */
export type Source = () => Iterable<Step>;

export const tickOf = ({ time, number, told }: Step): Tick => ({
  time,
  scopes: told.map(({ scope, added, columns, bits, interval }) => ({
    scope,
    added,
    frame: encodeFrame({ stream: 0, time, interval, sequence: number, gap: false }, columns, bits),
  })),
});

/** What a gauge is to Prometheus; NaN: nothing was observed. */
export const gaugeValue = ({ gauges }: Columns, place: number): number => {
  const hits = gauges[GAUGE_WIDTH * place + 2]!;
  return hits > 0 ? gauges[GAUGE_WIDTH * place + 3]! / hits : NaN;
};
