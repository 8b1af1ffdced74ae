import { Checkbox } from '@mantine/core';
import { useContext } from 'react';
import { Link } from 'wouter';
import type { Target } from '../../../shared/api/targets.ts';
import { Sparkline } from '../../charts/Sparkline.tsx';
import type { Column } from '../../components/DataTable.tsx';
import { shownState } from '../../data/targets.ts';
import { formatShortSpan } from '../../format/time.ts';
import { formatCount, formatValue, NO_VALUE } from '../../format/units.ts';
import { useSecond } from '../../state/clock.ts';
import { TargetMenu } from './TargetMenu.tsx';
import { SelectionContext } from './selection.ts';
import { TargetState } from './TargetState.tsx';
import { agoText, secondLine, targetName, typeName } from './words.ts';

export const targetPath = (target: Pick<Target, 'id'>): string => `/ui/targets/${encodeURIComponent(target.id)}`;

function Tick({ target }: { readonly target: Target }) {
  const selection = useContext(SelectionContext);
  return (
    <Checkbox
      size="xs"
      tabIndex={-1}
      aria-label={`Select ${target.url}`}
      checked={selection.ids.has(target.id)}
      onChange={() => selection.toggle(target.id)}
      onClick={(event) => event.stopPropagation()}
    />
  );
}

function TickAll() {
  const { ids, shown, toggleAll } = useContext(SelectionContext);
  return (
    <Checkbox
      size="xs"
      aria-label="Select all shown"
      checked={ids.size > 0 && ids.size === shown}
      indeterminate={ids.size > 0 && ids.size < shown}
      onChange={toggleAll}
    />
  );
}

/** Ticks by itself, so that the table need not. */
export function LastScrape({ target }: { readonly target: Target }) {
  const now = useSecond();
  // The engine's own node is read with each of its periods, which is no news.
  if (target.type === 'system') return <>{target.paused ? NO_VALUE : `every ${target.period}`}</>;
  return <>{agoText(target.last_scrape, now)}</>;
}

const bad = (target: Target): boolean => !target.paused && (target.state === 'down' || target.state === 'refused');

function Where({ target }: { readonly target: Target }) {
  const second = secondLine(target);
  return (
    <div className="v-two-lines">
      <Link
        href={targetPath(target)}
        className="v-link"
        title={target.url}
        tabIndex={-1}
        onClick={(event) => event.stopPropagation()}
      >
        <bdi>{targetName(target)}</bdi>
      </Link>
      <span className={bad(target) ? 'v-bad-text' : 'v-muted'} title={second}>
        {second}
      </span>
    </div>
  );
}

function TypeCell({ target }: { readonly target: Target }) {
  if (target.type !== null) return <>{typeName(target.type)}</>;
  return <span title="It is found out when something answers">{NO_VALUE}</span>;
}

/** Of a target that never was scraped nothing is known: that is no zero. */
const known = (target: Target, text: string): string =>
  target.last_scrape === null && target.type !== 'system' ? NO_VALUE : text;

export const TARGET_COLUMNS: readonly Column<Target>[] = [
  {
    id: 'select',
    title: 'Select',
    head: <TickAll />,
    width: '18px',
    sortable: false,
    cell: (target) => <Tick target={target} />,
  },
  { id: 'state', title: 'State', width: '76px', cell: (target) => <TargetState state={shownState(target)} /> },
  { id: 'url', title: 'Target', width: 'minmax(170px, 1fr)', cell: (target) => <Where target={target} /> },
  { id: 'type', title: 'Type', width: '86px', cell: (target) => <TypeCell target={target} /> },
  {
    id: 'last_scrape',
    title: 'Last scrape',
    width: '92px',
    numeric: true,
    cell: (target) => <LastScrape target={target} />,
  },
  {
    id: 'course',
    title: 'Course',
    width: '72px',
    sortable: false,
    cell: (target) => (
      <Sparkline values={target.durations} width={72} label={`How long the last scrapes of ${target.url} took`} />
    ),
  },
  {
    id: 'duration',
    title: 'Took',
    width: '58px',
    numeric: true,
    cell: (target) => (target.duration === null ? NO_VALUE : formatShortSpan(target.duration)),
  },
  {
    id: 'samples',
    title: 'Samples',
    width: '78px',
    numeric: true,
    cell: (target) => known(target, formatCount(target.samples)),
  },
  {
    id: 'new_series',
    title: 'New',
    width: '44px',
    numeric: true,
    cell: (target) => known(target, formatCount(target.new_series)),
  },
  {
    id: 'bytes',
    title: 'Bytes',
    width: '74px',
    numeric: true,
    cell: (target) => (target.bytes === 0 ? NO_VALUE : formatValue(target.bytes, 'B')),
  },
  {
    id: 'menu',
    title: 'Change',
    head: <span className="v-hidden">Change</span>,
    width: '24px',
    sortable: false,
    cell: (target) => <TargetMenu target={target} />,
  },
];
