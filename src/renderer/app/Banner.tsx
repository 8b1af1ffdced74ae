import { Button } from '@mantine/core';
import { useEffect, useState } from 'react';
import { Icon } from '../components/Icon.tsx';
import { useConnection } from '../state/connection.ts';
import { useEngine } from '../state/engine.ts';

/** Says that the engine does not answer, and when the page tries again. What was seen stays. */
export function Banner() {
  const { live } = useEngine();
  const state = useConnection((s) => s.state);
  const [now, setNow] = useState(Date.now);
  const waiting = state.phase === 'waiting';
  useEffect(() => {
    if (!waiting) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [waiting]);

  if (state.phase === 'refused' && state.reason === 'version') {
    return (
      <div className="v-banner" role="alert">
        <Icon name="warning" /> {state.detail}
      </div>
    );
  }
  if (!waiting) return null;
  const seconds = Math.max(0, Math.ceil((state.until - now) / 1000));
  return (
    <div className="v-banner" role="alert">
      <Icon name="warning" />
      <span>
        Engine does not answer; <span aria-hidden="true">trying again in {seconds} s</span>
        <span className="v-hidden">trying again by itself</span>
      </span>
      <Button size="compact-xs" variant="default" onClick={() => live.retryNow()}>
        Try now
      </Button>
    </div>
  );
}
