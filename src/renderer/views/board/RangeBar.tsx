import { ActionIcon, Button, SegmentedControl, Switch, Tooltip } from '@mantine/core';
import { useEffect, useReducer, useRef } from 'react';
import type { ReactNode } from 'react';
import type { Board } from '../../charts/board.ts';
import { WINDOWS, windowsFor } from '../../charts/range.ts';
import type { TimeRange } from '../../charts/range.ts';
import { Icon } from '../../components/Icon.tsx';
import type { IconName } from '../../components/Icon.tsx';
import { formatClock, formatElapsed, formatPrecise, formatWhen } from '../../format/time.ts';
import { engineNow, useConnection } from '../../state/connection.ts';
import type { BoardQuery } from './boardQuery.ts';
import { KeepWindow } from './KeepWindow.tsx';
import { RangeMenu } from './RangeMenu.tsx';
import type { Zoom } from './useZoom.ts';

interface RangeBarProps {
  readonly board: Board;
  readonly query: BoardQuery;
  readonly zoom: Zoom;
  /** Samples still come. */
  readonly live: boolean;
  readonly kind: 'run' | 'node';
  /** Scope whose samples a kept window has; null: all. */
  readonly scope: string | null;
  readonly loading: boolean;
  readonly idle: number;
  /** What points stand for, and what is to be said of what is shown. */
  readonly resolution: string;
  readonly notes: readonly string[];
  readonly children?: ReactNode;
}

/** Live or paused, how far back, which part of time, rates or totals; below, what is shown in words. */
export function RangeBar(props: RangeBarProps) {
  const { board, query, zoom, live, kind, scope, loading, idle, resolution, notes, children } = props;
  const { range } = query;
  const paused = range.kind === 'fixed';
  // In memory nothing can be kept.
  const stored = useConnection((s) => s.status?.store.kind === 'sqlite');
  return (
    <div className="v-rangebar" role="group" aria-label="Range and values">
      <div className="v-toolbar">
        {live ? (
          <Tooltip label={paused ? 'Go on (Space)' : 'Hold the charts still (Space)'} withArrow openDelay={500}>
            <Button
              size="xs"
              variant={paused ? 'filled' : 'default'}
              leftSection={<Icon name={paused ? 'play' : 'pause'} size={14} />}
              onClick={paused ? zoom.reset : query.togglePause}
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
            onClick={zoom.reset}
          >
            Whole run
          </Button>
        )}
        {live ? (
          <SegmentedControl
            size="xs"
            className="v-windows"
            aria-label="Time shown"
            data={windowsFor(kind).map(([name, , label]) => ({ value: name, label }))}
            value={windowName(range)}
            onChange={(name) => zoom.to({ kind: 'live', window: WINDOWS.find(([n]) => n === name)?.[1] ?? null })}
          />
        ) : null}
        <RangeMenu board={board} query={query} zoom={zoom} live={live} />
        <div className="v-steps" role="group" aria-label="Zoom and move">
          <Step icon="earlier" name="Earlier" keys="←" act={() => zoom.pan(-0.5)} />
          <Step icon="later" name="Later" keys="→" off={!paused} act={() => zoom.pan(0.5)} />
          <Step icon="plus" name="Zoom in" keys="+" act={() => zoom.by(0.5)} />
          <Step
            icon="minus"
            name="Zoom out"
            keys="Escape, or a double click on a chart"
            off={!zoom.deep}
            act={zoom.back}
          />
        </div>
        {stored ? <KeepWindow board={board} scope={scope} moving={!paused} /> : null}
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
      <div className="v-shown">
        <ShownRange board={board} live={live} />
        <span className="v-muted" data-testid="resolution">
          {resolution}
        </span>
        {notes.map((note) => (
          <span key={note} className="v-muted v-note" data-testid="range-note">
            {note}
          </span>
        ))}
        <span className={loading ? 'v-muted' : 'v-muted v-invisible'} role="status">
          {loading ? 'loading finer data…' : ''}
        </span>
        <div className="v-spacer" />
        <CursorTime board={board} />
      </div>
    </div>
  );
}

interface StepProps {
  readonly icon: IconName;
  readonly name: string;
  readonly keys: string;
  readonly off?: boolean;
  readonly act: () => void;
}

function Step({ icon, name, keys, off = false, act }: StepProps) {
  return (
    <Tooltip label={`${name} (${keys})`} withArrow openDelay={500}>
      <ActionIcon size={30} variant="default" aria-label={name} disabled={off} onClick={act}>
        <Icon name={icon} size={14} />
      </ActionIcon>
    </Tooltip>
  );
}

/** Wider ranges than this show the day of the time under the cursor. */
const DAY_MS = 86_400_000;

/** The time under the cursor, written without rendering: it follows the mouse. */
function CursorTime({ board }: { readonly board: Board }) {
  const text = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    board.onCursor = (time) => {
      if (!text.current) return;
      const { from, to } = board.shown();
      const day = time !== null && to - from > DAY_MS ? formatWhen(time, 0) : null;
      text.current.textContent = time === null ? '' : `at ${day ?? formatClock(time)}`;
    };
    return () => {
      board.onCursor = () => undefined;
    };
  }, [board]);
  return <span ref={text} className="v-cursor-time" aria-hidden="true" />;
}

const windowName = (range: TimeRange): string =>
  range.kind === 'fixed' ? '' : (WINDOWS.find(([, ms]) => ms === range.window)?.[0] ?? '');

/** Narrower ranges than this are told to the thousandth of a second. */
const PRECISE_MS = 10_000;

/** From, to and width of what is shown, also while somebody zooms. For a moving range nothing here has to tick. */
function ShownRange({ board, live }: { readonly board: Board; readonly live: boolean }) {
  const [, again] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    again();
    return board.subscribe(again);
  }, [board]);
  const { range } = board;
  if (range.kind === 'live') {
    const name = WINDOWS.find(([, ms]) => ms === range.window)?.[2];
    const text = range.window === null ? 'from the start on' : `the last ${name ?? ''}`;
    return live ? <span className="v-range">{text}</span> : null;
  }
  const { from, to } = board.shown();
  const precise = to - from < PRECISE_MS;
  const start = precise ? formatPrecise(from) : formatWhen(from, engineNow());
  const end = precise ? formatPrecise(to) : to - from > DAY_MS ? formatWhen(to, engineNow()) : formatClock(to);
  return (
    <span className="v-range" data-testid="shown-range">
      {start} – {end} <span className="v-muted">({precise ? lengthText(to - from) : formatElapsed(to - from)})</span>
    </span>
  );
}

const lengthText = (ms: number): string => `${(ms / 1000).toFixed(ms % 1000 === 0 ? 0 : 2)} s`;
