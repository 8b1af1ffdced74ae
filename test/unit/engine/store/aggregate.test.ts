import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RangeBuilder } from '../../../../src/engine/store/aggregate.ts';
import { toRangeResult } from '../../../../src/engine/store/range-result.ts';
import { chooseTargets, niceStep, pointLimit } from '../../../../src/engine/store/range-plan.ts';
import type { RangeResult } from '../../../../src/shared/api/query.ts';
import type { SeriesDef } from '../../../../src/shared/model/series.ts';
import { def } from './support.ts';

interface Sample {
  time: number;
  gap: boolean;
  /** NaN: the series was not sampled. */
  counter: number;
  hits: number;
  total: number;
}

const SCHEMA: SeriesDef[] = [def('counter', 0, 'c'), def('gauge', 0, 'g')];

/** All samples; those before `from` serve as base. */
function build(samples: Sample[], from: number, to: number, maxPoints: number, keys: string[] = []): RangeResult {
  const targets = chooseTargets([SCHEMA], { series: keys });
  const inside = samples.filter(({ time }) => time >= from && time <= to);
  const limit = pointLimit(maxPoints, targets.length);
  const range = new RangeBuilder({ scope: 's', from, to, limit, samples: inside.length, targets });
  // Wide buckets are whole ones: what belongs to them lies a little outside the range.
  const { origin, end } = range.grid;
  range.bind(SCHEMA);
  const columns = ({ counter, hits, total }: Sample) => ({
    counterCount: 1,
    gaugeCount: 1,
    counters: Float64Array.of(counter),
    gauges: Float64Array.of(0, 0, hits, total),
  });
  const base = samples.findLast(({ time }) => time < origin);
  if (base) range.base(base.time, false, columns(base));
  for (const sample of samples.filter(({ time }) => time >= origin && time <= end))
    range.add(sample.time, sample.gap, columns(sample));
  return toRangeResult(range.finish());
}

/** The same, said as plainly as possible. */
function naive(samples: Sample[], from: number, to: number, step: number, points: number[]) {
  const base = samples.findLast(({ time }) => time < from);
  const inside = samples.filter(({ time }) => time >= from && time <= to);
  const within = (time: number): number => {
    const raw = step === 0 ? points.indexOf(time) : Math.floor((time - from) / step);
    return raw >= 0 && raw < points.length ? raw : -1;
  };
  /** What a counter grew by, in which bucket, over how long; and which totals it had there, in order. */
  const rates: { bucket: number; increase: number; seconds: number }[] = [];
  const lasts: { bucket: number; total: number }[] = [];
  /** Rates that min and max know beside those of each interval. */
  const extremes: { bucket: number; rate: number }[] = [];
  const isWhole = step > 0 && step % 60_000 === 0;
  /** The last interval that stands for itself, and what is joined to it. */
  let group: { first: (typeof rates)[number]; length: number; joined: number; increase: number } | null = null;
  let known = base && !Number.isNaN(base.counter) ? base : null;
  let before = base;
  for (const sample of inside) {
    if (sample.gap) known = group = null;
    const { time, counter } = sample;
    if (!Number.isNaN(counter)) {
      const increase = known ? (counter < known.counter ? counter : counter - known.counter) : 0;
      const seconds = known ? (time - known.time) / 1000 : 0;
      const bucket = within(time);
      if (known && known === before && group && 4 * (group.joined + seconds) < group.length) {
        group.joined += seconds;
        group.increase += increase;
        const rate = group.increase / (group.length + group.joined);
        rates.push({ bucket, increase: rate * seconds, seconds });
        extremes.push({ bucket: group.first.bucket, rate: group.first.increase / group.length });
        group.first.increase += increase - rate * seconds;
      } else if (known && known === before) {
        const first = { bucket, increase, seconds };
        rates.push(first);
        group = isWhole ? null : { first, length: seconds, joined: 0, increase };
      } else if (known) {
        group = null;
        // Every bucket, or every sample, between the two gets its share.
        const cuts = step === 0 ? points.filter((t) => t > known!.time && t <= time) : points;
        for (const start of cuts) {
          const end = step === 0 ? start : Math.min(time, start + step);
          const ms = step === 0 ? 1 : end - Math.max(known.time, start);
          if (ms <= 0) continue;
          const share = (increase / seconds) * (ms / 1000);
          rates.push({ bucket: points.indexOf(start), increase: share, seconds: ms / 1000 });
          const total = counter - increase + (increase / seconds) * ((end - known.time) / 1000);
          lasts.push({ bucket: points.indexOf(start), total });
        }
      }
      lasts.push({ bucket: within(time), total: counter });
      known = sample;
    }
    before = sample;
  }
  const buckets = points.map((start) =>
    inside.filter(({ time }) => (step === 0 ? time === start : time >= start && time < start + step)),
  );
  const least = (values: number[]) => (values.length ? Math.min(...values) : null);
  const most = (values: number[]) => (values.length ? Math.max(...values) : null);
  const counter = points.map((_, n) => {
    const here = rates.filter(({ bucket }) => bucket === n);
    const more = step === 0 ? [] : extremes.filter(({ bucket }) => bucket === n);
    const each = [...here.map(({ increase, seconds }) => increase / seconds), ...more.map(({ rate }) => rate)];
    const seconds = here.reduce((sum, rate) => sum + rate.seconds, 0);
    const increase = here.reduce((sum, rate) => sum + rate.increase, 0);
    return {
      min: least(each),
      max: most(each),
      avg: seconds > 0 ? increase / seconds : null,
      ...{ seconds, increase },
      last: lasts.findLast(({ bucket }) => bucket === n)?.total ?? null,
    };
  });
  // Whole minutes: one of which only a moment was observed has the mean of it and of the one before.
  let [first, joined, all] = [0, 0, counter[0]?.increase ?? 0];
  for (const [n, here] of isWhole ? counter.entries() : []) {
    const whole = counter[first]!;
    if (n > 0 && whole.seconds > 0 && here.seconds > 0 && 4 * (joined + 60 * here.seconds) < whole.seconds) {
      joined += here.seconds;
      all += here.increase;
      const rate = all / (whole.seconds + joined);
      whole.increase += here.increase - rate * here.seconds;
      here.min = here.max = here.avg = rate;
      whole.avg = whole.increase / whole.seconds;
      [whole.min, whole.max] = [Math.min(whole.min!, whole.avg), Math.max(whole.max!, whole.avg)];
    } else [first, joined, all] = [n, 0, here.increase];
  }
  const gauge = buckets.map((bucket) => {
    const values = bucket.flatMap(({ hits, total }) => (hits > 0 ? [total / hits] : []));
    const avg = values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : null;
    return { min: least(values), max: most(values), avg, last: values.at(-1) ?? null };
  });
  return [counter, gauge];
}

