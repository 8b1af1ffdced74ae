import type { RangeResult } from '../../shared/api/query.ts';
import type { Series } from '../../shared/model/described-series.ts';
import { FrameState } from '../../shared/frame.ts';
import type { Frame } from '../../shared/frame.ts';
import type { ScopeId } from '../../shared/model/scope.ts';
import { GAUGE_WIDTH } from '../../shared/model/values.ts';
import { RingTable } from './ring.ts';

/** Samples kept per scope: five minutes at four samples a second. */
export const RING_CAPACITY = 1200;

/** A scope's series and its last samples. Counters are kept as totals, gauges as total / hits. */
export class ScopeBuffer {
  readonly scope: ScopeId;
  readonly ring: RingTable;
  /** Grows when series are added; React looks at nothing else. */
  version = 0;
  /** Frames up to now have arrived. */
  live = false;
  ended = false;
  /** Why the engine does not send this scope, or null. */
  error: string | null = null;
  /** Why samples that the socket left out did not come as history either, or null. */
  missing: string | null = null;
  /** In the order in which they were first seen. */
  series: readonly Series[] = [];
  readonly #columns = new Map<string, number>();
  /** Which place of a frame a column takes its value from, on this subscription; -1: not in it. */
  #readers: { gauge: boolean; index: number }[] = [];
  #state = new FrameState();
  #sequence = -1;
  #broken = false;

  constructor(scope: ScopeId, capacity = RING_CAPACITY) {
    this.scope = scope;
    this.ring = new RingTable(capacity);
  }

  /** Column of a series in the ring, -1 when it is not known. */
  column(key: string): number {
    return this.#columns.get(key) ?? -1;
  }

  /** A new subscription: a restarted engine may number its series differently. Samples stay. */
  begin(): void {
    this.#readers = this.#readers.map(() => ({ gauge: false, index: -1 }));
    this.#state = new FrameState();
    this.#sequence = -1;
    this.error = null;
  }

  addSeries(added: readonly Series[]): void {
    const list = [...this.series];
    for (const one of added) {
      let column = this.#columns.get(one.key);
      if (column === undefined) {
        column = this.ring.addColumn();
        this.#columns.set(one.key, column);
        list.push(one);
      }
      this.#readers[column] = { gauge: one.kind === 'gauge', index: one.index };
    }
    this.series = list;
    this.version++;
  }

  /** Applies a frame; a fresh one becomes a sample. */
  addFrame(frame: Frame, fresh: boolean): void {
    const state = this.#state;
    state.apply(frame);
    const last = this.ring.lastTime;
    // Between two scrapes a target's numbers stand still: no samples, or its rates would be spikes between zeros.
    if (this.#scraped && !frame.gap && !this.#broken && last > 0 && !hasChanges(frame)) return;
    // History may have been quicker, and has this sample too.
    if (fresh && frame.time > last) {
      const next = this.#sequence >= 0 && frame.sequence === (this.#sequence + 1) >>> 0;
      // A reader that fell behind gets fewer frames; each then covers the time since the one before it.
      const unknown = frame.gap || this.#broken || last === 0;
      const span = unknown ? 0 : next && frame.interval > 0 ? frame.interval : frame.time - last;
      this.ring.append(frame.time, span, this.#read);
      // Stored frames have the many counters of cores and devices only now and then.
      for (const [column, reader] of this.#readers.entries()) if (!reader.gauge) this.ring.bridge(column);
    }
    if (fresh) this.#broken = false;
    this.#sequence = frame.sequence;
  }

  /** Frames before the next one are missing: no rate and no line goes over that time. */
  breakLine(): void {
    this.#broken = true;
  }

  get #scraped(): boolean {
    return this.scope.startsWith('target/');
  }

  readonly #read = (column: number): number => {
    const reader = this.#readers[column];
    if (!reader || reader.index < 0) return NaN;
    if (!reader.gauge) return reader.index < this.#state.counterCount ? this.#state.counters[reader.index]! : NaN;
    if (reader.index >= this.#state.gaugeCount) return NaN;
    const at = GAUGE_WIDTH * reader.index;
    const hits = this.#state.gauges[at + 2]!;
    return hits > 0 ? this.#state.gauges[at + 3]! / hits : NaN;
  };

  /** Fills a span that the socket left out with what the store answers for it. */
  backfill(result: RangeResult): void {
    const columns = result.series.map((s) => this.column(s.key));
    const spans = result.times.map((time, i) => (i > 0 ? time - result.times[i - 1]! : 0));
    // Where the engine did not run there are no samples; a step much wider than the others is such a hole. What is filled
    // may be little more than the hole: the samples that are here tell how wide steps are too.
    const sorted = [...spans, ...this.ring.spans()].filter((span) => span > 0).sort((a, b) => a - b);
    const usual = sorted[(sorted.length - 1) >>> 1] ?? 0;
    const rows = result.times.map((time, i) => {
      const values = new Array<number>(this.ring.columnCount).fill(NaN);
      result.series.forEach((s, n) => {
        const column = columns[n]!;
        if (column >= 0) values[column] = (s.kind === 'counter' ? s.last[i] : s.avg[i]) ?? NaN;
      });
      return { time, span: spans[i]! > 3 * usual ? 0 : spans[i]!, values };
    });
    this.ring.backfill(rows);
  }
}

const hasChanges = ({ counterValues, gaugeValues }: Frame): boolean => counterValues.length + gaugeValues.length > 0;
