/** Whether this machine's clock can be trusted, and agrees with the engine's. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Check } from '../../shared/api/diagnosis.ts';
import { formatDuration } from '../../shared/duration.ts';
import { ok, problem, warning } from './check.ts';
import type { Patient } from './patient.ts';

/** The wall clock is watched beside the monotonic one for this long, in ms. */
const WATCH = 200;
/** Differences, in ms: while watching, since the process began, and to the engine. */
const STEPPED = 50;
const RAN_AWAY = 2000;
const APART = 1000;
/** A clock before this time was never set. */
const IMPOSSIBLE = Date.UTC(2025, 0, 1);

export interface ClockFacts {
  /** ms since the epoch. */
  readonly wall: number;
  /** How much more the wall clock than the monotonic one advanced while both were watched, in ms. */
  readonly step: number;
  /** The same since the process began; null: it has just begun. */
  readonly drift: number | null;
  /** This clock minus the engine's. */
  readonly offset: number | null;
}

export async function checkClock({ inside, clockOffset }: Pick<Patient, 'inside' | 'clockOffset'>): Promise<Check[]> {
  const [wall, monotonic] = [Date.now(), performance.now()];
  await delay(WATCH);
  const step = Date.now() - wall - (performance.now() - monotonic);
  const drift = inside ? Date.now() - (performance.timeOrigin + performance.now()) : null;
  return judgeClock({ wall, step, drift, offset: clockOffset });
}

const span = (ms: number): string => formatDuration(Math.round(Math.abs(ms)));

export function judgeClock({ wall, step, drift, offset }: ClockFacts): Check[] {
  const checks: Check[] = [];
  const sync = 'let a time service (chrony, systemd-timesyncd) keep the clock';
  if (wall < IMPOSSIBLE) {
    const text = `the clock says ${new Date(wall).toISOString()}: it was never set`;
    checks.push(problem('clock', 'clock_unset', text, sync));
  }
  if (Math.abs(step) > STEPPED) {
    const text = `the clock was set ${step > 0 ? 'forward' : 'back'} by ${span(step)} while it was looked at`;
    checks.push(warning('clock', 'clock_steps', text, `${sync}, and only one`));
  }
  if (drift !== null && Math.abs(drift) > RAN_AWAY) {
    const text = `since the engine began the clock was set ${drift > 0 ? 'forward' : 'back'} by ${span(drift)}, or the machine slept: lines have a gap there`;
    checks.push(warning('clock', 'clock_was_set', text, sync));
  }
  if (offset !== null && Math.abs(offset) > APART) {
    const text = `this clock is ${span(offset)} ${offset > 0 ? 'ahead of' : 'behind'} the engine's`;
    checks.push(warning('clock', 'clock_offset', text, sync));
  }
  return checks.length > 0 ? checks : [ok('clock', 'clock', 'the clock keeps time')];
}
