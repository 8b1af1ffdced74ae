import type { Target } from '../../shared/api/targets.ts';
import { beat } from './beat.ts';
import type { TargetsEvent } from './live.ts';
import { mergeTargets } from './targets.ts';

export interface TargetsSnapshot {
  readonly rows: ReadonlyMap<string, Target>;
  /** The complete list has come. */
  readonly loaded: boolean;
}

interface TargetsSource {
  onTargets(listener: (change: TargetsEvent) => void): () => void;
}

/** From one view of targets to the next nobody listens for a moment. */
const LINGER_MS = 10_000;

const NONE: TargetsSnapshot = { rows: new Map(), loaded: false };

/** All targets of an engine, for as long as someone looks at them. */
export class TargetsModel {
  readonly #source: TargetsSource;
  readonly #listeners = new Set<() => void>();
  #snapshot = NONE;
  #stop: (() => void) | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(source: TargetsSource) {
    this.#source = source;
  }

  readonly snapshot = (): TargetsSnapshot => this.#snapshot;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#stop ??= this.#source.onTargets(this.#take);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0 && this.#stop) this.#timer ??= setTimeout(() => this.close(), LINGER_MS);
    };
  };

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#stop?.();
    this.#stop = null;
    // What is kept meanwhile would be shown as if it were true now.
    this.#snapshot = NONE;
  }

  /** A change that a request's answer tells before the socket does. */
  put(target: Target): void {
    if (!this.#snapshot.loaded) return;
    this.#set(new Map(this.#snapshot.rows).set(target.id, target));
    this.#notify();
  }

  drop(id: string): void {
    const rows = new Map(this.#snapshot.rows);
    if (!rows.delete(id)) return;
    this.#set(rows);
    this.#notify();
  }

  readonly #take = (event: TargetsEvent): void => {
    this.#set(mergeTargets(this.#snapshot.rows, event), event.all);
    beat.add(this.#notify);
  };

  #set(rows: ReadonlyMap<string, Target>, all = false): void {
    this.#snapshot = { rows, loaded: this.#snapshot.loaded || all };
  }

  readonly #notify = (): void => {
    for (const listener of this.#listeners) listener();
  };
}
