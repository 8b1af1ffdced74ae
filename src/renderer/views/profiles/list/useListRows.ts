import { useLayoutEffect, useMemo } from 'react';
import { stepKeys, useKeys } from '../../../components/useKeys.ts';
import { pickAll } from './selection.ts';
import type { Selection } from './selection.ts';
import { useCursor } from './useCursor.ts';
import type { Cursor } from './useCursor.ts';
import type { ListSelection } from './useSelection.ts';

interface ListRowsProps<Row> {
  readonly rows: readonly Row[];
  /** The run of a row; null: it is of none. */
  readonly runOf: (row: Row) => string | null;
  readonly selection: ListSelection;
  readonly onOpen: (row: Row) => void;
  /** The run under the cursor, for what keys do to it. */
  readonly onAt: (run: string | null) => void;
}

/** The cursor of a list of runs with its keys, and which of them are ticked. `runOf` stays the same. */
export function useListRows<Row>(props: ListRowsProps<Row>): { readonly cursor: Cursor; readonly context: Selection } {
  const { rows, runOf, selection, onOpen, onAt } = props;
  const cursor = useCursor(rows.length);
  const shown = useMemo(() => rows.map(runOf).filter((run) => run !== null), [rows, runOf]);
  const runAt = (index: number): string | null => {
    const row = rows[index];
    return row === undefined ? null : runOf(row);
  };
  const at = runAt(cursor.index);
  // Together with the row that is drawn as chosen: the next key acts on it.
  useLayoutEffect(() => onAt(at), [at, onAt]);
  const tick = (range: boolean): void => {
    const run = runAt(cursor.now());
    if (run !== null) selection.toggle(run, shown, range);
  };
  useKeys({
    ...stepKeys((step) => cursor.move(step)),
    Enter: () => {
      const row = rows[cursor.now()];
      if (row !== undefined) onOpen(row);
    },
    x: () => tick(false),
    X: () => tick(true),
  });
  const context = useMemo(
    () => ({
      picked: selection.picked,
      shown,
      toggle: (id: string, range: boolean) => selection.toggle(id, shown, range),
      toggleAll: () => selection.set(pickAll(selection.picked, shown)),
    }),
    [selection, shown],
  );
  return { cursor, context };
}
