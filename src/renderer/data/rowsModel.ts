import { beat } from './beat.ts';

export interface RowsSnapshot<Row> {
  readonly rows: ReadonlyMap<string, Row>;
  /** The complete list has come. */
  readonly loaded: boolean;
}

interface RowsEvent {
  /** The list is complete: what it does not name is gone. */
  readonly all: boolean;
}

/** Begins to listen to the engine, and gives what ends it. */
type Listen<Event> = (take: (event: Event) => void) => () => void;
type Merge<Row, Event> = (rows: ReadonlyMap<string, Row>, event: Event) => ReadonlyMap<string, Row>;

/** From one view of the rows to the next nobody listens for a moment. */
const LINGER_MS = 10_000;

/** All rows of one kind that an engine tells of, for as long as someone looks at them. */
export class RowsModel<Row extends { readonly id: string }, Event extends RowsEvent> {
  readonly #listen: Listen<Event>;
  readonly #merge: Merge<Row, Event>;
  readonly #listeners = new Set<() => void>();
  #snapshot: RowsSnapshot<Row> = { rows: new Map(), loaded: false };
  #stop: (() => void) | null = null;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(listen: Listen<Event>, merge: Merge<Row, Event>) {
    this.#listen = listen;
    this.#merge = merge;
  }

  readonly snapshot = (): RowsSnapshot<Row> => this.#snapshot;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#stop ??= this.#listen(this.#take);
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
    this.#snapshot = { rows: new Map(), loaded: false };
  }

  /** A change that a request's answer tells before the socket does. */
  put(row: Row): void {
    if (!this.#snapshot.loaded) return;
    this.#set(new Map(this.#snapshot.rows).set(row.id, row));
    this.#notify();
  }

  drop(id: string): void {
    const rows = new Map(this.#snapshot.rows);
    if (!rows.delete(id)) return;
    this.#set(rows);
    this.#notify();
  }

  readonly #take = (event: Event): void => {
    this.#set(this.#merge(this.#snapshot.rows, event), event.all);
    beat.add(this.#notify);
  };

  #set(rows: ReadonlyMap<string, Row>, all = false): void {
    this.#snapshot = { rows, loaded: this.#snapshot.loaded || all };
  }

  readonly #notify = (): void => {
    for (const listener of this.#listeners) listener();
  };
}
