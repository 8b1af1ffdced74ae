import { parseDuration } from '../../shared/duration.ts';
import { formatClock, formatDate } from '../format/time.ts';

const LOCAL = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,3}))?)?)?$/;
const CLOCK = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,3}))?)?$/;

/**
 * A time as people write it: `2026-11-20 08:15`, with seconds and thousandths if need be, `08:15` of today, `now`,
 * `now-2h`, `-30m`; with a zone as ISO 8601 has it, else local. Null: it is none. Milliseconds since the epoch.
 */
export function parseWhen(text: string, now: number): number | null {
  const trimmed = text.trim();
  if (/^now$/i.test(trimmed)) return now;
  const back = /^(?:now\s*)?[-−]\s*(.+)$/i.exec(trimmed);
  if (back) {
    const ms = parseDuration(back[1]!.replace(/\s+/g, ''));
    return ms === null ? null : now - ms;
  }
  const local = LOCAL.exec(trimmed) ?? clockOfToday(trimmed, now);
  if (local) return localTime(local.slice(1));
  if (!/^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:?\d{2})$/i.test(trimmed)) return null;
  const zoned = Date.parse(trimmed);
  return Number.isFinite(zoned) ? zoned : null;
}

function clockOfToday(text: string, now: number): RegExpExecArray | null {
  return CLOCK.test(text) ? LOCAL.exec(`${formatDate(now)} ${text}`) : null;
}

function localTime(parts: readonly (string | undefined)[]): number | null {
  const [year, month, day, hour, minute, second] = parts.map((part) => Number(part ?? 0)) as [number, ...number[]];
  const ms = Number((parts[6] ?? '0').padEnd(3, '0'));
  if (month! < 1 || month! > 12 || hour! > 24 || minute! > 59 || second! > 59) return null;
  const time = new Date(year, month! - 1, day, hour, minute, second, ms);
  // The 31st of a shorter month would be another day.
  return time.getDate() === day || hour === 24 ? time.getTime() : null;
}

/** As it can be written again: local, to the second, or to the thousandth where it is needed. */
export function writeWhen(ms: number): string {
  const rest = Math.round(ms) % 1000;
  return `${formatDate(ms)} ${formatClock(ms)}${rest === 0 ? '' : `.${String(rest).padStart(3, '0')}`}`;
}
