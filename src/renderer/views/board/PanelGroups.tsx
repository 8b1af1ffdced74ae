import { Button } from '@mantine/core';
import { useElementSize, useMergedRef } from '@mantine/hooks';
import { useRef, useState } from 'react';
import type { Board } from '../../charts/board.ts';
import { ChartPanel } from '../../charts/ChartPanel.tsx';
import type { Section } from './useLayout.ts';
import { usePlotFocus } from './usePlotFocus.ts';

interface PanelGroupsProps {
  readonly board: Board;
  readonly section: Section;
  readonly totals: boolean;
  readonly banded: boolean;
  /** Most charts before "show more". */
  readonly limit: number;
}

/** Least width of a chart and the space between two, px; as in the style sheet. */
const LEAST_WIDTH = 320;
const SPACE = 10;

const tracks = (columns: number): { gridTemplateColumns: string } => ({
  gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
});

/** The charts of one scope under the headings of their groups. */
export function PanelGroups({ board, section, totals, banded, limit }: PanelGroupsProps) {
  const [most, setMost] = useState(limit);
  const count = section.groups.reduce((sum, group) => sum + group.panels.length, 0);
  const { ref, width } = useElementSize<HTMLDivElement>();
  const own = useRef<HTMLDivElement>(null);
  const meant = usePlotFocus(section.groups, own, width > 0);
  const columns = Math.max(1, Math.floor((width + SPACE) / (LEAST_WIDTH + SPACE)));
  const shown = Math.max(most, meant);
  let room = shown;
  return (
    <>
      <div ref={useMergedRef(ref, own)} className="v-groups" style={tracks(columns)}>
        {width === 0
          ? null
          : section.groups.map((group) => {
              const panels = group.panels.slice(0, Math.max(0, room));
              room -= group.panels.length;
              if (panels.length === 0) return null;
              // Groups of few charts share a row.
              const wide = Math.min(columns, panels.length);
              return (
                <section
                  key={group.name}
                  className="v-group"
                  style={{ gridColumn: `span ${wide}` }}
                  aria-label={`${section.scope.label}: ${group.name}`}
                >
                  <h3>{group.name}</h3>
                  <div className="v-panels" style={tracks(wide)}>
                    {panels.map(({ panel, lines, left }) => (
                      <ChartPanel
                        key={panel.id}
                        board={board}
                        panel={panel}
                        lines={lines}
                        left={left}
                        totals={totals}
                        banded={banded}
                        over={!section.scope.live}
                      />
                    ))}
                  </div>
                </section>
              );
            })}
      </div>
      {count > shown ? (
        <Button size="xs" variant="default" className="v-more" onClick={() => setMost(shown + limit)}>
          Show {Math.min(limit, count - shown)} more charts
        </Button>
      ) : null}
    </>
  );
}
