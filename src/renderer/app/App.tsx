import { MantineProvider, useMantineColorScheme } from '@mantine/core';
import { Notifications, notifications } from '@mantine/notifications';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { Bridge } from '../../shared/bridge.ts';
import type { Status } from '../../shared/api/status.ts';
import { desktop, noticeFromHash } from '../data/desktop.ts';
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
        {desktop ? <DesktopTheme desktop={desktop} /> : null}
        <Notices />
        <Gate />
      </QueryClientProvider>
    </MantineProvider>
  );
}

/** The window's own parts have the theme of the page. */
function DesktopTheme({ desktop: bridge }: { readonly desktop: Bridge }) {
  const { colorScheme } = useMantineColorScheme();
  useEffect(() => {
    // A window whose frame has the other theme is not worth a message.
    void bridge.setTheme(colorScheme === 'auto' ? 'system' : colorScheme).catch(() => undefined);
  }, [bridge, colorScheme]);
  return null;
}

/** Says once why the page was loaded anew. */
function Notices() {
  useEffect(() => {
    const message = noticeFromHash(window.location.hash);
    if (message === null) return;
    window.history.replaceState(null, '', `${window.location.pathname}${window.location.search}`);
    notifications.show({ message, autoClose: 15_000, withBorder: true });
  }, []);
  return null;
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
