import type { Connection, Prompt } from '../../shared/api/connections.ts';
import { goneOf, mergeConnections, withPoint } from './connections.ts';
import type { TrafficPoint } from './connections.ts';
import type { ConnectionsEvent } from './live.ts';
import { RowsModel } from './rowsModel.ts';
import type { RowsSnapshot } from './rowsModel.ts';

export type ConnectionsSnapshot = RowsSnapshot<Connection>;

interface ConnectionsSource {
  onConnections(listener: (change: ConnectionsEvent) => void): () => void;
}

const NO_TRAIL: readonly TrafficPoint[] = [];

/** All connections of the engine, with what each had carried. */
export class ConnectionsModel extends RowsModel<Connection, ConnectionsEvent> {
  readonly #trails = new Map<string, readonly TrafficPoint[]>();

  constructor(source: ConnectionsSource, now: () => number = Date.now) {
    super(
      (take) => source.onConnections(take),
      (rows, event) => {
        const merged = mergeConnections(rows, event);
        const time = now();
        for (const { id, traffic } of event.connections) {
          this.#trails.set(id, withPoint(this.trail(id), { time, in: traffic.in, out: traffic.out }));
        }
        for (const id of this.#trails.keys()) if (!merged.has(id)) this.#trails.delete(id);
        return merged;
      },
    );
  }

  /** What a connection had carried, as this page heard of it. */
  trail(id: string): readonly TrafficPoint[] {
    return this.#trails.get(id) ?? NO_TRAIL;
  }

  override close(): void {
    super.close();
    this.#trails.clear();
  }
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
