import { Button } from '@mantine/core';
import { Link } from 'wouter';

interface NoConnectionsProps {
  /** Why nothing can be added; null: it can. */
  readonly refusal: string | null;
  readonly onAdd: () => void;
}

/** Nothing on the list yet: what a connection is, and what it is not. */
export function NoConnections({ refusal, onAdd }: NoConnectionsProps) {
  return (
    <section className="v-card v-first-connection" aria-labelledby="no-connections">
      <h2 id="no-connections">Reach a cluster by SSH</h2>
      <p>
        Pick a host of your own <code>~/.ssh/config</code>: its hops, keys and agent are used as your <code>ssh</code>{' '}
        uses them. What a login asks, such as a one-time code, is asked here.
      </p>
      {refusal === null ? (
        <div className="v-toolbar v-flush">
          <Button size="xs" data-autofocus onClick={onAdd}>
            Add the first connection
          </Button>
        </div>
      ) : (
        <p>{refusal}</p>
      )}
      <TwoWays />
    </section>
  );
}

/** Connect and join are two things, and which one is meant decides where numbers go. */
export function TwoWays() {
  return (
    <div className="v-two-ways">
      <section aria-labelledby="way-connect">
        <Picture kind="connect" />
        <h3 id="way-connect">Connect: look at it there</h3>
        <p className="v-muted">
          The engine over there keeps its numbers. You look at its jobs, nodes and alarms through this page, and only
          what you look at comes over. Finished profiles are brought here, and stay.
        </p>
      </section>
      <section aria-labelledby="way-join">
        <Picture kind="join" />
        <h3 id="way-join">Join: pull its numbers in here</h3>
        <p className="v-muted">
          This engine asks exporters and engines over there for their numbers, counts them in its own sums, and keeps
          them in its own history. That is a{' '}
          <Link href="/ui/targets?dialog=add" className="v-link">
            target
          </Link>
          , with an address such as <code>ssh://login/node7:9100</code>.
        </p>
      </section>
    </div>
  );
}

/** Two machines and what goes between them: a look, or numbers. */
function Picture({ kind }: { readonly kind: 'connect' | 'join' }) {
  const isJoin = kind === 'join';
  return (
    <svg className="v-way" viewBox="0 0 220 56" width="220" height="56" aria-hidden="true" focusable="false">
      <rect className="v-way-box" x="1" y="9" width="62" height="38" rx="5" />
      <rect className="v-way-box" x="157" y="9" width="62" height="38" rx="5" />
      <text x="32" y="24">
        here
      </text>
      <text x="188" y="24">
        there
      </text>
      <path className={isJoin ? 'v-way-line' : 'v-way-line v-way-look'} d={isJoin ? 'M153 28H71' : 'M67 28h82'} />
      <path className="v-way-line" d={isJoin ? 'M78 22l-8 6 8 6' : 'M142 22l8 6-8 6'} />
      <Bars x={isJoin ? 12 : 168} />
      {isJoin ? <Bars x={168} /> : null}
    </svg>
  );
}

/** Where the numbers are. */
function Bars({ x }: { readonly x: number }) {
  return (
    <path
      className="v-way-bars"
      d={`M${x + 6} 42v-6M${x + 13} 42v-11M${x + 20} 42v-8M${x + 27} 42v-13M${x + 34} 42v-5`}
    />
  );
}
