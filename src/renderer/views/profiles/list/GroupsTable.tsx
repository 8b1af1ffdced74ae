import { useQueries } from '@tanstack/react-query';
import { useCallback, useContext, useMemo, useState } from 'react';
import type { ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import type { ProfileGroup, ProfileSummary } from '../../../../shared/api/profiles.ts';
import { DataTable } from '../../../components/DataTable.tsx';
import type { TableSort } from '../../../components/DataTable.tsx';
import { useKeys } from '../../../components/useKeys.ts';
import { useEngine } from '../../../state/engine.ts';
import { runPath } from '../../jobs/columns.tsx';
import { ShownEngine } from './engines.tsx';
import { GROUP_COLUMNS, ToggleContext } from './groupColumns.tsx';
import { groupLink } from './listQuery.ts';
import { groupRowOf, OPENED_RUNS, rowsOf } from './rows.ts';
import type { ListRow, Opened } from './rows.ts';
import { SelectionContext } from './selection.ts';
import { useListRows } from './useListRows.ts';
import type { ListSelection } from './useSelection.ts';

interface GroupsTableProps {
  readonly groups: readonly ProfileGroup[];
  /** Without errors. */
  readonly search: string;
  readonly engine: string | null;
  readonly sort: TableSort;
  readonly onSort: (sort: TableSort) => void;
  readonly selection: ListSelection;
  readonly onAt: (run: string | null) => void;
  readonly onEnd: (() => void) | undefined;
  readonly empty: ReactNode;
}

/** Commands; each opens to its last runs. */
export function GroupsTable(props: GroupsTableProps) {
  const { groups, search, engine, selection, onAt } = props;
  const [, navigate] = useLocation();
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const opened = useOpened(open, search, engine);
  const rows = useMemo(() => rowsOf(groups, opened), [groups, opened]);
  const toggle = useCallback((group: string, on?: boolean): void => {
    setOpen((before) => {
      const next = new Set(before);
      if (on ?? !before.has(group)) next.add(group);
      else next.delete(group);
      return next;
    });
  }, []);
  const openRow = (row: ListRow): void => {
    if (row.kind === 'group') toggle(row.group.group);
    if (row.kind === 'run') navigate(runPath(row.run));
    if (row.kind === 'note' && row.more) navigate(groupLink(row.of.group, engine));
  };
  const { cursor, context } = useListRows({ rows, runOf, selection, onOpen: openRow, onAt });
  useKeys({
    ArrowRight: () => {
      const row = rows[cursor.now()];
      if (row?.kind === 'group') toggle(row.group.group, true);
    },
    ArrowLeft: () => {
      const head = groupRowOf(rows, cursor.now());
      const row = rows[head];
      if (row?.kind !== 'group') return;
      toggle(row.group.group, false);
      cursor.set(head);
    },
  });
  return (
    <SelectionContext.Provider value={context}>
      <ToggleContext.Provider value={toggle}>
        <DataTable
          label="Profiles by command"
          testId="profile-groups"
          rows={rows}
          rowId={rowIdOf}
          columns={GROUP_COLUMNS}
          rowHeight={44}
          sort={props.sort}
          onSort={props.onSort}
          cursor={cursor.index}
          onCursor={cursor.set}
          onOpen={openRow}
          section={noteOf}
          onEnd={props.onEnd}
          empty={props.empty}
        />
      </ToggleContext.Provider>
    </SelectionContext.Provider>
  );
}

const rowIdOf = ({ id }: ListRow): string => id;
const runOf = (row: ListRow): string | null => (row.kind === 'run' ? row.run.id : null);

const noteOf = (row: ListRow): ReactNode =>
  row.kind !== 'note' ? null : (
    <div className="v-nested v-nested-note">
      {row.more ? <AllOfGroup group={row.of.group} text={row.text} /> : <span className="v-muted">{row.text}</span>}
    </div>
  );

function AllOfGroup({ group, text }: { readonly group: string; readonly text: string }) {
  const engine = useContext(ShownEngine);
  return (
    <Link href={groupLink(group, engine)} className="v-link" tabIndex={-1} onClick={(event) => event.stopPropagation()}>
      {text}
    </Link>
  );
}

/** The last runs of the commands that are open. */
function useOpened(open: ReadonlySet<string>, search: string, of: string | null): ReadonlyMap<string, Opened> {
  const engine = useEngine();
  const groups = useMemo(() => [...open], [open]);
  return useQueries({
    queries: groups.map((group) => ({
      queryKey: [engine.base, 'profiles', 'of-group', group, search, of],
      queryFn: ({ signal }: { readonly signal: AbortSignal }) =>
        engine.api.profiles.list(
          { group, ...(search === '' ? {} : { search }), ...(of === null ? {} : { engine: of }) },
          OPENED_RUNS,
          null,
          signal,
        ),
      staleTime: 10_000,
    })),
    combine: useCallback(
      (results: readonly Answer[]) =>
        new Map<string, Opened>(
          results.map(({ data, error }, i) => [groups[i] ?? '', { runs: data?.runs, error }] as const),
        ),
      [groups],
    ),
  });
}

interface Answer {
  readonly data: { readonly runs: readonly ProfileSummary[] } | undefined;
  readonly error: Error | null;
}
