import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { Contributor } from '../../../../src/engine/live/contributor.ts';
import type { MergeRule } from '../../../../src/engine/live/merge.ts';
import { MAX_NUMBERS_PER_SCOPE, MAX_SERIES_PER_SCOPE, Scope } from '../../../../src/engine/live/scope.ts';
import { decodeFrame, encodeFrame, FrameState } from '../../../../src/shared/frame.ts';
import {
  EMPTY_GAUGE,
  GAUGE_WIDTH,
  gaugeValue,
  mergeGauge,
  type Gauge,
  type Kind,
} from '../../../../src/shared/model/values.ts';

const RULES = new Map<string, MergeRule>([
  ['c_min', 'min'],
  ['c_max', 'max'],
  ['c_last', 'last'],
  ['c_sum', 'sum'],
  ['g_min', 'min'],
  ['g_max', 'max'],
  ['g_sum', 'sum'],
  ['g_last', 'last'],
]);
const COUNTERS = ['c', 'c_sum', 'c_min', 'c_max', 'c_last'] as const;
const GAUGES = ['g', 'g_sum', 'g_min', 'g_max', 'g_last'] as const;

/** Writes as a client does: describes at the first time, then counts. */
class Writer {
  readonly contributor: Contributor;
  readonly #places = new Map<string, number>();

  constructor(scope: Scope, rank = 0) {
    this.contributor = new Contributor(scope, rank, 'host');
  }

