import { Button } from '@mantine/core';
import { Link } from 'wouter';
import type { Connection, RemoteEngine } from '../../../shared/api/connections.ts';
import { Card } from '../../components/Card.tsx';
import { Fact } from '../../components/Fact.tsx';
import { engineHref } from '../../state/place.ts';
import { FarMark } from './parts.tsx';
import { FarEngineWork } from './FarEngineWork.tsx';
import { syncText } from './words.ts';

interface FarEngineProps {
  readonly connection: Connection;
  readonly may: boolean;
}

/** The engine over there: which one, how it is, what of it is here, and what can be done with it. */
export function FarEngine({ connection, may }: FarEngineProps) {
  const { engine } = connection;
  if (engine === null) {
    return (
      <Card title="Engine over there">
        <p className="v-muted">
          None is looked for: this connection is only for forwards and targets. Its settings change that.
        </p>
      </Card>
    );
  }
  const readable = engine.id !== null && (engine.state === 'up' || engine.sync.profiles > 0);
  return (
    <Card
      title="Engine over there"
      aside={
        <>
          <FarMark connection={connection} />
          <span className="v-spacer" />
          {readable && engine.id !== null ? (
            <Button
              size="xs"
              component={Link}
              href={engineHref(engine.id)}
              variant={engine.state === 'up' ? 'filled' : 'default'}
            >
              {engine.state === 'up' ? 'Look at it' : 'Look at what is here'}
            </Button>
          ) : null}
        </>
      }
    >
      {engine.reason === null || connection.state !== 'up' ? null : (
        <p className={engine.state === 'refused' ? 'v-bad-text' : 'v-muted'}>{engine.reason}</p>
      )}
      <Facts engine={engine} sync={connection.sync} />
      <FarEngineWork connection={connection} may={may} />
    </Card>
  );
}

function Facts({ engine, sync }: { readonly engine: RemoteEngine; readonly sync: boolean }) {
  const { id, state, version, api, host, skew } = engine;
  if (id === null) return null;
  return (
    <dl className="v-facts">
      {state === 'absent' ? null : (
        <>
          <Fact name="Host">{host ?? 'not known'}</Fact>
          <Fact name="Version">
            {version === null ? 'not known' : `Vigie ${version}`}
            {api === null ? '' : ` (API ${api.major}.${api.minor})`}
            {skew === null ? null : <p className="v-warn-text">{skew}</p>}
          </Fact>
        </>
      )}
      <Fact name="Profiles">
        {sync || engine.sync.profiles > 0 ? syncText(engine.sync) : 'They are not brought here.'}
      </Fact>
    </dl>
  );
}
