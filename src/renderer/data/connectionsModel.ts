import type { Connection, Prompt } from '../../shared/api/connections.ts';
import { beat } from './beat.ts';
import { goneOf, mergeConnections, withPoint } from './connections.ts';
import type { TrafficPoint } from './connections.ts';
import type { ConnectionsEvent } from './live.ts';

export interface ConnectionsSnapshot {
  readonly rows: ReadonlyMap<string, Connection>;
  /** The complete list has come. */
  readonly loaded: boolean;
}

interface ConnectionsSource {
  onConnections(listener: (change: ConnectionsEvent) => void): () => void;
}

/** From one view of connections to the next nobody listens for a moment. */
const LINGER_MS = 10_000;

const NONE: ConnectionsSnapshot = { rows: new Map(), loaded: false };
const NO_TRAIL: readonly TrafficPoint[] = [];

/** All connections of the engine, for as long as someone looks at them. */
export class ConnectionsModel {
  readonly #source: ConnectionsSource;
  readonly #now: () => number;
  readonly #listeners = new Set<() => void>();
  readonly #trails = new Map<string, readonly TrafficPoint[]>();
  #snapshot = NONE;
  #stop: (() => void) | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(source: ConnectionsSource, now: () => number = Date.now) {
    this.#source = source;
    this.#now = now;
  }

  readonly snapshot = (): ConnectionsSnapshot => this.#snapshot;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#stop ??= this.#source.onConnections(this.#take);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0 && this.#stop) this.#timer ??= setTimeout(() => this.close(), LINGER_MS);
    };
  };

  /** What a connection had carried, as this page heard of it. */
  trail(id: string): readonly TrafficPoint[] {
    return this.#trails.get(id) ?? NO_TRAIL;
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#stop?.();
    this.#stop = null;
    // What is kept meanwhile would be shown as if it were true now.
    this.#snapshot = NONE;
    this.#trails.clear();
  }

  /** A change that a request's answer tells before the socket does. */
  put(connection: Connection): void {
    if (!this.#snapshot.loaded) return;
    this.#set(new Map(this.#snapshot.rows).set(connection.id, connection));
    this.#notify();
  }

  drop(id: string): void {
    const rows = new Map(this.#snapshot.rows);
    if (!rows.delete(id)) return;
    this.#set(rows);
    this.#notify();
  }

  readonly #take = (event: ConnectionsEvent): void => {
    this.#set(mergeConnections(this.#snapshot.rows, event), event.all);
    const time = this.#now();
    for (const { id, traffic } of event.connections) {
      this.#trails.set(id, withPoint(this.trail(id), { time, in: traffic.in, out: traffic.out }));
    }
    for (const id of this.#trails.keys()) if (!this.#snapshot.rows.has(id)) this.#trails.delete(id);
    beat.add(this.#notify);
  };

  #set(rows: ReadonlyMap<string, Connection>, all = false): void {
    this.#snapshot = { rows, loaded: this.#snapshot.loaded || all };
  }

  readonly #notify = (): void => {
    for (const listener of this.#listeners) listener();
  };
}

interface PromptsSource {
  onPrompts(listener: (prompts: readonly Prompt[]) => void): () => void;
  onStatus(listener: (status: { readonly time: number }) => void): () => void;
}

/** What connections ask a person, oldest first, once it was started. */
export class PromptsModel {
  readonly #source: PromptsSource;
  readonly #listeners = new Set<() => void>();
  readonly #goneListeners = new Set<(prompt: Prompt) => void>();
  /** Answered here: a message that was on its way may still have them. */
  readonly #answered = new Set<string>();
  #prompts: readonly Prompt[] = [];
  /** The engine's clock minus this machine's, ms. */
  #skew = 0;
  #stop: (() => void) | null = null;

  constructor(source: PromptsSource) {
    this.#source = source;
  }

  start(): void {
    if (this.#stop) return;
    const stops = [
      this.#source.onPrompts(this.#take),
      this.#source.onStatus(({ time }) => (this.#skew = time - Date.now())),
    ];
    this.#stop = () => stops.forEach((stop) => stop());
  }

  close(): void {
    this.#stop?.();
    this.#stop = null;
    this.#prompts = [];
  }

  /** Now on the clock of the engine that asks, ms since the epoch. */
  readonly now = (): number => Date.now() + this.#skew;

  readonly snapshot = (): readonly Prompt[] => this.#prompts;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** A prompt ended without this page: answered by somebody else, too old, or not needed any more. */
  onGone(listener: (prompt: Prompt) => void): () => void {
    this.#goneListeners.add(listener);
    return () => void this.#goneListeners.delete(listener);
  }

  /** This page gave an answer. */
  answered(id: string): void {
    this.#answered.add(id);
    this.#set(this.#prompts.filter((prompt) => prompt.id !== id));
  }

  readonly #take = (all: readonly Prompt[]): void => {
    const open = all.filter(({ id }) => !this.#answered.has(id));
    const gone = goneOf(this.#prompts, open);
    this.#set(open);
    for (const prompt of gone) for (const listener of this.#goneListeners) listener(prompt);
  };

  #set(prompts: readonly Prompt[]): void {
    this.#prompts = prompts;
    for (const listener of this.#listeners) listener();
  }
}
