import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { parseRange } from '../../charts/range.ts';
import { Link, Redirect } from 'wouter';
import { nodeScope } from '../../../shared/model/scope.ts';
import { Failure, NotFound, useTitle } from '../../components/Message.tsx';
import { RequestError } from '../../data/api.ts';
import { useEngine, useRunsOn } from '../../state/engine.ts';
import { engineNow } from '../../state/connection.ts';
import { useOwnHost } from '../../state/ownHost.ts';
import { useUrlQuery } from '../../state/query.ts';
import { BoardView } from '../board/BoardView.tsx';
import type { BoardScope } from '../board/useBoard.ts';
import { runPath } from '../jobs/columns.tsx';
import { oldestSample } from './oldest.ts';

/** A node's own numbers; without a host the engine's. */
export function NodeView({ host }: { readonly host: string | null }) {
  return host === null ? <OwnNode /> : <OneNode host={host} />;
}

function OwnNode() {
  useTitle('Node');
  const { host, error, retry } = useOwnHost();
  if (host !== null) return <Redirect to={`/ui/node/${encodeURIComponent(host)}`} replace />;
  if (error) return <Failure error={error} retry={retry} />;
  return <div className="v-skeletons" role="status" aria-label="Loading the node" />;
}

function OneNode({ host }: { readonly host: string }) {
  useTitle(`Node ${host}`);
  const engine = useEngine();
  const scope = nodeScope(host);
  const known = useQuery({
    queryKey: [engine.base, 'series', scope],
    queryFn: ({ signal }) => engine.api.series(scope, signal),
    staleTime: Infinity,
  });
  const nodes = useQuery({
    queryKey: [engine.base, 'nodes'],
    queryFn: ({ signal }) => engine.api.nodes(signal),
    staleTime: 10_000,
  });
  const [params] = useUrlQuery();
  const range = parseRange(params);
  // One of each source tells when the node began: sources are added over the years.
  const keys = [...new Map([...(known.data?.series ?? [])].reverse().map((one) => [one.group, one.key])).values()];
  const oldest = useQuery({
    queryKey: [engine.base, 'oldest', scope],
    queryFn: ({ signal }) => oldestSample(engine.api, scope, keys, engineNow(), signal),
    enabled: range.kind === 'live' && range.window === null && keys.length > 0,
    staleTime: 600_000,
  });
  const scopes = useMemo((): BoardScope[] => [{ scope, label: host, live: true, series: [] }], [scope, host]);
  if (known.error instanceof RequestError && known.error.code === 'scope_not_found') {
    return <NotFound title="There is no such node" detail={`The engine has no numbers of a node called “${host}”.`} />;
  }
  const others = (nodes.data?.nodes ?? []).filter((node) => node.host !== host);
  return (
    <BoardView
      title={host}
      scopes={scopes}
      start={range.kind === 'live' && range.window === null ? (oldest.data ?? 0) : 0}
      bounds={null}
      header={<NodeHeader host={host} others={others.map((node) => node.host)} />}
    />
  );
}

function NodeHeader({ host, others }: { readonly host: string; readonly others: readonly string[] }) {
  const here = useRunsOn(host);
  return (
    <header className="v-jobhead">
      <div className="v-toolbar">
        <h1>
          Node <bdi>{host}</bdi>
        </h1>
        <span className="v-muted">
          {here.length === 0
            ? 'no job runs here now'
            : here.length === 1
              ? 'one job runs here:'
              : `${here.length} jobs run here:`}
        </span>
        {here.slice(0, 8).map((run) => (
          <Link key={run.id} href={runPath(run)} className="v-link">
            <bdi>{run.jobid}</bdi>
          </Link>
        ))}
        <div className="v-spacer" />
        {others.slice(0, 8).map((other) => (
          <Link key={other} href={`/ui/node/${encodeURIComponent(other)}`} className="v-link">
            <bdi>{other}</bdi>
          </Link>
        ))}
      </div>
    </header>
  );
}
