import { useLayoutEffect, useMemo } from 'react';
import type { ReactNode } from 'react';
import { useLocation } from 'wouter';
import type { ProfileSummary } from '../../../../shared/api/profiles.ts';
import { DataTable } from '../../../components/DataTable.tsx';
import type { TableSort } from '../../../components/DataTable.tsx';
import { useKeys } from '../../../components/useKeys.ts';
import { runPath } from '../../jobs/columns.tsx';
import { runColumns } from './runColumns.tsx';
import { pickAll, SelectionContext } from './selection.ts';
import { useCursor } from './useCursor.ts';
import type { ListSelection } from './useSelection.ts';

interface RunsTableProps {
  readonly label: string;
  readonly runs: ProfileSummary[];
  /** All are of one command. */
  readonly inGroup: boolean;
  readonly sort: TableSort;
  readonly onSort: (sort: TableSort) => void;
  readonly selection: ListSelection;
  readonly onAt: (run: string | null) => void;
  readonly onEnd: (() => void) | undefined;
  readonly empty: ReactNode;
}

/** Runs, one a row. */
export function RunsTable(props: RunsTableProps) {
  const { runs, inGroup, selection, onAt } = props;
  const [, navigate] = useLocation();
  const cursor = useCursor(runs.length);
  const columns = useMemo(() => runColumns(inGroup), [inGroup]);
  const shown = useMemo(() => runs.map(({ id }) => id), [runs]);
  const at = runs[cursor.index]?.id ?? null;
  // Together with the row that is drawn as chosen: the next key acts on it.
  useLayoutEffect(() => onAt(at), [at, onAt]);
  const tick = (range: boolean): void => {
    const run = runs[cursor.now()];
    if (run) selection.toggle(run.id, shown, range);
  };
  useKeys({
    j: () => cursor.move(1),
    k: () => cursor.move(-1),
    ArrowDown: () => cursor.move(1),
    ArrowUp: () => cursor.move(-1),
    Enter: () => {
      const run = runs[cursor.now()];
      if (run) navigate(runPath(run));
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
  return (
    <SelectionContext.Provider value={context}>
      <DataTable
        label={props.label}
        testId="profiles-table"
        rows={runs}
        rowId={(run) => run.id}
        columns={columns}
        rowHeight={44}
        sort={props.sort}
        onSort={props.onSort}
        cursor={cursor.index}
        onCursor={cursor.set}
        onOpen={(run) => navigate(runPath(run))}
        onEnd={props.onEnd}
        empty={props.empty}
      />
    </SelectionContext.Provider>
  );
}
