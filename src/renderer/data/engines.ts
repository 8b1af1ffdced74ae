import type { EngineList, ListedEngine } from '../../shared/api/connections.ts';

/** How often it is looked which engines there are, ms: while the page is seen, and while it is not. */
const EVERY_MS = 3000;
const HIDDEN_MS = 10_000;

export interface EnginesSnapshot {
  /** The page's own engine first. */
  readonly engines: readonly ListedEngine[];
  /** The list has come. */
  readonly loaded: boolean;
}

interface EnginesSource {
  engines(signal?: AbortSignal): Promise<EngineList>;
}

/** The engines that can be looked at: the page's own, and those that its connections lead to. */
export class EnginesModel {
  readonly #source: EnginesSource;
  readonly #listeners = new Set<() => void>();
  #snapshot: EnginesSnapshot = { engines: [], loaded: false };
  #text = '';
  #timer: ReturnType<typeof setTimeout> | null = null;
  #asking: AbortController | null = null;
  #closed = false;

  constructor(source: EnginesSource) {
    this.#source = source;
  }

  readonly snapshot = (): EnginesSnapshot => this.#snapshot;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  start(): void {
    void this.refresh();
  }

  /** Now, and not only when it is time again. Never rejects: what is known stays while the engine does not answer. */
  async refresh(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#asking?.abort();
    const asking = new AbortController();
    this.#asking = asking;
    const list = await this.#source.engines(asking.signal).catch(() => null);
    if (asking.signal.aborted || this.#closed) return;
    if (list) this.#take(list);
    this.#timer = setTimeout(() => void this.refresh(), document.hidden ? HIDDEN_MS : EVERY_MS);
  }

  #take({ engines }: EngineList): void {
    const text = JSON.stringify(engines);
    if (text === this.#text) return;
    this.#text = text;
    this.#snapshot = { engines, loaded: true };
    for (const listener of this.#listeners) listener();
  }

  close(): void {
    this.#closed = true;
    this.#asking?.abort();
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#listeners.clear();
  }
}
