import { Button, Menu, Skeleton } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { SearchField } from '../../../components/SearchField.tsx';
import type { Alarm, Severity } from '../../../../shared/api/alarms.ts';
import { DataTable } from '../../../components/DataTable.tsx';
import { Icon } from '../../../components/Icon.tsx';
import { useTitle } from '../../../components/Message.tsx';
import { stepKeys, useKeys } from '../../../components/useKeys.ts';
import {
  alarmPath,
  alarmPlot,
  countAlarms,
  groupAlarms,
  GROUPINGS,
  HANDLED,
  LISTED_STATES,
  matchersFor,
  selectAlarms,
  SEVERITIES,
} from '../../../data/alarms.ts';
import type { AlarmQuery, Grouping, Handled, ListedState, ListRow } from '../../../data/alarms.ts';
import { formatCount } from '../../../format/units.ts';
import { engineNow } from '../../../state/connection.ts';
import { useAlarmsSnapshot, useEngine } from '../../../state/engine.ts';
import { useMayControl } from '../../../state/mayControl.ts';
import { useUrlQuery } from '../../../state/query.ts';
import { AlarmTabs, Refusal } from '../parts.tsx';
import { SilenceForm } from '../silences/SilenceForm.tsx';
import { SILENCE_SPANS } from '../silences/spans.ts';
import { useAlarmActions } from '../useAlarmActions.tsx';
import { useRules } from '../useAlarmData.ts';
import { alarmsText } from '../words.ts';
import { AlarmSelects, StateChips } from './AlarmFilters.tsx';
import { ALARM_COLUMNS } from './columns.tsx';
import { holdAt, holdNext, indexOfHeld, NOWHERE } from './cursor.ts';
import { GroupHead } from './GroupHead.tsx';
import { NoAlarms } from './NoAlarms.tsx';
import { ListContext, stillShown } from './selection.ts';
import type { ListActions } from './selection.ts';

const NOTHING: ReadonlySet<string> = new Set();

function readQuery(params: URLSearchParams): AlarmQuery {
  const one = <T extends string>(name: string, known: readonly T[], otherwise: T): T => {
    const value = params.get(name) ?? '';
    return (known as readonly string[]).includes(value) ? (value as T) : otherwise;
  };
  return {
    search: (params.get('q') ?? '').slice(0, 256),
    state: one<ListedState | 'all'>('state', LISTED_STATES, 'all'),
    severity: one<Severity | 'all'>('severity', SEVERITIES, 'all'),
    handled: one<Handled>('handled', HANDLED, 'all'),
    group: one<Grouping>('group', GROUPINGS, 'rule'),
  };
}

