/** One destination: what is due is taken, encoded, queued and sent; and how that goes. */

import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { RemoteWriteStatus } from '../../shared/api/status.ts';
import { scopeKind } from '../../shared/model/scope.ts';
import type { TickInfo } from '../live/sampler.ts';
import type { Scope } from '../live/scope.ts';
import { authorize, openSecrets } from './credentials.ts';
import { Encoder } from './encoder.ts';
import { familyFilter } from './filter.ts';
import { DiskKeeper, MemoryKeeper } from './keepers.ts';
import { scopeLabels } from './labels.ts';
import { Queue, type Keeper, type Kept } from './queue.ts';
import { Sender } from './sender.ts';
import { LabelBudget, SeriesBytes } from './series-bytes.ts';
import { shownUrl, type DestinationSettings } from './settings.ts';
import { Transport } from './transport.ts';

/** What waits in memory where nothing is kept on disk, at most. Bytes. */
const MAX_IN_MEMORY = 64 * 1024 * 1024;
/** When the engine stops it waits so long for what is still to be sent, in ms. */
const LAST_WORDS = 2000;

export interface DestinationOptions {
  readonly settings: DestinationSettings;
  readonly host: string;
  /** The engine's data directory; null: in memory. */
  readonly data: string | null;
  /** Job id of a run's scope; null: it is none. */
  readonly jobid: (scope: Scope) => string | null;
  /** ms since the epoch. */
  readonly now: () => number;
  readonly warn: (message: string) => void;
}

export class Destination {
  readonly settings: DestinationSettings;
  readonly transport: Transport;
  readonly #options: DestinationOptions;
  readonly #encoder: Encoder;
  readonly #queue: Queue;
  readonly #sender: Sender;
  readonly #keep: (family: string) => boolean;
  readonly #budget = new LabelBudget();
  readonly #scopes = new Map<Scope, SeriesBytes>();
  /** Time of the last sample of each scope, ms since the epoch. */
  readonly #times = new WeakMap<Scope, number>();
  #lastTick = -Infinity;
  #sent = 0;
  #failed = 0;
  readonly #dropped = new Map<string, number>();
  #error: string | null = null;

  private constructor(options: DestinationOptions, transport: Transport, keeper: Keeper, found: readonly Kept[]) {
    const { settings, data, now } = options;
    this.settings = settings;
    this.transport = transport;
    this.#options = options;
    this.#keep = familyFilter(settings.metrics.keep, settings.metrics.drop);
    const dropped = (reason: string, samples: number, error: string): void => this.#drop(reason, samples, error);
    this.#queue = new Queue({
      keeper,
      found,
      maxBytes: data === null ? Math.min(settings.queue, MAX_IN_MEMORY) : settings.queue,
      crc: (body) => crc32(body),
      dropped: (reason, samples) => this.#drop(reason, samples, DROP_WORDS[reason]),
      failed: (error) => this.#fail(`waiting samples cannot be kept: ${error instanceof Error ? error.message : ''}`),
    });
    this.#encoder = new Encoder({
      batchSamples: settings.batch_samples,
      // Nothing more comes within that time.
      batchWait: settings.batch_wait > settings.interval ? settings.batch_wait : 0,
      emit: (batch) => this.#queue.push(batch),
      dropped: (samples) => this.#drop('too_many', samples, DROP_WORDS.too_many),
    });
    this.#sender = new Sender({
      ...{ url: settings.url, timeout: settings.timeout, transport, queue: this.#queue, now, dropped },
      ...{ minBackoff: settings.min_backoff, maxBackoff: settings.max_backoff },
      resumed: found.length > 0,
      sent: (samples) => {
        this.#sent += samples;
        this.#error = null;
      },
      failed: (error) => this.#fail(error),
    });
    this.#sender.start();
  }

  /** @throws {Error} when a file that is named in the settings cannot be read. */
  static async open(options: DestinationOptions): Promise<Destination> {
    const { settings, data, warn } = options;
    const about = `remote_write ${settings.name}`;
    try {
      await authorize(settings);
      for (const warning of await openSecrets(settings)) warn(`${about}: ${warning}`);
      const transport = await Transport.open(settings);
      if (data === null) return new Destination(options, transport, new MemoryKeeper(), []);
      const keeper = new DiskKeeper(join(data, 'remote-write', settings.name));
      return new Destination(options, transport, keeper, await keeper.open());
    } catch (error) {
      throw new Error(`${about}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }

  #drop(reason: string, samples: number, error: string): void {
    const known = this.#dropped.get(reason);
    this.#dropped.set(reason, (known ?? 0) + samples);
    this.#error = error;
    // Once: it may go on for days.
    if (known === undefined) this.#options.warn(`remote_write ${this.settings.name}: samples are dropped: ${error}`);
  }

  #fail(error: string): void {
    this.#failed++;
    this.#error = error;
  }

  #seriesOf(scope: Scope, jobid: string | null): SeriesBytes {
    const known = this.#scopes.get(scope);
    if (known) return known;
    const labels = scopeLabels(scope.id, this.#options.host, jobid, this.settings.labels);
    const made = new SeriesBytes({ scope, labels, keep: this.#keep, budget: this.#budget });
    this.#scopes.set(scope, made);
    return made;
  }

  #wants(scope: Scope): boolean {
    const kind = scopeKind(scope.id);
    return kind === 'node' || kind === 'run' ? this.settings.scopes.includes(kind) : kind === 'target';
  }

  /** A tick: takes all values when the interval is over. Scopes are settled. */
  consume(tick: TickInfo, scopes: readonly Scope[]): void {
    // Ticks come a little early or late; half a period is neither. A clock that was set back is not waited for.
    const since = tick.time - this.#lastTick;
    if (since >= 0 && since < this.settings.interval - tick.interval / 2) return;
    this.#lastTick = tick.time;
    for (const scope of scopes) {
      if (!this.#wants(scope)) continue;
      this.#encoder.take(this.#seriesOf(scope, this.#options.jobid(scope)), tick.time);
      this.#times.set(scope, tick.time);
    }
  }

  /** A scope is over: its last values, and that there are none from here on. */
  end(scope: Scope, jobid: string | null): void {
    if (!this.#wants(scope)) return;
    const series = this.#seriesOf(scope, jobid);
    this.#scopes.delete(scope);
    const last = this.#times.get(scope) ?? -Infinity;
    const time = Math.max(this.#options.now(), last + 1);
    this.#encoder.take(series, time);
    this.#encoder.end(series, time + 1);
  }

  status(): RemoteWriteStatus {
    const oldest = Math.min(this.#queue.oldest, this.#encoder.oldest);
    return {
      name: this.settings.name,
      url: shownUrl(this.settings.url),
      sent: this.#sent,
      failed: this.#failed,
      dropped: Object.fromEntries(this.#dropped),
      queued_requests: this.#queue.length,
      queued_bytes: this.#queue.bytes,
      lag_ms: Number.isFinite(oldest) ? Math.max(0, this.#options.now() - oldest) : 0,
      error: this.#error,
    };
  }

  /** Sends what it can in a moment; the rest waits on disk for the next start. */
  async close(): Promise<void> {
    this.#encoder.flush();
    const end = performance.now() + LAST_WORDS;
    while (this.#queue.length > 0 && !this.#sender.failing && performance.now() < end) await sleep(10);
    await this.#sender.close();
    await this.#queue.settle();
    this.transport.close();
  }
}

const DROP_WORDS = {
  queue_full: 'the queue is full, the oldest samples are given up',
  disk: 'waiting samples cannot be written to disk',
  too_many: 'there are more samples than can be encoded',
};
