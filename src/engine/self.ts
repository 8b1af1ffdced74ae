/** The engine's own figures as series of its node: what came in, what was refused and why, how late the clock ran. */

import type { Alarms } from './alarms/alarms.ts';
import type { Budget } from './ingest/budget.ts';
import type { IngestStats } from './ingest/stats.ts';
import type { SourceWriter } from './sources/source.ts';
import type { StoreStatus } from '../shared/api/status.ts';
import type { Store } from './store/store.ts';
import type { LiveHub } from './live/hub.ts';
import type { Runs } from './live/runs.ts';
import type { SamplerStatus } from './live/sampler.ts';
import type { LoopWatch } from './loop.ts';
import type { MemoryGuard } from './memory-guard.ts';
import type { Refusals } from './refusals.ts';
import type { StoreSize } from './store-size.ts';
import { TargetUp } from './target-up.ts';
import type { Targets } from './targets/manager.ts';

export interface SelfParts {
  readonly stats: IngestStats;
  readonly runs: Runs;
  readonly hub: LiveHub;
  readonly store: Store;
  readonly refusals: Refusals;
  readonly memory: MemoryGuard;
  readonly budget: Budget;
  readonly loop: LoopWatch;
  readonly targets: Pick<Targets, 'counts' | 'scrapes' | 'late' | 'entries'>;
  readonly alarms: Pick<Alarms, 'firing' | 'figures' | 'rules'>;
  readonly storeSize: StoreSize;
  /** Connections to the address that is listened on. */
  readonly httpConnections: () => number;
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
}

/** Figures that move slowly, or that only people look at: stored every ten seconds. */
const SLOW = { detail: true } as const;

export class SelfMetrics {
  /** Messages per second over the last period. */
  rate = 0;
  /** Share of the time in which the event loop did something lately, 0 to 1. */
  busy = 0;
  #messages = 0;
  readonly #out: SourceWriter;
  readonly #parts: SelfParts;
  readonly #targetUp: TargetUp;

  constructor(out: SourceWriter, parts: SelfParts) {
    this.#out = out;
    this.#parts = parts;
    this.#targetUp = new TargetUp(out);
  }

