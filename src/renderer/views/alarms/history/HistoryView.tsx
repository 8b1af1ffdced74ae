import { Button, NativeSelect, Skeleton, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useMemo, useRef } from 'react';
import type { AlarmEvent } from '../../../../shared/api/alarms.ts';
import { Copy } from '../../../components/Copy.tsx';
import { Icon } from '../../../components/Icon.tsx';
import { Failure, useTitle } from '../../../components/Message.tsx';
import { useKeys } from '../../../components/useKeys.ts';
import type { HistoryFilter } from '../../../data/alarmsApi.ts';
import { toCsv } from '../../../format/csv.ts';
import { engineNow } from '../../../state/connection.ts';
import { useUrlQuery } from '../../../state/query.ts';
import { AlarmTabs } from '../parts.tsx';
import { useRules } from '../useAlarmData.ts';
import { localText, localTime } from '../silences/form.ts';
import { EventTable } from './EventTable.tsx';
import { useEvents } from './useEvents.ts';

const SPANS = [
  ['1h', 3_600_000, 'Last hour'],
  ['24h', 86_400_000, 'Last 24 h'],
  ['7d', 7 * 86_400_000, 'Last 7 days'],
  ['30d', 30 * 86_400_000, 'Last 30 days'],
] as const;

const TYPED_MS = 250;
const MINUTE = 60_000;

function readFilter(params: URLSearchParams, search: string): HistoryFilter {
  const span = SPANS.find(([name]) => name === params.get('last'));
  const [from, to] = [Number(params.get('from')), Number(params.get('to'))];
  const text = (name: string): object => {
    const value = params.get(name);
    return value === null || value === '' ? {} : { [name]: value };
  };
  return {
    ...text('rule'),
    ...text('scope'),
    ...text('metric'),
    ...(search === '' ? {} : { search }),
    // To the minute: the answer is kept under what was asked for.
    ...(span ? { from: Math.floor((engineNow() - span[1]) / MINUTE) * MINUTE } : from > 0 ? { from } : {}),
    ...(!span && to > 0 ? { to } : {}),
  };
}

/** All that happened to alarms: when, with which value, and who was told. */
export function HistoryView() {
  useTitle('Alarm history');
  const [params, setParams] = useUrlQuery();
  const { rules, byId } = useRules();
  const field = useRef<HTMLInputElement>(null);
  const search = (params.get('q') ?? '').slice(0, 200);
  const [settled] = useDebouncedValue(search, TYPED_MS);
  const filter = useMemo(() => readFilter(params, settled), [params, settled]);
  const { events, error, loading, more, retry } = useEvents(filter);
  useKeys({ '/': () => field.current?.focus() });
  const time = (name: 'from' | 'to'): string => {
    const value = Number(params.get(name));
    return value > 0 ? localText(value) : '';
  };
  const setTime = (name: 'from' | 'to', text: string): void => {
    const value = localTime(text);
    setParams({ [name]: value === null ? null : String(value), last: null });
  };
  const filtered = Object.keys(filter).length > 0;
  if (error && !events) return <Failure error={error} retry={retry} />;
  return (
    <div className="v-fill v-alarms">
      <div className="v-toolbar">
        <h1>Alarm history</h1>
        <AlarmTabs />
      </div>
      <div className="v-toolbar v-second">
        <TextInput
          ref={field}
          type="search"
          size="xs"
          className="v-search"
          leftSection={<Icon name="search" size={14} />}
          placeholder="Rule, place, metric, note"
          aria-label="Search the history"
          value={search}
          onChange={(event) => setParams({ q: event.currentTarget.value })}
        />
        <NativeSelect
          size="xs"
          aria-label="Rule"
          value={params.get('rule') ?? ''}
          onChange={(event) => setParams({ rule: event.currentTarget.value })}
          data={[
            { value: '', label: 'All rules' },
            ...(rules ?? []).map(({ id, name }) => ({ value: id, label: name })),
            // Deleted meanwhile: its history is there all the same.
            ...(byId.has(params.get('rule') ?? '') || !params.get('rule')
              ? []
              : [{ value: params.get('rule')!, label: 'a rule that is deleted' }]),
          ]}
        />
        <NativeSelect
          size="xs"
          aria-label="Time"
          value={params.get('last') ?? (time('from') === '' && time('to') === '' ? '' : 'own')}
          onChange={({ currentTarget: { value } }) =>
            setParams({ last: value === 'own' ? null : value, from: null, to: null })
          }
          data={[
            { value: '', label: 'Any time' },
            ...SPANS.map(([value, , label]) => ({ value, label })),
            { value: 'own', label: 'From … to …', disabled: true },
          ]}
        />
        <TextInput
          size="xs"
          type="datetime-local"
          aria-label="From"
          value={time('from')}
          onChange={(event) => setTime('from', event.currentTarget.value)}
        />
        <TextInput
          size="xs"
          type="datetime-local"
          aria-label="To"
          value={time('to')}
          onChange={(event) => setTime('to', event.currentTarget.value)}
        />
        {params.get('scope') === null ? null : (
          <Button size="compact-xs" variant="default" onClick={() => setParams({ scope: null, metric: null })}>
            only {params.get('scope')} ×
          </Button>
        )}
        <div className="v-spacer" />
        {events && events.length > 0 ? <Copy text={csvOf(events)} name="the shown events as CSV" /> : null}
      </div>
      {events === undefined ? (
        <div className="v-skeletons" role="status" aria-label="Loading the history">
          {Array.from({ length: 8 }, (_, i) => (
            <Skeleton key={i} height={28} />
          ))}
        </div>
      ) : events.length === 0 ? (
        <section className="v-card v-first" aria-labelledby="no-history">
          <h2 id="no-history">{filtered ? 'Nothing in it' : 'Nothing has happened yet'}</h2>
          <p>
            {filtered
              ? 'No alarm changed in this time, or none that matches.'
              : 'Each change of an alarm is kept here with the value that caused it, and who was told.'}
          </p>
          {filtered ? (
            <Button
              size="xs"
              variant="default"
              className="v-start"
              onClick={() =>
                setParams({ q: null, rule: null, scope: null, metric: null, last: null, from: null, to: null })
              }
            >
              Show all of the history
            </Button>
          ) : null}
        </section>
      ) : (
        <div className="v-cards v-wide-cards">
          <EventTable events={events} rules={byId} label="History of alarms" />
          {more ? (
            <Button size="xs" variant="default" className="v-start" loading={loading} onClick={more}>
              Show older ones
            </Button>
          ) : null}
        </div>
      )}
    </div>
  );
}

function csvOf(events: readonly AlarmEvent[]): string {
  const head = ['time', 'kind', 'rule', 'severity', 'place', 'metric', 'was', 'state', 'value', 'threshold', 'note'];
  return toCsv([
    head,
    ...events.map((event) => [
      new Date(event.time).toISOString(),
      event.kind,
      event.name,
      event.severity,
      event.place,
      event.metric,
      event.was ?? '',
      event.state ?? '',
      event.value ?? '',
      event.threshold ?? '',
      event.note,
    ]),
  ]);
}
