import { useEffect } from 'react';
import { useLocation } from 'wouter';
import { alarmIdPath } from '../data/alarms.ts';
import { LiveClient } from '../data/live.ts';
import { openBrowserSocket } from '../data/socket.ts';
import { useHome } from '../state/engine.ts';
import { useEngines } from '../state/engines.ts';
import { followNotifications, useCanNotify } from '../state/notifying.ts';
import { engineHref } from '../state/place.ts';
import { useSession } from '../state/session.ts';

/** Shows what engines ask for: the page's own and all that are connected, whichever is looked at. */
export function Notified() {
  const home = useHome();
  const [, navigate] = useLocation();
  const { engines } = useEngines();
  useEffect(
    () =>
      followNotifications(home.live, null, (alarm) => {
        navigate(engineHref(null, alarm === null ? '/ui/alarms' : alarmIdPath(alarm)));
      }),
    [home, navigate],
  );
  const can = useCanNotify();
  return engines
    .filter(({ connection, state }) => can && connection !== null && state === 'up')
    .map(({ id, name }) => <NotifiedBy key={id} id={id} name={name} />);
}

/** One engine elsewhere: a socket of its own on which nothing comes but its notifications. */
function NotifiedBy({ id, name }: { readonly id: string; readonly name: string }) {
  const [, navigate] = useLocation();
  useEffect(() => {
    const live = new LiveClient({
      open: () => openBrowserSocket(`/api/v1/engines/${id}/api/v1/live`),
      token: () => useSession.getState().token,
      quiet: true,
    });
    const leave = followNotifications(live, { id, name }, (alarm) => {
      navigate(engineHref(id, alarm === null ? '/ui/alarms' : alarmIdPath(alarm)));
    });
    live.start();
    return () => {
      leave();
      live.close();
    };
  }, [id, name, navigate]);
  return null;
}
