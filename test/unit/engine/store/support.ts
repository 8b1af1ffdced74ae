/** Builds ticks and frames for the store's tests. */

import type { Run } from '../../../../src/shared/api/runs.ts';
import { bitmapBytes, encodeFrame, setBit } from '../../../../src/shared/frame.ts';
import { runScope } from '../../../../src/shared/model/scope.ts';
import type { SeriesDef } from '../../../../src/shared/model/series.ts';
import type { Kind } from '../../../../src/shared/model/values.ts';
import type { Profile } from '../../../../src/shared/api/profiles.ts';
import type { ScopeTick, Tick } from '../../../../src/engine/store/store.ts';

export const T0 = 1_800_000_000_000;

export const def = (kind: Kind, index: number, name: string): SeriesDef => ({
  kind,
  index,
  name,
  doc: `about ${name}`,
});

type Values = Readonly<Record<string, number | readonly [number, number, number, number]>>;

/** A scope as a sampler would tell it: values by name, series appended when first set, only changes in later frames. */
export class Teller {
  readonly scope: string;
  readonly #defs: SeriesDef[] = [];
  #counters: number[] = [];
  readonly #gauges: number[] = [];
  #sequence = 0;
  #time = 0;
  full = true;

  constructor(scope: string) {
    this.scope = scope;
  }

  at(time: number, values: Values, gap = false): ScopeTick {
    const added: SeriesDef[] = [];
    const changed: SeriesDef[] = [];
    for (const [name, value] of Object.entries(values)) {
      const kind = typeof value === 'number' ? 'counter' : 'gauge';
      let known = this.#defs.find((each) => each.name === name);
      if (!known) {
        known = def(kind, this.#defs.filter((each) => each.kind === kind).length, name);
        this.#defs.push(known);
        added.push(known);
      }
      changed.push(known);
      if (typeof value === 'number') this.#counters[known.index] = value;
      else this.#gauges.splice(4 * known.index, 4, ...value);
    }
    const columns = {
      counterCount: this.#counters.length,
      gaugeCount: this.#gauges.length / 4,
      counters: Float64Array.from(this.#counters),
      gauges: Float64Array.from(this.#gauges),
    };
    const bits = {
      counters: new Uint8Array(bitmapBytes(columns.counterCount)),
      gauges: new Uint8Array(bitmapBytes(columns.gaugeCount)),
    };
    for (const { kind, index } of changed) setBit(kind === 'counter' ? bits.counters : bits.gauges, index);
    const interval = this.#time === 0 ? 0 : time - this.#time;
    const header = { stream: 0, time, interval, sequence: this.#sequence++, gap };
    const frame = encodeFrame(header, columns, this.full ? null : bits);
    this.full = false;
    this.#time = time;
    return { scope: this.scope, added, frame };
  }
}

export const tick = (time: number, ...scopes: ScopeTick[]): Tick => ({ time, scopes });

/** A gauge with one observation. */
export const gauge = (value: number): readonly [number, number, number, number] => [value, value, 1, value];

export function run(id: string, over: Partial<Run> = {}): Run {
  return {
    ...{ id, scope: runScope(id), state: 'finished', jobid: `job-${id}`, command: './a.out', size: 4, nodelist: 'n1' },
    ...{ partition: 'p', cluster: 'c', run_dir: '/d', start_time: T0, end_time: T0 + 5000, nodes: ['n1'], ranks: 4 },
    ...{ clients: 0, series: 0, headline: null },
    ...over,
  };
}

export const profile = (of: Run): Profile => ({ run: of, series: [], ranks: [{ rank: 0, node: 'n1', values: [] }] });
