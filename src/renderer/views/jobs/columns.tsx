import { Link } from 'wouter';
import { parseMetric } from '../../../shared/model/metric.ts';
import { describeFamily } from '../../../shared/model/naming.ts';
import type { Run } from '../../../shared/api/runs.ts';
import type { Column } from '../../components/DataTable.tsx';
import { RunState } from '../../components/RunState.tsx';
import { elapsedOf, isLive } from '../../data/runs.ts';
import { formatElapsed, formatWhen } from '../../format/time.ts';
import { formatCount, formatValue, NO_VALUE } from '../../format/units.ts';
import { engineNow } from '../../state/connection.ts';
import { useRunRow } from '../../state/engine.ts';
import { useSecond } from '../../state/clock.ts';
import { RunSpark, useHeadline } from './RunSpark.tsx';

export const runPath = (run: Pick<Run, 'id'>): string => `/ui/jobs/${encodeURIComponent(run.id)}`;

/** Ticks by itself while the run lives, so that the table need not. */
export function Elapsed({ run }: { readonly run: Run }) {
  return isLive(run) ? <Ticking run={run} /> : <>{formatElapsed(elapsedOf(run, 0))}</>;
}

function Ticking({ run }: { readonly run: Run }) {
  return <>{formatElapsed(elapsedOf(run, useSecond()))}</>;
}

function Rate({ run }: { readonly run: Run }) {
  return run.headline === null || !isLive(run) ? <>{NO_VALUE}</> : <LiveRate run={run} headline={run.headline} />;
}

/** The rate of a run's headline series, and on hover what that is. */
function LiveRate({ run, headline }: { readonly run: Run; readonly headline: string }) {
  const rate = useRunRow(run.id)?.rate ?? null;
  const kind = useHeadline(run)?.kind ?? 'counter';
  const naming = describeFamily(parseMetric(headline).family);
  const what = `${naming.group} · ${naming.operation} · ${naming.quantity}`;
  return <span title={what}>{formatValue(rate, naming.unit, kind === 'counter')}</span>;
}

const nodesText = (run: Run): string => {
  const [first, ...rest] = run.nodes;
  if (first === undefined) return run.nodelist || NO_VALUE;
  return rest.length === 0 ? first : `${first} +${rest.length}`;
};

export const RUN_COLUMNS: readonly Column<Run>[] = [
  { id: 'state', title: 'State', width: '94px', cell: (run) => <RunState state={run.state} /> },
  {
    id: 'jobid',
    title: 'Job',
    width: 'minmax(90px, 1.2fr)',
    cell: (run) => (
      <Link href={runPath(run)} className="v-link" tabIndex={-1} onClick={(event) => event.stopPropagation()}>
        <bdi>{run.jobid}</bdi>
      </Link>
    ),
  },
  {
    id: 'command',
    title: 'Command',
    width: 'minmax(90px, 2.4fr)',
    cell: (run) => <bdi title={run.command.slice(0, 2000)}>{run.command.slice(0, 500) || NO_VALUE}</bdi>,
  },
  { id: 'size', title: 'Size', width: '52px', numeric: true, cell: (run) => formatCount(run.size) },
  {
    id: 'nodes',
    title: 'Nodes',
    width: 'minmax(60px, 0.7fr)',
    cell: (run) => <bdi title={run.nodes.join(' ').slice(0, 2000)}>{nodesText(run)}</bdi>,
  },
  {
    id: 'start',
    title: 'Start',
    width: '120px',
    numeric: true,
    cell: (run) => formatWhen(run.start_time, engineNow()),
  },
  { id: 'elapsed', title: 'Elapsed', width: '82px', numeric: true, cell: (run) => <Elapsed run={run} /> },
  { id: 'rate', title: 'Rate', width: '84px', numeric: true, cell: (run) => <Rate run={run} /> },
  { id: 'course', title: 'Course', width: '104px', sortable: false, cell: (run) => <RunSpark run={run} /> },
];
