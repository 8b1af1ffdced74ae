import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isOpen, windowAt } from '../../../../src/engine/alarms/silence-windows.ts';
import { Silences } from '../../../../src/engine/alarms/silences.ts';
import { SilenceSettings, type SilenceSettingsInput } from '../../../../src/shared/api/silences.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** A local time, such as 2026-03-02 22:00. */
const at = (text: string): number => new Date(text.replace(' ', 'T')).getTime();

let zone: string | undefined;
beforeEach(() => {
  zone = process.env['TZ'];
  process.env['TZ'] = 'Europe/Berlin';
});
afterEach(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

const NIGHTS = { days: [0, 1, 2, 3, 4, 5, 6], from: '22:00', lasts: 8 * HOUR };

describe('windows', () => {
  test('of a silence that does not come back', () => {
    const once = { from: 1000, to: 2000, recurring: null };
    expect(windowAt(once, 0)).toEqual({ from: 1000, to: 2000 });
    expect(windowAt(once, 1999)).toEqual({ from: 1000, to: 2000 });
    expect(windowAt(once, 2000)).toBeNull();
  });

  test('each night, over midnight; the one that is open or else the next', () => {
    const nights = { from: at('2026-03-02 12:00'), to: null, recurring: NIGHTS };
    const first = { from: at('2026-03-02 22:00'), to: at('2026-03-03 06:00') };
    expect(windowAt(nights, at('2026-03-01 23:00'))).toEqual(first);
    expect(windowAt(nights, at('2026-03-02 21:59'))).toEqual(first);
    expect(windowAt(nights, at('2026-03-03 05:59'))).toEqual(first);
    expect(windowAt(nights, at('2026-03-03 06:00'))).toEqual({
      from: at('2026-03-03 22:00'),
      to: at('2026-03-04 06:00'),
    });
  });

  test('a window is cut to the silence', () => {
    const from = at('2026-03-02 23:00');
    const nights = { from, to: at('2026-03-03 02:00'), recurring: NIGHTS };
    expect(windowAt(nights, from)).toEqual({ from, to: at('2026-03-03 02:00') });
    expect(windowAt(nights, at('2026-03-03 02:00'))).toBeNull();
    // Its end comes before its next window.
    const weekly = { from, to: from + DAY, recurring: { days: [6], from: '22:00', lasts: HOUR } };
    expect(windowAt(weekly, from)).toBeNull();
  });

  test('on some days: from Friday for a weekend', () => {
    const weekend = { from: 0, to: null, recurring: { days: [5], from: '18:00', lasts: 62 * HOUR } };
    const window = { from: at('2026-03-06 18:00'), to: at('2026-03-09 08:00') };
    expect(windowAt(weekend, at('2026-03-05 10:00'))).toEqual(window);
    expect(windowAt(weekend, at('2026-03-08 10:00'))).toEqual(window);
    expect(windowAt(weekend, at('2026-03-09 08:00'))!.from).toBe(at('2026-03-13 18:00'));
  });

  test('on days on which the clocks change it begins by the clock on the wall', () => {
    const nights = { from: 0, to: null, recurring: { ...NIGHTS, from: '04:00', lasts: HOUR } };
    // 23 hours, then 25 hours later.
    expect(windowAt(nights, at('2026-03-29 01:00'))!.from).toBe(at('2026-03-29 04:00'));
    expect(at('2026-03-29 04:00') - at('2026-03-28 04:00')).toBe(23 * HOUR);
    expect(windowAt(nights, at('2026-10-25 01:00'))!.from).toBe(at('2026-10-25 04:00'));
  });

  test('whatever the time: a window that is open holds it, another one is to come', () => {
    const recurring = fc.record({
      days: fc.uniqueArray(fc.integer({ min: 0, max: 6 }), { minLength: 1 }),
      from: fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 })).map(([h, m]) => {
        return `${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`;
      }),
      lasts: fc.integer({ min: 60_000, max: 7 * DAY }),
    });
    fc.assert(
      fc.property(recurring, fc.integer({ min: 0, max: 20_000 * DAY }), (given, time) => {
        const window = windowAt({ from: 0, to: null, recurring: given }, time)!;
        expect(window.to).toBeGreaterThan(time);
        expect(window.to - window.from).toBeLessThanOrEqual(given.lasts);
        expect(window.from - time).toBeLessThanOrEqual(8 * DAY);
        if (isOpen(window, time)) return;
        // Nothing is open in between.
        const between = Math.floor((time + window.from) / 2);
        expect(isOpen(windowAt({ from: 0, to: null, recurring: given }, between), between)).toBe(false);
      }),
    );
  });
});

const settings = (given: Partial<SilenceSettingsInput>): SilenceSettings =>
  SilenceSettings.parse({
    ...{ matchers: [{ label: 'alarmname', op: '=', value: 'x' }], from: 0, to: 10 * HOUR },
    ...given,
  });

