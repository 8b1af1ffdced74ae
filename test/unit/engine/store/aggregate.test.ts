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
  let known = base && !Number.isNaN(base.counter) ? base : null;
  let before = base;
  for (const sample of inside) {
    if (sample.gap) known = null;
    const { time, counter } = sample;
    if (!Number.isNaN(counter)) {
      const increase = known ? (counter < known.counter ? counter : counter - known.counter) : 0;
      const seconds = known ? (time - known.time) / 1000 : 0;
      if (known && known === before) rates.push({ bucket: within(time), increase, seconds });
      else if (known) {
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
    const each = here.map(({ increase, seconds }) => increase / seconds);
    const seconds = here.reduce((sum, rate) => sum + rate.seconds, 0);
    const increase = here.reduce((sum, rate) => sum + rate.increase, 0);
    return {
      min: least(each),
      max: most(each),
      avg: seconds > 0 ? increase / seconds : null,
      last: lasts.findLast(({ bucket }) => bucket === n)?.total ?? null,
    };
  });
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
    const { step, series } = build([at(0, 0), at(9000, 9), at(9500, 509), at(9999, 509)], 5000, 9999, 2);
    expect(step).toBe(5000);
    expect(series[0]!.avg[0]).toBeCloseTo(509 / 9.999, 9);
    expect(series[0]!.max[0]).toBe(1000);
    expect(series[0]!.min[0]).toBe(0);
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
