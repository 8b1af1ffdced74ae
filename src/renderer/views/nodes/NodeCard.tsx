import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { Link } from 'wouter';
import { Sparkline } from '../../charts/Sparkline.tsx';
import { useSettled } from '../../components/useSettled.ts';
import { formatValue, NO_VALUE, threeDigits } from '../../format/units.ts';
import { engineNow } from '../../state/connection.ts';
import { useEngine } from '../../state/engine.ts';
import { From } from './columns.tsx';
import { METRIC_NAMES, nodePath, TRAIL } from './nodes.ts';
import type { NodeMetric, NodeRow } from './nodes.ts';
import { familiesFor, pastOf } from './past.ts';

/** As much as the looks of one page can fill. */
const SPAN_MS = 180_000;
const NONE: readonly number[] = [];

function valueText(value: number | null, metric: NodeMetric): string {
  if (value === null) return NO_VALUE;
  if (metric === 'network') return formatValue(value, 'B', true);
  return metric === 'pressure' ? threeDigits(value) : `${Math.round(100 * value)} %`;
}

/** What the store has of the node up to the first look at it. */
function usePast({ node, since }: NodeRow, metric: NodeMetric): readonly number[] {
  const engine = useEngine();
  const { scope, figures } = node;
  const settled = useSettled();
  const asked = useQuery({
    queryKey: [engine.base, 'node-past', scope, metric, since],
    enabled: settled,
    staleTime: Infinity,
    gcTime: 60_000,
    retry: false,
    queryFn: async ({ signal }) => {
      const to = since ?? engineNow();
      const families = familiesFor(metric);
      const range = { scope, series: [], families, from: Math.max(0, to - SPAN_MS), to, maxPoints: TRAIL };
      return pastOf(metric, await engine.api.query(range, signal), figures?.cores ?? null);
    },
  });
  return asked.data ?? NONE;
}

interface NodeCardProps {
  readonly row: NodeRow;
  readonly metric: NodeMetric;
  /** CSS pixels. */
  readonly width: number;
  /** Least value at the upper edge of the line. */
  readonly top: number;
}

/** One node's name, value and line. */
export function NodeCard({ row, metric, width, top }: NodeCardProps) {
  const past = usePast(row, metric);
  const trail = row.trail[metric];
  const values = useMemo(() => [...past, ...trail].slice(-TRAIL), [past, trail]);
  const { host } = row.node;
  return (
    <Link href={nodePath(row.node)} className="v-nodecard">
      <span className="v-nodename">
        <bdi title={host}>{host}</bdi> <b>{valueText(trail.at(-1) ?? values.at(-1) ?? null, metric)}</b>
      </span>
      <span className="v-muted v-nodefrom">
        <From row={row} />
      </span>
      <Sparkline values={values} width={width} top={top} label={`${METRIC_NAMES[metric]} of ${host}`} />
    </Link>
  );
}
