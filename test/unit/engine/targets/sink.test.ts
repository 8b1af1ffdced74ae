import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_SERIES_PER_SCOPE, Scope } from '../../../../src/engine/live/scope.ts';
import { seriesValues } from '../../../../src/engine/live/values.ts';
import { Scanner, type ScanOptions } from '../../../../src/engine/targets/scan.ts';
import { Sink, type Applied } from '../../../../src/engine/targets/sink.ts';
import { metricFilter } from '../../../../src/engine/targets/sink-filter.ts';
import { refusePattern } from '../../../../src/shared/metric-pattern.ts';
import type { Label } from '../../../../src/shared/model/metric.ts';

const NOW = 1_700_000_000_000;

/** A target whose answers a test writes. */
class Target {
  readonly scope: Scope;
  readonly #scanner: Scanner;
  readonly #sink: Sink;

  constructor(labels: Label[] = [], options: Partial<ScanOptions> = {}, scope = new Scope('target/t', 'target')) {
    this.scope = scope;
    this.#scanner = new Scanner({ maxSeries: 100_000, ...options });
    this.#sink = new Sink(scope, 'host', labels, 10_000);
  }

  answer(text: string, now = NOW): Applied {
    this.#scanner.begin('text');
    this.#scanner.push(Buffer.from(text));
    this.#scanner.end();
    return this.#sink.apply(this.#scanner, now);
  }

  /** As a session does: new series before, a few at a time. */
  async prepared(text: string): Promise<Applied> {
    this.#scanner.begin('text');
    this.#scanner.push(Buffer.from(text));
    this.#scanner.end();
    await this.#sink.prepare(this.#scanner, NOW);
    return this.#sink.apply(this.#scanner, NOW);
  }

  /** Reads, and then fails. */
  fail(text = ''): void {
    this.#scanner.begin('text');
    this.#scanner.push(Buffer.from(text));
    this.#scanner.release();
    this.#sink.miss();
  }

  close(): void {
    this.#sink.close();
  }

  /** What each series shows; null: it has no value. */
  get values(): Record<string, number | null> {
    this.scope.settle();
    const { scope } = this;
    return Object.fromEntries(
      scope.allDefs().map(({ name, kind, index }) => {
        if (kind === 'counter') return [name, scope.counters[index]!];
        const { hits, total } = scope.gauge(index);
        return [name, hits > 0 ? total / hits : null];
      }),
    );
  }
}

const COUNTER = '# TYPE c counter\n';

