import { Button, NativeSelect, SegmentedControl, Skeleton } from '@mantine/core';
import { useDeferredValue, useMemo, useRef, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { SearchField } from '../../components/SearchField.tsx';
import { DataTable } from '../../components/DataTable.tsx';
import { Failure, useTitle } from '../../components/Message.tsx';
import { stepKeys, useKeys } from '../../components/useKeys.ts';
import { formatCount } from '../../format/units.ts';
import { useTargetsSnapshot } from '../../state/engine.ts';
import { useUrlQuery } from '../../state/query.ts';
import { shortUrl } from '../targets/words.ts';
import { NODE_COLUMNS, TargetNames } from './columns.tsx';
import { Grid } from './Grid.tsx';
import { METRIC_NAMES, NODE_METRICS, NODE_SORTS, nodePath, selectNodes } from './nodes.ts';
import type { NodeMetric, NodeQuery, NodeSort } from './nodes.ts';
import './nodes.css';
import { useNodes } from './useNodes.ts';

const LAYOUTS = [
  { value: 'list', label: 'List' },
  { value: 'grid', label: 'Small charts' },
];
const GRID_SORTS: Readonly<Record<NodeMetric, NodeSort>> = {
  cpu: 'cpu',
  memory: 'memory',
  pressure: 'pressure',
  network: 'received',
};

function readQuery(params: URLSearchParams): NodeQuery {
  const sort = params.get('sort') ?? 'host';
  return {
    search: (params.get('q') ?? '').slice(0, 256),
    sort: (NODE_SORTS as readonly string[]).includes(sort) ? (sort as NodeSort) : 'host',
    descending: params.get('order') === 'desc',
  };
}

/** All nodes that the engine has numbers of: its own, and those that come with targets. */
export function NodesView() {
  useTitle('Nodes');
  const [params, setParams] = useUrlQuery();
  const [, navigate] = useLocation();
  const { rows, loaded, error, retry } = useNodes();
  const { rows: targets } = useTargetsSnapshot();
  const names = useMemo(() => new Map([...targets.values()].map(({ id, url }) => [id, shortUrl(url)])), [targets]);
  const [cursor, setCursor] = useState(-1);
  const search = useRef<HTMLInputElement>(null);
  const query = useMemo(() => readQuery(params), [params]);
  const shown = useDeferredValue(useMemo(() => selectNodes(rows.values(), query), [rows, query]));
  const grid = params.get('layout') === 'grid';
  const asked = params.get('metric') ?? 'cpu';
  const metric = (NODE_METRICS as readonly string[]).includes(asked) ? (asked as NodeMetric) : 'cpu';
  const move = (step: number): void => setCursor((at) => Math.max(0, Math.min(shown.length - 1, at + step)));
  const open = (index: number): void => {
    const row = shown[index];
    if (row) navigate(nodePath(row.node));
  };
  const rowKeys = {
    ...stepKeys(move),
    Enter: () => open(cursor),
  };
  useKeys({ ...(grid ? {} : rowKeys), '/': () => search.current?.focus() });

  if (error && !loaded) return <Failure error={error} retry={retry} />;
  const alone = loaded && rows.size === 1;
  const none = (
    <>
      <p>No node matches.</p>
      <Button size="xs" variant="default" onClick={() => setParams({ q: null })}>
        Show all nodes
      </Button>
    </>
  );
  return (
    <div className="v-fill v-nodes">
      <div className="v-toolbar">
        <h1>Nodes</h1>
        <SearchField
          ref={search}
          label="Search nodes"
          placeholder="Node"
          value={query.search}
          onChange={(q) => {
            setCursor(-1);
            setParams({ q });
          }}
          onEnter={() => open(Math.max(0, cursor))}
        />
        <SegmentedControl
          size="xs"
          aria-label="Layout"
          data={LAYOUTS}
          value={grid ? 'grid' : 'list'}
          onChange={(value) => setParams({ layout: value === 'grid' ? 'grid' : null })}
        />
        {grid ? (
          <>
            <NativeSelect
              size="xs"
              aria-label="What the charts show"
              value={metric}
              data={NODE_METRICS.map((value) => ({ value, label: METRIC_NAMES[value] }))}
              onChange={(event) => setParams({ metric: event.currentTarget.value })}
            />
            <NativeSelect
              size="xs"
              aria-label="Order"
              value={query.sort === 'host' ? 'host' : 'value'}
              data={[
                { value: 'host', label: 'By name' },
                { value: 'value', label: 'Highest first' },
              ]}
              onChange={(event) =>
                setParams(
                  event.currentTarget.value === 'host'
                    ? { sort: null, order: null }
                    : { sort: GRID_SORTS[metric], order: 'desc' },
                )
              }
            />
          </>
        ) : null}
        <div className="v-spacer" />
        <span className="v-muted" role="status">
          {loaded ? countText(shown.length, rows.size) : ''}
        </span>
      </div>
      {alone ? (
        <p className="v-view-only">
          This is the engine’s own node. Others come with <Link href="/ui/targets">targets</Link>: node exporters,
          metric proxies, engines on other nodes.
        </p>
      ) : null}
      {!loaded ? (
        <div className="v-skeletons" role="status" aria-label="Loading the nodes">
          {Array.from({ length: 10 }, (_, i) => (
            <Skeleton key={i} height={22} />
          ))}
        </div>
      ) : grid ? (
        shown.length === 0 ? (
          <div className="v-table-empty">{none}</div>
        ) : (
          <TargetNames.Provider value={names}>
            <Grid rows={shown} metric={metric} />
          </TargetNames.Provider>
        )
      ) : (
        <TargetNames.Provider value={names}>
          <DataTable
            label="Nodes"
            testId="nodes-table"
            rows={shown}
            rowId={(row) => row.node.scope}
            columns={NODE_COLUMNS}
            sort={{ id: query.sort, descending: query.descending }}
            onSort={({ id, descending }) =>
              setParams({ sort: id === 'host' ? null : id, order: descending ? 'desc' : null })
            }
            cursor={cursor}
            onCursor={setCursor}
            onOpen={(row) => navigate(nodePath(row.node))}
            empty={none}
          />
        </TargetNames.Provider>
      )}
    </div>
  );
}

function countText(shown: number, all: number): string {
  const count = shown === all ? formatCount(all) : `${formatCount(shown)} of ${formatCount(all)}`;
  return `${count} ${all === 1 ? 'node' : 'nodes'}`;
}
