import { Button, SegmentedControl, Switch, Tooltip } from '@mantine/core';
import { useEffect, useReducer, useRef } from 'react';
import type { ReactNode } from 'react';
import type { Board } from '../../charts/board.ts';
import { WINDOWS, windowsFor } from '../../charts/range.ts';
import type { TimeRange } from '../../charts/range.ts';
import { Icon } from '../../components/Icon.tsx';
import { formatClock, formatElapsed, formatWhen } from '../../format/time.ts';
import { engineNow } from '../../state/connection.ts';
import type { BoardQuery } from './boardQuery.ts';

interface RangeBarProps {
  readonly board: Board;
  readonly query: BoardQuery;
  /** Samples still come. */
  readonly live: boolean;
  readonly loading: boolean;
  readonly idle: number;
  readonly children?: ReactNode;
}

/** Live or paused, how far back, rates or totals. */
export function RangeBar({ board, query, live, loading, idle, children }: RangeBarProps) {
  const { range } = query;
  const paused = range.kind === 'fixed';
  const resetName = live ? 'Back to live' : 'Whole run';
  return (
    <div className="v-toolbar v-rangebar" role="group" aria-label="Range and values">
      {live ? (
        <Tooltip label={paused ? 'Go on (Space)' : 'Hold the charts still (Space)'} withArrow openDelay={500}>
          <Button
            size="xs"
            variant={paused ? 'filled' : 'default'}
            leftSection={<Icon name={paused ? 'play' : 'pause'} size={14} />}
            onClick={query.togglePause}
          >
            {paused ? 'Back to live' : 'Pause'}
          </Button>
        </Tooltip>
      ) : (
        <Button
          size="xs"
          variant="default"
          disabled={!paused}
          leftSection={<Icon name="reset" size={14} />}
          onClick={query.reset}
        >
          {resetName}
        </Button>
      )}
      {live ? (
        <SegmentedControl
          size="xs"
          aria-label="Time shown"
          data={windowsFor(board.start > 0).map(([name, , label]) => ({ value: name, label }))}
          value={windowName(range)}
          onChange={(name) => query.setWindow(WINDOWS.find(([n]) => n === name)?.[1] ?? null)}
        />
      ) : null}
      <ShownRange board={board} range={range} live={live} />
      <CursorTime board={board} />
      <span className={loading ? 'v-muted' : 'v-muted v-invisible'} role="status">
        {loading ? 'loading finer data…' : ''}
      </span>
      <div className="v-spacer" />
      <SegmentedControl
        size="xs"
        aria-label="Counters as"
        data={[
          { value: 'rates', label: 'Rates' },
          { value: 'totals', label: 'Totals' },
        ]}
        value={query.totals ? 'totals' : 'rates'}
        onChange={(value) => query.setTotals(value === 'totals')}
      />
      <Switch
        size="xs"
        label={`Show ${idle} idle series`}
        checked={query.showIdle}
        onChange={(event) => query.setShowIdle(event.currentTarget.checked)}
      />
      {children}
    </div>
  );
}

/** The time under the cursor, written without rendering: it follows the mouse. */
function CursorTime({ board }: { readonly board: Board }) {
  const text = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    board.onCursor = (time) => {
      if (text.current) text.current.textContent = time === null ? '' : `at ${formatClock(time)}`;
    };
    return () => {
      board.onCursor = () => undefined;
    };
  }, [board]);
  return <span ref={text} className="v-cursor-time" aria-hidden="true" />;
}

const windowName = (range: TimeRange): string =>
  range.kind === 'fixed' ? '' : (WINDOWS.find(([, ms]) => ms === range.window)?.[0] ?? '');

/** From, to and width of what is shown. For a moving range only the width, so that nothing here has to tick. */
function ShownRange({
  board,
  range,
  live,
}: {
  readonly board: Board;
  readonly range: TimeRange;
  readonly live: boolean;
}) {
  const [, again] = useReducer((n: number) => n + 1, 0);
  const moving = live && range.kind === 'live';
  useEffect(() => {
    const timer = setTimeout(again, 300);
    return () => clearTimeout(timer);
  }, [board, range]);
  if (moving) return null;
  const { from, to } = board.shown();
  return (
    <span className="v-range" data-testid="shown-range">
      {formatWhen(from, engineNow())} – {formatClock(to)} <span className="v-muted">({formatElapsed(to - from)})</span>
    </span>
  );
}