describe('counters', () => {
  test('count from their first value on, and nothing twice', () => {
    const target = new Target();
    const seen = [1000, 1000, 1003, 1003.5].map((value) => {
      target.answer(`${COUNTER}c ${value}\n`);
      return target.values['c'];
    });
    expect(seen).toEqual([0, 0, 3, 3.5]);
  });

  test('a constant one stays, whatever it is and however often it is read', () => {
    const target = new Target();
    for (let i = 0; i < 20; i++) target.answer(`${COUNTER}c 1000\nc{i="77"} 177\n`);
    expect(target.values).toEqual({ c: 0, 'c{i="77"}': 0 });
  });

  test('one that begins anew goes on', () => {
    const target = new Target();
    for (const value of [100, 150, 20, 25, 0, 5]) target.answer(`${COUNTER}c ${value}\n`);
    expect(target.values['c']).toBe(50 + 20 + 5 + 0 + 5);
  });

  test('a series that comes later began at nothing, a metric that comes later where it is', () => {
    const target = new Target();
    target.answer(`${COUNTER}c{code="200"} 1000\n`);
    target.answer(
      `${COUNTER}c{code="200"} 1000\nc{code="500"} 3\n# TYPE d counter\nd{code="200"} 9\nd{code="500"} 8\n`,
    );
    expect(target.values).toEqual({ 'c{code="200"}': 0, 'c{code="500"}': 3, 'd{code="200"}': 0, 'd{code="500"}': 0 });
  });

  test('failures in between change nothing', () => {
    const target = new Target();
    target.answer(`${COUNTER}c 10\n`);
    for (let i = 0; i < 10; i++) target.fail(`${COUNTER}c 1000\nnew 1\n`);
    expect(target.values).toEqual({ c: 0 });
    target.answer(`${COUNTER}c 15\n`);
    expect(target.values).toEqual({ c: 5 });
  });

  test('negative ones and those without a number are left out and counted', () => {
    const target = new Target();
    const { refused, series } = target.answer(`${COUNTER}c -1\nc{a="b"} NaN\nc{a="c"} +Inf\nc{a="d"} 1\n`);
    expect([refused, series]).toEqual([{ negative_counter: 1, not_a_number: 2 }, 1]);
    target.answer(`${COUNTER}c 5\nc{a="b"} 7\n`);
    target.answer(`${COUNTER}c -3\nc{a="b"} 8\n`);
    target.answer(`${COUNTER}c 6\nc{a="b"} 8\n`);
    expect(target.values).toMatchObject({ c: 1, 'c{a="b"}': 1 });
  });

  test('what they counted is what they grew by, to the last bit', () => {
    const values = fc.array(fc.nat(2 ** 40), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(values, (list) => {
        const target = new Target();
        let grown = 0;
        for (const [i, value] of list.entries()) {
          target.answer(`${COUNTER}c ${value}\n`);
          if (i > 0) grown += value < list[i - 1]! ? value : value - list[i - 1]!;
        }
        expect(target.values['c']).toBe(grown);
      }),
      { numRuns: 200 },
    );
    // A thousand additions of a tenth would not be a hundred.
    const target = new Target();
    for (let i = 0; i <= 1000; i++) target.answer(`${COUNTER}c ${(i / 10).toFixed(1)}\n`);
    expect(target.values['c']).toBe(100);
  });
});

describe('gauges', () => {
  test('are what they are; without a number they have no value', () => {
    const target = new Target();
    target.answer('a 1\nb -2.5\nc NaN\nd +Inf\n');
    expect(target.values).toEqual({ a: 1, b: -2.5, c: null, d: null });
    const { refused } = target.answer('a NaN\nb 0\nc 3\nd -Inf\n');
    expect(target.values).toEqual({ a: null, b: 0, c: 3, d: null });
    expect(refused).toEqual({ not_a_number: 1 });
  });
});

describe('series that the target does not send any more', () => {
  test('leave after three periods, gauges without a value, counters with what they counted', () => {
    const target = new Target();
    target.answer(`${COUNTER}c 1\ng 1\nh 1\n`);
    target.answer(`${COUNTER}c 3\ng 1\nh 1\n`);
    for (const expected of [1, 1, null]) {
      target.answer('h 2\n');
      expect(target.values).toEqual({ c: 2, g: expected, h: 2 });
    }
    // They come back as what they were.
    target.answer(`${COUNTER}c 7\ng 5\nh 2\n`);
    expect(target.values).toEqual({ c: 6, g: 5, h: 2 });
  });

  test('all of them, when nothing comes', () => {
    const target = new Target();
    target.answer('g 1\n');
    target.fail();
    target.fail();
    expect(target.values).toEqual({ g: 1 });
    target.fail();
    expect(target.values).toEqual({ g: null });
    target.answer('g 1\n');
    expect(target.values).toEqual({ g: 1 });
  });

  test('closing takes the gauges out; the next session of the same scope counts on', () => {
    const first = new Target();
    first.answer(`${COUNTER}c 1\ng 1\n`);
    first.answer(`${COUNTER}c 5\ng 1\n`);
    first.close();
    expect(first.values).toEqual({ c: 4, g: null });
    const second = new Target([], {}, first.scope);
    second.answer(`${COUNTER}c 100\ng 2\n`);
    second.answer(`${COUNTER}c 101\ng 2\n`);
    expect(second.values).toEqual({ c: 5, g: 2 });
  });
});