  #place(name: string, kind: Kind): number {
    const known = this.#places.get(name);
    if (known !== undefined) return known;
    const { contributor } = this;
    const registered = contributor.scope.register(name, '', kind);
    if ('refused' in registered) throw new Error(registered.refused);
    const place =
      kind === 'counter' ? contributor.addCounter(registered.index) : contributor.addGauge(registered.index);
    this.#places.set(name, place);
    return place;
  }

  increase(name: string, by: number): boolean {
    return this.contributor.increase(this.#place(name, 'counter'), by);
  }

  set(name: string, { min, max, hits, total }: Gauge): void {
    this.contributor.setGauge(this.#place(name, 'gauge'), min, max, hits, total);
  }

  leave(): void {
    this.contributor.detach();
  }
}

const one = (value: number): Gauge => ({ min: value, max: value, hits: 1, total: value });

function counterOf(scope: Scope, name: string): number | null {
  scope.settle();
  const found = scope.find(name);
  return found?.kind === 'counter' ? scope.counters[found.index]! : null;
}

function gaugeOf(scope: Scope, name: string): Gauge | null {
  scope.settle();
  const found = scope.find(name);
  return found?.kind === 'gauge' ? scope.gauge(found.index) : null;
}

const valuesOf = (scope: Scope): unknown => [
  ...COUNTERS.map((name) => [name, counterOf(scope, name)]),
  ...GAUGES.map((name) => [name, gaugeOf(scope, name)]),
];

type Write =
  | { readonly type: 'increase'; readonly name: (typeof COUNTERS)[number]; readonly by: number }
  | { readonly type: 'set'; readonly name: (typeof GAUGES)[number]; readonly gauge: Gauge };

const write: fc.Arbitrary<Write> = fc.oneof(
  fc.record({ type: fc.constant('increase' as const), name: fc.constantFrom(...COUNTERS), by: fc.nat(1000) }),
  fc.record({
    type: fc.constant('set' as const),
    name: fc.constantFrom(...GAUGES),
    gauge: fc
      .record({
        a: fc.integer({ min: -99, max: 99 }),
        b: fc.integer({ min: -99, max: 99 }),
        hits: fc.constantFrom(0, 1, 2, 4),
        total: fc.nat(99),
      })
      .map(({ a, b, hits, total }) => ({ min: Math.min(a, b), max: Math.max(a, b), hits, total: 4 * total })),
  }),
);

function apply(writer: Writer, step: Write): void {
  if (step.type === 'increase') writer.increase(step.name, step.by);
  else writer.set(step.name, step.gauge);
}

describe('the order in which contributors write, come and go does not matter', () => {
  interface Member {
    readonly writes: readonly Write[];
    readonly leaves: boolean;
  }
  /** `last` asks for the order: it has tests of its own. */
  const orderFree = write.filter((step) => !step.name.endsWith('_last'));
  const member: fc.Arbitrary<Member> = fc.record({
    writes: fc.array(orderFree, { maxLength: 8 }),
    leaves: fc.boolean(),
  });

  /** A gauge's last holder is the one exception: what it leaves behind depends on who that is. So one holder stays. */
  const anchor: Member = { writes: GAUGES.map((name) => ({ type: 'set', name, gauge: one(5) })), leaves: false };

  /** Whose turn it is; each member has as many turns as it has writes, and one more to leave. */
  const turns = (members: readonly Member[]): number[] =>
    members.flatMap((m, i) => Array<number>(m.writes.length + 1).fill(i));
  const scenario = fc.array(member, { maxLength: 5 }).chain((others) => {
    const members = [anchor, ...others];
    const sequence = turns(members);
    const interleaving = fc.tuple(
      fc.shuffledSubarray(sequence, { minLength: sequence.length }),
      fc.infiniteStream(fc.boolean()),
    );
    return fc.tuple(fc.constant(members), interleaving, interleaving);
  });

  function play(members: readonly Member[], sequence: readonly number[], settle: Iterator<boolean>): Scope {
    const scope = new Scope('run/x', 'run', RULES);
    const writers: (Writer | undefined)[] = [];
    const done = members.map(() => 0);
    for (const i of sequence) {
      const { writes, leaves } = members[i]!;
      const writer = (writers[i] ??= new Writer(scope, i));
      const step = writes[done[i]!++];
      if (step) apply(writer, step);
      else if (leaves) writer.leave();
      if (settle.next().value === true) scope.settle();
    }
    return scope;
  }

  test('two interleavings of the same writes settle at the same values', () => {
    fc.assert(
      fc.property(scenario, ([members, [first, settleFirst], [second, settleSecond]]) => {
        expect(valuesOf(play(members, second, settleSecond))).toEqual(valuesOf(play(members, first, settleFirst)));
      }),
      { numRuns: 300 },
    );
  });
});

describe('a scope against a plain model of it', () => {
  interface Part {
    readonly counters: Map<string, { value: number; order: number }>;
    readonly gauges: Map<string, { gauge: Gauge; order: number }>;
  }

  class Model {
    readonly parts = new Map<number, Part>();
    readonly ended: Part[] = [];
    readonly left = new Map<string, Gauge>();
    #order = 0;

    write(who: number, step: Write): void {
      const part = this.parts.get(who) ?? { counters: new Map(), gauges: new Map() };
      this.parts.set(who, part);
      const order = ++this.#order;
      if (step.type === 'increase')
        part.counters.set(step.name, { value: (part.counters.get(step.name)?.value ?? 0) + step.by, order });
      else {
        if (step.gauge.hits > 0 && !((part.gauges.get(step.name)?.gauge.hits ?? 0) > 0)) this.left.delete(step.name);
        part.gauges.set(step.name, { gauge: step.gauge, order });
      }
    }

    leave(who: number): void {
      const part = this.parts.get(who);
      if (!part) return;
      this.parts.delete(who);
      this.ended.push(part);
      for (const [name, { gauge }] of part.gauges)
        if (gauge.hits > 0 && this.#held(name).length === 0) this.left.set(name, gauge);
    }

    #held(name: string): { gauge: Gauge; order: number }[] {
      return [...this.parts.values()]
        .flatMap((part) => part.gauges.get(name) ?? [])
        .filter(({ gauge }) => gauge.hits > 0);
    }

    counter(name: string): number | null {
      const all = [...this.parts.values(), ...this.ended].flatMap((part) => part.counters.get(name) ?? []);
      if (all.length === 0) return null;
      const values = all.map((c) => c.value);
      if (name === 'c_min') return Math.min(...values);
      if (name === 'c_max') return Math.max(...values);
      if (name === 'c_last') return all.toSorted((a, b) => b.order - a.order)[0]!.value;
      return values.reduce((a, b) => a + b, 0);
    }

    gauge(name: string): Gauge {
      const held = this.#held(name);
      const all = held.map((h) => h.gauge);
      if (all.length === 0) return this.left.get(name) ?? { ...EMPTY_GAUGE };
      const merged = all.reduce(mergeGauge);
      const shown = all.map(gaugeValue);
      if (name === 'g_sum') return one(shown.reduce((a, b) => a + b, 0));
      if (name === 'g_min') return { ...merged, hits: 1, total: Math.min(...shown) };
      if (name === 'g_max') return { ...merged, hits: 1, total: Math.max(...shown) };
      if (name === 'g_last')
        return { ...merged, hits: 1, total: gaugeValue(held.toSorted((a, b) => b.order - a.order)[0]!.gauge) };
      return merged;
    }
  }

  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ who: fc.nat(3), write }) },
    { weight: 2, arbitrary: fc.record({ who: fc.nat(3), leave: fc.constant(true) }) },
    { weight: 2, arbitrary: fc.constant('settle' as const) },
    { weight: 1, arbitrary: fc.constant('tick' as const) },
  );

  test('values, and a schema that only grows, under any sequence of writes, departures and ticks', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const scope = new Scope('run/x', 'run', RULES);
        const model = new Model();
        const writers = new Map<number, Writer>();
        const state = new FrameState();
        let meaning: string[] = [];
        let counts = [0, 0];
        let time = 0;
        for (const s of steps) {
          if (s === 'settle') scope.settle();
          else if (s === 'tick') {
            scope.settle();
            scope.stamp(++time);
            const frame = decodeFrame(
              encodeFrame({ stream: 0, time, interval: 1, sequence: time, gap: false }, scope, {
                counters: scope.counterBits,
                gauges: scope.gaugeBits,
              }),
            );
            scope.clear();
            expect(frame.counterCount).toBeGreaterThanOrEqual(counts[0]!);
            expect(frame.gaugeCount).toBeGreaterThanOrEqual(counts[1]!);
            counts = [frame.counterCount, frame.gaugeCount];
            state.apply(frame);
            expect([...state.counters.subarray(0, counts[0])]).toEqual([...scope.counters.subarray(0, counts[0])]);
            const width = GAUGE_WIDTH * counts[1]!;
            expect([...state.gauges.subarray(0, width)]).toEqual([...scope.gauges.subarray(0, width)]);
          } else if ('write' in s) {
            let writer = writers.get(s.who);
            if (!writer) writers.set(s.who, (writer = new Writer(scope)));
            apply(writer, s.write);
            model.write(s.who, s.write);
          } else {
            writers.get(s.who)?.leave();
            writers.delete(s.who);
            model.leave(s.who);
          }
          const now = scope.allDefs().map((def) => `${def.kind} ${def.index} ${def.name}`);
          for (const def of meaning) expect(now).toContain(def);
          meaning = now;
        }
        for (const name of COUNTERS) expect([name, counterOf(scope, name)]).toEqual([name, model.counter(name)]);
        for (const name of GAUGES)
          if (scope.find(name)) expect([name, gaugeOf(scope, name)]).toEqual([name, model.gauge(name)]);
      }),
      { numRuns: 400 },
    );
  });
});

