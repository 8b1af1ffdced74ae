/** Looks at all places again and again, and tells what each has. A place that fails keeps what it had. */

import type { DiscoveryStatus } from '../../../shared/api/targets.ts';
import type { Discovery, Found } from './discovery.ts';

/** A place is looked at again after this, in ms, when the last look failed. */
const AFTER_FAILURE = 10_000;
const MAX_NOTES = 100;

export interface WatchOptions {
  readonly discoveries: readonly Discovery[];
  /** Makes the list hold these; may add notes. Returns how many are on it. */
  readonly sync: (discovery: Discovery, found: readonly Found[], notes: string[]) => number;
  readonly now: () => number;
  readonly warn: (message: string) => void;
}

class Watched {
  readonly status: { -readonly [K in keyof DiscoveryStatus]: DiscoveryStatus[K] };
  readonly #discovery: Discovery;
  readonly #options: WatchOptions;
  readonly #stop = new AbortController();
  #timer: NodeJS.Timeout | null = null;

  constructor(discovery: Discovery, options: WatchOptions) {
    this.#discovery = discovery;
    this.#options = options;
    const { kind, name } = discovery;
    this.status = { kind, name, targets: 0, last_read: null, error: null, notes: [] };
  }

  async look(): Promise<void> {
    const { status } = this;
    const { sync, now, warn } = this.#options;
    try {
      const findings = await this.#discovery.look(this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      status.last_read = now();
      status.error = null;
      if (findings) {
        const notes = [...findings.notes];
        status.targets = sync(this.#discovery, findings.targets, notes);
        status.notes = notes.slice(0, MAX_NOTES);
      }
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      if (status.error !== reason) warn(`no targets are taken from ${status.name}: ${reason}`);
      status.error = reason;
    }
    const wait = status.error === null ? this.#discovery.every : (this.#discovery.every ?? AFTER_FAILURE);
    if (wait !== null) this.#timer = setTimeout(() => void this.look(), wait).unref();
  }

  close(): void {
    this.#stop.abort();
    if (this.#timer) clearTimeout(this.#timer);
  }
}

export class DiscoveryWatch {
  readonly #watched: readonly Watched[];

  constructor(options: WatchOptions) {
    this.#watched = options.discoveries.map((discovery) => new Watched(discovery, options));
  }

  start(): void {
    for (const watched of this.#watched) void watched.look();
  }

  status(): DiscoveryStatus[] {
    return this.#watched.map(({ status }) => ({ ...status, notes: [...status.notes] }));
  }

  close(): void {
    for (const watched of this.#watched) watched.close();
  }
}
