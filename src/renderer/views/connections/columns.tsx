import { Button, Menu } from '@mantine/core';
import { createContext, useContext } from 'react';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { Connection } from '../../../shared/api/connections.ts';
import type { Column } from '../../components/DataTable.tsx';
import { RowMenu } from '../../components/RowMenu.tsx';
import type { ConnectionRow } from '../../data/connections.ts';
import { formatShortSpan } from '../../format/time.ts';
import { formatCount, formatValue, NO_VALUE } from '../../format/units.ts';
import { FarMark, StateMark } from './parts.tsx';
import { connectionPath, isBad, isBegun, secondLine, wayText, whereText } from './words.ts';

export interface RowActions {
  /** False: this page may change nothing. */
  readonly may: boolean;
  connect(connection: Connection): void;
  disconnect(connection: Connection): void;
  reconnect(connection: Connection): void;
  edit(connection: Connection): void;
  remove(connection: Connection): void;
  /** Ids of groups of which only the head is shown. */
  readonly closed: ReadonlySet<string>;
  toggle(id: string): void;
}

export const RowActionsContext = createContext<RowActions | null>(null);

function Name({ connection }: { readonly connection: Connection }) {
  const second = secondLine(connection);
  return (
    <div className="v-two-lines">
      <Link
        href={connectionPath(connection)}
        className="v-link"
        title={connection.host}
        tabIndex={-1}
        onClick={(event) => event.stopPropagation()}
      >
        <bdi>{connection.name}</bdi>
      </Link>
      <span className={isBad(connection) ? 'v-bad-text' : 'v-muted'} title={second}>
        {second}
      </span>
    </div>
  );
}

function Way({ hops }: Pick<Connection, 'hops'>) {
  if (hops.length === 0) return <>{NO_VALUE}</>;
  const [count, names] = wayText(hops);
  return (
    <div className="v-two-lines" title={hops.map(({ name }) => name).join(' → ')}>
      <span>{count}</span>
      {names === '' ? null : (
        <span className="v-muted">
          <bdi>{names}</bdi>
        </span>
      )}
    </div>
  );
}

function EngineCell({ connection }: { readonly connection: Connection }) {
  const { engine, state } = connection;
  if (engine === null || (engine.id === null && state !== 'up')) return <>{NO_VALUE}</>;
  const { skew, sync } = engine;
  const where = whereText(engine);
  const kept = sync.profiles === 0 ? '' : `${formatCount(sync.profiles)} profiles are here`;
  return (
    <div className="v-two-lines">
      <FarMark connection={connection} />
      <span className="v-muted" title={[where, skew, kept].filter(Boolean).join(' · ')}>
        {where || kept}
      </span>
    </div>
  );
}

function Change({ connection }: { readonly connection: Connection }) {
  const actions = useContext(RowActionsContext);
  if (!actions?.may) return null;
  const begun = isBegun(connection);
  return (
    <div className="v-row-change">
      <Button
        size="compact-xs"
        variant="default"
        tabIndex={-1}
        aria-label={`${begun ? 'Disconnect' : 'Connect'} ${connection.name}`}
        onClick={(event) => {
          event.stopPropagation();
          if (begun) actions.disconnect(connection);
          else actions.connect(connection);
        }}
      >
        {begun ? 'Disconnect' : 'Connect'}
      </Button>
      <RowMenu of={connection.name} width={180}>
        {begun ? <Menu.Item onClick={() => actions.reconnect(connection)}>Reconnect</Menu.Item> : null}
        <Menu.Item onClick={() => actions.edit(connection)}>Settings…</Menu.Item>
        <Menu.Item onClick={() => actions.remove(connection)}>Remove</Menu.Item>
      </RowMenu>
    </div>
  );
}

/** A connection's cell; heads of groups have none. */
const of = (cell: (connection: Connection) => ReactNode) => (row: ConnectionRow) =>
  row.kind === 'connection' ? cell(row.connection) : null;

const latencyOf = ({ hops, state }: Connection): string => {
  const latency = state === 'up' ? hops.at(-1)?.latency_ms : null;
  return latency === null || latency === undefined ? NO_VALUE : formatShortSpan(latency);
};

export const CONNECTION_COLUMNS: readonly Column<ConnectionRow>[] = [
  {
    id: 'state',
    title: 'State',
    width: '122px',
    sortable: false,
    cell: of((connection) => <StateMark state={connection.state} />),
  },
  {
    id: 'name',
    title: 'Connection',
    width: 'minmax(140px, 2fr)',
    sortable: false,
    cell: of((connection) => <Name connection={connection} />),
  },
  {
    id: 'way',
    title: 'Way',
    width: 'minmax(64px, 1fr)',
    sortable: false,
    cell: of(({ hops }) => <Way hops={hops} />),
  },
  {
    id: 'latency',
    title: 'Latency',
    width: '56px',
    numeric: true,
    sortable: false,
    cell: of((connection) => latencyOf(connection)),
  },
  {
    id: 'engine',
    title: 'Engine over there',
    width: 'minmax(110px, 1.2fr)',
    sortable: false,
    cell: of((connection) => <EngineCell connection={connection} />),
  },
  {
    id: 'traffic',
    title: 'Carried',
    width: '70px',
    numeric: true,
    sortable: false,
    cell: of(({ traffic }) => (traffic.in + traffic.out === 0 ? NO_VALUE : formatValue(traffic.in + traffic.out, 'B'))),
  },
  {
    id: 'forwards',
    title: 'Forwards',
    width: '60px',
    numeric: true,
    sortable: false,
    cell: of(({ forwards }) => (forwards.length === 0 ? NO_VALUE : formatCount(forwards.length))),
  },
  {
    id: 'targets',
    title: 'Targets',
    width: '50px',
    numeric: true,
    sortable: false,
    cell: of(({ targets }) => (targets === 0 ? NO_VALUE : formatCount(targets))),
  },
  {
    id: 'change',
    title: 'Change',
    head: <span className="v-hidden">Change</span>,
    width: '126px',
    sortable: false,
    cell: of((connection) => <Change connection={connection} />),
  },
];