describe('register', () => {
  test('two spellings of one metric are one series; the first spelling and description stay', () => {
    const scope = new Scope('run/x', 'run');
    expect(scope.register('x{a="1",b="2"}', 'first', 'counter')).toEqual({ index: 0 });
    expect(scope.register('x{b="2",a="1"}', 'second', 'counter')).toEqual({ index: 0 });
    expect(scope.defs('counter')).toEqual([{ kind: 'counter', index: 0, name: 'x{a="1",b="2"}', doc: 'first' }]);
  });

  test('the first kind of a metric stays', () => {
    const scope = new Scope('run/x', 'run');
    scope.register('x{a="1",b="2"}', '', 'counter');
    expect(scope.register('x{b="2",a="1"}', '', 'gauge')).toEqual({ refused: 'type_conflict' });
    scope.register('y', '', 'gauge');
    expect(scope.register('y', '', 'counter')).toEqual({ refused: 'type_conflict' });
    expect(scope.allDefs().map((def) => [def.kind, def.index, def.name])).toEqual([
      ['counter', 0, 'x{a="1",b="2"}'],
      ['gauge', 0, 'y'],
    ]);
  });

  test('a bad name is refused with its reason and leaves nothing', () => {
    const scope = new Scope('run/x', 'run');
    expect(scope.register('', '', 'counter')).toEqual({ refused: 'name_empty' });
    expect(scope.register('a\nb', '', 'gauge')).toEqual({ refused: 'name_control_character' });
    expect(scope.seriesCount).toBe(0);
    expect(scope.find('')).toBeNull();
  });

  test('names of objects are names', () => {
    const scope = new Scope('run/x', 'run');
    for (const name of ['__proto__', 'constructor', 'toString']) expect(scope.find(name)).toBeNull();
    expect(scope.register('__proto__', '', 'counter')).toEqual({ index: 0 });
    expect(scope.find('__proto__')).toEqual({ kind: 'counter', index: 0 });
  });
});