describe('names', () => {
  test('are the same whatever the order of labels, blanks and trailing commas', () => {
    const target = new Target();
    const { series, refused } = target.answer('a{x="1",y="2"} 1\na { y = "2" , x="1", } 2\n');
    expect([series, refused]).toEqual([1, { duplicate_series: 1 }]);
    target.answer('a{y="2",x="1"} 3\n');
    expect(target.values).toEqual({ 'a{x="1",y="2"}': 3 });
  });

  test('have no stray quotes, whatever is in their labels', () => {
    const target = new Target();
    target.answer('tgt{zone="a",path="/api/v1/item00077"} 1\nt{q="\\"",b="\\\\",n="\\n",e="}, = é"} 2\n');
    expect(Object.keys(target.values)).toEqual([
      'tgt{path="/api/v1/item00077",zone="a"}',
      't{b="\\\\",e="}, = é",n="\\n",q="\\""}',
    ]);
  });

  test('an empty label is none', () => {
    const target = new Target();
    expect(target.answer('a{x=""} 1\na 2\n').refused).toEqual({ duplicate_series: 1 });
    expect(target.values).toEqual({ a: 1 });
  });

  test('get the labels of the entry, and keep their own under another name', () => {
    const target = new Target([
      ['rack', 'r1'],
      ['cluster', 'c'],
    ]);
    target.answer('a{rack="x",exported_rack="y",z="1"} 1\nb 2\n');
    expect(target.values).toEqual({
      'a{cluster="c",exported_exported_rack="x",exported_rack="y",rack="r1",z="1"}': 1,
      'b{cluster="c",rack="r1"}': 2,
    });
  });

  test('that cannot be are left out and counted at each answer', () => {
    const target = new Target();
    const bad = `a{x="\u0007"} 1\nb{x="${'y'.repeat(2000)}"} 1\nc 1\n`;
    for (let i = 0; i < 3; i++) {
      expect(target.answer(bad)).toMatchObject({
        series: 1,
        refused: { name_control_character: 1, name_too_long: 1 },
        newSeries: i === 0 ? 1 : 0,
      });
    }
  });

  test('descriptions come with them', () => {
    const target = new Target();
    target.answer('# HELP h Line\\none\n# TYPE h histogram\nh_sum 1\nh_count 2\nu 1\n');
    expect(target.scope.allDefs().map(({ name, doc }) => [name, doc])).toEqual([
      ['h_sum', 'Line\none'],
      ['h_count', 'Line\none'],
      ['u', ''],
    ]);
  });
});

describe('conflicts', () => {
  test('of two values of a series the first one counts, of two with times the later one', () => {
    const target = new Target();
    expect(target.answer('a 1\na 2\n').refused).toEqual({ duplicate_series: 1 });
    expect(target.values).toEqual({ a: 1 });
    expect(target.answer(`a 3 ${NOW - 2000}\na 4 ${NOW - 1000}\na 5 ${NOW - 1500}\n`).refused).toEqual({
      duplicate_series: 1,
    });
    expect(target.values).toEqual({ a: 4 });
    // Times of earlier answers say nothing here.
    expect(target.answer(`a 6\na 7 ${NOW}\n`).refused).toEqual({ duplicate_series: 1 });
    expect(target.values).toEqual({ a: 6 });
  });

  test('a metric that changes its type is left out', () => {
    const target = new Target();
    target.answer(`${COUNTER}c 1\n# TYPE g gauge\ng 1\n`);
    const { refused } = target.answer('# TYPE c gauge\nc 9\n# TYPE g counter\ng 9\n');
    expect(refused).toEqual({ type_conflict: 2 });
    expect(target.values).toEqual({ c: 0, g: 1 });
    expect(target.answer(`${COUNTER}c 3\n`).refused).toEqual({});
    expect(target.values['c']).toBe(2);
  });

  test('values whose time is far from now are not of now', () => {
    const target = new Target();
    const text = `a 1 ${NOW - 3_700_000}\nb 2 ${NOW + 700_000}\nc 3 ${NOW - 60_000}\nd 4\n`;
    expect(target.answer(text)).toMatchObject({ series: 2, refused: { time_too_far: 2 } });
    expect(target.values).toEqual({ c: 3, d: 4 });
  });
});