/** What fires now, and what is about to: by rule or by place, with all that can be done about it. */
export function AlarmsView() {
  useTitle('Alarms');
  const engine = useEngine();
  const [params, setParams] = useUrlQuery();
  const [, navigate] = useLocation();
  const { rows, loaded } = useAlarmsSnapshot();
  const { rules, byId } = useRules();
  const channels = useQuery({
    queryKey: [engine.base, 'alarms', 'channels'],
    queryFn: ({ signal }) => engine.api.channels.list(signal),
    staleTime: 30_000,
  });
  const { refusal, known } = useMayControl();
  const actions = useAlarmActions();
  const [held, setHeld] = useState(NOWHERE);
  const [ticks, setTicks] = useState(NOTHING);
  const [toggled, setToggled] = useState(NOTHING);
  const [asked, setAsked] = useState<readonly Alarm[] | null>(null);
  const search = useRef<HTMLInputElement>(null);
  const query = useMemo(() => readQuery(params), [params]);
  const counts = useMemo(() => countAlarms(rows.values()), [rows]);
  const shown = useMemo(() => selectAlarms(rows.values(), query), [rows, query]);
  const list = useMemo(() => groupAlarms(shown, query.group, toggled), [shown, query.group, toggled]);
  const ticked = useMemo(() => stillShown(ticks, shown), [ticks, shown]);
  const selected = useMemo(() => shown.filter(({ id }) => ticked.has(id)), [shown, ticked]);
  const may = known && refusal === null;
  const cursor = indexOfHeld(list, held);
  const at = list[cursor];
  /** The ticked ones, else what is under the cursor: an alarm, or all of a group. */
  const meant = selected.length > 0 ? selected : at === undefined ? [] : at.kind === 'alarm' ? [at.alarm] : at.alarms;

  const change = (act: () => void): void => {
    if (may) act();
    else if (refusal !== null) notifications.show({ message: refusal });
  };
  const context = useMemo(
    (): ListActions => ({
      ticked,
      shown: shown.length,
      refusal: may ? null : (refusal ?? ''),
      rules: byId,
      tick: (alarms, on) =>
        setTicks((old) => {
          const next = new Set(old);
          for (const { id } of alarms)
            if (on) next.add(id);
            else next.delete(id);
          return next;
        }),
      tickAll: () => setTicks(ticked.size === shown.length ? NOTHING : new Set(shown.map(({ id }) => id))),
      toggleGroup: ({ id }) =>
        setToggled((old) => {
          const next = new Set(old);
          if (!next.delete(id)) next.add(id);
          return next;
        }),
      acknowledge: (alarms) => void actions.acknowledge(alarms),
      takeBack: (alarms) => void actions.takeBack(alarms),
      silence: (alarms, ms) => void actions.silence(alarms, ms),
      askSilence: setAsked,
    }),
    [ticked, shown, may, refusal, byId, actions],
  );
  const open = (index: number): void => {
    const row = list[index];
    if (row?.kind === 'alarm') navigate(alarmPath(row.alarm));
    else if (row) context.toggleGroup(row);
  };
  const done = (act: () => void): void =>
    change(() => {
      if (meant.length > 0) act();
      setTicks(NOTHING);
    });
  const acknowledge = (): void =>
    done(() => {
      // It moves below what nobody has taken: the cursor stays where there is more to do.
      if (selected.length === 0) setHeld(holdNext(list, held, new Set(meant.map(({ id }) => id))));
      void actions.acknowledge(meant);
    });
  const askSilence = (): void => change(() => (meant.length > 0 ? setAsked(meant) : undefined));
  const move = (step: number): void =>
    setHeld((old) => holdAt(list, Math.max(0, Math.min(list.length - 1, indexOfHeld(list, old) + step))));
  const filter = (name: string, value: string | null): void => {
    setHeld(NOWHERE);
    setParams({ [name]: value });
  };
  const showPlot = (): void => {
    const [first] = meant;
    const plot = first === undefined ? null : alarmPlot(first, engineNow());
    if (plot !== null) navigate(plot);
  };
  useKeys({
    ...stepKeys(move),
    Enter: () => open(cursor),
    '/': () => search.current?.focus(),
    x: () => {
      if (at === undefined) return;
      const alarms = at.kind === 'alarm' ? [at.alarm] : at.alarms;
      context.tick(alarms, !alarms.every(({ id }) => ticked.has(id)));
    },
    a: acknowledge,
    s: askSilence,
    p: showPlot,
    g: () => filter('group', query.group === 'rule' ? 'place' : null),
    n: () => change(() => navigate('/ui/alarms/rules/new')),
  });
  const nothing = loaded && rows.size === 0;
  const on = rules?.filter(({ enabled }) => enabled);

  return (
    <div className="v-fill v-alarms">
      <div className="v-toolbar">
        <h1>Alarms</h1>
        <AlarmTabs />
        <div className="v-spacer" />
        <Button
          size="xs"
          leftSection={<Icon name="plus" size={14} />}
          disabled={!may}
          onClick={() => navigate('/ui/alarms/rules/new')}
        >
          New rule
        </Button>
      </div>
      <Refusal text={refusal} />
      {nothing ? (
        <NoAlarms
          rules={on?.length ?? null}
          series={on?.reduce((sum, { series }) => sum + series, 0) ?? 0}
          channels={channels.data?.channels.length ?? null}
          refusal={refusal}
        />
      ) : (
        <>
          <div className="v-toolbar v-second">
            <SearchField
              ref={search}
              label="Search alarms"
              placeholder="Rule, place, metric, label"
              value={query.search}
              onChange={(q) => filter('q', q)}
            />
            <AlarmSelects query={query} onChange={filter} />
          </div>
          <div className="v-toolbar v-second">
            {selected.length > 0 ? (
              <div className="v-bulk" role="group" aria-label="Selected alarms">
                <b>{formatCount(selected.length)} selected</b>
                <Button size="compact-xs" variant="default" disabled={!may} onClick={acknowledge}>
                  Acknowledge
                </Button>
                <Menu position="bottom-start" withArrow withinPortal={false} withInitialFocusPlaceholder={false}>
                  <Menu.Target>
                    <Button size="compact-xs" variant="default" disabled={!may}>
                      Silence
                    </Button>
                  </Menu.Target>
                  <Menu.Dropdown>
                    {SILENCE_SPANS.map(([label, ms]) => (
                      <Menu.Item key={label} onClick={() => done(() => void actions.silence(meant, ms))}>
                        for {label}
                      </Menu.Item>
                    ))}
                    <Menu.Item onClick={askSilence}>Other…</Menu.Item>
                  </Menu.Dropdown>
                </Menu>
                <Button size="compact-xs" variant="subtle" color="gray" onClick={() => setTicks(NOTHING)}>
                  Clear
                </Button>
              </div>
            ) : (
              <StateChips query={query} onChange={filter} counts={counts} />
            )}
            <div className="v-spacer" />
            <span className="v-muted" role="status">
              {loaded ? countText(shown.length, rows.size) : ''}
            </span>
          </div>
          {!loaded ? (
            <div className="v-skeletons" role="status" aria-label="Loading the alarms">
              {Array.from({ length: 8 }, (_, i) => (
                <Skeleton key={i} height={32} />
              ))}
            </div>
          ) : (
            <ListContext.Provider value={context}>
              <DataTable
                label="Alarms"
                testId="alarms-table"
                rows={list}
                rowId={(row) => row.id}
                columns={ALARM_COLUMNS}
                rowHeight={42}
                sort={{ id: '', descending: false }}
                onSort={() => undefined}
                cursor={cursor}
                onCursor={(index) => setHeld(holdAt(list, index))}
                onOpen={(row) => (row.kind === 'alarm' ? navigate(alarmPath(row.alarm)) : context.toggleGroup(row))}
                section={sectionOf}
                empty={
                  <>
                    <p>No alarm matches.</p>
                    <Button
                      size="xs"
                      variant="default"
                      onClick={() => setParams({ q: null, state: null, severity: null, handled: null })}
                    >
                      Show all alarms
                    </Button>
                  </>
                }
              />
            </ListContext.Provider>
          )}
        </>
      )}
      {asked === null ? null : (
        <SilenceForm
          matchers={matchersFor(asked)}
          close={() => {
            setAsked(null);
            setTicks(NOTHING);
          }}
        />
      )}
    </div>
  );
}

const sectionOf = (row: ListRow) => (row.kind === 'group' ? <GroupHead group={row} /> : null);

const countText = (shown: number, all: number): string =>
  shown === all ? alarmsText(all) : `${formatCount(shown)} of ${alarmsText(all)}`;
