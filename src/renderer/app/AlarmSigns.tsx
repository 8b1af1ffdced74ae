import { useEffect } from 'react';
import { Link } from 'wouter';
import { MAX_BADGE } from '../../shared/bridge.ts';
import { desktop } from '../data/desktop.ts';
import { formatCount } from '../format/units.ts';
import { useEngine, useFiring } from '../state/engine.ts';
import { setFiring } from '../state/title.ts';

/** What fires, where it is seen without looking at the page: the tab's title, the dock's badge. */
export function AlarmSigns() {
  const engine = useEngine();
  useEffect(() => {
    const tell = (open: number): void => {
      setFiring(open);
      // A desktop without badges is not worth a message.
      void desktop?.badge(Math.min(open, MAX_BADGE)).catch(() => undefined);
    };
    tell(engine.alarms.snapshot().open);
    const stop = engine.alarms.onOpen(tell);
    return () => {
      stop();
      tell(0);
    };
  }, [engine]);
  return null;
}

/** Beside the name of the view: how many fire that nobody has taken. */
export function AlarmCount() {
  const { open } = useFiring();
  return open === 0 ? null : (
    <span className="v-count">
      {formatCount(open)}
      <span className="v-hidden"> firing</span>
    </span>
  );
}

/** In the status bar: what fires, and how much of it somebody has taken. */
export function AlarmStatus() {
  const { open, firing, silenced, acknowledged } = useFiring();
  return (
    <Link
      href="/ui/alarms?state=firing"
      className="v-status-item v-status-button"
      title={acknowledged > 0 ? `${formatCount(acknowledged)} acknowledged` : undefined}
    >
      <span className={`v-dot v-${open > 0 ? 'bad' : firing > 0 ? 'calm' : 'good'}`} aria-hidden="true" />
      {firing === 0 ? 'nothing fires' : <b>{formatCount(firing)} firing</b>}
      {silenced > 0 ? `, ${formatCount(silenced)} silenced` : ''}
    </Link>
  );
}
