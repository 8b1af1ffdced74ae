/** Making checks: one function per level, so that a check that needs nothing cannot carry advice, and no other lacks it. */

import type { Check, CheckArea, Diagnosis } from '../../shared/api/diagnosis.ts';

export const ok = (area: CheckArea, id: string, found: string): Check => ({
  id,
  area,
  level: 'ok',
  found,
  advice: null,
});
export const warning = (area: CheckArea, id: string, found: string, advice: string): Check => ({
  id,
  area,
  level: 'warning',
  found,
  advice,
});
export const problem = (area: CheckArea, id: string, found: string, advice: string): Check => ({
  id,
  area,
  level: 'problem',
  found,
  advice,
});

export function diagnosisOf(time: number, checks: readonly Check[]): Diagnosis {
  const level = checks.some((check) => check.level === 'problem')
    ? 'problem'
    : checks.some((check) => check.level === 'warning')
      ? 'warning'
      : 'ok';
  return { time, level, checks: [...checks] };
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Bytes for people: `3.2 GiB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]!}`;
}
