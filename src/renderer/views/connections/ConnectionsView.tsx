import { Button, Skeleton, UnstyledButton } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQuery } from '@tanstack/react-query';
import { useContext, useMemo, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import type { Connection, ConnectionState } from '../../../shared/api/connections.ts';
import { DataTable } from '../../components/DataTable.tsx';
import { Icon } from '../../components/Icon.tsx';
import { useTitle } from '../../components/Message.tsx';
import { SearchField } from '../../components/SearchField.tsx';
import { StateFilter } from '../../components/StateFilter.tsx';
import { stepKeys, useKeys } from '../../components/useKeys.ts';
import { CONNECTION_STATES, countConnections, groupConnections, selectConnections } from '../../data/connections.ts';
import type { ConnectionQuery, ConnectionRow } from '../../data/connections.ts';
import { formatCount } from '../../format/units.ts';
import { useConnectionsSnapshot } from '../../state/connections.ts';
import { useHome } from '../../state/engine.ts';
import { useMayControl } from '../../state/mayControl.ts';
import { useUrlQuery } from '../../state/query.ts';
import { AddConnection } from './AddConnection.tsx';
import { CONNECTION_COLUMNS, RowActionsContext } from './columns.tsx';
import type { RowActions } from './columns.tsx';
import { EditConnection } from './EditConnection.tsx';
import { NoConnections } from './NoConnections.tsx';
import { useConnectionActions } from './useConnectionActions.tsx';
import { connectionPath, connectionsText, isBegun, STATE_HELP, STATE_NAMES, STATE_TONES } from './words.ts';
import './connections.css';

const NOTHING: ReadonlySet<string> = new Set();

function readQuery(params: URLSearchParams): ConnectionQuery {
  const state = params.get('state') ?? 'all';
  return {
    search: (params.get('q') ?? '').slice(0, 256),
    state: (CONNECTION_STATES as readonly string[]).includes(state) ? (state as ConnectionState) : 'all',
  };
}

/** Hosts that this engine logs in to: how each is, and every change to them. */
export function ConnectionsView() {
  useTitle('Connections');
  const home = useHome();
  const [params, setParams] = useUrlQuery();
  const [, navigate] = useLocation();
  const { rows, loaded } = useConnectionsSnapshot();
  const { refusal, known } = useMayControl();
  const actions = useConnectionActions();
  const [cursor, setCursor] = useState(-1);
  const [closed, setClosed] = useState(NOTHING);
  const [edited, setEdited] = useState<Connection | null>(null);
  const search = useRef<HTMLInputElement>(null);
  const { data } = useQuery({
    queryKey: [home.base, 'connections', 'list'],
    queryFn: ({ signal }) => home.api.connections.list(signal),
    staleTime: 10_000,
  });
  const query = useMemo(() => readQuery(params), [params]);
  const counts = useMemo(() => countConnections(rows.values()), [rows]);
  const shown = useMemo(() => selectConnections(rows.values(), query), [rows, query]);
  const list = useMemo(() => groupConnections(shown, closed), [shown, closed]);
  const may = known && refusal === null;
  const at = list[cursor];
  const adding = may && params.get('dialog') === 'add';

  const context = useMemo(
    (): RowActions => ({
      may,
      connect: (connection) => void actions.connect(connection),
      disconnect: (connection) => void actions.disconnect(connection),
      reconnect: (connection) => void actions.reconnect(connection),
      edit: setEdited,
      remove: (connection) => void actions.remove(connection),
      closed,
      toggle: (id) =>
        setClosed((old) => {
          const next = new Set(old);
          if (!next.delete(id)) next.add(id);
          return next;
        }),
    }),
    [may, actions, closed],
  );
  const change = (act: (connection: Connection) => void): void => {
    if (refusal !== null) notifications.show({ message: refusal });
    else if (may && at?.kind === 'connection') act(at.connection);
  };
  const openRow = (row: ConnectionRow | undefined): void => {
    if (row?.kind === 'connection') navigate(connectionPath(row.connection));
    else if (row) context.toggle(row.id);
  };
  const move = (step: number): void => setCursor((i) => Math.max(0, Math.min(list.length - 1, i + step)));
  const filter = (name: string, value: string | null): void => {
    setCursor(-1);
    setParams({ [name]: value });
  };
  const add = (): void =>
    refusal === null ? setParams({ dialog: 'add' }) : void notifications.show({ message: refusal });
  useKeys({
    ...stepKeys(move),
    Enter: () => openRow(at),
    '/': () => search.current?.focus(),
    a: add,
    c: () => change((connection) => (isBegun(connection) ? context.disconnect : context.connect)(connection)),
    e: () => change(context.edit),
    Delete: () => change(context.remove),
  });
  const nothing = loaded && rows.size === 0;

  return (
    <div className="v-fill v-connections">
      <div className="v-toolbar">
        <h1>Connections</h1>
        {nothing ? null : (
          <SearchField
            ref={search}
            label="Search connections"
            placeholder="Name, host, hop, reason"
            value={query.search}
            onChange={(q) => filter('q', q)}
            onEnter={() => openRow(list[Math.max(0, cursor)])}
          />
        )}
        <div className="v-spacer" />
        {nothing ? null : (
          <Button size="xs" leftSection={<Icon name="plus" size={14} />} disabled={!may} onClick={add}>
            Add connection
          </Button>
        )}
      </div>
      {refusal === null || nothing ? null : <p className="v-view-only">{refusal}</p>}
      {data?.problem ? (
        <p className="v-view-only v-bad-text" role="alert">
          This engine cannot connect at all: {data.problem}
        </p>
      ) : null}
      {nothing ? (
        <NoConnections refusal={refusal} onAdd={add} />
      ) : (
        <>
          <div className="v-toolbar v-second">
            <StateFilter
              states={CONNECTION_STATES}
              counts={counts}
              value={query.state}
              names={STATE_NAMES}
              help={STATE_HELP}
              tones={STATE_TONES}
              onChange={(state) => filter('state', state)}
            />
            <div className="v-spacer" />
            <span className="v-muted" role="status">
              {loaded ? countText(shown.length, rows.size) : ''}
            </span>
          </div>
          {loaded ? (
            <RowActionsContext.Provider value={context}>
              <DataTable
                label="Connections"
                testId="connections-table"
                rows={list}
                rowId={(row) => row.id}
                columns={CONNECTION_COLUMNS}
                rowHeight={42}
                sort={{ id: '', descending: false }}
                onSort={() => undefined}
                cursor={cursor}
                onCursor={setCursor}
                onOpen={openRow}
                section={sectionOf}
                empty={
                  <>
                    <p>No connection matches.</p>
                    <Button size="xs" variant="default" onClick={() => setParams({ q: null, state: null })}>
                      Show all connections
                    </Button>
                  </>
                }
              />
            </RowActionsContext.Provider>
          ) : (
            <div className="v-skeletons" role="status" aria-label="Loading the connections">
              {Array.from({ length: 5 }, (_, i) => (
                <Skeleton key={i} height={38} />
              ))}
            </div>
          )}
        </>
      )}
      {adding ? <AddConnection close={() => setParams({ dialog: null })} /> : null}
      {edited ? <EditConnection key={edited.id} connection={edited} close={() => setEdited(null)} /> : null}
    </div>
  );
}

const countText = (shown: number, all: number): string =>
  shown === all ? connectionsText(all) : `${formatCount(shown)} of ${connectionsText(all)}`;

const sectionOf = (row: ConnectionRow) => (row.kind === 'group' ? <GroupHead row={row} /> : null);

function GroupHead({ row: { id, title, connections } }: { readonly row: Extract<ConnectionRow, { kind: 'group' }> }) {
  const list = useContext(RowActionsContext);
  if (!list) return null;
  const counts = countConnections(connections);
  return (
    <div className="v-group-head">
      <UnstyledButton
        className="v-group-name"
        tabIndex={-1}
        aria-expanded={!list.closed.has(id)}
        onClick={(event) => {
          event.stopPropagation();
          list.toggle(id);
        }}
      >
        <Icon name={list.closed.has(id) ? 'later' : 'down'} size={14} /> <bdi>{title}</bdi>
      </UnstyledButton>
      {CONNECTION_STATES.map((state) =>
        counts[state] === 0 ? null : (
          <span key={state} className="v-muted">
            <span className={`v-dot v-${STATE_TONES[state]}`} aria-hidden="true" />
            {formatCount(counts[state])} {STATE_NAMES[state]}
          </span>
        ),
      )}
    </div>
  );
}
