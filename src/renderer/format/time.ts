import { NO_VALUE } from './units.ts';

const two = (n: number): string => String(n).padStart(2, '0');

/** A length of time as a clock shows it: `0:07`, `12:05`, `3:12:05`, `2 d 03:12:05`. Milliseconds in. */
export function formatElapsed(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return NO_VALUE;
  const all = Math.floor(ms / 1000);
  const s = all % 60;
  const m = Math.floor(all / 60) % 60;
  const h = Math.floor(all / 3600) % 24;
  const d = Math.floor(all / 86_400);
  if (d > 0) return `${d} d ${two(h)}:${two(m)}:${two(s)}`;
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** Local date and time, `2026-11-21 08:15:03`; a dash for 0 (not known). */
export function formatDateTime(ms: number): string {
  return ms > 0 ? `${formatDate(ms)} ${formatClock(ms)}` : NO_VALUE;
}

/** Local time of day, `08:15:03`. */
export function formatClock(ms: number): string {
  const t = new Date(ms);
  return `${two(t.getHours())}:${two(t.getMinutes())}:${two(t.getSeconds())}`;
}

/** Local time of day to the thousandth, `08:15:03.250`. */
export function formatPrecise(ms: number): string {
  const whole = Math.round(ms);
  return `${formatClock(whole)}.${String(new Date(whole).getMilliseconds()).padStart(3, '0')}`;
}

/** Local date, `2026-11-21`. */
export function formatDate(ms: number): string {
  const t = new Date(ms);
  return `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())}`;
}

/** Today the time of day, `08:15:03`; on another day `2026-11-20 08:15`. */
export function formatWhen(ms: number, now: number): string {
  if (ms <= 0) return NO_VALUE;
  return formatDate(ms) === formatDate(now) ? formatClock(ms) : formatDateTime(ms).slice(0, -3);
}

/** Text of a time axis whose marks are `step` ms apart. */
export function formatTick(ms: number, step: number): string {
  const t = new Date(ms);
  if (step >= 86_400_000) return `${two(t.getMonth() + 1)}-${two(t.getDate())}`;
  const clock = `${two(t.getHours())}:${two(t.getMinutes())}`;
  if (step >= 60_000) return clock;
  if (step >= 1000) return `${clock}:${two(t.getSeconds())}`;
  return `${two(t.getSeconds())}.${String(t.getMilliseconds()).padStart(3, '0')}`;
}

/** How long something takes, in words short enough for a status bar: `80 ms`, `1.5 s`, `4 min`. */
export function formatShortSpan(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return NO_VALUE;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 100_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  if (ms < 6_000_000) return `${Math.round(ms / 60_000)} min`;
  return `${Math.round(ms / 3_600_000)} h`;
}
