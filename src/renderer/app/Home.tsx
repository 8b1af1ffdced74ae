import { useEffect, useState } from 'react';
import { Router, useLocation } from 'wouter';
import { useBrowserLocation } from 'wouter/use-browser-location';
import { NotFound } from '../components/Message.tsx';
import { Engine } from '../data/engine.ts';
import { EnginesModel } from '../data/engines.ts';
import { HomeContext, useHome } from '../state/engine.ts';
import { EnginesContext, useEngines } from '../state/engines.ts';
import { engineHref, placeOf, engineLocation } from '../state/place.ts';
import { useSession } from '../state/session.ts';
import { Prompts } from '../views/connections/prompts/Prompts.tsx';
import { Notified } from './Notified.tsx';
import { Shown } from './Shown.tsx';

const token = (): string | null => useSession.getState().token;
const refuse = (): void => useSession.getState().refuse();

interface Opened {
  readonly home: Engine;
  readonly engines: EnginesModel;
}

/** The engine that the page came from is always open; which one is looked at is in the address. */
export function Home() {
  const [opened, setOpened] = useState<Opened | null>(null);
  useEffect(() => {
    const home = new Engine('', token, refuse);
    const engines = new EnginesModel(home.api);
    home.live.onState((state) => {
      if (state.phase === 'refused' && state.reason === 'token') refuse();
    });
    const retry = (): void => home.live.retryNow();
    window.addEventListener('online', retry);
    home.start();
    engines.start();
    setOpened({ home, engines });
    return () => {
      window.removeEventListener('online', retry);
      engines.close();
      home.close();
    };
  }, []);
  if (!opened) return null;
  return (
    <HomeContext.Provider value={opened.home}>
      <EnginesContext.Provider value={opened.engines}>
        <Router hook={engineLocation}>
          <Viewed />
          <Notified />
          <Prompts />
        </Router>
      </EnginesContext.Provider>
    </HomeContext.Provider>
  );
}

function Viewed() {
  const [pathname] = useBrowserLocation();
  const { engine: id, path } = placeOf(pathname);
  const home = useHome();
  const { engines, loaded } = useEngines();
  if (id === null) return <Shown engine={home} />;
  const listed = engines.find((one) => one.id === id);
  if (listed) return listed.connection === null ? <Leave to={engineHref(null, path)} /> : <Other key={id} id={id} />;
  if (!loaded) return null;
  return (
    <main>
      <NotFound
        title="No connection leads to this engine"
        detail={`None of the engines that are reached from here has the id ${id.slice(0, 64)}. Its connection may have been removed, or the link is of another machine’s console.`}
        to={{ path: engineHref(null, '/ui/clusters'), name: 'Show all clusters' }}
      />
    </main>
  );
}

/** An address with this engine's own id. */
function Leave({ to }: { readonly to: string }) {
  const [, navigate] = useLocation();
  useEffect(() => navigate(to + window.location.search, { replace: true }), [navigate, to]);
  return null;
}

/** An engine behind a connection, for as long as it is looked at: nothing of it is kept when another one is. */
function Other({ id }: { readonly id: string }) {
  const [engine, setEngine] = useState<Engine | null>(null);
  const { engines } = useEngines();
  const state = engines.find((one) => one.id === id)?.state;
  useEffect(() => {
    const opened = new Engine(`/api/v1/engines/${id}`, token, refuse);
    const retry = (): void => opened.live.retryNow();
    window.addEventListener('online', retry);
    opened.start();
    setEngine(opened);
    return () => {
      window.removeEventListener('online', retry);
      opened.close();
    };
  }, [id]);
  useEffect(() => {
    // It is there again: what waits for its next attempt need not.
    if (state === 'up') engine?.live.retryNow();
  }, [engine, state]);
  return engine ? <Shown engine={engine} /> : null;
}
