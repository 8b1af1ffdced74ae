import { Button, Skeleton } from '@mantine/core';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import type { Connection } from '../../../shared/api/connections.ts';
import { Card } from '../../components/Card.tsx';
import { NotFound, useTitle } from '../../components/Message.tsx';
import { sayFailure } from '../../components/undo.tsx';
import { formatWhen } from '../../format/time.ts';
import { formatCount } from '../../format/units.ts';
import { engineNow } from '../../state/connection.ts';
import { useHome } from '../../state/engine.ts';
import { useOneConnection } from '../../state/connections.ts';
import { useMayControl } from '../../state/mayControl.ts';
import { Chain } from './Chain.tsx';
import { EditConnection } from './EditConnection.tsx';
import { FarEngine } from './FarEngine.tsx';
import { Forwards } from './Forwards.tsx';
import { Log } from './Log.tsx';
import { StateMark } from './parts.tsx';
import { Traffic } from './Traffic.tsx';
import { useConnectionActions } from './useConnectionActions.tsx';
import type { ConnectionActions } from './useConnectionActions.tsx';
import { isBad, isBegun, targetsSearch } from './words.ts';
import './connections.css';

/** One connection: the way there, what goes over it, what is over there. */
export function ConnectionView({ id }: { readonly id: string }) {
  const { connection, loaded } = useOneConnection(id);
  useTitle(connection?.name ?? 'Connection');
  if (connection) return <Loaded connection={connection} />;
  if (loaded) {
    return (
      <NotFound
        title="There is no such connection"
        detail="It is not on this engine’s list; it may have been removed."
        to={{ path: '/ui/connections', name: 'Go to the connections' }}
      />
    );
  }
  return (
    <div className="v-skeletons" role="status" aria-label="Loading the connection">
      <Skeleton height={28} width={320} />
      <Skeleton height={120} />
      <Skeleton height={200} />
    </div>
  );
}

function Loaded({ connection }: { readonly connection: Connection }) {
  const { refusal, known } = useMayControl();
  const actions = useConnectionActions();
  const may = known && refusal === null;
  return (
    <div className="v-connection">
      <Header connection={connection} may={may} actions={actions} />
      {refusal === null ? null : <p className="v-view-only">{refusal}</p>}
      <Notes connection={connection} may={may} />
      <div className="v-connection-cards">
        <Card title="The way there" className="v-wide">
          <Chain connection={connection} />
        </Card>
        <div>
          <FarEngine connection={connection} may={may} />
          <Traffic connection={connection} />
        </div>
        <div>
          <Forwards connection={connection} may={may} actions={actions} />
          <Targets connection={connection} />
        </div>
        {may ? <Log connection={connection} /> : null}
      </div>
    </div>
  );
}

interface HeaderProps {
  readonly connection: Connection;
  readonly may: boolean;
  readonly actions: ConnectionActions;
}

function Header({ connection, may, actions }: HeaderProps) {
  const [, navigate] = useLocation();
  const [edits, setEdits] = useState(false);
  const { name, host, group, since, auto, state } = connection;
  const begun = isBegun(connection);
  const remove = async (): Promise<void> => {
    if (await actions.remove(connection)) navigate('/ui/connections');
  };
  return (
    <header className="v-jobhead">
      <div className="v-toolbar">
        <Link href="/ui/connections" className="v-link">
          Connections
        </Link>
        <h1 title={host}>
          <bdi>{name}</bdi>
        </h1>
        <StateMark state={state} />
        <span className="v-muted">
          since {formatWhen(since, engineNow())}
          {name === host ? '' : ` · ${host}`}
          {group === '' ? '' : ` · ${group}`}
          {auto ? ' · connects by itself' : ''}
        </span>
        <div className="v-spacer" />
        {begun ? (
          <>
            <Button size="xs" variant="default" disabled={!may} onClick={() => void actions.reconnect(connection)}>
              Reconnect
            </Button>
            <Button size="xs" variant="default" disabled={!may} onClick={() => void actions.disconnect(connection)}>
              Disconnect
            </Button>
          </>
        ) : (
          <Button size="xs" disabled={!may} onClick={() => void actions.connect(connection)}>
            Connect
          </Button>
        )}
        <Button size="xs" variant="default" disabled={!may} onClick={() => setEdits(true)}>
          Settings
        </Button>
        <Button size="xs" variant="default" disabled={!may} onClick={() => void remove()}>
          Remove
        </Button>
      </div>
      {edits ? <EditConnection connection={connection} close={() => setEdits(false)} /> : null}
    </header>
  );
}

/** Why it is as it is, and what to look at. */
function Notes({ connection, may }: { readonly connection: Connection; readonly may: boolean }) {
  const { state, reason, problem, kept } = connection;
  const asks = state === 'asking' && !may;
  if (reason === null && problem === null && !asks && kept === 0) return null;
  return (
    <div className="v-connection-notes">
      {reason === null ? null : (
        <p role="status" className={isBad(connection) ? 'v-bad-text' : ''}>
          {reason}
        </p>
      )}
      {asks ? <p role="status">A person who may control is asked; it goes on when that is answered.</p> : null}
      {problem === null ? null : <p className="v-warn-text">{problem}</p>}
      {kept === 0 ? null : <Kept connection={connection} may={may} />}
    </div>
  );
}

/** Answers of its login that are kept, and how they are forgotten. */
function Kept({ connection: { id, kept }, may }: { readonly connection: Connection; readonly may: boolean }) {
  const { api, connections } = useHome();
  const forget = (): void => {
    const work = async (): Promise<void> => connections.put(await api.connections.forget(id));
    work().catch((error: unknown) => sayFailure('They were not forgotten', error));
  };
  return (
    <p className="v-muted">
      {kept === 1
        ? '1 password or passphrase of it is kept.'
        : `${formatCount(kept)} passwords and passphrases of it are kept.`}{' '}
      <Button size="compact-xs" variant="default" disabled={!may} onClick={forget}>
        Forget {kept === 1 ? 'it' : 'them'}
      </Button>
    </p>
  );
}

function Targets({ connection }: { readonly connection: Connection }) {
  const { targets, host } = connection;
  return (
    <Card title="Targets" aside={<span className="v-muted">numbers that are pulled in here</span>}>
      {targets === 0 ? (
        <p className="v-muted">
          None is reached through it. Exporters on the host and on nodes behind it are joined as{' '}
          <code>ssh://{host}/node7:9100</code>; all of them go over this one connection.
        </p>
      ) : (
        <p>
          <Link href={targetsSearch(connection)} className="v-link">
            {targets === 1 ? '1 target' : `${formatCount(targets)} targets`}
          </Link>{' '}
          {targets === 1 ? 'is' : 'are'} reached through it.
        </p>
      )}
      <p>
        <Link href="/ui/targets?dialog=add" className="v-link">
          Add a target
        </Link>
      </p>
    </Card>
  );
}
