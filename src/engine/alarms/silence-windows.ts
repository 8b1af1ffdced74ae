/** When a silence is silent. Pure; times of day are those of the engine's time zone. */

import type { Recurring } from '../../shared/api/silences.ts';

export interface Span {
  /** ms since the epoch; `to` is not part of it. */
  readonly from: number;
  readonly to: number;
}

export interface Times {
  readonly from: number;
  /** Null: only of a recurring one. */
  readonly to: number | null;
  readonly recurring: Recurring | null;
}

/** A window is a week at most, so that one that is open began at most so many days ago; the next one begins within a week. */
const DAYS = 8;

/** The window that is open at a time, or else the next one; null: there is none any more. */
export function windowAt({ from, to, recurring }: Times, time: number): Span | null {
  const end = to ?? Infinity;
  if (time >= end) return null;
  if (recurring === null) return { from, to: end };
  // Windows before the silence begins are none of its own.
  const day = new Date(Math.max(time, from));
  const [hours, minutes] = recurring.from.split(':').map(Number) as [number, number];
  const days = new Set(recurring.days);
  for (let i = -DAYS; i <= DAYS; i++) {
    // By the calendar, not by adding hours: days on which the clocks change have others.
    const start = new Date(day.getFullYear(), day.getMonth(), day.getDate() + i, hours, minutes);
    if (!days.has(start.getDay())) continue;
    const span = { from: Math.max(from, start.getTime()), to: Math.min(end, start.getTime() + recurring.lasts) };
    if (span.to > time && span.from < span.to) return span;
  }
  return null;
}

export const isOpen = (window: Span | null, time: number): boolean =>
  window !== null && window.from <= time && time < window.to;
