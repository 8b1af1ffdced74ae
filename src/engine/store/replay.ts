import { decodeFrame, encodeFrame, FrameError, FrameState, type Columns, type Frame } from '../../shared/frame.ts';
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

  /** The frame, or null when it cannot be used. */
  apply(bytes: Uint8Array): Frame | null {
    let frame: Frame;
    try {
      frame = decodeFrame(bytes);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      this.#broken = true;
      return null;
    }
    if (this.#broken && !frame.full) return null;
    this.#broken = false;
    this.state.apply(frame);
    return frame;
  }

  /** The last applied frame again, full. */
  full(frame: Frame): Uint8Array<ArrayBuffer> {
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
