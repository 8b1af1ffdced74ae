import { createContext } from 'react';

/** Which targets are ticked, and who may tick. */
export interface Selection {
  readonly ids: ReadonlySet<string>;
  /** How many of the shown ones there are. */
  readonly shown: number;
  toggle(id: string): void;
  toggleAll(): void;
}

export const SelectionContext = createContext<Selection>({
  ids: new Set(),
  shown: 0,
  toggle: () => undefined,
  toggleAll: () => undefined,
});

/** The set with or without one. */
export function toggled(ids: ReadonlySet<string>, id: string): ReadonlySet<string> {
  const next = new Set(ids);
  if (!next.delete(id)) next.add(id);
  return next;
}

/** Those that are still shown: what a filter hides is not changed with the rest. */
export function stillShown(ids: ReadonlySet<string>, shown: readonly { readonly id: string }[]): ReadonlySet<string> {
  if (ids.size === 0) return ids;
  const left = new Set(shown.filter(({ id }) => ids.has(id)).map(({ id }) => id));
  return left.size === ids.size ? ids : left;
}
