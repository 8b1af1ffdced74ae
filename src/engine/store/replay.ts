import { encodeFrame, FrameError, FrameState, saysFull, type AppliedFrame, type Columns } from '../../shared/frame.ts';
import { GAUGE_WIDTH } from '../../shared/model/values.ts';
import type { SeriesDef } from '../../shared/model/series.ts';
import type { Snapshot } from './store.ts';

/**
 * Applies stored frames in order. Bytes that are no frame lose what they held and the differences after them, up to the
 * next full frame; never more.
 */
export class Replay {
  readonly state = new FrameState();
  #broken = false;

  /** What there is to know of the frame beside its values, or null when it cannot be used. */
  apply(bytes: Uint8Array): AppliedFrame | null {
    if (this.#broken && !saysFull(bytes)) return null;
    try {
      const frame = this.state.applyBytes(bytes);
      this.#broken = false;
      return frame;
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#broken = true;
      return null;
    }
  }

  /** The last applied frame again, full. */
  full(frame: AppliedFrame): Uint8Array<ArrayBuffer> {
    return encodeFrame({ ...frame, stream: 0 }, this.state, null);
  }

  /** What is known now; the columns are copies. Null before the first frame. */
  snapshot(schema: readonly SeriesDef[]): Snapshot | null {
    return this.state.time === 0 ? null : snapshotOf(this.state, schema);
  }
}

/** The values of a time as copies, with those of the series that they are about. */
export function snapshotOf(state: Columns & { readonly time: number }, schema: readonly SeriesDef[]): Snapshot {
  const { time, counterCount, gaugeCount, counters, gauges } = state;
  const has = (def: SeriesDef): boolean => def.index < (def.kind === 'counter' ? counterCount : gaugeCount);
  return {
    time,
    series: schema.filter(has),
    columns: {
      counterCount,
      gaugeCount,
      counters: counters.slice(0, counterCount),
      gauges: gauges.slice(0, GAUGE_WIDTH * gaugeCount),
    },
  };
}
