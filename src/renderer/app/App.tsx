import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { Status } from '../../shared/api/status.ts';
import { beat } from '../data/beat.ts';
import { Engine } from '../data/engine.ts';
import { RequestError } from '../data/api.ts';
import { useConnection } from '../state/connection.ts';
import { EngineContext } from '../state/engine.ts';
import { useSession } from '../state/session.ts';
import { TokenView } from '../views/token/TokenView.tsx';
import { Routes } from './routes.tsx';
import { Shell } from './Shell.tsx';
import { cssVariables, theme } from './theme.ts';

const PERMANENT: readonly string[] = [
  'run_not_found',
  'scope_not_found',
  'not_found',
  'unauthorized',
  'forbidden_role',
  'bad_request',
  'not_understood',
];

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      refetchOnWindowFocus: false,
      retry: (count, error) => count < 2 && !(error instanceof RequestError && PERMANENT.includes(error.code)),
    },
  },
});

export function App() {
  return (
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <QueryClientProvider client={queries}>
        <Notifications position="bottom-right" autoClose={4000} />
        <Gate />
      </QueryClientProvider>
    </MantineProvider>
  );
}

/** Asks for a token, or shows the engine that the page came from. */
function Gate() {
  const token = useSession((s) => s.token);
  return token === null ? <TokenView /> : <WithEngine key={token} />;
}

function WithEngine() {
  const [engine, setEngine] = useState<Engine | null>(null);
  useEffect(() => {
    const { refuse } = useSession.getState();
    const { setState, setStatus } = useConnection.getState();
    const opened = new Engine('', () => useSession.getState().token, refuse);
    opened.live.onState((state) => {
      if (state.phase === 'refused' && state.reason === 'token') refuse();
      setState(state);
    });
    let latest: Status | null = null;
    const show = (): void => {
      if (latest) setStatus(latest);
    };
    opened.live.onStatus((status) => {
      latest = status;
      beat.add(show);
    });
    const retry = (): void => opened.live.retryNow();
    window.addEventListener('online', retry);
    opened.start();
    setEngine(opened);
    return () => {
      window.removeEventListener('online', retry);
      opened.close();
      queries.clear();
    };
  }, []);
  if (!engine) return null;
  return (
    <EngineContext.Provider value={engine}>
      <Shell>
        <Routes />
      </Shell>
    </EngineContext.Provider>
  );
}
