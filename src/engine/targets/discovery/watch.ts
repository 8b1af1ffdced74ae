/** Looks at all places again and again, and tells what each has. A place that fails keeps what it had. */

import type { DiscoveryStatus } from '../../../shared/api/targets.ts';
import type { Discovery, Findings } from './discovery.ts';

/** A place is looked at again after this, in ms, when the last look failed. */
const AFTER_FAILURE = 10_000;
/** What is not on the list, since another place has its address, may come when that one drops it: tried again after this, ms. */
const LEFT_AGAIN = 10_000;
const MAX_NOTES = 100;

export interface WatchOptions {
  readonly discoveries: readonly Discovery[];
  /** Makes the list hold these; may add notes. Returns how many are on it. */
  readonly sync: (discovery: Discovery, found: Findings['targets'], notes: string[]) => number;
  readonly now: () => number;
  readonly warn: (message: string) => void;
}

class Watched {
  readonly status: { -readonly [K in keyof DiscoveryStatus]: DiscoveryStatus[K] };
  readonly #discovery: Discovery;
  readonly #options: WatchOptions;
  readonly #stop = new AbortController();
  /** What the place had when not all of it came onto the list, and when that was tried; null: all of it is there. */
  #left: { readonly findings: Findings; readonly time: number } | null = null;
  #timer: NodeJS.Timeout | null = null;

  constructor(discovery: Discovery, options: WatchOptions) {
    this.#discovery = discovery;
    this.#options = options;
    const { kind, name } = discovery;
    this.status = { kind, name, targets: 0, last_read: null, error: null, notes: [] };
  }

  async look(): Promise<void> {
    const { status } = this;
    const { now, warn } = this.#options;
    try {
      const findings = await this.#discovery.look(this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      status.last_read = now();
      status.error = null;
      const isTime = this.#left !== null && now() - this.#left.time >= LEFT_AGAIN;
      const found = findings ?? (isTime ? this.#left!.findings : null);
      if (found) this.#sync(found);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      if (status.error !== reason) warn(`no targets are taken from ${status.name}: ${reason}`);
      status.error = reason;
    }
    const once = status.error !== null ? AFTER_FAILURE : this.#left ? LEFT_AGAIN : null;
    const wait = this.#discovery.every ?? once;
    if (wait !== null) this.#timer = setTimeout(() => void this.look(), wait).unref();
  }

  #sync(findings: Findings): void {
    const { status } = this;
    const { sync, now } = this.#options;
    const notes = [...findings.notes];
    status.targets = sync(this.#discovery, findings.targets, notes);
    status.notes = notes.slice(0, MAX_NOTES);
    const places = new Set(findings.targets.map(({ url }) => url));
    this.#left = status.targets < places.size ? { findings, time: now() } : null;
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