describe('a full scope', () => {
  const scope = new Scope('run/x', 'run');
  beforeAll(() => {
    for (let i = 0; i < MAX_SERIES_PER_SCOPE; i++) scope.register(`n${i}`, '', i % 2 === 0 ? 'counter' : 'gauge');
  });

  test('takes no new series and goes on with those it has', () => {
    expect(scope.seriesCount).toBe(MAX_SERIES_PER_SCOPE);
    expect(scope.register('new', '', 'counter')).toEqual({ refused: 'too_many_series' });
    expect(scope.register('n0', '', 'counter')).toEqual({ index: 0 });
    const writer = new Writer(scope);
    expect(writer.increase('n4', 3)).toBe(true);
    expect(counterOf(scope, 'n4')).toBe(3);
  });
});

describe('gauges', () => {
  test('a new value replaces the same contributor’s earlier one', () => {
    const scope = new Scope('run/x', 'run');
    const writer = new Writer(scope);
    writer.set('g', one(29));
    writer.set('g', one(39));
    expect(gaugeOf(scope, 'g')).toEqual(one(39));
  });

  test('a leaving contributor’s gauges leave, the last holder’s stay', () => {
    const scope = new Scope('run/x', 'run');
    const [a, b, c] = [new Writer(scope), new Writer(scope), new Writer(scope)];
    a.set('g', one(1));
    b.set('g', one(2));
    c.set('other', one(9));
    expect(gaugeOf(scope, 'g')).toEqual({ min: 1, max: 2, hits: 2, total: 3 });
    a.leave();
    expect(gaugeOf(scope, 'g')).toEqual(one(2));
    b.leave();
    expect(gaugeOf(scope, 'g')).toEqual(one(2));
    c.set('g', one(7));
    expect(gaugeOf(scope, 'g')).toEqual(one(7));
  });

  test('a value that is taken back leaves nothing, settled between or not', () => {
    for (const between of [true, false]) {
      const scope = new Scope('run/x', 'run', RULES);
      for (const name of ['g', 'g_max']) {
        const a = new Writer(scope);
        a.set(name, one(1));
        a.leave();
        const b = new Writer(scope);
        b.set(name, one(2));
        if (between) scope.settle();
        b.set(name, { min: 0, max: 0, hits: 0, total: 0 });
        expect(gaugeOf(scope, name)).toEqual(EMPTY_GAUGE);
      }
    }
  });

  test('sums of many stay finite', () => {
    const scope = new Scope('run/x', 'run', RULES);
    for (const name of ['g', 'g_sum']) {
      for (let i = 0; i < 3; i++) new Writer(scope).set(name, { min: 1, max: 1e308, hits: 1, total: 1.7e308 });
      expect(gaugeOf(scope, name)?.total).toBe(Number.MAX_VALUE);
    }
  });
});

describe('counters', () => {
  test('stay in the sum when their contributor leaves, once', () => {
    const scope = new Scope('run/x', 'run');
    const [a, b] = [new Writer(scope), new Writer(scope)];
    a.increase('c', 5);
    b.increase('c', 7);
    a.leave();
    a.leave();
    expect(counterOf(scope, 'c')).toBe(12);
    expect(scope.contributors.size).toBe(1);
    expect(a.contributor.counters[0]).toBe(5);
  });

  test('an increase that would overflow the sum is refused and changes nothing', () => {
    const scope = new Scope('run/x', 'run', RULES);
    for (const name of ['c', 'c_min', 'c_last']) {
      const [a, b] = [new Writer(scope), new Writer(scope)];
      expect(a.increase(name, 1.7e308)).toBe(true);
      expect(b.increase(name, 1)).toBe(true);
      const before = counterOf(scope, name);
      expect(a.increase(name, 1.7e308)).toBe(false);
      expect(counterOf(scope, name)).toBe(before);
      expect(a.contributor.counters[0]).toBe(1.7e308);
    }
  });

  test('`last` is the last write of that counter, not the contributor that wrote anything last', () => {
    const scope = new Scope('run/x', 'run', RULES);
    const [a, b] = [new Writer(scope), new Writer(scope)];
    a.increase('c_last', 1);
    b.increase('c_last', 2);
    a.increase('c', 1);
    expect(counterOf(scope, 'c_last')).toBe(2);
  });

  test('`last` outlives the contributor that wrote it', () => {
    const scope = new Scope('run/x', 'run', RULES);
    const [a, b, c] = [new Writer(scope), new Writer(scope), new Writer(scope)];
    a.increase('c_last', 1);
    c.increase('c_last', 3);
    b.increase('c_last', 2);
    b.leave();
    a.leave();
    expect(counterOf(scope, 'c_last')).toBe(2);
    c.increase('c_last', 1);
    expect(counterOf(scope, 'c_last')).toBe(4);
  });

  test('totals that are cumulative elsewhere replace, also when they fall', () => {
    const scope = new Scope('node/h', 'node');
    const place = scope.register('c', '', 'counter');
    if ('refused' in place) throw new Error(place.refused);
    const [kernel, client] = [new Contributor(scope, 0, 'h'), new Contributor(scope, 1, 'h')];
    const [k, c] = [kernel.addCounter(place.index), client.addCounter(place.index)];
    kernel.setTotal(k, 1000);
    client.increase(c, 5);
    expect(counterOf(scope, 'c')).toBe(1005);
    kernel.setTotal(k, 10);
    expect(counterOf(scope, 'c')).toBe(15);
  });
});

