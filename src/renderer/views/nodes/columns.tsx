import { createContext, useContext } from 'react';
import { Link } from 'wouter';
import { Sparkline } from '../../charts/Sparkline.tsx';
import type { Column } from '../../components/DataTable.tsx';
import { formatCount, formatValue, NO_VALUE, threeDigits } from '../../format/units.ts';
import type { NodeRow } from './nodes.ts';
import { nodePath } from './nodes.ts';

/** A share with a bar below it. */
export function Share({ value, title }: { readonly value: number | null; readonly title?: string | undefined }) {
  if (value === null) return <>{NO_VALUE}</>;
  return (
    <span className="v-share" title={title}>
      {Math.round(100 * value)} %
      <span className="v-share-bar" aria-hidden="true">
        <span style={{ width: `${100 * value}%` }} />
      </span>
    </span>
  );
}

export const memoryTitle = ({ node: { figures } }: NodeRow): string | undefined =>
  figures?.memory_total
    ? `${formatValue(figures.memory_used, 'B')} of ${formatValue(figures.memory_total, 'B')}`
    : undefined;

export function Host({ row }: { readonly row: NodeRow }) {
  const { node } = row;
  return (
    <Link href={nodePath(node)} className="v-link" tabIndex={-1} onClick={(event) => event.stopPropagation()}>
      <bdi>{node.host}</bdi>
    </Link>
  );
}

/** What targets are called, by id. */
export const TargetNames = createContext<ReadonlyMap<string, string>>(new Map());

/** Where a node's numbers come from: one host may have an engine and an exporter. */
export function From({ row }: { readonly row: NodeRow }) {
  const names = useContext(TargetNames);
  const { target } = row.node;
  return <bdi>{target === null ? 'this engine' : (names.get(target) ?? 'a target')}</bdi>;
}

export const NODE_COLUMNS: readonly Column<NodeRow>[] = [
  { id: 'host', title: 'Node', width: 'minmax(120px, 1.4fr)', cell: (row) => <Host row={row} /> },
  { id: 'from', title: 'From', width: 'minmax(96px, 1fr)', sortable: false, cell: (row) => <From row={row} /> },
  { id: 'cpu', title: 'CPU', width: '84px', numeric: true, cell: (row) => <Share value={row.cpu} /> },
  {
    id: 'course',
    title: 'Course',
    width: '104px',
    sortable: false,
    cell: (row) => <Sparkline values={row.trail.cpu} label={`Course of the CPU of ${row.node.host}`} />,
  },
  {
    id: 'memory',
    title: 'Memory',
    width: '84px',
    numeric: true,
    cell: (row) => <Share value={row.memory} title={memoryTitle(row)} />,
  },
  {
    id: 'load',
    title: 'Load',
    width: '64px',
    numeric: true,
    cell: (row) => (row.load === null ? NO_VALUE : threeDigits(row.load)),
  },
  {
    id: 'pressure',
    title: 'per core',
    width: '70px',
    numeric: true,
    cell: (row) => (row.pressure === null ? NO_VALUE : threeDigits(row.pressure)),
  },
  {
    id: 'received',
    title: 'In',
    width: '84px',
    numeric: true,
    cell: (row) => formatValue(row.received, 'B', true),
  },
  { id: 'sent', title: 'Out', width: '84px', numeric: true, cell: (row) => formatValue(row.sent, 'B', true) },
  { id: 'series', title: 'Series', width: '64px', numeric: true, cell: (row) => formatCount(row.node.series) },
];