test('a target that makes up names is forgotten by its reader, not its series', () => {
  const target = new Target();
  for (let round = 0; round < 40; round++) {
    const churn = Array.from({ length: 1000 }, (_, i) => `x{i="${round}-${i}"} 1\n`).join('');
    target.answer(`${COUNTER}c ${round}\n${churn}`);
    expect(target.values['c']).toBe(round);
  }
});

describe('labels that churn', () => {
  /** An hour of periods, the three until a series has left, and one more. */
  const UNTIL_RETIRED = 3_600_000 / 10_000 + 3;
  const pods = (from: number, count: number): string =>
    Array.from({ length: count }, (_, i) => `c{pod="${from + i}"} ${i}\n`).join('');

  test('series that were not sent for an hour count for no limit, and are there again as what they were', () => {
    const target = new Target();
    const { scope } = target;
    target.answer(`${COUNTER}c 1\nc{pod="a"} 1\ng 1\ng{pod="a"} 1\n`);
    target.answer(`${COUNTER}c 1\nc{pod="a"} 5\ng 1\ng{pod="a"} 1\n`);
    for (let round = 1; round < UNTIL_RETIRED; round++) target.answer(`${COUNTER}c 1\ng 1\n`);
    expect(scope.livingCount).toBe(4);
    target.answer(`${COUNTER}c 1\ng 1\n`);
    expect([scope.livingCount, scope.seriesCount]).toEqual([2, 4]);
    // Numbers stay, by which history knows them; sums stay, too.
    expect(target.values).toEqual({ c: 0, 'c{pod="a"}': 4, g: 1, 'g{pod="a"}': null });
    expect(seriesValues(scope).map(({ name }) => name)).toEqual(['c', 'g']);
    target.answer(`${COUNTER}c 1\nc{pod="a"} 7\ng 1\ng{pod="a"} 3\n`);
    expect([scope.livingCount, scope.seriesCount]).toEqual([4, 4]);
    expect(target.values).toEqual({ c: 0, 'c{pod="a"}': 6, g: 1, 'g{pod="a"}': 3 });
  });

  test('a target that is down for long retires nothing before it answers', () => {
    const target = new Target();
    target.answer('g 1\nh 1\n');
    for (let round = 0; round < 2 * UNTIL_RETIRED; round++) target.fail();
    expect(target.scope.livingCount).toBe(2);
    target.answer('g 1\n');
    expect(target.scope.livingCount).toBe(1);
  });

  test('new ones are taken for ever: the limit of a scope is one of those that are there', () => {
    const target = new Target();
    const each = 20_000;
    const rounds = 1.5 * (MAX_SERIES_PER_SCOPE / each);
    for (let round = 0; round < rounds; round++) {
      expect(target.answer(`${COUNTER}${pods(round * each, each)}`)).toMatchObject({ newSeries: each, refused: {} });
      expect(target.scope.livingCount).toBeLessThanOrEqual(MAX_SERIES_PER_SCOPE);
    }
    expect(target.scope.seriesCount).toBe(rounds * each);
  }, 120_000);

  test('too many at once are refused, and those that are there stay, in whatever order they come', async () => {
    const target = new Target([], { maxSeries: 2 * MAX_SERIES_PER_SCOPE });
    target.answer(`${COUNTER}c{old="1"} 1\n`);
    for (let round = 0; round < 4; round++) target.fail();
    const many = pods(0, MAX_SERIES_PER_SCOPE);
    const { refused } = await target.prepared(`${COUNTER}${many}c{late="1"} 1\nc{late="2"} 1\n`);
    expect(refused).toEqual({ too_many_series: 2 });
    const again = await target.prepared(`${COUNTER}c{late="1"} 1\nc{late="2"} 1\n${many}`);
    expect(again.refused).toEqual({ too_many_series: 2 });
    expect(target.scope.livingCount).toBe(MAX_SERIES_PER_SCOPE);
    expect(target.scope.isRetired('counter', 0)).toBe(true);
  }, 120_000);

  test('those for which there was no room are taken once there is', () => {
    const target = new Target([], { maxSeries: 2 * MAX_SERIES_PER_SCOPE });
    const all = pods(0, MAX_SERIES_PER_SCOPE);
    target.answer(`${COUNTER}${all}`);
    const late = 'c{late="1"} 1\nc{late="2"} 1\n';
    expect(target.answer(`${COUNTER}${all}${late}`).refused).toEqual({ too_many_series: 2 });
    const fewer = pods(0, MAX_SERIES_PER_SCOPE - 1);
    for (let round = 0; round < 3; round++) {
      expect(target.answer(`${COUNTER}${fewer}${late}`).refused).toEqual({ too_many_series: 2 });
    }
    expect(target.answer(`${COUNTER}${fewer}${late}`).refused).toEqual({ too_many_series: 1 });
    expect(target.scope.livingCount).toBe(MAX_SERIES_PER_SCOPE);
  }, 120_000);

  test('what an earlier session had and this one does not is retired, too', () => {
    const first = new Target();
    first.answer('g 1\nh 1\n');
    first.close();
    const second = new Target([], {}, first.scope);
    for (let round = 0; round <= UNTIL_RETIRED; round++) second.answer('g 1\n');
    expect([first.scope.livingCount, second.values['g']]).toEqual([1, 1]);
  });
});

