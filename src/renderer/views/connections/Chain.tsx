import { Fragment } from 'react';
import type { ReactNode } from 'react';
import type { Connection, ConnectionState, Hop } from '../../../shared/api/connections.ts';
import { Copy } from '../../components/Copy.tsx';
import { formatShortSpan } from '../../format/time.ts';
import { useConnection } from '../../state/connection.ts';
import { FarMark, StateMark } from './parts.tsx';
import { farState, STATE_TONES, whereText } from './words.ts';

/** How the line to a place is drawn: through, on its way, broken, or not tried. */
const LINES: Readonly<Record<ConnectionState, string>> = {
  idle: 'v-line-rest',
  connecting: 'v-line-going',
  asking: 'v-line-going',
  up: 'v-line-up',
  reconnecting: 'v-line-going',
  down: 'v-line-broken',
  refused: 'v-line-broken',
};

/** From this machine over each hop to the host, and to the engine there: what is through, and where it stops. */
export function Chain({ connection }: { readonly connection: Connection }) {
  const here = useConnection((s) => s.status?.engine.host ?? '');
  const { hops, host, engine } = connection;
  const shown: readonly Hop[] = hops.length > 0 ? hops : [unknownHop(host)];
  return (
    <ol className="v-chain" aria-label="The way there">
      <Place title="This machine" name={here} tone="good">
        <span className="v-muted">the engine that logs in</span>
      </Place>
      {shown.map((hop, i) => (
        // A chain may pass the same host twice.
        // oxlint-disable-next-line react/no-array-index-key -- its place in the chain is what a hop is
        <Fragment key={`${i} ${hop.name}`}>
          <Line state={hop.state} latency={hop.latency_ms} />
          <HopPlace hop={hop} title={i === shown.length - 1 ? 'Host' : `Hop ${i + 1}`} />
        </Fragment>
      ))}
      {engine === null ? null : (
        <>
          <Line state={farLine(connection)} latency={null} />
          <Place
            title="Engine over there"
            name={engine.state === 'absent' ? '' : (engine.host ?? whereText(engine))}
            tone={farState(connection).tone}
          >
            <FarMark connection={connection} />
          </Place>
        </>
      )}
    </ol>
  );
}

const unknownHop = (name: string): Hop => ({
  ...{ name, host: '', state: 'idle', reason: null, latency_ms: null, fingerprint: null, through: 'ssh2' },
});

function farLine({ state, engine }: Connection): ConnectionState {
  if (state !== 'up') return 'idle';
  return ({ up: 'up', looking: 'connecting', down: 'down', refused: 'down', absent: 'idle' } as const)[
    engine?.state ?? 'absent'
  ];
}

interface PlaceProps {
  readonly title: string;
  readonly name: string;
  readonly tone: string;
  readonly children: ReactNode;
}

function Place({ title, name, tone, children }: PlaceProps) {
  return (
    <li className={`v-place v-place-${tone}`}>
      <span className="v-place-kind">{title}</span>
      {name === '' ? null : (
        <b className="v-place-name" title={name}>
          <bdi>{name}</bdi>
        </b>
      )}
      {children}
    </li>
  );
}

function HopPlace({ hop, title }: { readonly hop: Hop; readonly title: string }) {
  const { name, host, state, reason, fingerprint, through } = hop;
  return (
    <Place title={title} name={name} tone={STATE_TONES[state]}>
      {host === '' ? null : <code className="v-place-host">{host}</code>}
      <StateMark state={state} />
      {reason === null ? null : (
        <span className={state === 'down' || state === 'refused' ? 'v-bad-text v-words' : 'v-muted v-words'}>
          {reason}
        </span>
      )}
      {fingerprint === null ? null : (
        <span className="v-print" title={fingerprint}>
          <code>{fingerprint}</code>
          <Copy text={fingerprint} name={`the fingerprint of ${name}`} />
        </span>
      )}
      {through === 'ssh' ? (
        <span className="v-muted" title="It needs what the built-in client cannot do, such as a certificate">
          through your own ssh
        </span>
      ) : null}
    </Place>
  );
}

function Line({ state, latency }: { readonly state: ConnectionState; readonly latency: number | null }) {
  return (
    <li className={`v-line ${LINES[state]}`} aria-hidden={latency === null}>
      <span>{latency === null ? '' : formatShortSpan(latency)}</span>
      <svg viewBox="0 0 60 12" width="60" height="12" preserveAspectRatio="none" aria-hidden="true" focusable="false">
        <path className="v-line-path" d="M0 6H60" />
        {LINES[state] === 'v-line-broken' ? <path className="v-line-cross" d="M25 1l10 10M35 1L25 11" /> : null}
      </svg>
    </li>
  );
}
