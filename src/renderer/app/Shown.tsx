import { notifications } from '@mantine/notifications';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { useEffect, useLayoutEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import type { Status } from '../../shared/api/status.ts';
import { Message, useTitle } from '../components/Message.tsx';
import { RequestError } from '../data/api.ts';
import { beat } from '../data/beat.ts';
import type { Engine } from '../data/engine.ts';
import { useConnection } from '../state/connection.ts';
import { EngineContext } from '../state/engine.ts';
import { useShown } from '../state/engines.ts';
import { setCluster } from '../state/title.ts';
import { Routes } from './routes.tsx';
import { Shell } from './Shell.tsx';

const PERMANENT: readonly string[] = [
  'run_not_found',
  'scope_not_found',
  'not_found',
  'unauthorized',
  'forbidden_role',
  'bad_request',
  'not_understood',
  'engine_unavailable',
  'engine_refused',
  'engine_not_found',
];

/** Answers of one engine, thrown away with the views that asked. */
const newQueries = (): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: {
        refetchOnWindowFocus: false,
        retry: (count, error) => count < 2 && !(error instanceof RequestError && PERMANENT.includes(error.code)),
      },
    },
  });

/** All views, of one engine. */
export function Shown({ engine }: { readonly engine: Engine }) {
  const [queries] = useState(newQueries);
  const [ready, setReady] = useState(false);
  useLayoutEffect(() => {
    const { setState, setStatus, show } = useConnection.getState();
    let latest: Status | null = null;
    const tell = (): void => {
      if (latest) setStatus(latest);
    };
    show(engine.live.state, engine.status);
    const stop = [
      engine.live.onState(setState),
      engine.live.onStatus((status) => {
        latest = status;
        beat.add(tell);
      }),
    ];
    setReady(true);
    return () => {
      for (const each of stop) each();
      latest = null;
      show({ phase: 'connecting' }, null);
      queries.clear();
      // What can be taken back there is not to be taken for something of here.
      notifications.clean();
    };
  }, [engine, queries]);
  if (!ready) return null;
  return (
    <EngineContext.Provider value={engine}>
      <QueryClientProvider client={queries}>
        <Named />
        <Shell>
          <Reached>
            <Routes />
          </Reached>
        </Shell>
      </QueryClientProvider>
    </EngineContext.Provider>
  );
}

/** Of an engine that was never reached only its finished jobs are here. */
function Reached({ children }: { readonly children: ReactNode }) {
  const { id, name, listed } = useShown();
  const [path] = useLocation();
  const never = useConnection(({ away, status }) => away && status === null);
  if (id === null || !never || path === '/ui/jobs' || path.startsWith('/ui/jobs/')) return children;
  return <NotReached name={name} kept={listed?.profiles ?? 0} />;
}

function NotReached({ name, kept }: { readonly name: string; readonly kept: number }) {
  useTitle('Not reached');
  return (
    <Message title={`${name} is not reached`}>
      <p>
        {kept > 0
          ? 'What it shows here is only there while it is reached. Its finished jobs are here.'
          : 'What it shows here is only there while it is reached, and none of its finished jobs have come over yet.'}
      </p>
      <Link className="v-link" href={kept > 0 ? '/ui/jobs' : '/ui/connections'}>
        {kept > 0 ? 'Show its finished jobs' : 'Show the connections'}
      </Link>
    </Message>
  );
}

/** The title says whose view it is, where there is more than one engine. */
function Named() {
  const { id, name, others } = useShown();
  const shown = others || id !== null ? name : null;
  useEffect(() => {
    setCluster(shown);
    return () => setCluster(null);
  }, [shown]);
  return null;
}
