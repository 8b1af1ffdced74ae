import { ActionIcon, Checkbox, Tooltip } from '@mantine/core';
import { useContext } from 'react';
import { Link } from 'wouter';
import type { Alarm } from '../../../../shared/api/alarms.ts';
import type { Column } from '../../../components/DataTable.tsx';
import { Icon } from '../../../components/Icon.tsx';
import { alarmPath } from '../../../data/alarms.ts';
import type { ListRow } from '../../../data/alarms.ts';
import { formatDateTime } from '../../../format/time.ts';
import { useSecond } from '../../../state/clock.ts';
import { AlarmStateMark, SeverityMark } from '../parts.tsx';
import { OF_ANOTHER, shortAddress, spanText, thresholdText, valueText } from '../words.ts';
import { AlarmMenu } from './AlarmMenu.tsx';
import { ListContext } from './selection.ts';

/** Columns are only of alarms: a group stands over the whole width. */
const of = (draw: (alarm: Alarm) => React.ReactNode) => (row: ListRow) =>
  row.kind === 'alarm' ? draw(row.alarm) : null;

function Tick({ alarm }: { readonly alarm: Alarm }) {
  const list = useContext(ListContext);
  return (
    <Checkbox
      size="xs"
      tabIndex={-1}
      aria-label={`Select ${alarm.name} of ${alarm.place}`}
      checked={list?.ticked.has(alarm.id) ?? false}
      onChange={(event) => list?.tick([alarm], event.currentTarget.checked)}
      onClick={(event) => event.stopPropagation()}
    />
  );
}

function TickAll() {
  const list = useContext(ListContext);
  if (!list) return null;
  const { ticked, shown, tickAll } = list;
  return (
    <Checkbox
      size="xs"
      aria-label="Select all shown"
      checked={ticked.size > 0 && ticked.size === shown}
      indeterminate={ticked.size > 0 && ticked.size < shown}
      onChange={tickAll}
    />
  );
}

function What({ alarm }: { readonly alarm: Alarm }) {
  return (
    <div className="v-two-lines">
      <Link
        href={alarmPath(alarm)}
        className="v-link"
        tabIndex={-1}
        onClick={(event) => event.stopPropagation()}
        title={alarm.name}
      >
        <bdi>{alarm.name}</bdi>
      </Link>
      {alarm.description === '' ? null : (
        <span className="v-muted" title={alarm.description}>
          <bdi>{alarm.description}</bdi>
        </span>
      )}
    </div>
  );
}

function Where({ alarm }: { readonly alarm: Alarm }) {
  return (
    <div className="v-two-lines">
      <span title={alarm.from === null ? alarm.place : `${alarm.place}, of the engine ${alarm.from}`}>
        <bdi>{alarm.place}</bdi>
        {alarm.from === null ? null : <span className="v-muted"> at {shortAddress(alarm.from)}</span>}
      </span>
      <span className="v-muted" title={alarm.metric}>
        <bdi>{alarm.metric}</bdi>
      </span>
    </div>
  );
}

function Value({ alarm }: { readonly alarm: Alarm }) {
  const list = useContext(ListContext);
  const rule = list?.rules.get(alarm.rule);
  return (
    <div className="v-two-lines">
      <b>{valueText(alarm.metric, alarm.value, rule?.measure.kind ?? null)}</b>
      <span className="v-muted">
        {rule || alarm.from === null ? '' : 'limit '}
        {thresholdText(alarm, rule) ?? ''}
      </span>
    </div>
  );
}

/** Ticks by itself, so that the table need not. */
export function Since({ time }: { readonly time: number }) {
  const now = useSecond();
  return <span title={`since ${formatDateTime(time)}`}>{spanText(Math.max(0, now - time))}</span>;
}

/** Whether somebody has taken it. */
export function HandledMark({ alarm }: { readonly alarm: Alarm }) {
  const { acknowledged } = alarm;
  return (
    <div className="v-handled">
      {alarm.silenced.length > 0 ? (
        <span title="A silence hits it: nobody is told">
          <Icon name="muted" size={13} /> silenced
        </span>
      ) : null}
      {acknowledged ? (
        <span title={`${acknowledged.by}, ${formatDateTime(acknowledged.time)}: ${acknowledged.comment}`}>
          <Icon name="check" size={13} /> <bdi>{acknowledged.by || 'acknowledged'}</bdi>
        </span>
      ) : null}
    </div>
  );
}

const HOUR = 3_600_000;

/** What most people want, in one click; the rest is in the menu. */
function Actions({ alarm }: { readonly alarm: Alarm }) {
  const list = useContext(ListContext);
  if (!list || list.refusal !== null) return null;
  const name = `${alarm.name} of ${alarm.place}`;
  return (
    <div className="v-row-actions" role="presentation" onClick={(event) => event.stopPropagation()}>
      <Tooltip label={alarm.from === null ? 'Acknowledge (a)' : OF_ANOTHER} withArrow openDelay={400}>
        <ActionIcon
          size="sm"
          variant="subtle"
          color="gray"
          tabIndex={-1}
          disabled={alarm.from !== null || alarm.acknowledged !== null || alarm.state === 'resolved'}
          aria-label={`Acknowledge ${name}`}
          onClick={() => list.acknowledge([alarm])}
        >
          <Icon name="check" />
        </ActionIcon>
      </Tooltip>
      <Tooltip label="Silence for an hour" withArrow openDelay={400}>
        <ActionIcon
          size="sm"
          variant="subtle"
          color="gray"
          tabIndex={-1}
          disabled={alarm.silenced.length > 0}
          aria-label={`Silence ${name} for an hour`}
          onClick={() => list.silence([alarm], HOUR)}
        >
          <Icon name="muted" />
        </ActionIcon>
      </Tooltip>
      <AlarmMenu alarm={alarm} list={list} />
    </div>
  );
}

export const ALARM_COLUMNS: readonly Column<ListRow>[] = [
  {
    id: 'select',
    title: 'Select',
    head: <TickAll />,
    width: '18px',
    sortable: false,
    cell: of((alarm) => <Tick alarm={alarm} />),
  },
  {
    id: 'state',
    title: 'State',
    width: '78px',
    sortable: false,
    cell: of(({ state }) => <AlarmStateMark state={state} />),
  },
  {
    id: 'severity',
    title: 'Severity',
    width: '72px',
    sortable: false,
    cell: of(({ severity }) => <SeverityMark severity={severity} />),
  },
  {
    id: 'what',
    title: 'Alarm',
    width: 'minmax(150px, 1.4fr)',
    sortable: false,
    cell: of((alarm) => <What alarm={alarm} />),
  },
  {
    id: 'where',
    title: 'Where',
    width: 'minmax(120px, 1fr)',
    sortable: false,
    cell: of((alarm) => <Where alarm={alarm} />),
  },
  {
    id: 'value',
    title: 'Value',
    width: '84px',
    numeric: true,
    sortable: false,
    cell: of((alarm) => <Value alarm={alarm} />),
  },
  {
    id: 'since',
    title: 'Since',
    width: '64px',
    numeric: true,
    sortable: false,
    cell: of(({ since }) => <Since time={since} />),
  },
  { id: 'handled', title: 'Taken', width: '88px', sortable: false, cell: of((alarm) => <HandledMark alarm={alarm} />) },
  {
    id: 'menu',
    title: 'Change',
    head: <span className="v-hidden">Change</span>,
    width: '70px',
    sortable: false,
    cell: of((alarm) => <Actions alarm={alarm} />),
  },
];
