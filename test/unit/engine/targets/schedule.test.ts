import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backoff, BACKOFF_CAP, Schedule } from '../../../../src/engine/targets/schedule.ts';

interface Simulated {
  /** Times at which each target began, ms. */
  readonly began: Map<string, number[]>;
  readonly most: number;
}

/** Runs a schedule on a clock of its own: how long each scrape takes and whether it is good is the caller's. */
function simulate(
  schedule: Schedule,
  until: number,
  scrape: (id: string) => { readonly takes: number; readonly good: boolean },
  step = 10,
): Simulated {
  const began = new Map<string, number[]>();
  const running: { id: string; end: number; good: boolean }[] = [];
  let most = 0;
  for (let now = 0; now <= until; now += step) {
    for (let i = running.length - 1; i >= 0; i--) {
      const one = running[i]!;
      if (one.end > now) continue;
      running.splice(i, 1);
      schedule.finish(one.id, one.good, now);
    }
    for (const id of schedule.take(now)) {
      began.set(id, [...(began.get(id) ?? []), now]);
      const { takes, good } = scrape(id);
      running.push({ id, end: now + takes, good });
    }
    most = Math.max(most, running.length);
  }
  return { began, most };
}

describe('the schedule', () => {
  test('each target comes once per period, at its own offset, which a restart does not change', () => {
    const starts = [0, 1].map(() => {
      const schedule = new Schedule({ sideBySide: 100, start: 0 });
      for (let i = 0; i < 100; i++) schedule.add(`t${i}`, 1000, 0, false);
      return simulate(schedule, 10_000, () => ({ takes: 20, good: true })).began;
    });
    expect(starts[0]).toEqual(starts[1]);
    const offsets = new Set<number>();
    for (const times of starts[0]!.values()) {
      expect(times.length).toBeGreaterThanOrEqual(9);
      const gaps = times.slice(1).map((time, i) => time - times[i]!);
      for (const gap of gaps.slice(1)) expect(Math.abs(gap - 1000)).toBeLessThanOrEqual(10);
      offsets.add(times[1]! % 1000);
    }
    // Not all at once.
    expect(offsets.size).toBeGreaterThan(50);
  });

  test('one that somebody waits for begins at once', () => {
    const schedule = new Schedule({ sideBySide: 1, start: 0 });
    schedule.add('a', 3_600_000, 500, true);
    expect(schedule.take(500)).toEqual(['a']);
  });

  test('never two scrapes of one target at once; what passed meanwhile is left out', () => {
    const schedule = new Schedule({ sideBySide: 10, start: 0 });
    schedule.add('a', 250, 0, true);
    const { began, most } = simulate(schedule, 10_000, () => ({ takes: 1000, good: true }));
    expect(most).toBe(1);
    expect(began.get('a')!.length).toBeLessThanOrEqual(10);
  });

  test('no more side by side than the limit, whoever is due', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 60 }), (sideBySide, targets) => {
        const schedule = new Schedule({ sideBySide, start: 0 });
        for (let i = 0; i < targets; i++) schedule.add(`t${i}`, 1000, 0, i % 2 === 0);
        const { most } = simulate(schedule, 5000, (id) => ({ takes: 300, good: !id.endsWith('3') }), 50);
        expect(most).toBeLessThanOrEqual(sideBySide);
      }),
      { numRuns: 30 },
    );
  });

  test('a failing target is asked ever more seldom, up to the cap, with jitter; a good answer ends that', () => {
    for (const period of [250, 10_000, 3_600_000]) {
      const delays = Array.from({ length: 40 }, (_, i) => backoff('a', period, i + 1));
      for (const delay of delays) {
        expect(delay).toBeLessThanOrEqual(Math.max(period, BACKOFF_CAP));
        expect(delay).toBeGreaterThanOrEqual(0.8 * period);
      }
      expect(Math.max(...delays.slice(20))).toBeGreaterThan(0.8 * Math.max(period, BACKOFF_CAP));
      expect(new Set(delays.slice(20).map(Math.round)).size).toBeGreaterThan(10);
    }
    const schedule = new Schedule({ sideBySide: 10, start: 0 });
    schedule.add('a', 1000, 0, true);
    let n = 0;
    const { began } = simulate(schedule, 60_000, () => ({ takes: 10, good: ++n > 4 }));
    const gaps = began
      .get('a')!
      .slice(1)
      .map((time, i) => time - began.get('a')![i]!);
    expect(gaps[3]!).toBeGreaterThan(2 * gaps[0]!);
    expect(gaps.slice(6).every((gap) => gap === 1000)).toBe(true);
  });

  test(
    'a thousand targets of which three hundred hang until their timeout: the rest is on time',
    { timeout: 120_000 },
    () => {
      const schedule = new Schedule({ sideBySide: 200, start: 0 });
      for (let i = 0; i < 1000; i++) schedule.add(`t${i}`, 10_000, 0, false);
      const isDown = (id: string): boolean => Number(id.slice(1)) % 10 < 3;
      const { began, most } = simulate(schedule, 180_000, (id) =>
        isDown(id) ? { takes: 5000, good: false } : { takes: 50, good: true },
      );
      expect(most).toBeLessThanOrEqual(200);
      for (const [id, times] of began) {
        if (isDown(id)) continue;
        // From the second one on: each within its period, at its own time.
        const gaps = times.slice(2).map((time, i) => time - times[i + 1]!);
        expect(gaps.length).toBeGreaterThanOrEqual(14);
        for (const gap of gaps) expect(Math.abs(gap - 10_000)).toBeLessThanOrEqual(500);
      }
      expect([...began.keys()].filter((id) => !isDown(id))).toHaveLength(700);
      expect(schedule.late).toBe(0);
    },
  );

  test('removed while it runs: its place is free again, and what it comes to is nobody’s', () => {
    const schedule = new Schedule({ sideBySide: 1, start: 0 });
    schedule.add('a', 1000, 0, true);
    schedule.add('b', 1000, 0, true);
    expect(schedule.take(0)).toEqual(['a']);
    expect(schedule.take(1)).toEqual([]);
    schedule.remove('a');
    schedule.finish('a', true, 2);
    expect(schedule.take(3)).toEqual(['b']);
    expect(schedule.running).toBe(1);
  });

  test('says when there is something to do again', () => {
    const schedule = new Schedule({ sideBySide: 1, start: 0 });
    expect(schedule.next(0)).toBeNull();
    schedule.add('a', 1000, 0, true);
    expect(schedule.next(0)).toBe(0);
    schedule.take(0);
    expect(schedule.next(0)).toBeNull();
    schedule.finish('a', true, 5);
    const next = schedule.next(5)!;
    expect(next).toBeGreaterThan(5);
    expect(next).toBeLessThanOrEqual(1005);
    expect(schedule.take(next - 1)).toEqual([]);
    expect(schedule.take(next)).toEqual(['a']);
  });
});
