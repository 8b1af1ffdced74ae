import { Link } from 'wouter';
import type { Column } from '../../components/DataTable.tsx';
import { keptWords, stateWords, toneOf } from '../../data/clusterWords.ts';
import { loadShare } from '../../data/summaries.ts';
import type { ClusterRow } from '../../data/summaries.ts';
import { formatShortSpan, formatWhen } from '../../format/time.ts';
import { formatCount, formatValue, NO_VALUE } from '../../format/units.ts';
import { useNow } from './useNow.ts';
import { engineHref } from '../../state/place.ts';

/** Where a row leads; the page's own engine has no id in its addresses. */
export const clusterId = ({ engine }: ClusterRow): string | null => (engine.connection === null ? null : engine.id);

function Name({ row }: { readonly row: ClusterRow }) {
  const { engine, summary } = row;
  const kept = keptWords(engine);
  const why = engine.state === 'up' ? (summary.problem ?? engine.skew) : (kept ?? engine.reason);
  const words = [stateWords(engine), why].filter((part) => part !== null).join(' · ');
  return (
    <div className="v-two-lines">
      <Link href={engineHref(clusterId(row))} className="v-link" onClick={(event) => event.stopPropagation()}>
        {engine.name}
      </Link>
      <span className="v-second-line" title={[words, engine.reason].filter(Boolean).join('\n')}>
        <span className={`v-dot v-${summary.problem === null ? toneOf(engine) : 'warn'}`} aria-hidden="true" />
        {words}
      </span>
    </div>
  );
}

function Firing({ row }: { readonly row: ClusterRow }) {
  const { alarms } = row.summary;
  if (alarms === null) return <>{NO_VALUE}</>;
  if (alarms.firing === 0) return <>none</>;
  const handled = alarms.silenced + alarms.acknowledged;
  return (
    <Link
      href={engineHref(clusterId(row), '/ui/alarms?state=firing')}
      className={handled >= alarms.firing ? 'v-link' : 'v-bad-text'}
      onClick={(event) => event.stopPropagation()}
    >
      <b>{formatCount(alarms.firing)}</b>
      {handled > 0 ? ` (${formatCount(Math.min(handled, alarms.firing))} taken)` : ''}
    </Link>
  );
}

function Bar({ share, title, text }: { readonly share: number | null; readonly title: string; readonly text: string }) {
  if (share === null) return <span className="v-muted">{NO_VALUE}</span>;
  return (
    <span className="v-cluster-share" title={title}>
      <span className="v-cluster-share-text">{text}</span>
      <span className="v-cluster-share-bar" aria-hidden="true">
        <span style={{ width: `${Math.min(100, Math.max(0, share * 100))}%` }} />
      </span>
    </span>
  );
}

function Load({ row: { summary } }: { readonly row: ClusterRow }) {
  const share = loadShare(summary);
  const { load = null, cores = null } = summary.nodes ?? {};
  const title = `load ${(load ?? 0).toFixed(1)} on ${formatCount(cores ?? 0)} cores`;
  return <Bar share={share} title={title} text={share === null ? NO_VALUE : `${Math.round(share * 100)} %`} />;
}

function Memory({ row: { summary } }: { readonly row: ClusterRow }) {
  const { memoryUsed = null, memoryTotal = null } = summary.nodes ?? {};
  const share = memoryUsed !== null && memoryTotal !== null && memoryTotal > 0 ? memoryUsed / memoryTotal : null;
  const title = `${formatValue(memoryUsed, 'B')} of ${formatValue(memoryTotal, 'B')}`;
  return <Bar share={share} title={title} text={formatValue(memoryUsed, 'B')} />;
}

function Nodes({ row: { summary } }: { readonly row: ClusterRow }) {
  const { nodes, status } = summary;
  if (nodes === null) return <>{NO_VALUE}</>;
  const down = (status?.targets?.down ?? 0) + (status?.targets?.refused ?? 0);
  return (
    <div className="v-two-lines">
      <span>
        {formatCount(nodes.hosts)}
        {nodes.more ? '+' : ''}
      </span>
      {down > 0 ? <span className="v-second-line v-bad-text">{formatCount(down)} down</span> : null}
    </div>
  );
}

function Last({ row: { summary } }: { readonly row: ClusterRow }) {
  const now = useNow();
  const { last } = summary;
  if (last === null) return <>{NO_VALUE}</>;
  return (
    <div className="v-two-lines">
      <span>{last.jobid}</span>
      <span className="v-second-line">
        {last.state} {formatWhen(last.end_time, now)}
      </span>
    </div>
  );
}

/** Whoever looks away and back sees how old the figures are. */
function AsOf({ row: { engine, summary } }: { readonly row: ClusterRow }) {
  const now = useNow();
  if (summary.asOf === null) return <>{engine.state === 'up' ? 'asking' : 'not since this page opened'}</>;
  const age = now - summary.asOf;
  return <>{age < 15_000 ? 'now' : `${formatShortSpan(age)} ago`}</>;
}

const COLUMNS: readonly Column<ClusterRow>[] = [
  { id: 'name', title: 'Cluster', width: 'minmax(150px, 2fr)', cell: (row) => <Name row={row} /> },
  {
    ...{ id: 'jobs', title: 'Running', width: 'minmax(70px, 0.6fr)', numeric: true },
    cell: ({ summary: { status } }) => (status === null ? NO_VALUE : formatCount(status.runs.live)),
  },
  { id: 'nodes', title: 'Nodes', width: 'minmax(56px, 0.6fr)', numeric: true, cell: (row) => <Nodes row={row} /> },
  { id: 'firing', title: 'Firing', width: 'minmax(74px, 0.8fr)', cell: (row) => <Firing row={row} /> },
  { id: 'load', title: 'Load', width: 'minmax(84px, 0.8fr)', cell: (row) => <Load row={row} /> },
  {
    ...{ id: 'memory', title: 'Memory', width: 'minmax(90px, 0.8fr)', sortable: false },
    cell: (row) => <Memory row={row} />,
  },
  { id: 'ended', title: 'Last finished', width: 'minmax(120px, 1.2fr)', cell: (row) => <Last row={row} /> },
  {
    ...{ id: 'version', title: 'Version', width: 'minmax(64px, 0.6fr)', sortable: false },
    cell: ({ engine, summary }) => summary.status?.version ?? engine.version ?? NO_VALUE,
  },
  {
    ...{ id: 'asof', title: 'As of', width: 'minmax(60px, 0.8fr)', sortable: false },
    cell: (row) => <AsOf row={row} />,
  },
];

const isAway = ({ engine }: ClusterRow): boolean => engine.connection !== null && engine.state !== 'up';

/** What is only remembered of an engine that is away is grey. */
export const CLUSTER_COLUMNS: readonly Column<ClusterRow>[] = COLUMNS.map(({ cell, ...column }) => ({
  ...column,
  cell: (row) => (isAway(row) ? <div className="v-cluster-away">{cell(row)}</div> : cell(row)),
}));
