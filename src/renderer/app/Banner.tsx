import { Button } from '@mantine/core';
import { useEffect, useState, useSyncExternalStore } from 'react';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import { Icon } from '../components/Icon.tsx';
import { keptWords } from '../data/clusterWords.ts';
import type { LiveState } from '../data/live.ts';
import { formatClock } from '../format/time.ts';
import { useConnection } from '../state/connection.ts';
import { useEngine, useHome } from '../state/engine.ts';
import { useShown } from '../state/engines.ts';
import { engineHref } from '../state/place.ts';

/** Says that the engine does not answer, and when the page tries again. What was seen stays. */
export function Banner() {
  const engine = useEngine();
  const home = useHome();
  const own = useSyncExternalStore(
    (listener) => home.live.onState(listener),
    () => home.live.state,
  );
  const state = useConnection((s) => s.state);
  const away = useConnection((s) => s.away);
  if (own.phase === 'refused' && own.reason === 'version') return <Bar>{own.detail}</Bar>;
  // Without the page's own engine nothing else is reached either.
  if (own.phase === 'waiting') return <Waiting state={own} retry={() => home.live.retryNow()} />;
  if (engine === home || !away) return null;
  return <Away state={state} retry={() => engine.live.retryNow()} />;
}

function Bar({ children }: { readonly children: ReactNode }) {
  return (
    <div className="v-banner" role="alert">
      <Icon name="warning" />
      {children}
    </div>
  );
}

function Waiting({ state, retry }: { state: Extract<LiveState, { phase: 'waiting' }>; retry: () => void }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.ceil((state.until - now) / 1000));
  return (
    <Bar>
      <span>
        Engine does not answer; <span aria-hidden="true">trying again in {seconds} s</span>
        <span className="v-hidden">trying again by itself</span>
      </span>
      <Button size="compact-xs" variant="default" onClick={retry}>
        Try now
      </Button>
    </Bar>
  );
}

/** Of an engine elsewhere: why, how old what is seen is, what can be looked at all the same. */
function Away({ state, retry }: { readonly state: LiveState; readonly retry: () => void }) {
  const { name, listed } = useShown();
  const asOf = useConnection((s) => s.status?.time ?? s.opened);
  const refused = state.phase === 'refused' ? state.detail : null;
  const why = refused ?? (listed?.state === 'up' ? null : (listed?.reason ?? null));
  const kept = listed ? keptWords(listed) : null;
  return (
    <Bar>
      <span className="v-banner-text">
        <b>{name}</b> {refused === null ? 'is not reached' : 'cannot be shown'}
        {why === null ? '' : `: ${why}`}.{refused === null ? ' Reconnecting by itself. ' : ' '}
        {asOf === null ? '' : `What you see is as of ${formatClock(asOf)}. `}
        {kept === null ? '' : `${kept}: see its jobs.`}
      </span>
      <Button size="compact-xs" variant="default" onClick={retry}>
        Try now
      </Button>
      <Link className="v-link" href="/ui/connections">
        Connections
      </Link>
      <Link className="v-link" href={engineHref(null)}>
        This engine
      </Link>
    </Bar>
  );
}
