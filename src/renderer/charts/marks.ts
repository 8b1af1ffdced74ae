/** Where alarms fired, as plots show it. Pure functions. */

import type { Alarm, AlarmEvent, Measure, Severity } from '../../shared/api/alarms.ts';
import type { PanelSpec } from './panels.ts';

export interface AlarmMark {
  readonly alarm: string;
  readonly rule: string;
  readonly name: string;
  readonly severity: Severity;
  readonly scope: string;
  readonly metric: string;
  /** When it fired, ms since the epoch; `to` is null while it does. */
  readonly from: number;
  readonly to: number | null;
  readonly threshold: number | null;
  /** What was compared; null: the rule is gone. */
  readonly measure: Measure['kind'] | null;
}

/** By `SCOPE\nKEY`. */
export type MarkIndex = ReadonlyMap<string, readonly AlarmMark[]>;

export const NO_MARKS: MarkIndex = new Map();

const placeOf = (scope: string, metric: string): string => `${scope}\n${metric}`;

/** Those of a panel's series, drawn or not, in the order in which they began. */
export function marksOf(index: MarkIndex, panel: Pick<PanelSpec, 'scope' | 'series'>): AlarmMark[] {
  if (index.size === 0) return [];
  return panel.series
    .flatMap((series) => index.get(placeOf(panel.scope, series.key)) ?? [])
    .sort((a, b) => a.from - b.from);
}

/**
 * Spans in which alarms fired, from what happened and from what fires now.
 *
 * @param events In any order.
 * @param from Where what is known begins: what fired then began before it.
 */
export function markSpans(
  events: readonly AlarmEvent[],
  active: Iterable<Alarm>,
  measures: ReadonlyMap<string, Measure['kind']>,
  from: number,
): MarkIndex {
  const marks = new Map<string, AlarmMark>();
  const done: AlarmMark[] = [];
  for (const event of [...events].sort((a, b) => a.time - b.time || a.number - b.number)) {
    if (event.kind !== 'state' || event.was === event.state) continue;
    const { alarm, rule, name, severity, scope, metric, threshold, time } = event;
    const known = marks.get(alarm);
    const measure = measures.get(rule) ?? null;
    const mark = { alarm, rule, name, severity, scope, metric, threshold, measure };
    if (event.state === 'firing') {
      if (!known) marks.set(alarm, { ...mark, from: time, to: null });
    } else if (event.was === 'firing') {
      done.push({ ...(known ?? { ...mark, from }), to: time });
      marks.delete(alarm);
    }
  }
  const firing = new Map<string, AlarmMark>();
  for (const one of active) {
    if (one.state !== 'firing') continue;
    const { id: alarm, rule, name, severity, scope, metric, threshold, fired, since } = one;
    const measure = measures.get(rule) ?? null;
    firing.set(alarm, {
      ...{ alarm, rule, name, severity, scope, metric, threshold, measure },
      from: fired ?? since,
      to: null,
    });
  }
  const index = new Map<string, AlarmMark[]>();
  for (const mark of [...done, ...firing.values()]) {
    const place = placeOf(mark.scope, mark.metric);
    const list = index.get(place);
    if (list) list.push(mark);
    else index.set(place, [mark]);
  }
  return index;
}

/** Thresholds that stand on a plot's own scale: of what it shows, not of a sum over an hour. */
export function levelsOf(
  marks: readonly AlarmMark[],
  { perSecond, totals }: { perSecond: boolean; totals: boolean },
): { readonly value: number; readonly severity: Severity }[] {
  const levels = new Map<number, Severity>();
  for (const { threshold, measure, severity } of marks) {
    if (threshold === null || measure === null || measure === 'absent' || measure === 'ratio') continue;
    const isRate = measure === 'rate';
    if (measure === 'increase' || isRate !== perSecond || (isRate && totals)) continue;
    levels.set(threshold, severity);
  }
  return [...levels].map(([value, severity]) => ({ value, severity }));
}
