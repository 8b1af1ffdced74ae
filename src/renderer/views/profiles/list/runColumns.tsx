import { Link } from 'wouter';
import type { ProfileSummary } from '../../../../shared/api/profiles.ts';
import type { Column } from '../../../components/DataTable.tsx';
import { formatWhen } from '../../../format/time.ts';
import { NO_VALUE } from '../../../format/units.ts';
import { engineNow } from '../../../state/connection.ts';
import { runTime } from '../words.ts';
import { Ended, RegressionMark, RunName, sizeText, Tick, TickAll, Where } from './cells.tsx';
import { groupLink } from './listQuery.ts';

const tick: Column<ProfileSummary> = {
  id: 'tick',
  title: 'Select',
  width: '24px',
  sortable: false,
  head: <TickAll />,
  cell: (run) => <Tick run={run} />,
};

const command: Column<ProfileSummary> = {
  id: 'command',
  title: 'Command',
  width: 'minmax(140px, 2.6fr)',
  cell: (run) => (
    <span className="v-two-lines">
      <bdi title={run.command.slice(0, 2000)}>{run.command.slice(0, 500) || NO_VALUE}</bdi>
      <Where run={run} />
    </span>
  ),
};

/** Runs, one a row. `inGroup`: all of one command. */
export const runColumns = (inGroup: boolean, now: () => number = engineNow): Column<ProfileSummary>[] => [
  tick,
  { id: 'job', title: 'Job', width: 'minmax(136px, 1.3fr)', sortable: false, cell: (run) => <RunName run={run} /> },
  inGroup
    ? command
    : {
        ...command,
        cell: (run) => (
          <span className="v-two-lines">
            <Link
              href={groupLink(run.group, run.engine)}
              className="v-link"
              tabIndex={-1}
              title={run.command.slice(0, 2000)}
              onClick={(event) => event.stopPropagation()}
            >
              <bdi>{run.command.slice(0, 500) || 'no command known'}</bdi>
            </Link>
            <Where run={run} />
          </span>
        ),
      },
  { id: 'size', title: 'Size', width: '44px', numeric: true, cell: (run) => sizeText(run.size) },
  { id: 'ended', title: 'Ended', width: '98px', sortable: false, cell: (run) => <Ended run={run} /> },
  { id: 'start', title: 'Start', width: '122px', numeric: true, cell: (run) => formatWhen(run.start_time, now()) },
  {
    id: 'duration',
    title: 'Run time',
    width: '76px',
    numeric: true,
    cell: (run) => (run.duration === null ? NO_VALUE : runTime(run.duration)),
  },
  {
    id: 'regression',
    title: 'Against usual',
    width: 'minmax(108px, 1fr)',
    sortable: false,
    cell: (run) => <RegressionMark run={run} />,
  },
];
