import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Sampler, type TickInfo } from '../../../../src/engine/live/sampler.ts';
import { Scope } from '../../../../src/engine/live/scope.ts';

const START = 1_800_000_000_000;
const PERIOD = 1000;

beforeEach(() => {
  vi.useFakeTimers({ now: START, toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

interface Rig {
  readonly sampler: Sampler;
  readonly ticks: TickInfo[];
  /** Seconds each sample was told. */
  readonly seconds: number[];
  /** Wall clock minus what the timers' time would make it. */
  wallOffset: number;
  /** The same for the monotonic clock. */
  monotonicOffset: number;
  /** What happens inside of the next sample. */
  inSample: () => void;
  readonly scope: Scope;
}

function rig(): Rig {
  const ticks: TickInfo[] = [];
  const seconds: number[] = [];
  const scope = new Scope('node/h', 'node');
  const self: Rig = {
    sampler: new Sampler({
      period: PERIOD,
      clock: { now: () => Date.now() + self.wallOffset, monotonic: () => performance.now() + self.monotonicOffset },
      sample(s) {
        seconds.push(s);
        self.inSample();
      },
      scopes: () => [scope],
      consume: (tick) => ticks.push(tick),
    }),
    ticks,
    seconds,
    wallOffset: 0,
    monotonicOffset: 0,
    inSample: () => undefined,
    scope,
  };
  return self;
}

const times = (ticks: readonly TickInfo[]): number[] => ticks.map((tick) => tick.time - START);

describe('a loop that does not look at its timers', () => {
  test('is asked to tick when a tick is due, and only then; the timers go on from there', () => {
    const { sampler, ticks } = rig();
    sampler.poll();
    expect(ticks).toHaveLength(0);
    sampler.start();
    for (const [by, count] of [
      [0, 1],
      [PERIOD - 1, 1],
      [PERIOD, 2],
      [PERIOD + 5, 2],
      [2 * PERIOD, 3],
    ] as const) {
      // The time passes, no timer fires.
      vi.setSystemTime(START + by);
      vi.spyOn(performance, 'now').mockReturnValue(by);
      sampler.poll();
      sampler.poll();
      expect(ticks).toHaveLength(count);
      expect(vi.getTimerCount()).toBe(1);
    }
    expect(sampler.status.late).toBe(0);
    vi.restoreAllMocks();
    sampler.stop();
    sampler.poll();
    expect(ticks).toHaveLength(3);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('the clock', () => {
  test('ticks at once and then once per period', () => {
    const { sampler, ticks, seconds } = rig();
    sampler.start();
    vi.advanceTimersByTime(3 * PERIOD);
    expect(times(ticks)).toEqual([0, 1000, 2000, 3000]);
    expect(ticks.map((t) => t.interval)).toEqual([0, 1000, 1000, 1000]);
    expect(ticks.map((t) => t.sequence)).toEqual([0, 1, 2, 3]);
    expect(ticks.slice(1).every((t) => !t.gap)).toBe(true);
    expect(seconds).toEqual([0, 1, 1, 1]);
    expect(sampler.status).toMatchObject({ ticks: 4, late: 0 });
    sampler.stop();
    vi.advanceTimersByTime(10 * PERIOD);
    expect(ticks).toHaveLength(4);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a tick that takes long delays the next one to the next multiple: never two at once, none caught up', () => {
    const r = rig();
    let running = 0;
    let most = 0;
    r.sampler.start();
    r.inSample = () => {
      most = Math.max(most, ++running);
      r.monotonicOffset += 2300;
      r.wallOffset += 2300;
      running--;
    };
    vi.advanceTimersByTime(PERIOD);
    r.inSample = () => undefined;
    expect(r.sampler.status).toMatchObject({ ticks: 2, lastMs: 2300 });
    vi.advanceTimersByTime(2 * PERIOD);
    expect(times(r.ticks)).toEqual([0, 1000, 4000, 5000]);
    expect(r.ticks.map((t) => t.interval)).toEqual([0, 1000, 3000, 1000]);
    expect(r.ticks.map((t) => t.gap).slice(1)).toEqual([false, false, false]);
    expect(r.ticks.map((t) => t.sequence)).toEqual([0, 1, 2, 3]);
    expect(most).toBe(1);
    r.sampler.stop();
  });

  test('a tick that comes late is a longer interval and counted, what was missed is left out', () => {
    const r = rig();
    r.sampler.start();
    vi.advanceTimersByTime(PERIOD);
    // The process stood still: wall and monotonic clock went on together.
    r.wallOffset += 3700;
    r.monotonicOffset += 3700;
    vi.advanceTimersByTime(PERIOD);
    expect(times(r.ticks)).toEqual([0, 1000, 5700]);
    expect(r.ticks[2]).toMatchObject({ interval: 4700, gap: false });
    expect(r.seconds.at(-1)).toBe(4.7);
    expect(r.sampler.status.late).toBe(1);
    vi.advanceTimersByTime(300);
    // In step with the period again.
    expect(times(r.ticks)).toEqual([0, 1000, 5700, 6000]);
    expect(r.sampler.status.late).toBe(1);
    r.sampler.stop();
  });

  test('half a period is not late yet', () => {
    const r = rig();
    r.sampler.start();
    r.wallOffset += 499;
    r.monotonicOffset += 499;
    vi.advanceTimersByTime(PERIOD);
    expect(r.sampler.status.late).toBe(0);
    r.sampler.stop();
  });
});

describe('a wall clock that does not follow', () => {
  test('a suspended machine leaves a gap, not a long interval', () => {
    const r = rig();
    r.sampler.start();
    vi.advanceTimersByTime(PERIOD);
    r.wallOffset += 3_600_000;
    vi.advanceTimersByTime(2 * PERIOD);
    expect(times(r.ticks)).toEqual([0, 1000, 3_602_000, 3_603_000]);
    expect(r.ticks.map((t) => t.interval)).toEqual([0, 1000, 1000, 1000]);
    expect(r.ticks.map((t) => t.gap).slice(1)).toEqual([false, true, false]);
    r.sampler.stop();
  });

  test('set back by an hour it is believed, with a gap', () => {
    const r = rig();
    r.sampler.start();
    vi.advanceTimersByTime(PERIOD);
    r.wallOffset -= 3_600_000;
    vi.advanceTimersByTime(2 * PERIOD);
    expect(times(r.ticks)).toEqual([0, 1000, -3_598_000, -3_597_000]);
    expect(r.ticks.map((t) => t.gap).slice(1)).toEqual([false, true, false]);
    r.sampler.stop();
  });

  test('set back a little it is waited for: times only grow', () => {
    const r = rig();
    r.sampler.start();
    vi.advanceTimersByTime(2 * PERIOD);
    r.wallOffset -= 1500;
    vi.advanceTimersByTime(3 * PERIOD);
    expect(times(r.ticks)).toEqual([0, 1000, 2000, 2001, 2500, 3500]);
    expect(r.ticks.slice(1).some((t) => t.gap)).toBe(false);
    r.sampler.stop();
  });

  test('standing still it never gives the same time twice', () => {
    const r = rig();
    r.sampler.start();
    for (let i = 0; i < 5; i++) r.sampler.sampleNow();
    expect(times(r.ticks)).toEqual([0, 1, 2, 3, 4, 5]);
    r.wallOffset -= 5000;
    r.sampler.sampleNow();
    r.sampler.sampleNow();
    expect(times(r.ticks).slice(6)).toEqual([-5000, -4999]);
    r.sampler.stop();
  });

  test('set back by just as much as went by, it does not repeat the last time', () => {
    const r = rig();
    r.sampler.start();
    r.wallOffset -= PERIOD;
    r.monotonicOffset += 3000;
    vi.advanceTimersByTime(PERIOD);
    expect(times(r.ticks)).toEqual([0, 1]);
    expect(r.ticks[1]).toMatchObject({ interval: 4000, gap: true });
    r.sampler.stop();
  });
});

describe('what a tick hands on', () => {
  test('only what changed since the one before, with its time', () => {
    const r = rig();
    const seen: number[][] = [];
    const { scope } = r;
    for (const name of ['a', 'b']) scope.register(name, '', 'counter');
    const sampler = new Sampler({
      period: PERIOD,
      clock: { now: () => Date.now(), monotonic: () => performance.now() },
      sample: () => undefined,
      scopes: () => [scope],
      consume: () =>
        seen.push(
          [scope.counterBits[0]!, ...scope.counterChanged.subarray(0, 2)].map((n) => (n > START / 2 ? n - START : n)),
        ),
    });
    sampler.start();
    scope.increase(1, 1);
    vi.advanceTimersByTime(2 * PERIOD);
    expect(seen).toEqual([
      [0b11, 0, 0],
      [0b10, 0, 1000],
      [0b00, 0, 1000],
    ]);
    sampler.stop();
  });

  test('a scope that begins and ends between two ticks has frames of its own, in sequence', () => {
    const r = rig();
    r.sampler.start();
    vi.advanceTimersByTime(PERIOD);
    vi.advanceTimersByTime(300);
    r.sampler.betweenTicks(new Scope('run/a', 'run'));
    r.sampler.betweenTicks(new Scope('run/b', 'run'));
    vi.advanceTimersByTime(700);
    vi.advanceTimersByTime(200);
    r.sampler.closeScope(new Scope('run/a', 'run'));
    vi.advanceTimersByTime(800);
    expect(times(r.ticks)).toEqual([0, 1000, 1300, 1300, 2000, 2200, 3000]);
    expect(r.ticks.map((t) => t.sequence)).toEqual([0, 1, 1, 1, 2, 3, 3]);
    expect(r.ticks.map((t) => t.interval)).toEqual([0, 1000, 300, 300, 1000, 200, 1000]);
    expect(r.ticks.map((t) => t.gap).slice(1)).toEqual([false, false, false, false, false, false]);
    r.sampler.stop();
  });
});