test('changes are marked once per tick and carry the time of their tick', () => {
  const scope = new Scope('run/x', 'run');
  const writer = new Writer(scope);
  writer.increase('a', 1);
  writer.increase('b', 1);
  scope.stamp(100);
  scope.clear();
  writer.increase('b', 1);
  scope.stamp(200);
  expect([...scope.counterBits].slice(0, 1)).toEqual([0b10]);
  expect([...scope.counterChanged.subarray(0, 2)]).toEqual([100, 200]);
});

test('a restored scope goes on from its values', () => {
  const earlier = new Scope('run/x', 'run', RULES);
  const writer = new Writer(earlier);
  for (const name of ['c', 'c_max', 'c_min', 'c_last']) writer.increase(name, 10);
  writer.set('g', one(3));
  writer.set('unset', { min: 0, max: 0, hits: 0, total: 0 });
  earlier.settle();

  const scope = new Scope('run/x', 'run', RULES);
  scope.restore(earlier.allDefs(), earlier);
  expect(scope.allDefs()).toEqual(earlier.allDefs());
  expect(gaugeOf(scope, 'g')).toEqual(one(3));
  expect(gaugeOf(scope, 'unset')).toEqual(EMPTY_GAUGE);
  const next = new Writer(scope);
  for (const name of ['c', 'c_max', 'c_min', 'c_last']) next.increase(name, 4);
  expect(['c', 'c_max', 'c_min', 'c_last'].map((name) => counterOf(scope, name))).toEqual([14, 10, 4, 4]);
  next.set('g', one(5));
  expect(gaugeOf(scope, 'g')).toEqual(one(5));
});

describe('series that were retired', () => {
  const register = (scope: Scope, name: string, kind: Kind = 'counter'): number => {
    const place = scope.register(name, '', kind);
    if ('refused' in place) throw new Error(place.refused);
    return place.index;
  };

  test('count for no limit, keep their number, and are there again when they are registered', () => {
    const scope = new Scope('target/x', 'target');
    const [a, g] = [register(scope, 'a'), register(scope, 'g', 'gauge')];
    register(scope, 'b');
    for (let i = 0; i < 2; i++) {
      scope.retire('counter', a);
      scope.retire('gauge', g);
    }
    expect([scope.livingCount, scope.seriesCount]).toEqual([1, 3]);
    expect([scope.isRetired('counter', a), scope.isRetired('gauge', g), scope.isRetired('counter', 1)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(register(scope, 'a')).toBe(a);
    expect(scope.register('g', '', 'counter')).toEqual({ refused: 'type_conflict' });
    scope.revive('gauge', g);
    scope.revive('gauge', g);
    expect(scope.livingCount).toBe(3);
  });

  test('make room for new ones, up to the numbers that a scope may give', () => {
    const scope = new Scope('target/x', 'target');
    let given = 0;
    while (given < MAX_NUMBERS_PER_SCOPE) {
      const until = Math.min(given + MAX_SERIES_PER_SCOPE, MAX_NUMBERS_PER_SCOPE);
      const from = given;
      for (; given < until; given++) register(scope, `c{i="${given}"}`);
      expect(scope.hasRoom).toBe(false);
      expect(scope.register('one_more', '', 'counter')).toEqual({ refused: 'too_many_series' });
      for (let i = from; i < given; i++) scope.retire('counter', i);
      expect(scope.livingCount).toBe(0);
    }
    expect(scope.hasRoom).toBe(false);
    expect(scope.register('one_more', '', 'counter')).toEqual({ refused: 'too_many_series' });
    expect(register(scope, 'c{i="0"}')).toBe(0);
  }, 120_000);
});
