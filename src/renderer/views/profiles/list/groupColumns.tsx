import { ActionIcon } from '@mantine/core';
import { createContext, useContext } from 'react';
import type { ReactNode } from 'react';
import { Link } from 'wouter';
import type { ProfileGroup, ProfileSummary } from '../../../../shared/api/profiles.ts';
import { Sparkline } from '../../../charts/Sparkline.tsx';
import type { Column } from '../../../components/DataTable.tsx';
import { Icon } from '../../../components/Icon.tsx';
import { formatWhen } from '../../../format/time.ts';
import { formatCount, NO_VALUE } from '../../../format/units.ts';
import { engineNow } from '../../../state/connection.ts';
import { runTime, trendOf } from '../words.ts';
import { Ended, RegressionMark, RunName, Tick } from './cells.tsx';
import { ShownEngine } from './engines.tsx';
import { groupLink } from './listQuery.ts';
import type { ListRow } from './rows.ts';

/** Opens a command, or closes it. */
export const ToggleContext = createContext<(group: string) => void>(() => undefined);

function Toggle({ group, open }: { readonly group: ProfileGroup; readonly open: boolean }) {
  const toggle = useContext(ToggleContext);
  return (
    <ActionIcon
      size="sm"
      variant="subtle"
      color="gray"
      tabIndex={-1}
      aria-expanded={open}
      aria-label={`Runs of ${nameOf(group)}`}
      onClick={(event) => {
        event.stopPropagation();
        toggle(group.group);
      }}
    >
      <Icon name={open ? 'down' : 'later'} size={14} />
    </ActionIcon>
  );
}

const nameOf = ({ group }: Pick<ProfileGroup, 'group'>): string => group.slice(0, 500) || 'no command known';

/** Nothing where the size is not known. */
const ranksText = (size: number): string => (size > 0 ? `${formatCount(size)} ${size === 1 ? 'rank' : 'ranks'}` : '');

function GroupName({ group }: { readonly group: ProfileGroup }) {
  const engine = useContext(ShownEngine);
  const { last } = group;
  const who = [last.user, last.nodes[0] ?? last.nodelist, ranksText(last.size)]
    .filter((part) => part !== '')
    .join(' · ');
  return (
    <span className="v-two-lines">
      <Link
        href={groupLink(group.group, engine)}
        className="v-link v-command-name"
        tabIndex={-1}
        title={group.command.slice(0, 2000)}
        onClick={(event) => event.stopPropagation()}
      >
        <bdi>{nameOf(group)}</bdi>
      </Link>
      <bdi className="v-muted">{who}</bdi>
    </span>
  );
}

/** Run times of the last runs, oldest first. */
function Course({ group }: { readonly group: ProfileGroup }) {
  const values = group.durations.map(({ duration }) => duration);
  if (values.length < 2) return <span className="v-muted">{NO_VALUE}</span>;
  const text = `Run times of the last ${values.length} runs, from ${runTime(values[0]!)} to ${runTime(values.at(-1)!)}`;
  return <Sparkline values={values} label={text} />;
}

function TrendText({ group }: { readonly group: ProfileGroup }) {
  const { tone, text, arrow } = trendOf(group.trend);
  const { regressions } = group;
  return (
    <span className="v-two-lines">
      <span className={`v-trend v-${tone}`}>
        {arrow === '' ? null : <span aria-hidden="true">{arrow} </span>}
        {text}
      </span>
      <span>
        {regressions > 0 ? (
          <span className="v-regression">
            <Icon name="warning" size={12} /> {formatCount(regressions)}{' '}
            {regressions === 1 ? 'regression' : 'regressions'}
          </span>
        ) : group.baseline === null ? null : (
          <span className="v-muted">has a baseline</span>
        )}
      </span>
    </span>
  );
}

/** How long a run took beside the longest of its command, as a bar. */
function TimeBar({ run, of }: { readonly run: ProfileSummary; readonly of: ProfileGroup }) {
  const most = Math.max(run.duration ?? 0, ...of.durations.map(({ duration }) => duration));
  if (run.duration === null || most <= 0) return null;
  return (
    <span className="v-timebar" aria-hidden="true">
      <span className={run.regression ? 'v-slow' : ''} style={{ width: `${(100 * run.duration) / most}%` }} />
    </span>
  );
}

/** A cell of the commands and one of their runs. */
const cell =
  (
    ofGroup: (group: ProfileGroup, open: boolean) => ReactNode,
    ofRun: (run: ProfileSummary, of: ProfileGroup) => ReactNode,
  ) =>
  (row: ListRow): ReactNode =>
    row.kind === 'group' ? ofGroup(row.group, row.open) : row.kind === 'run' ? ofRun(row.run, row.of) : null;

export const GROUP_COLUMNS: readonly Column<ListRow>[] = [
  {
    id: 'open',
    title: 'Open',
    head: <span className="v-hidden">Open</span>,
    width: '24px',
    sortable: false,
    cell: cell(
      (group, open) => <Toggle group={group} open={open} />,
      (run) => <Tick run={run} />,
    ),
  },
  {
    id: 'command',
    title: 'Command',
    width: 'minmax(160px, 3fr)',
    cell: cell(
      (group) => <GroupName group={group} />,
      (run) => (
        <div className="v-nested">
          <RunName run={run} />
        </div>
      ),
    ),
  },
  {
    id: 'runs',
    title: 'Runs',
    width: '64px',
    numeric: true,
    cell: cell(
      (group) => formatCount(group.runs),
      (run) => <span className="v-muted">{ranksText(run.size)}</span>,
    ),
  },
  {
    id: 'failed',
    title: 'Failed',
    width: '98px',
    cell: cell(
      (group) => (group.failed === 0 ? <span className="v-muted">none</span> : <Failed group={group} />),
      (run) => <Ended run={run} />,
    ),
  },
  {
    id: 'last',
    title: 'Last run',
    width: '122px',
    numeric: true,
    cell: cell(
      (group) => formatWhen(group.last.start_time, engineNow()),
      (run) => formatWhen(run.start_time, engineNow()),
    ),
  },
  {
    id: 'median',
    title: 'Run time',
    width: '76px',
    numeric: true,
    sortable: false,
    cell: cell(
      (group) => (
        <span title="Median of the last runs">{group.median === null ? NO_VALUE : runTime(group.median)}</span>
      ),
      (run) => (run.duration === null ? NO_VALUE : runTime(run.duration)),
    ),
  },
  {
    id: 'course',
    title: 'Last runs',
    width: '108px',
    sortable: false,
    cell: cell(
      (group) => <Course group={group} />,
      (run, of) => <TimeBar run={run} of={of} />,
    ),
  },
  {
    id: 'trend',
    title: 'Trend',
    width: 'minmax(112px, 1fr)',
    sortable: false,
    cell: cell(
      (group) => <TrendText group={group} />,
      (run) => <RegressionMark run={run} />,
    ),
  },
];

const Failed = ({ group }: { readonly group: ProfileGroup }): ReactNode => (
  <span className="v-bad-text">
    {formatCount(group.failed)} of {formatCount(group.runs)}
  </span>
);
