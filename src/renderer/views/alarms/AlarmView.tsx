import { Button, Menu, Skeleton, TextInput } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Alarm, AlarmEvent, Rule } from '../../../shared/api/alarms.ts';
import { Fact } from '../../components/Fact.tsx';
import { NotFound, useTitle } from '../../components/Message.tsx';
import { Icon } from '../../components/Icon.tsx';
import { useKeys } from '../../components/useKeys.ts';
import { alarmPlot, matchersFor, plotPath, rangeAround, scopeHere, scopePath } from '../../data/alarms.ts';
import { formatDateTime } from '../../format/time.ts';
import { engineNow } from '../../state/connection.ts';
import { useAlarm } from '../../state/engine.ts';
import { useMayControl } from '../../state/mayControl.ts';
import { useUrlQuery } from '../../state/query.ts';
import { EventTable } from './history/EventTable.tsx';
import { useEvents } from './history/useEvents.ts';
import { Since } from './list/columns.tsx';
import { AlarmStateMark, Refusal, SeverityMark } from './parts.tsx';
import { SilenceForm } from './silences/SilenceForm.tsx';
import { SILENCE_SPANS } from './silences/spans.ts';
import { useAlarmActions } from './useAlarmActions.tsx';
import { useRules } from './useAlarmData.ts';
import { OF_ANOTHER, thresholdText, valueText } from './words.ts';

/** One alarm: what, since when, its value, its history, and what can be done about it. */
export function AlarmView({ id }: { readonly id: string }) {
  const { alarm, loaded } = useAlarm(id);
  const [params] = useUrlQuery();
  const { byId, rules } = useRules();
  const rule = alarm?.rule ?? params.get('rule');
  const scope = alarm?.scope ?? params.get('scope');
  const metric = alarm?.metric ?? params.get('metric') ?? '';
  const filter = rule !== null && scope !== null ? { rule, scope, ...(metric === '' ? {} : { metric }) } : null;
  const history = useEvents(filter);
  const events = history.events?.filter((event) => event.alarm === id);
  const last = events?.[0];
  useTitle(alarm?.name ?? last?.name ?? 'Alarm');
  if (!alarm && loaded && (filter === null || (history.events !== undefined && last === undefined))) {
    return (
      <NotFound
        title="There is no such alarm"
        detail="It is not active now, and nothing of it is in the history."
        to={{ path: '/ui/alarms', name: 'Go to the alarms' }}
      />
    );
  }
  if (!alarm && !last) {
    return (
      <div className="v-skeletons" role="status" aria-label="Loading the alarm">
        <Skeleton height={28} width={320} />
        <Skeleton height={200} />
      </div>
    );
  }
  return (
    <div className="v-fill v-alarms">
      {alarm ? (
        <Active alarm={alarm} rule={byId.get(alarm.rule)} />
      ) : last ? (
        <Inactive last={last} known={rules === undefined || byId.has(last.rule)} />
      ) : null}
      <div className="v-cards">
        <section aria-labelledby="alarm-history">
          <h2 id="alarm-history">History</h2>
          {history.error ? (
            <p role="alert" className="v-bad-text">
              {history.error.message}
            </p>
          ) : events === undefined ? (
            <Skeleton height={120} />
          ) : events.length === 0 ? (
            <p className="v-muted">
              {alarm && alarm.from !== null ? `The engine ${alarm.from} keeps it.` : 'Nothing is kept of it yet.'}
            </p>
          ) : (
            <EventTable events={events} rules={byId} label="History of this alarm" one />
          )}
          {history.more ? (
            <Button size="xs" variant="default" loading={history.loading} onClick={history.more}>
              Show older ones
            </Button>
          ) : null}
        </section>
      </div>
    </div>
  );
}

