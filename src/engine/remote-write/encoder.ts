/**
 * From the columns of a tick to requests. On the tick only numbers are copied; they become requests a little at a time
 * between other work of the event loop, so that no tick waits for a hundred thousand series.
 */

import { GAUGE_WIDTH, type Kind } from '../../shared/model/values.ts';
import type { SeriesBytes } from './series-bytes.ts';
import { WriteRequest } from './write-request.ts';

/** Milliseconds of work without a break, and series between two looks at the clock. */
const SLICE_MS = 1;
const SLICE = 64;
/** A request is full at this size, before compression, too: compressing it is one piece of work. */
const FULL_BYTES = 256 * 1024;
/** Copies that wait. Of more, the newest tick is left out. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

interface Copy {
  /** ms since the epoch. */
  readonly time: number;
  readonly series: SeriesBytes;
  readonly counters: Float64Array;
  /** total / hits; NaN: no value. */
  readonly gauges: Float64Array;
  /** Whatever has a value has none from here on; the numbers are not looked at. */
  readonly over: boolean;
}

export interface Batch {
  /** A WriteRequest in snappy's block format. */
  readonly body: Uint8Array<ArrayBuffer>;
  readonly samples: number;
  /** Time of the oldest sample, ms since the epoch. */
  readonly oldest: number;
}

export interface EncoderOptions {
  readonly batchSamples: number;
  /** Milliseconds that one waits for a batch to become full. */
  readonly batchWait: number;
  /** Takes a full batch. */
  readonly emit: (batch: Batch) => void;
  /** Samples that were left out because this cannot keep up. */
  readonly dropped: (samples: number) => void;
}

export class Encoder {
  readonly #options: EncoderOptions;
  readonly #request = new WriteRequest();
  readonly #waiting: Copy[] = [];
  #waitingBytes = 0;
  /** Series of the first copy that were looked at. */
  #at = 0;
  #soon: NodeJS.Immediate | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: EncoderOptions) {
    this.#options = options;
  }

  /** Time of the oldest sample that is in no batch yet; Infinity: there is none. */
  get oldest(): number {
    return Math.min(this.#request.oldest, this.#waiting[0]?.time ?? Infinity);
  }

  /** Copies the values of this moment. The scope is settled. */
  take(series: SeriesBytes, time: number): void {
    const { counterCount, gaugeCount, counters, gauges } = series.scope;
    const bytes = 8 * (counterCount + gaugeCount);
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES) return this.#options.dropped(counterCount + gaugeCount);
    const means = new Float64Array(gaugeCount);
    for (let i = 0; i < gaugeCount; i++) {
      const hits = gauges[GAUGE_WIDTH * i + 2]!;
      means[i] = hits > 0 ? gauges[GAUGE_WIDTH * i + 3]! / hits : NaN;
    }
    this.#push({ time, series, counters: counters.slice(0, counterCount), gauges: means, over: false });
  }

  /** All series of the scope end. */
  end(series: SeriesBytes, time: number): void {
    const { counterCount, gaugeCount } = series.scope;
    this.#push({
      time,
      series,
      counters: new Float64Array(counterCount),
      gauges: new Float64Array(gaugeCount),
      over: true,
    });
  }

  #push(copy: Copy): void {
    this.#waiting.push(copy);
    this.#waitingBytes += 8 * (copy.counters.length + copy.gauges.length);
    this.#soon ??= setImmediate(() => this.#work());
  }

  #work(): void {
    this.#soon = null;
    const end = performance.now() + SLICE_MS;
    do this.#some(SLICE);
    while (this.#waiting.length > 0 && performance.now() < end);
    if (this.#waiting.length > 0) this.#soon = setImmediate(() => this.#work());
    else if (this.#options.batchWait === 0) this.#emit();
    else if (this.#request.samples > 0) this.#timer ??= setTimeout(() => this.#emit(), this.#options.batchWait);
  }

  /** Encodes as many series. */
  #some(count: number): void {
    let left = count;
    for (let copy = this.#waiting[0]; copy && left > 0; copy = this.#waiting[0]) {
      const { counters, gauges, series, over } = copy;
      const all = counters.length + gauges.length;
      this.#request.setTime(copy.time);
      for (; this.#at < all && left > 0; this.#at++, left--) {
        const kind: Kind = this.#at < counters.length ? 'counter' : 'gauge';
        const index = kind === 'counter' ? this.#at : this.#at - counters.length;
        this.#sample(series, kind, index, over ? NaN : (kind === 'counter' ? counters : gauges)[index]!);
      }
      if (this.#at < all) return;
      this.#at = 0;
      this.#waiting.shift();
      this.#waitingBytes -= 8 * all;
      if (over) series.close();
    }
  }

  #sample(series: SeriesBytes, kind: Kind, index: number, value: number): void {
    const none = Number.isNaN(value);
    // What never had a value is not said to have lost it.
    if (none && !series.isPresent(kind, index)) return;
    if (!series.locate(kind, index)) return;
    if (none) this.#request.addStale(series.bytes, series.start, series.end);
    else this.#request.add(series.bytes, series.start, series.end, value);
    series.setPresent(kind, index, !none);
    if (this.#request.samples >= this.#options.batchSamples || this.#request.bytes >= FULL_BYTES) this.#emit();
  }

  #emit(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#request.samples > 0) this.#options.emit(this.#request.take());
  }

  /** Emits all that was taken, at once. */
  flush(): void {
    this.#some(Infinity);
    this.#emit();
    if (this.#soon) clearImmediate(this.#soon);
    this.#soon = null;
  }
}
