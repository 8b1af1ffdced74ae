import { useMemo } from 'react';
import type { ReactNode } from 'react';
import { useLocation } from 'wouter';
import type { ProfileSummary } from '../../../../shared/api/profiles.ts';
import { DataTable } from '../../../components/DataTable.tsx';
import type { TableSort } from '../../../components/DataTable.tsx';
import { runPath } from '../../jobs/columns.tsx';
import { runColumns } from './runColumns.tsx';
import { SelectionContext } from './selection.ts';
import { useListRows } from './useListRows.ts';
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

const idOf = ({ id }: ProfileSummary): string => id;

/** Runs, one a row. */
export function RunsTable(props: RunsTableProps) {
  const { runs, inGroup, selection, onAt } = props;
  const [, navigate] = useLocation();
  const columns = useMemo(() => runColumns(inGroup), [inGroup]);
  const open = (run: ProfileSummary): void => navigate(runPath(run));
  const { cursor, context } = useListRows({ rows: runs, runOf: idOf, selection, onOpen: open, onAt });
  return (
    <SelectionContext.Provider value={context}>
      <DataTable
        label={props.label}
        testId="profiles-table"
        rows={runs}
        rowId={idOf}
        columns={columns}
        rowHeight={44}
        sort={props.sort}
        onSort={props.onSort}
        cursor={cursor.index}
        onCursor={cursor.set}
        onOpen={open}
        onEnd={props.onEnd}
        empty={props.empty}
      />
    </SelectionContext.Provider>
  );
}