function Active({ alarm, rule }: { readonly alarm: Alarm; readonly rule: Rule | undefined }) {
  const { refusal, known } = useMayControl();
  const may = known && refusal === null;
  const actions = useAlarmActions();
  const [asking, setAsking] = useState(false);
  const acknowledge = (): void => (may ? void actions.acknowledge([alarm]) : undefined);
  useKeys({ a: acknowledge, s: () => setAsking(may) });
  const compared = thresholdText(alarm, rule);
  const value = valueText(alarm.metric, alarm.value, rule?.measure.kind ?? null);
  return (
    <>
      <header className="v-jobhead">
        <div className="v-toolbar">
          <Link href="/ui/alarms" className="v-link">
            Alarms
          </Link>
          <h1>
            <bdi>{alarm.name}</bdi>
          </h1>
          <AlarmStateMark state={alarm.state} />
          <SeverityMark severity={alarm.severity} />
          <span className="v-muted">
            for <Since time={alarm.since} />
          </span>
        </div>
        <Refusal text={refusal} />
      </header>
      <div className="v-cards">
        <section className={`v-card v-alarm v-alarm-${alarm.state}`} aria-label="What it is">
          {alarm.description === '' ? null : (
            <p className="v-description">
              <bdi>{alarm.description}</bdi>
            </p>
          )}
          <dl className="v-facts">
            <Fact name="Where">
              <Place alarm={alarm} />
            </Fact>
            {alarm.metric === '' ? null : (
              <Fact name="Series">
                <code>{alarm.metric}</code>
              </Fact>
            )}
            <Fact name="Value">
              <b>{value}</b>
              {compared === null ? null : <span className="v-muted"> fires at {compared}</span>}
            </Fact>
            <Fact name="Since">
              {formatDateTime(alarm.since)}
              {alarm.fired !== null && alarm.fired !== alarm.since
                ? `; began to fire ${formatDateTime(alarm.fired)}`
                : ''}
            </Fact>
            <Fact name="Rule">
              {alarm.from === null ? (
                <Link href={`/ui/alarms/rules/${encodeURIComponent(alarm.rule)}`} className="v-link">
                  <bdi>{rule?.sentence ?? alarm.name}</bdi>
                </Link>
              ) : (
                <>of the engine {alarm.from}, where it is changed</>
              )}
            </Fact>
            <Fact name="Labels">
              <span className="v-labels">
                {Object.entries(alarm.labels).map(([name, text]) => (
                  <code key={name}>
                    {name}={text}
                  </code>
                ))}
              </span>
            </Fact>
            {alarm.link === '' ? null : (
              <Fact name="What to do">
                <a href={alarm.link} className="v-link" target="_blank" rel="noreferrer">
                  {alarm.link}
                </a>
              </Fact>
            )}
          </dl>
        </section>
        <Taken alarm={alarm} may={may} onAsk={() => setAsking(true)} />
      </div>
      {asking ? <SilenceForm matchers={matchersFor([alarm])} close={() => setAsking(false)} /> : null}
    </>
  );
}

function Place({ alarm }: { readonly alarm: Alarm }) {
  const plot = alarmPlot(alarm, engineNow());
  const path = scopePath(scopeHere(alarm));
  return (
    <>
      {path === null ? (
        <bdi>{alarm.place}</bdi>
      ) : (
        <Link href={path} className="v-link">
          <bdi>{alarm.place}</bdi>
        </Link>
      )}
      {plot === null ? null : (
        <>
          {' '}
          <Link href={plot} className="v-link v-plot-link">
            <Icon name="chart" size={13} /> Show the plot around it
          </Link>
        </>
      )}
    </>
  );
}

interface TakenProps {
  readonly alarm: Alarm;
  readonly may: boolean;
  readonly onAsk: () => void;
}

