import { useElementSize } from '@mantine/hooks';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import { NodeCard } from './NodeCard.tsx';
import { METRIC_NAMES } from './nodes.ts';
import type { NodeMetric, NodeRow } from './nodes.ts';

const LEAST_WIDTH = 156;
const GAP = 8;
const HEIGHT = 76;

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
                <NodeCard row={row} metric={metric} width={LEAST_WIDTH - 22} top={top} />
              </li>
            ))}
          </ul>
        ))}
      </div>
    </div>
  );
}
