/** The engine's own figures as series of its node: what came in, what was refused and why, how late the clock ran. */

import type { IngestStats } from './ingest/stats.ts';
import type { SourceWriter } from './sources/source.ts';
import type { Store } from './store/store.ts';
import type { LiveHub } from './live/hub.ts';
import type { Runs } from './live/runs.ts';
import type { SamplerStatus } from './live/sampler.ts';

export interface SelfParts {
  readonly stats: IngestStats;
  readonly runs: Runs;
  readonly hub: LiveHub;
  readonly store: Store;
}

export class SelfMetrics {
  /** Messages per second over the last period. */
  rate = 0;
  #messages = 0;
  readonly #out: SourceWriter;
  readonly #parts: SelfParts;

  constructor(out: SourceWriter, parts: SelfParts) {
    this.#out = out;
    this.#parts = parts;
  }

  sample(seconds: number, sampler: SamplerStatus): void {
    const { stats, runs, hub, store } = this.#parts;
    this.rate = seconds > 0 ? (stats.messages - this.#messages) / seconds : 0;
    this.#messages = stats.messages;
    this.#counter('vigie_ingest_messages_total', 'Messages taken from clients', stats.messages);
    this.#counter('vigie_ingest_bytes_total', 'Bytes read from clients', stats.bytes);
    this.#gauge('vigie_ingest_connections', 'Clients connected now', stats.connections);
    for (const [reason, count] of stats.rejected) {
      this.#counter(
        `vigie_ingest_rejected_total{reason="${reason}"}`,
        'Messages from clients that were not taken, by reason',
        count,
      );
    }
    this.#gauge('vigie_runs_live', 'Runs that are open', runs.live.size);
    this.#counter('vigie_ticks_late_total', 'Ticks that began more than half a period late', sampler.late);
    this.#counter(
      'vigie_live_frames_skipped_total',
      'Frames left out for readers that did not keep up',
      hub.skippedFrames,
    );
    this.#counter('vigie_store_ticks_dropped_total', 'Ticks the store had no room for', store.status().dropped);
  }

  #counter(name: string, doc: string, total: number): void {
    this.#put(() => this.#out.setCounter(this.#out.counter(name, doc), total));
  }

  #gauge(name: string, doc: string, value: number): void {
    this.#put(() => this.#out.setGauge(this.#out.gauge(name, doc), value));
  }

  /**
   * A client without a job may have filled the node's scope, or have taken the name for the other kind. The figure is
   * left out then; the status still has it, and the tick goes on.
   */
  #put(write: () => void): void {
    try {
      write();
    } catch {
      // Left out.
    }
  }
}
