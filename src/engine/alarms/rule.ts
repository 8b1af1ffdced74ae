/**
 * What becomes of one series under one rule: a pure function of the rule, the state before, and a look at the series.
 * Live evaluation, the preview on history and the tests of rule files all call it.
 *
 * Timers run on a clock that counts observed time only (ms, never backwards): a suspended machine, a clock that was set
 * and the time in which the engine was down let nothing fire early.
 *
 *     inactive ──holds──► pending ──`for` is over──► firing ──does not hold for keep_firing_for──► resolved ──15 min──► inactive
 *     no_data: from any state while the series is silent and the rule shows that; what fired goes on, or resolves, after it
 */

import type { AlarmState, Comparison, NoData, RuleSettings } from '../../shared/api/alarms.ts';

/** How long an alarm that does not fire any more is shown as resolved, in ms. */
export const RESOLVED_FOR = 15 * 60_000;

/** The part of a rule that states depend on. Times in ms. */
export interface Condition {
  readonly op: Comparison;
  readonly raise: number;
  /** What must be crossed to end; equal to `raise` without hysteresis. */
  readonly clear: number;
  readonly for: number;
  readonly keepFiringFor: number;
  readonly noData: NoData;
  readonly noDataAfter: number;
  /** Silence that fires; null: values are compared. */
  readonly absentAfter: number | null;
}

export interface RuleState {
  readonly state: AlarmState;
  /** Wall clock at which this state began. */
  readonly since: number;
  /** When it began to fire; null: it has not, or what fired is over and inactive again. */
  readonly fired: number | null;
  /** Of the timer of this state, in ms up to `mark`: pending: how long the condition holds; firing: how long it does not. */
  readonly held: number;
  /** The observed clock when `held` was noted. */
  readonly mark: number;
  /** The timer goes on from `mark`. */
  readonly running: boolean;
}

export const conditionOf = (rule: RuleSettings): Condition => ({
  op: rule.op,
  raise: rule.raise,
  clear: rule.clear ?? rule.raise,
  for: rule.for,
  keepFiringFor: rule.keep_firing_for,
  noData: rule.no_data,
  noDataAfter: rule.no_data_after,
  absentAfter: rule.measure.kind === 'absent' ? rule.measure.after : null,
});

export function compare(op: Comparison, value: number, threshold: number): boolean {
  switch (op) {
    case '>':
      return value > threshold;
    case '>=':
      return value >= threshold;
    case '<':
      return value < threshold;
    case '<=':
      return value <= threshold;
    case '=':
      return value === threshold;
    case '!=':
      // NaN is different from everything, and nothing to tell of.
      return value !== threshold && value === value;
  }
}

export const INACTIVE: RuleState = {
  ...{ state: 'inactive', since: 0, fired: null, held: 0, mark: 0, running: false },
};

/** holds, not: of the condition; unknown: nothing new; frozen: silent for so long that no timer goes on; silent: no_data. */
type Verdict = 'holds' | 'not' | 'unknown' | 'frozen' | 'silent';

function judge(c: Condition, fires: boolean, value: number, silent: number): Verdict {
  if (c.absentAfter !== null) {
    if (silent >= c.absentAfter) return 'holds';
    // Told a moment ago, or not looked at yet since a restart: only a word of it ends what fires.
    return silent === 0 ? 'not' : 'unknown';
  }
  if (value === value) return compare(c.op, value, fires ? c.clear : c.raise) ? 'holds' : 'not';
  if (silent < c.noDataAfter || silent === 0) return 'unknown';
  switch (c.noData) {
    case 'state':
      return 'silent';
    case 'keep':
      return 'frozen';
    case 'fire':
      return 'holds';
    case 'ok':
      return 'not';
  }
}

/**
 * The state after a look at the series. The same object when nothing has changed: timers run without a change.
 * `value`: what is compared; NaN: there is nothing. `silent`: how long the series has told nothing, observed ms; 0: it
 * told something just now. `clock`: observed time, ms. `time`: the wall clock, ms since the epoch.
 */
export function step(
  c: Condition,
  was: RuleState,
  value: number,
  silent: number,
  clock: number,
  time: number,
): RuleState {
  const fires = was.state === 'firing' || (was.state === 'no_data' && was.fired !== null);
  const verdict = judge(c, fires, value, silent);
  switch (was.state) {
    case 'inactive':
      if (verdict === 'holds') return begin(c, clock, time);
      return verdict === 'silent' ? enter('no_data', clock, time, null) : was;
    case 'pending':
      return pending(c, was, verdict, clock, time);
    case 'firing':
      return firing(c, was, verdict, clock, time);
    case 'resolved':
      if (verdict === 'holds') return begin(c, clock, time);
      if (verdict === 'silent') return enter('no_data', clock, time, null);
      return held(was, clock) >= RESOLVED_FOR ? enter('inactive', clock, time, null) : was;
    case 'no_data':
      if (verdict !== 'holds' && verdict !== 'not') return was;
      if (was.fired === null) return verdict === 'holds' ? begin(c, clock, time) : enter('inactive', clock, time, null);
      // The same alarm as before the silence: it was not resolved in between.
      return firing(c, enter('firing', clock, time, was.fired), verdict, clock, time);
  }
}

/** The series is no more, or nobody watches it: what fired is resolved, all else forgotten. */
export function finish(was: RuleState, clock: number, time: number): RuleState {
  const fires = was.state === 'firing' || (was.state === 'no_data' && was.fired !== null);
  if (fires) return resolve(clock, time, was.fired);
  return was.state === 'resolved' || was.state === 'inactive' ? was : enter('inactive', clock, time, null);
}

/** Length of the timer that runs, or ran, in ms. */
export const held = (state: RuleState, clock: number): number =>
  state.held + (state.running ? Math.max(0, clock - state.mark) : 0);

function enter(state: AlarmState, clock: number, time: number, fired: number | null): RuleState {
  return { state, since: time, fired, held: 0, mark: clock, running: state === 'pending' || state === 'resolved' };
}

const resolve = (clock: number, time: number, fired: number | null): RuleState => enter('resolved', clock, time, fired);

const begin = (c: Condition, clock: number, time: number): RuleState =>
  c.for > 0 ? enter('pending', clock, time, null) : enter('firing', clock, time, time);

function pending(c: Condition, was: RuleState, verdict: Verdict, clock: number, time: number): RuleState {
  switch (verdict) {
    case 'holds':
      if (held(was, clock) >= c.for) return enter('firing', clock, time, time);
      return was.running ? was : { ...was, mark: clock, running: true };
    case 'not':
      return enter('inactive', clock, time, null);
    case 'silent':
      return enter('no_data', clock, time, null);
    case 'frozen':
      // Nobody knows whether it held: none of the silence counts.
      return was.running ? { ...was, running: false } : was;
    case 'unknown':
      return was;
  }
}

function firing(c: Condition, was: RuleState, verdict: Verdict, clock: number, time: number): RuleState {
  switch (verdict) {
    case 'holds':
      return was.running || was.held > 0 ? { ...was, held: 0, mark: clock, running: false } : was;
    case 'not':
      if (c.keepFiringFor === 0 || (was.running && held(was, clock) >= c.keepFiringFor)) {
        return resolve(clock, time, was.fired);
      }
      return was.running ? was : { ...was, mark: clock, running: true };
    case 'silent':
      return enter('no_data', clock, time, was.fired);
    case 'frozen':
      return was.running ? { ...was, running: false } : was;
    case 'unknown':
      return was;
  }
}
