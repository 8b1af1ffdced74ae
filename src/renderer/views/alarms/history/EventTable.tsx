import { Link } from 'wouter';
import type { AlarmEvent, Rule } from '../../../../shared/api/alarms.ts';
import { alarmPath, plotPath, rangeAround } from '../../../data/alarms.ts';
import { formatDateTime } from '../../../format/time.ts';
import { engineNow } from '../../../state/connection.ts';
import { AlarmStateMark, SeverityMark } from '../parts.tsx';
import { eventText, STATE_NAMES, valueText } from '../words.ts';

interface EventTableProps {
  readonly events: readonly AlarmEvent[];
  readonly rules: ReadonlyMap<string, Rule>;
  readonly label: string;
  /** All of one alarm: its name and place need not be repeated. */
  readonly one?: boolean;
}

/** What happened to alarms, newest first, with the value that caused it and a link to the plot around it. */
export function EventTable({ events, rules, label, one = false }: EventTableProps) {
  const now = engineNow();
  return (
    <div className="v-plain-scroll">
      <table className="v-plain" aria-label={label}>
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">What</th>
            {one ? null : (
              <>
                <th scope="col">Alarm</th>
                <th scope="col">Where</th>
              </>
            )}
            <th scope="col" className="v-num">
              Value
            </th>
            <th scope="col">
              <span className="v-hidden">Plot</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {events.map((event) => {
            const measure = rules.get(event.rule)?.measure.kind ?? null;
            const plot = plotPath(event.scope, event.metric, rangeAround(event.time, event.time, now));
            return (
              <tr key={event.number}>
                <td className="v-fit">{formatDateTime(event.time)}</td>
                <td className={event.kind === 'failed' ? 'v-bad-text' : ''}>
                  <What event={event} />
                </td>
                {one ? null : (
                  <>
                    <td>
                      <Link href={alarmPath({ ...event, id: event.alarm })} className="v-link">
                        <bdi>{event.name}</bdi>
                      </Link>{' '}
                      <SeverityMark severity={event.severity} />
                    </td>
                    <td className="v-wide">
                      <bdi>{event.place}</bdi>
                      <br />
                      <span className="v-muted">
                        <bdi>{event.metric}</bdi>
                      </span>
                    </td>
                  </>
                )}
                <td className="v-num">{event.kind === 'state' ? valueText(event.metric, event.value, measure) : ''}</td>
                <td className="v-fit">
                  {plot === null ? null : (
                    <Link href={plot} className="v-link" aria-label={`Plot around ${formatDateTime(event.time)}`}>
                      Plot
                    </Link>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function What({ event }: { readonly event: AlarmEvent }) {
  if (event.kind !== 'state' || event.state === null) return <bdi>{eventText(event)}</bdi>;
  return (
    <>
      <AlarmStateMark state={event.state} />{' '}
      <span className="v-muted">
        {event.was === null ? '' : `was ${STATE_NAMES[event.was]}`}
        {event.note === '' ? '' : ' · '}
        <bdi>{event.note}</bdi>
      </span>
    </>
  );
}
