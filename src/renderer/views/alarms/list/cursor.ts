/** The row under the keyboard cursor, held by what it is: what comes above it must not bring another one under the cursor. */
export interface Held {
  readonly id: string | null;
  /** Where it was, for when it is gone; -1: nowhere. */
  readonly at: number;
}

interface Row {
  readonly kind: string;
  readonly id: string;
}

export const NOWHERE: Held = { id: null, at: -1 };

/** The index of the held row, or of what stands where it was; -1: nowhere. */
export function indexOfHeld(rows: readonly Row[], { id, at }: Held): number {
  const found = id === null ? -1 : rows.findIndex((row) => row.id === id);
  return found >= 0 ? found : Math.min(at, rows.length - 1);
}

export const holdAt = (rows: readonly Row[], at: number): Held => ({ id: rows[at]?.id ?? null, at });

/** The next alarm below that is none of `done`, never the head of a group; without one what is held now. */
export function holdNext(rows: readonly Row[], held: Held, done: ReadonlySet<string>): Held {
  const at = indexOfHeld(rows, held);
  const next = rows.findIndex((row, i) => i > at && row.kind === 'alarm' && !done.has(row.id));
  return next < 0 ? held : holdAt(rows, next);
}
