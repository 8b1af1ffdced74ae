/** One series under one rule: what is kept of it while it is in any state but inactive, and what is told of its changes. */

import { createHash } from 'node:crypto';
import type { AlarmState, RuleSettings } from '../../shared/api/alarms.ts';
import { parseMetric } from '../../shared/model/metric.ts';
import type { ScopeId } from '../../shared/model/scope.ts';
import { held, INACTIVE, type RuleState } from './rule.ts';

/** What of an alarm outlives the engine. JSON; times are wall clock, ms since the epoch. */
export interface Instance {
  readonly rule: string;
  /** Of the rule's condition when this was written: another one begins anew. */
  readonly revision: string;
  readonly alarm: string;
  readonly scope: ScopeId;
  readonly place: string;
  /** Canonical key; empty: nothing at all matches. */
  readonly metric: string;
  readonly state: AlarmState;
  readonly since: number;
  readonly fired: number | null;
  /** The timer of its state, ms, up to `at`. */
  readonly held: number;
  readonly running: boolean;
  /** When this was written. */
  readonly at: number;
  /** When the series told something last; null: never. */
  readonly seen: number | null;
  readonly value: number | null;
}

export interface Change {
  /** rule_changed, rule_deleted: why it ended. */
  readonly kind: 'state' | 'rule_changed' | 'rule_deleted';
  readonly rule: string;
  readonly alarm: string;
  readonly scope: ScopeId;
  readonly place: string;
  readonly metric: string;
  /** The series' own. */
  readonly labels: Readonly<Record<string, string>>;
  readonly was: AlarmState;
  readonly state: AlarmState;
  /** Null: there was none. */
  readonly value: number | null;
  readonly threshold: number;
  /** Since when it fires, or fired; null: it has not. */
  readonly fired: number | null;
  readonly time: number;
}

/** Series of a rule by state. */
export type SeriesCounts = Readonly<Record<AlarmState, number>>;

/** Names a rule's condition: instances that were made under another one are begun anew. */
export function revisionOf({ scope, metric, measure, op, raise }: RuleSettings): string {
  return hash(JSON.stringify([scope, metric, measure, op, raise]));
}

/** The same for the same rule and series, also after a restart. */
export const alarmId = (rule: string, scope: ScopeId, metric: string): string =>
  hash(JSON.stringify([rule, scope, metric]));

const hash = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 20);

/** Of an alarm's metric. */
export const seriesLabels = (metric: string): Record<string, string> => Object.fromEntries(parseMetric(metric).labels);

/** An alarm as the evaluator has it. */
export interface Inst {
  readonly rule: string;
  readonly alarm: string;
  readonly scope: ScopeId;
  place: string;
  readonly metric: string;
  /** Its place in the column; -1: its series is not there (yet, or any more). */
  slot: number;
  state: RuleState;
  value: number;
  /** Wall clock. */
  seen: number | null;
  /** The observed clock from which the silence of a series that is not there counts. */
  from: number;
  /** Its scope has ended: it is shown as resolved for a while, and that is all. */
  over: boolean;
}

export function instanceOf(inst: Inst, revision: string, clock: number, time: number): Instance {
  const { rule, alarm, scope, place, metric, state, seen } = inst;
  return {
    ...{ rule, revision, alarm, scope, place, metric },
    ...{ state: state.state, since: state.since, fired: state.fired },
    ...{ held: held(state, clock), running: state.running, at: time, seen },
    value: Number.isFinite(inst.value) ? inst.value : null,
  };
}

/** `until`: up to when the engine certainly watched, wall clock: timers ran until then. */
export function restored(kept: Instance, until: number, clock: number): Inst {
  const ran = kept.running ? Math.max(0, until - kept.at) : 0;
  const state: RuleState = {
    ...{ state: kept.state, since: kept.since, fired: kept.fired },
    ...{ held: kept.held + ran, mark: clock, running: kept.running },
  };
  const { rule, alarm, scope, place, metric, seen } = kept;
  return {
    rule,
    alarm,
    scope,
    place,
    metric,
    slot: -1,
    state,
    value: kept.value ?? NaN,
    seen,
    from: clock,
    over: kept.state === 'resolved',
  };
}

export function newInst(
  rule: string,
  scope: ScopeId,
  place: string,
  metric: string,
  slot: number,
  clock: number,
): Inst {
  const alarm = alarmId(rule, scope, metric);
  return { rule, alarm, scope, place, metric, slot, state: INACTIVE, value: NaN, seen: null, from: clock, over: false };
}

export function changeOf(
  inst: Inst,
  was: AlarmState,
  state: AlarmState,
  time: number,
  kind: Change['kind'],
  threshold: number,
): Change {
  const { rule, alarm, scope, place, metric } = inst;
  return {
    ...{ kind, rule, alarm, scope, place, metric, labels: seriesLabels(metric), was, state },
    value: Number.isFinite(inst.value) ? inst.value : null,
    ...{ threshold, fired: inst.state.fired, time },
  };
}