const sample = fc.record({
  wait: fc.integer({ min: 1, max: 20_000 }),
  gap: fc.boolean(),
  counter: fc.oneof({ weight: 9, arbitrary: fc.integer({ min: 0, max: 1_000_000 }) }, fc.constant(NaN)),
  hits: fc.integer({ min: 0, max: 3 }),
  total: fc.integer({ min: -1000, max: 1000 }),
});

function expectClose(got: (number | null)[], wanted: (number | null)[]): void {
  expect(got.map((value) => value === null)).toEqual(wanted.map((value) => value === null));
  got.forEach((value, i) => {
    if (value !== null) expect(value).toBeCloseTo(wanted[i]!, 6);
  });
}

test('buckets equal a naive reference', () => {
  fc.assert(
    fc.property(
      fc.array(sample, { maxLength: 60 }),
      fc.integer({ min: 0, max: 200_000 }),
      fc.integer({ min: 0, max: 600_000 }),
      fc.integer({ min: 2, max: 80 }),
      (drawn, from, span, maxPoints) => {
        let time = 1;
        const samples = drawn.map(({ wait, ...rest }) => ({ ...rest, time: (time += wait) }));
        const to = from + span;
        const result = build(samples, from, to, maxPoints);
        const inside = samples.filter((each) => each.time >= from && each.time <= to);
        expect(result.times.length).toBeLessThanOrEqual(maxPoints);
        expect(result.step === 0).toBe(inside.length <= maxPoints);
        let [first, last] = [from, to];
        if (result.step === 0) expect(result.times).toEqual(inside.map((each) => each.time));
        else {
          const aligned = result.step % 60_000 === 0;
          const origin = aligned ? Math.floor(from / result.step) * result.step : from;
          expect(result.times.every((start, i) => start === origin + i * result.step)).toBe(true);
          expect(result.times.at(-1)! + result.step).toBeGreaterThan(to);
          if (aligned) [first, last] = [origin, result.times.at(-1)! + result.step - 1];
        }
        const wanted = naive(samples, first, last, result.step, result.times);
        result.series.forEach((series, s) => {
          for (const column of ['min', 'avg', 'max', 'last'] as const) {
            expectClose(
              series[column],
              wanted[s]!.map((bucket) => bucket[column]),
            );
          }
        });
      },
    ),
  );
});

const at = (time: number, counter: number, gap = false): Sample => ({ time, gap, counter, hits: 0, total: 0 });