describe('silences', () => {
  test('hit by all their matchers together; a label that is not there is an empty text', () => {
    const silences = new Silences();
    const given = [
      { label: 'alarmname', op: '=~', value: 'disk.*' },
      { label: 'team', op: '!=', value: 'a' },
      { label: 'rack', op: '!~', value: 'r[12]' },
    ] as const;
    const { id } = silences.add(settings({ matchers: [...given] }), 'me', 0);
    silences.look(1);
    expect(silences.hitting({ alarmname: 'disk full' })).toEqual([id]);
    expect(silences.hitting({ alarmname: 'a disk' })).toEqual([]);
    expect(silences.hitting({ alarmname: 'disk', team: 'a' })).toEqual([]);
    expect(silences.hitting({ alarmname: 'disk', rack: 'r2' })).toEqual([]);
    expect(silences.hitting({ alarmname: 'disk', rack: 'r3', team: 'b' })).toEqual([id]);
    expect(silences.hitting({ team: 'b' })).toEqual([]);
  });

  test('open and end by the clock, also when it is set back', () => {
    const silences = new Silences();
    const { id } = silences.add(settings({ from: HOUR, to: 2 * HOUR }), 'me', 0);
    expect(silences.look(0)).toEqual({ changed: false, forgotten: [] });
    expect(silences.hitting({ alarmname: 'x' })).toEqual([]);
    expect(silences.look(HOUR - 1).changed).toBe(false);
    expect(silences.look(HOUR).changed).toBe(true);
    expect(silences.hitting({ alarmname: 'x' })).toEqual([id]);
    expect(silences.look(HOUR + 1).changed).toBe(false);
    expect(silences.look(HOUR - 1).changed).toBe(true);
    expect(silences.hitting({ alarmname: 'x' })).toEqual([]);
    expect(silences.look(HOUR).changed).toBe(true);
    expect(silences.look(2 * HOUR).changed).toBe(true);
    expect(silences.describe(id, 2 * HOUR, 0)).toMatchObject({ state: 'ended', window: null });
  });

  test('windows of a recurring one open and end one after another', () => {
    const silences = new Silences();
    const from = at('2026-03-02 00:00');
    silences.add(settings({ from, to: null, recurring: { days: [1, 3], from: '22:00', lasts: '2h' } }), 'me', from);
    const opened: number[] = [];
    let open = false;
    for (let time = from; time < from + 7 * DAY; time += HOUR) {
      silences.look(time);
      const now = silences.hitting({ alarmname: 'x' }).length > 0;
      if (now && !open) opened.push(time);
      open = now;
    }
    expect(opened).toEqual([at('2026-03-02 22:00'), at('2026-03-04 22:00')]);
  });

  test('that one ends soon is said in its last tenth or quarter of an hour, while it hits something', () => {
    const silences = new Silences();
    const long = silences.add(settings({ from: 0, to: 100 * HOUR }), 'me', 0).id;
    const short = silences.add(settings({ from: 0, to: HOUR }), 'me', 0).id;
    silences.look(1);
    const soon = (id: string, time: number, hits = 1): boolean => silences.describe(id, time, hits).ends_soon;
    expect([soon(long, 89 * HOUR), soon(long, 90 * HOUR), soon(long, 90 * HOUR, 0)]).toEqual([false, true, false]);
    expect([soon(short, 0.7 * HOUR), soon(short, 0.75 * HOUR)]).toEqual([false, true]);
    expect(soon(short, 2 * HOUR)).toBe(false);
  });

  test('ended ones stay for five days, in a list that begins with what is active', () => {
    const silences = new Silences();
    const active = silences.add(settings({ from: 0, to: 9 * DAY }), 'me', 0).id;
    const waiting = silences.add(settings({ from: 8 * DAY, to: 9 * DAY }), 'me', 1).id;
    const ended = silences.add(settings({ from: 0, to: DAY }), 'me', 2).id;
    silences.look(DAY);
    expect(silences.list(DAY, new Map()).map(({ id }) => id)).toEqual([active, waiting, ended]);
    expect(silences.look(6 * DAY - 1).forgotten).toEqual([]);
    expect(silences.look(6 * DAY).forgotten).toEqual([ended]);
    expect(silences.list(6 * DAY, new Map())).toHaveLength(2);
    // Ended by hand, before it began.
    silences.end(waiting, 6 * DAY);
    silences.look(6 * DAY);
    expect(silences.describe(waiting, 6 * DAY, 0).state).toBe('ended');
  });

  test.each([
    [[{ label: 'a', op: '=~', value: '((' }]],
    [[{ label: 'a', op: '=~', value: 'x'.repeat(1001) }]],
    [[{ label: 'a', op: '=~', value: '(.{99}){60}' }]],
  ] as const)('a pattern that cannot be used is refused in words', (matchers) => {
    expect(() => new Silences().add(settings({ matchers: [...matchers] }), 'me', 0)).toThrow(/^matchers: /);
  });

  test('one that would have ended already is refused', () => {
    expect(() => new Silences().add(settings({ to: 5 }), 'me', 5)).toThrow(/ended already/);
  });

  test('what was kept comes back; what cannot be read is left out', () => {
    const silences = new Silences();
    const record = silences.add(
      settings({ recurring: { days: [0, 1, 2, 3, 4, 5, 6], from: '10:00', lasts: '90m' } }),
      'me',
      0,
    );
    const kept = new Map<string, unknown>([
      [record.id, JSON.parse(JSON.stringify(record))],
      ['bad', { id: 'bad' }],
      ['worse', { ...record, id: 'worse', matchers: [{ label: 'a', op: '=~', value: '((' }] }],
    ]);
    const again = new Silences();
    again.load(kept, 0);
    expect(again.list(0, new Map())).toEqual(silences.list(0, new Map()));
  });
});