/** Who has taken it, or the two ways to take it. */
function Taken({ alarm, may, onAsk }: TakenProps) {
  const actions = useAlarmActions();
  const [comment, setComment] = useState('');
  const { acknowledged } = alarm;
  return (
    <section className="v-card" aria-label="Acknowledge and silence">
      {acknowledged ? (
        <div className="v-toolbar v-flush">
          <p>
            <Icon name="check" size={13} /> Acknowledged by <bdi>{acknowledged.by}</bdi>,{' '}
            {formatDateTime(acknowledged.time)}
            {acknowledged.comment === '' ? '' : ': '}
            <bdi>{acknowledged.comment}</bdi>
          </p>
          {alarm.from === null ? (
            <Button size="compact-xs" variant="default" disabled={!may} onClick={() => void actions.takeBack([alarm])}>
              Acknowledge no more
            </Button>
          ) : null}
        </div>
      ) : alarm.from !== null ? (
        <p className="v-muted">{OF_ANOTHER}.</p>
      ) : (
        <form
          className="v-form"
          aria-label="Acknowledge"
          onSubmit={(event) => {
            event.preventDefault();
            void actions.acknowledge([alarm], comment);
            setComment('');
          }}
        >
          <TextInput
            size="xs"
            label="Comment"
            placeholder="what is being done about it"
            className="v-grow"
            maxLength={4096}
            disabled={!may}
            value={comment}
            onChange={(event) => setComment(event.currentTarget.value)}
          />
          <Button
            type="submit"
            size="xs"
            leftSection={<Icon name="check" size={14} />}
            disabled={!may || alarm.state === 'resolved'}
          >
            Acknowledge
          </Button>
        </form>
      )}
      <div className="v-toolbar v-flush">
        {alarm.silenced.length > 0 ? (
          <>
            <p>
              <Icon name="muted" size={13} /> Silenced: nobody is told of it.
            </p>
            <Link href="/ui/alarms/silences" className="v-link">
              {alarm.silenced.length === 1 ? 'The silence' : `${alarm.silenced.length} silences`}
            </Link>
          </>
        ) : (
          <>
            <Button
              size="xs"
              variant="default"
              disabled={!may}
              leftSection={<Icon name="muted" size={14} />}
              onClick={() => void actions.silence([alarm], SILENCE_SPANS[0]![1])}
            >
              Silence for an hour
            </Button>
            <Menu position="bottom-start" withArrow withinPortal={false} withInitialFocusPlaceholder={false}>
              <Menu.Target>
                <Button size="xs" variant="default" disabled={!may}>
                  For longer…
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                {SILENCE_SPANS.slice(1).map(([label, ms]) => (
                  <Menu.Item key={label} onClick={() => void actions.silence([alarm], ms)}>
                    {label}
                  </Menu.Item>
                ))}
                <Menu.Item onClick={onAsk}>More than this alarm, or other times…</Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </>
        )}
        <span className="v-muted">An acknowledgement ends when the alarm resolves, a silence at its time.</span>
      </div>
    </section>
  );
}

/** Of one that is over: what is known from its history. */
function Inactive({ last, known }: { readonly last: AlarmEvent; readonly known: boolean }) {
  const plot = plotPath(last.scope, last.metric, rangeAround(last.time, last.time, engineNow()));
  return (
    <>
      <header className="v-jobhead">
        <div className="v-toolbar">
          <Link href="/ui/alarms" className="v-link">
            Alarms
          </Link>
          <h1>
            <bdi>{last.name}</bdi>
          </h1>
          <AlarmStateMark state="inactive" />
          <SeverityMark severity={last.severity} />
        </div>
      </header>
      <div className="v-cards">
        <section className="v-card" aria-label="What it is">
          <p>It is not active now. What happened is below.</p>
          <dl className="v-facts">
            <Fact name="Where">
              <bdi>{last.place}</bdi>
              {plot === null ? null : (
                <>
                  {' '}
                  <Link href={plot} className="v-link">
                    Show the plot around it
                  </Link>
                </>
              )}
            </Fact>
            {last.metric === '' ? null : (
              <Fact name="Series">
                <code>{last.metric}</code>
              </Fact>
            )}
            <Fact name="Rule">
              {known ? (
                <Link href={`/ui/alarms/rules/${encodeURIComponent(last.rule)}`} className="v-link">
                  <bdi>{last.name}</bdi>
                </Link>
              ) : (
                'deleted'
              )}
            </Fact>
          </dl>
        </section>
      </div>
    </>
  );
}
