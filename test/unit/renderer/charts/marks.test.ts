import { describe, expect, test } from 'vitest';
import { levelsOf, markSpans, marksOf, type AlarmMark } from '../../../../src/renderer/charts/marks.ts';
import type { Alarm, AlarmEvent, AlarmState } from '../../../../src/shared/api/alarms.ts';
import type { PanelSpec } from '../../../../src/renderer/charts/panels.ts';

let number = 0;
const event = (time: number, was: AlarmState, state: AlarmState, alarm = 'a'): AlarmEvent => ({
  ...{ number: ++number, time, kind: 'state', alarm, rule: 'r', name: 'n', severity: 'warning', scope: 'node/n' },
  ...{ place: 'n', metric: 'm', was, state, value: 5, threshold: 3, note: '' },
});
const firing = (fired: number, alarm = 'a'): Alarm =>
  ({
    ...{ id: alarm, rule: 'r', name: 'n', state: 'firing', severity: 'warning', scope: 'node/n', metric: 'm' },
    ...{ threshold: 3, fired, since: fired },
  }) as Alarm;
const spans = (events: AlarmEvent[], active: Alarm[] = []) =>
  [...markSpans(events, active, new Map([['r', 'value']]), 0).values()].flat().map(({ from, to }) => [from, to]);

describe('marks of alarms', () => {
  test('reach from when it fired to when it did no more', () => {
    const events = [event(10, 'inactive', 'pending'), event(20, 'pending', 'firing'), event(30, 'firing', 'resolved')];
    expect(spans(events.toReversed())).toEqual([[20, 30]]);
    expect(spans([...events, event(40, 'inactive', 'firing')], [firing(40)])).toEqual([
      [20, 30],
      [40, null],
    ]);
  });

  test('what began before what is known began then, and what fires is not in the events yet', () => {
    expect(spans([event(30, 'firing', 'resolved')])).toEqual([[0, 30]]);
    expect(spans([], [firing(25)])).toEqual([[25, null]]);
    expect(spans([event(5, 'firing', 'firing')], [])).toEqual([]);
  });

  test('belong to the series of a panel', () => {
    const index = markSpans([], [firing(1)], new Map(), 0);
    const panel = (scope: string, key: string) => ({ scope, series: [{ key }] }) as unknown as PanelSpec;
    expect(marksOf(index, panel('node/n', 'm'))).toHaveLength(1);
    expect(marksOf(index, panel('node/n', 'other'))).toEqual([]);
    expect(marksOf(index, panel('node/x', 'm'))).toEqual([]);
  });

  test('a threshold stands on a plot of what it is compared with only', () => {
    const mark = (measure: AlarmMark['measure']) => ({ threshold: 3, measure, severity: 'info' }) as AlarmMark;
    const shows = { perSecond: false, totals: false };
    expect(levelsOf([mark('value'), mark('avg')], shows)).toEqual([{ value: 3, severity: 'info' }]);
    expect(levelsOf([mark('rate'), mark('increase'), mark('ratio'), mark(null)], shows)).toEqual([]);
    expect(levelsOf([mark('rate')], { perSecond: true, totals: false })).toHaveLength(1);
  });
});