describe('rates', () => {
  test('the sample before the range is the base of the first rate', () => {
    expect(build([at(0, 100), at(2000, 300)], 1000, 3000, 10).series[0]!.avg).toEqual([100]);
    expect(build([at(2000, 300)], 1000, 3000, 10).series[0]!.avg).toEqual([null]);
  });

  test('a smaller total is a restart: the new total is the increase', () => {
    expect(build([at(0, 100), at(1000, 7)], 0, 1000, 10).series[0]).toMatchObject({ avg: [null, 7], last: [100, 7] });
  });

  test('no rate over a gap, and the next one counts from behind it', () => {
    const { series } = build([at(0, 0), at(60_000, 600, true), at(61_000, 605)], 0, 61_000, 10);
    expect(series[0]).toMatchObject({ avg: [null, null, 5], last: [0, 600, 605] });
  });

  test('a long interval weighs more than a short one, and a spike stays visible as max', () => {
    const { step, series } = build([at(0, 0), at(6000, 9), at(8000, 2009), at(9999, 2009)], 5000, 9999, 2);
    expect(step).toBe(5000);
    expect(series[0]!.avg[0]).toBeCloseTo(2009 / 9.999, 9);
    expect(series[0]!.max[0]).toBe(1000);
    expect(series[0]!.min[0]).toBe(0);
  });

  test('of an interval of milliseconds at the end there is no rate of its own, and nothing of it is lost', () => {
    const samples = [at(0, 0), at(1000, 10), at(2000, 20), at(2004, 30)];
    const alone = build(samples, 0, 2004, 10).series[0]!;
    const mean = 20 / 1.004;
    expect(alone.avg[0]).toBeNull();
    expect(alone.avg[1]).toBe(10);
    expect(alone.avg[2]).toBeCloseTo(mean, 9);
    expect(alone.avg[3]).toBeCloseTo(mean, 9);
    expect(alone.last).toEqual([0, 10, 20, 30]);
    // The last bucket has nothing but those milliseconds.
    const { step, series } = build([...samples.slice(0, 3), at(2500, 25), at(3000, 30), at(3003, 40)], 1, 3004, 4);
    expect(step).toBe(1000);
    expect(series[0]!.max[3]).toBeCloseTo(15 / 0.503, 9);
    expect(series[0]!.avg[3]).toBeCloseTo(15 / 0.503, 9);
  });

  test('a last minute of which only a moment was observed has the mean of it and of the one before', () => {
    const each = Array.from({ length: 120 }, (_, i) => at(1000 * i, 10 * i));
    const samples = [...each, at(119_999, 1199.99), at(120_001, 1299.99)];
    const { step, series } = build(samples, 0, 120_001, 3);
    const mean = (1299.99 - 590) / (120.001 - 59);
    expect(step).toBe(60_000);
    expect(series[0]!.avg[0]).toBeCloseTo(10, 9);
    expect(series[0]!.avg.slice(1)).toEqual([expect.closeTo(mean, 6), expect.closeTo(mean, 6)]);
    expect(series[0]!.max[2]).toBeCloseTo(mean, 6);
  });

  test('a period that became shorter soon has rates of its own', () => {
    const samples = [0, 10, 20, 21, 22, 23, 24].map((second) => at(1000 * second, second ** 2));
    const { avg } = build(samples, 0, 24_000, 10).series[0]!;
    expect(avg.slice(-2)).toEqual([45, 47]);
    // What is joined is the mean since the last interval that stands for itself.
    expect(avg[3]).toBeCloseTo((21 ** 2 - 10 ** 2) / 11, 9);
    const seconds = [10, 10, 1, 1, 1, 1];
    expect(avg.slice(1).reduce((sum, rate, i) => sum! + rate! * seconds[i]!, 0)).toBeCloseTo(24 ** 2, 6);
  });
});

describe('targets', () => {
  test('keys choose and order series; unknown and repeated ones are left out', () => {
    const result = build([at(0, 1)], 0, 1, 10, ['g', 'nothing', 'c', 'g']);
    expect(result.series.map(({ key }) => key)).toEqual(['g', 'c']);
  });

  test('a name with labels in another order is the same series', () => {
    const targets = chooseTargets([[def('counter', 0, 'x{b="1",a="2"}')]], { series: ['x{a="2",b="1"}'] });
    expect(targets).toEqual([{ key: 'x{a="2",b="1"}', name: 'x{b="1",a="2"}', kind: 'counter' }]);
  });
});

describe('widths', () => {
  test('are nice, and as small as the limit allows', () => {
    expect(niceStep(0, 3_600_000, 1000)).toBe(5000);
    expect(niceStep(0, 86_400_000, 1000)).toBe(120_000);
    expect(niceStep(0, 10_000, 10)).toBe(2000);
    expect(niceStep(0, 9999, 10)).toBe(1000);
  });

  test('hold any span, also an absurd one', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e300, noNaN: true }),
        fc.integer({ min: 2, max: 20_000 }),
        (span, points) => {
          expect(Math.floor(span / niceStep(0, span, points))).toBeLessThan(points);
        },
      ),
    );
  });

  test('many series get fewer points, never fewer than two', () => {
    expect(pointLimit(20_000, 10)).toBe(20_000);
    expect(pointLimit(20_000, 2000)).toBe(500);
    expect(pointLimit(20_000, 10_000_000)).toBe(2);
  });
});
