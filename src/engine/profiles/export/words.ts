/** Numbers, times and names as a report has them. */

import type { Unit } from '../../../shared/model/naming.ts';
import type { SeriesValue } from '../../../shared/api/series.ts';

const DIGITS = 3;
const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;
const DECIMAL = ['', 'k', 'M', 'G', 'T'] as const;

const digits = (value: number): string => {
  const short = value.toPrecision(DIGITS);
  // 1.50e+12 is for programs; trailing zeros are for nobody.
  return short.includes('e') ? String(Number(short)) : short.includes('.') ? short.replace(/\.?0+$/, '') : short;
};

function scaled(value: number, base: number, names: readonly string[]): [text: string, name: string] {
  let rest = value;
  let step = 0;
  for (; Math.abs(rest) >= base && step < names.length - 1; step++) rest /= base;
  return [digits(rest), names[step]!];
}

export function duration(seconds: number): string {
  const abs = Math.abs(seconds);
  if (abs === 0) return '0 s';
  if (abs < 1e-3) return `${digits(seconds * 1e6)} µs`;
  if (abs < 1) return `${digits(seconds * 1e3)} ms`;
  if (abs < 120) return `${digits(seconds)} s`;
  const [hours, minutes] = [Math.floor(abs / 3600), Math.floor((abs % 3600) / 60)];
  const rest = hours > 0 ? `${hours} h ${minutes} min` : `${minutes} min ${Math.round(abs % 60)} s`;
  return seconds < 0 ? `-${rest}` : rest;
}

/** `per`: of a rate, per second. */
export function amount(value: number | null, unit: Unit, per = false): string {
  if (value === null || !Number.isFinite(value)) return '–';
  if (unit === 's' && per) return `${digits(value)} s/s`;
  if (unit === 's') return duration(value);
  if (unit === 'B' || unit === 'B/s') {
    const [text, name] = scaled(value, 1024, BINARY);
    return `${text} ${name}${per || unit === 'B/s' ? '/s' : ''}`;
  }
  if (unit === 'ratio') return digits(value);
  const [text, prefix] = scaled(value, 1000, DECIMAL);
  const name = unit === '1' ? '' : unit;
  const tail = `${prefix}${name}${per ? '/s' : ''}`;
  return tail === '' ? text : `${text} ${tail}`;
}

/** 2026-11-21 08:15:03 UTC */
export const moment = (time: number): string =>
  time > 0 ? `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')} UTC` : 'not known';

/** `MPI Send, time`; labels as they are. */
export function seriesName({ group, operation, quantity, labels }: SeriesValue): string {
  const own = Object.entries(labels).map(([name, value]) => `${name}=${value}`);
  const words = `${group === 'Program' ? '' : `${group} `}${operation}`;
  return `${words}${own.length === 0 ? '' : ` (${own.join(', ')})`}, ${quantity}`;
}