  sample(seconds: number, sampler: SamplerStatus): void {
    const { stats, runs, hub, store, refusals, memory, budget } = this.#parts;
    this.rate = seconds > 0 ? (stats.messages - this.#messages) / seconds : 0;
    this.#messages = stats.messages;
    this.#counter('vigie_ingest_messages_total', 'Messages taken from clients', stats.messages);
    this.#counter('vigie_ingest_bytes_total', 'Bytes read from clients', stats.bytes);
    this.#gauge('vigie_ingest_connections', 'Clients connected now', stats.connections);
    this.#gauge('vigie_ingest_tables', 'Shared tables that are read', stats.tables);
    for (const [reason, count] of stats.rejected) {
      this.#counter(
        `vigie_ingest_rejected_total{reason="${reason}"}`,
        'Messages from clients that were not taken, by reason',
        count,
      );
    }
    for (const [reason, count] of refusals.counts) {
      this.#counter(
        `vigie_refused_total{reason="${reason}"}`,
        'Connections and requests turned away or cut off, by reason',
        count,
      );
    }
    this.#gauge('vigie_memory_resident_bytes', 'Resident memory of the engine', memory.resident);
    this.#gauge('vigie_memory_heap_bytes', 'Objects in the engine, garbage included', memory.heap, SLOW);
    this.#gauge('vigie_series', 'Series that live now', budget.series);
    this.#gauge('vigie_rank_values', 'Values that ranks keep of their own', budget.rankValues, SLOW);
    this.#gauge('vigie_runs_live', 'Runs that are open', runs.live.size);
    this.#counter('vigie_ticks_late_total', 'Ticks that began more than half a period late', sampler.late);
    this.#counter(
      'vigie_live_frames_skipped_total',
      'Frames left out for readers that did not keep up',
      hub.skippedFrames,
    );
    this.#targets();
    this.#alarms();
    this.#process();
    this.#gauge('vigie_tick_seconds', 'Duration of the tick before', sampler.lastMs / 1000);
    this.#gauge('vigie_tick_lateness_seconds', 'How late the tick began', sampler.lateMs / 1000);
    this.#gauge('vigie_live_readers', 'Live readers that are connected', hub.readers, SLOW);
    this.#gauge('vigie_http_connections', 'Connections over HTTP', this.#parts.httpConnections(), SLOW);
    this.#store(store.status());
  }

  /** What is pulled, and whether it is pulled in time. */
  #targets(): void {
    const { targets } = this.#parts;
    const { total: _, ...states } = targets.counts();
    for (const [state, count] of Object.entries(states)) {
      this.#gauge(`vigie_targets{state="${state}"}`, 'Targets by state; paused ones apart', count, SLOW);
    }
    const { scrapes } = targets;
    const results = 'Scrapes of targets, by what they came to';
    this.#counter('vigie_target_scrapes_total{result="good"}', results, scrapes.good);
    this.#counter('vigie_target_scrapes_total{result="failed"}', results, scrapes.failed);
    this.#counter('vigie_target_samples_total', 'Samples taken from targets', scrapes.samples);
    this.#counter('vigie_target_bytes_total', 'Bytes of the answers of targets, unpacked', scrapes.bytes);
    this.#counter('vigie_target_scrape_seconds_total', 'Time that good scrapes took, side by side', scrapes.seconds);
    this.#targetUp.sample(targets.entries());
    this.#counter('vigie_target_scrapes_late_total', 'Scrapes that began over a period late', targets.late);
  }

  /** Nothing where there is no rule. */
  #alarms(): void {
    const { alarms } = this.#parts;
    if (alarms.rules.size > 0) {
      this.#gauge('vigie_alarm_rules', 'Rules for alarms', alarms.rules.size, SLOW);
      this.#gauge('vigie_alarms_firing', 'Alarms that fire', alarms.firing, SLOW);
    }
    const { figures } = alarms;
    if (figures === null) return;
    const results = 'Messages about alarms, by what they came to';
    this.#counter('vigie_alarm_messages_total{result="sent"}', results, figures.sent);
    this.#counter('vigie_alarm_messages_total{result="failed"}', results, figures.failed);
    this.#gauge('vigie_alarm_messages_waiting', 'Messages about alarms that are not sent yet', figures.waiting, SLOW);
  }

  /** What the engine costs, and whether its event loop keeps up. */
  #process(): void {
    const { user, system } = process.cpuUsage();
    this.#counter('vigie_cpu_seconds_total', 'Processor time of the engine, all threads', (user + system) / 1e6);
    const loop = this.#parts.loop.take();
    if (loop === null) return;
    this.busy = loop.busy;
    this.#gauge('vigie_event_loop_delay_seconds', 'How late timers came since the tick before, mean', loop.mean, SLOW);
    // Each one is stored: a mean of ten seconds would hide what a user felt.
    this.#gauge('vigie_event_loop_delay_max_seconds', 'How late timers came since the tick before, most', loop.max);
    this.#gauge('vigie_event_loop_busy_ratio', 'Share of time in which the event loop was busy', loop.busy, SLOW);
  }

  #store(status: StoreStatus): void {
    const { storeSize, now } = this.#parts;
    this.#counter('vigie_store_ticks_dropped_total', 'Ticks the store had no room for', status.dropped);
    this.#gauge('vigie_store_queued_ticks', 'Ticks taken but not yet written', status.queued, SLOW);
    this.#gauge('vigie_store_failing', '1 while the store cannot write', status.error === null ? 0 : 1);
    if (status.durable_until > 0) {
      const behind = Math.max(0, now() - status.durable_until) / 1000;
      this.#gauge('vigie_store_behind_seconds', 'Age of the newest sample that is on disk', behind, SLOW);
    }
    storeSize.look(performance.now());
    if (storeSize.bytes !== null) {
      this.#gauge('vigie_store_bytes', 'Size of the database and its log', storeSize.bytes, SLOW);
    }
  }

  #counter(name: string, doc: string, total: number): void {
    this.#put(() => this.#out.setCounter(this.#out.counter(name, doc), total));
  }

  #gauge(name: string, doc: string, value: number, options?: typeof SLOW): void {
    this.#put(() => this.#out.setGauge(this.#out.gauge(name, doc, options), value));
  }

  /**
   * The node's scope may be full. The figure is left out then; the status still has it, and the tick goes on.
   */
  #put(write: () => void): void {
    try {
      write();
    } catch {
      // Left out.
    }
  }
}
