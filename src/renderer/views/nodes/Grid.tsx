import { useElementSize } from '@mantine/hooks';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import { Link } from 'wouter';
import { Sparkline } from '../../charts/Sparkline.tsx';
import { formatValue, NO_VALUE, threeDigits } from '../../format/units.ts';
import { From } from './columns.tsx';
import { nodePath } from './nodes.ts';
import type { NodeMetric, NodeRow } from './nodes.ts';

const LEAST_WIDTH = 156;
const GAP = 8;
const HEIGHT = 76;

export const METRIC_NAMES: Readonly<Record<NodeMetric, string>> = {
  cpu: 'CPU',
  memory: 'Memory',
  pressure: 'Load per core',
  network: 'Network',
};

function valueText(row: NodeRow, metric: NodeMetric): string {
  const value = row.trail[metric].at(-1) ?? null;
  if (value === null) return NO_VALUE;
  if (metric === 'network') return formatValue(value, 'B', true);
  return metric === 'pressure' ? threeDigits(value) : `${Math.round(100 * value)} %`;
}

interface GridProps {
  readonly rows: readonly NodeRow[];
  readonly metric: NodeMetric;
}

/** A small line per node; only those in sight exist. */
export function Grid({ rows, metric }: GridProps) {
  const { ref, width } = useElementSize<HTMLDivElement>();
  const scroller = useRef<HTMLDivElement>(null);
  const columns = Math.max(1, Math.floor((width + GAP) / (LEAST_WIDTH + GAP)));
  const lines = Math.ceil(rows.length / columns);
  const virtual = useVirtualizer({
    count: lines,
    getScrollElement: () => scroller.current,
    estimateSize: () => HEIGHT + GAP,
    overscan: 3,
  });
  // The same top for all, or a quiet node would look like a busy one.
  const top = metric === 'network' ? 0 : 1;
  return (
    <div
      ref={scroller}
      className="v-nodegrid"
      tabIndex={0}
      role="region"
      aria-label={`${METRIC_NAMES[metric]} of all nodes`}
    >
      <div ref={ref} style={{ height: virtual.getTotalSize(), position: 'relative' }}>
        {virtual.getVirtualItems().map((item) => (
          <ul
            key={item.key}
            className="v-nodeline"
            style={{
              transform: `translateY(${item.start}px)`,
              gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
            }}
          >
            {rows.slice(item.index * columns, (item.index + 1) * columns).map((row) => (
              <li key={row.node.scope}>
                <Link href={nodePath(row.node)} className="v-nodecard">
                  <span className="v-nodename">
                    <bdi title={row.node.host}>{row.node.host}</bdi> <b>{valueText(row, metric)}</b>
                  </span>
                  <span className="v-muted v-nodefrom">
                    <From row={row} />
                  </span>
                  <Sparkline
                    values={row.trail[metric]}
                    width={LEAST_WIDTH - 22}
                    top={top}
                    label={`${METRIC_NAMES[metric]} of ${row.node.host}`}
                  />
                </Link>
              </li>
            ))}
          </ul>
        ))}
      </div>
    </div>
  );
}
