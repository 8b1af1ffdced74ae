import type { LiveRun } from '../../shared/api/live.ts';
import type { Run } from '../../shared/api/runs.ts';
import { beat } from './beat.ts';
import type { Api } from './api.ts';
import { extendTrails, mergeLive, mergePage } from './runs.ts';
import type { RunRow } from './runs.ts';

const PAGE = 1000;
/** Older runs than these stay in the store; the table says so. */
const MOST_RUNS = 20_000;

export interface RunsSnapshot {
  readonly rows: ReadonlyMap<string, RunRow>;
  /** Grows when a run is added or its description changes; rates change without it. */
  readonly structure: number;
  /** At least the first page is here. */
  readonly loaded: boolean;
  /** There are more than the table shows. */
  readonly more: boolean;
  readonly error: Error | null;
}

/** All runs an engine knows: pages of the API, kept up to date by the live topic. */
export class RunsModel {
  readonly #api: Api;
  readonly #listeners = new Set<() => void>();
  #snapshot: RunsSnapshot = { rows: new Map(), structure: 0, loaded: false, more: false, error: null };
  #loading: AbortController | null = null;

  constructor(api: Api) {
    this.#api = api;
  }

  readonly snapshot = (): RunsSnapshot => this.#snapshot;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #set(change: Partial<RunsSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change };
    this.#notify();
  }

  readonly #notify = (): void => {
    for (const listener of this.#listeners) listener();
  };

  /** The snapshot with other rows; `touched` are the runs that may have changed. */
  #withRows(rows: ReadonlyMap<string, RunRow>, touched: readonly Pick<Run, 'id'>[]): Partial<RunsSnapshot> {
    const before = this.#snapshot.rows;
    const changed = touched.some(({ id }) => rows.get(id)?.run !== before.get(id)?.run);
    return { rows, structure: this.#snapshot.structure + (changed ? 1 : 0) };
  }

  /** Fetches every page; a later call replaces one that still runs. */
  async load(): Promise<void> {
    this.#loading?.abort();
    const loading = new AbortController();
    this.#loading = loading;
    try {
      let cursor: string | null = null;
      let seen = 0;
      do {
        const page = await this.#api.runs(cursor, PAGE, loading.signal);
        seen += page.runs.length;
        cursor = page.next;
        this.#set({
          ...this.#withRows(mergePage(this.#snapshot.rows, page.runs), page.runs),
          loaded: true,
          more: cursor !== null && seen >= MOST_RUNS,
          error: null,
        });
      } while (cursor !== null && seen < MOST_RUNS);
    } catch (error) {
      if (!loading.signal.aborted) this.#set({ error: error instanceof Error ? error : new Error(String(error)) });
    }
  }

  takeLive(runs: readonly LiveRun[], all: boolean): void {
    const { rows, lost } = mergeLive(this.#snapshot.rows, runs, all);
    this.#snapshot = { ...this.#snapshot, ...this.#withRows(rows, runs) };
    beat.add(this.#notify);
    for (const id of lost) void this.#refresh(id);
  }

  /** Once per period. */
  tick(): void {
    const rows = extendTrails(this.#snapshot.rows);
    if (rows === this.#snapshot.rows) return;
    this.#snapshot = { ...this.#snapshot, rows };
    beat.add(this.#notify);
  }

  /** One run, also one that no page has told of yet. */
  async #refresh(id: string): Promise<void> {
    const run = await this.#api.run(id).catch(() => null);
    if (run) this.#set(this.#withRows(mergePage(this.#snapshot.rows, [run]), [run]));
  }

  close(): void {
    this.#loading?.abort();
    this.#listeners.clear();
  }
}
