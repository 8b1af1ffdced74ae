import { createContext } from 'react';

/** Most runs that one comparison takes, as the engine has it. */
export const MOST_COMPARED = 500;

/** Which runs are ticked, in the order of ticking; what is ticked stays so when a filter hides it. */
export interface Picked {
  readonly ids: ReadonlySet<string>;
  /** Ticked or cleared last: where a range with the shift key begins. */
  readonly anchor: string | null;
}

export const NOTHING_PICKED: Picked = { ids: new Set(), anchor: null };

/** Ticks one run, or clears it. */
export function pick({ ids }: Picked, id: string): Picked {
  const next = new Set(ids);
  if (!next.delete(id)) next.add(id);
  return { ids: next, anchor: id };
}

/** As the anchor is, so become all from it to this one, as the table has them in order; without an anchor there it is one tick. */
export function pickRange(picked: Picked, shown: readonly string[], id: string): Picked {
  const from = picked.anchor === null ? -1 : shown.indexOf(picked.anchor);
  const to = shown.indexOf(id);
  if (from < 0 || to < 0) return pick(picked, id);
  const on = picked.ids.has(picked.anchor!);
  const next = new Set(picked.ids);
  for (const one of shown.slice(Math.min(from, to), Math.max(from, to) + 1)) {
    if (on) next.add(one);
    else next.delete(one);
  }
  return { ids: next, anchor: id };
}

/** All of the shown ones, or none of them when they are ticked already. */
export function pickAll({ ids }: Picked, shown: readonly string[]): Picked {
  const next = new Set(ids);
  const all = shown.every((id) => ids.has(id));
  for (const id of shown) {
    if (all) next.delete(id);
    else next.add(id);
  }
  return { ids: next, anchor: null };
}

export interface Selection {
  readonly picked: Picked;
  /** In the order of the table. */
  readonly shown: readonly string[];
  /** `range`: all from the one ticked before. */
  toggle(id: string, range: boolean): void;
  toggleAll(): void;
}

export const SelectionContext = createContext<Selection>({
  picked: NOTHING_PICKED,
  shown: [],
  toggle: () => undefined,
  toggleAll: () => undefined,
});