describe('the filter', () => {
  const kept = (include: string[], exclude: string[], ...names: string[]): string[] =>
    names.filter(metricFilter({ include, exclude }));

  test('takes globs and regular expressions', () => {
    const names = ['node_cpu_seconds_total', 'node_load1', 'go_info', 'up'];
    expect(kept([], [], ...names)).toEqual(names);
    expect(kept(['node_*'], [], ...names)).toEqual(['node_cpu_seconds_total', 'node_load1']);
    expect(kept([], ['*_info', 'node_load?'], ...names)).toEqual(['node_cpu_seconds_total', 'up']);
    expect(kept(['/^(node|go)_/'], ['/load\\d+$/'], ...names)).toEqual(['node_cpu_seconds_total', 'go_info']);
    expect(kept(['*a*b*c*'], [], 'xxaxxbxxcxx', 'abc', 'acb')).toEqual(['xxaxxbxxcxx', 'abc']);
    expect(kept(['up'], [], 'up', 'upper')).toEqual(['up']);
  });

  test('refuses what is no pattern, and what a name could keep busy for long', () => {
    for (const good of ['a', 'a*', '/a/', '/^node_.*_total$/', '/^a.*b.*/', '/a{2,5}[*+]/']) {
      expect(refusePattern(good), good).toBeNull();
    }
    for (const bad of [
      '',
      'a b',
      '/(/',
      '/(a+)+$/',
      '/(a|a)*b/',
      '/.*.*=/',
      '/^a*b*c*/',
      '/(a)\\1/',
      '/a{1,1000}/',
      'a'.repeat(257),
    ]) {
      expect(refusePattern(bad), bad).toEqual(expect.any(String));
      expect(() => metricFilter({ include: [bad], exclude: [] }), bad).toThrow();
    }
  });

  test('asks once for each name', () => {
    const asked: string[] = [];
    const target = new Target([], { keep: (name) => asked.push(name) > 0 && name === 'b' });
    for (let i = 0; i < 3; i++) target.answer('a 1\na{x="y"} 1\nb 1\n');
    expect(asked).toEqual(['a', 'b']);
    expect(target.values).toEqual({ b: 1 });
  });
});
