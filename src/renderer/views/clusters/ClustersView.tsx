import { Button, Skeleton } from '@mantine/core';
import { useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { Link, useLocation } from 'wouter';
import { DataTable } from '../../components/DataTable.tsx';
import { useTitle } from '../../components/Message.tsx';
import { SearchField } from '../../components/SearchField.tsx';
import { stepKeys, useKeys } from '../../components/useKeys.ts';
import { createApi } from '../../data/api.ts';
import { CLUSTER_SORTS, NOTHING_KNOWN, sortClusters, SummariesModel } from '../../data/summaries.ts';
import type { ClusterRow, ClusterSort, Summary } from '../../data/summaries.ts';
import { formatCount } from '../../format/units.ts';
import { useEngines } from '../../state/engines.ts';
import { engineHref } from '../../state/place.ts';
import { useUrlQuery } from '../../state/query.ts';
import { useSession } from '../../state/session.ts';
import { CLUSTER_COLUMNS, clusterId } from './columns.tsx';
import './clusters.css';

const NONE: ReadonlyMap<string, Summary> = new Map();
const nothing = (): (() => void) => () => undefined;
const none = (): ReadonlyMap<string, Summary> => NONE;

/** Asks for as long as the page is open. */
function useSummaries(): ReadonlyMap<string, Summary> {
  const { engines } = useEngines();
  const [model, setModel] = useState<SummariesModel | null>(null);
  useEffect(() => {
    const { refuse } = useSession.getState();
    const opened = new SummariesModel(({ id, connection }) =>
      createApi({
        base: connection === null ? '' : `/api/v1/engines/${id}`,
        token: () => useSession.getState().token,
        onUnauthorized: refuse,
      }),
    );
    setModel(opened);
    return () => opened.close();
  }, []);
  useEffect(() => model?.follow(engines), [model, engines]);
  return useSyncExternalStore(model?.subscribe ?? nothing, model?.snapshot ?? none);
}

const isFound = ({ engine }: ClusterRow, words: readonly string[]): boolean => {
  const text = [engine.name, engine.host ?? '', engine.group, engine.version ?? ''].join('\n').toLowerCase();
  return words.every((word) => text.includes(word));
};

/** How each engine is that can be reached from here; one row leads to its views. */
export function ClustersView() {
  useTitle('All clusters');
  const [params, setParams] = useUrlQuery();
  const [, navigate] = useLocation();
  const { engines, loaded } = useEngines();
  const summaries = useSummaries();
  const [cursor, setCursor] = useState(-1);
  const search = useRef<HTMLInputElement>(null);
  const asked = params.get('sort') ?? 'given';
  const sort = (CLUSTER_SORTS as readonly string[]).includes(asked) ? (asked as ClusterSort) : 'given';
  const descending = params.get('order') === 'desc';
  const text = (params.get('q') ?? '').slice(0, 256);
  const shown = useMemo(() => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    const rows = engines.map((engine) => ({ engine, summary: summaries.get(engine.id) ?? NOTHING_KNOWN }));
    return sortClusters(
      rows.filter((row) => isFound(row, words)),
      sort,
      descending,
    );
  }, [engines, summaries, text, sort, descending]);
  const open = (index: number): void => {
    const row = shown[index];
    if (row) navigate(engineHref(clusterId(row)));
  };
  const move = (step: number): void => setCursor((at) => Math.max(0, Math.min(shown.length - 1, at + step)));
  useKeys({
    ...stepKeys(move),
    Enter: () => open(cursor),
    '/': () => search.current?.focus(),
  });
  const up = engines.filter(({ connection, state }) => connection === null || state === 'up').length;
  return (
    <div className="v-fill v-clusters">
      <div className="v-toolbar">
        <h1>All clusters</h1>
        <SearchField
          ref={search}
          label="Search clusters"
          placeholder="Name, host, group"
          value={text}
          onChange={(q) => {
            setCursor(-1);
            setParams({ q });
          }}
          onEnter={() => open(Math.max(0, cursor))}
        />
        <div className="v-spacer" />
        <span className="v-muted" role="status">
          {loaded ? `${formatCount(up)} of ${formatCount(engines.length)} reached` : ''}
        </span>
        <Button size="xs" variant="default" component={Link} href="/ui/connections">
          Connections
        </Button>
      </div>
      {!loaded ? (
        <div className="v-skeletons" role="status" aria-label="Loading the clusters">
          {Array.from({ length: 4 }, (_, i) => (
            <Skeleton key={i} height={32} />
          ))}
        </div>
      ) : (
        <DataTable
          label="Clusters"
          testId="clusters-table"
          rows={shown}
          rowId={({ engine }) => engine.id}
          columns={CLUSTER_COLUMNS}
          rowHeight={46}
          sort={{ id: sort, descending }}
          onSort={({ id, descending: down }) => setParams({ sort: id, order: down ? 'desc' : null })}
          cursor={cursor}
          onCursor={setCursor}
          onOpen={(row) => navigate(engineHref(clusterId(row)))}
          empty={<p>No cluster is called like that.</p>}
        />
      )}
      {loaded && engines.length === 1 ? (
        <p className="v-clusters-hint">
          This is the only one. Other clusters are reached by SSH:{' '}
          <Link className="v-link" href="/ui/connections">
            connect to one
          </Link>
          , and its engine is a row here.
        </p>
      ) : null}
    </div>
  );
}
