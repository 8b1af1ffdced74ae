import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LiveHub, Subscription, type Reader } from '../../../../src/engine/live/hub.ts';
import { Contributor } from '../../../../src/engine/live/contributor.ts';
import type { TickInfo } from '../../../../src/engine/live/sampler.ts';
import { Scope } from '../../../../src/engine/live/scope.ts';
import { decodeFrame, FrameState, hasBit, type Frame } from '../../../../src/shared/frame.ts';
import type { SeriesDef } from '../../../../src/shared/model/series.ts';

/** A reader that keeps all it is sent, and is behind when told so. */
class Kept implements Reader {
  behind = false;
  readonly frames: Frame[] = [];
  readonly state = new FrameState();
  readonly names: string[] = [];
  /** Lengths of the pieces in which series were told. */
  readonly pieces: number[] = [];
  readonly #known = { counter: new Set<number>(), gauge: new Set<number>() };
  readonly #calls: (() => void)[] = [];
  ended = 0;

  ready(): boolean {
    return !this.behind;
  }

  whenReady(call: () => void): void {
    this.#calls.push(call);
  }

  /** Has read for a while: is ready, once. */
  catchUp(): void {
    this.behind = false;
    for (const call of this.#calls.splice(0)) call();
  }

  schema(_id: number, _scope: string, series: readonly SeriesDef[]): void {
    this.names.push(...series.map(({ name }) => name));
    this.pieces.push(series.length);
    for (const { kind, index } of series) this.#known[kind].add(index);
  }

  frame(bytes: Uint8Array): void {
    const frame = decodeFrame(bytes);
    const unknown = [
      ...countersIn(frame).filter((i) => !this.#known.counter.has(i)),
      ...gaugesIn(frame).filter((i) => !this.#known.gauge.has(i)),
    ];
    expect(unknown, 'the schema comes before the frame').toEqual([]);
    this.frames.push(frame);
    this.state.apply(frame);
  }

  end(): void {
    this.ended++;
  }
}

/** A scope with one contributor, and the clock's part. */
class World {
  readonly hub = new LiveHub();
  readonly scope = new Scope('run/x', 'run');
  readonly #rank = new Contributor(this.scope, 0, 'host');
  readonly #places = new Map<string, number>();
  #tick = 0;

  add(name: string, by: number): void {
    let place = this.#places.get(name);
    if (place === undefined) {
      const { index } = this.scope.register(name, '', 'counter') as { index: number };
      this.#places.set(name, (place = this.#rank.addCounter(index)));
    }
    this.#rank.increase(place, by);
  }

  set(name: string, value: number): void {
    const { index } = this.scope.register(name, '', 'gauge') as { index: number };
    this.#rank.setGauge(this.#rank.addGauge(index), value, value, 1, value);
  }

  tick(gap = false): void {
    const tick: TickInfo = { time: 1000 + this.#tick, interval: 1, sequence: this.#tick++, gap };
    this.scope.settle();
    this.scope.stamp(tick.time);
    this.hub.publish(tick, [this.scope]);
    this.scope.clear();
  }

  subscribe(keys: string[] | null = null, id = 1): { reader: Kept; subscription: Subscription } {
    const reader = new Kept();
    const subscription = new Subscription(id, this.scope.id, reader, keys);
    subscription.learn(this.scope);
    subscription.noteAll();
    this.hub.add(subscription);
    return { reader, subscription };
  }
}

const countersIn = (frame: Frame): number[] =>
  Array.from({ length: frame.counterCount }, (_, i) => i).filter((i) => hasBit(frame.counterBits, i));

const gaugesIn = (frame: Frame): number[] =>
  Array.from({ length: frame.gaugeCount }, (_, i) => i).filter((i) => hasBit(frame.gaugeBits, i));

describe('frames', () => {
  test('the first has all values, later ones what changed, each with its number', () => {
    const world = new World();
    world.add('a', 1);
    world.add('b', 2);
    world.set('g', 1);
    world.set('h', 1);
    world.tick();
    const { reader } = world.subscribe(null, 7);
    world.tick();
    world.add('b', 3);
    world.set('h', 2);
    world.tick();
    world.tick();
    expect(reader.frames.map(countersIn)).toEqual([[0, 1], [1], []]);
    expect(reader.frames.map(gaugesIn)).toEqual([[0, 1], [1], []]);
    expect(reader.frames.map(({ stream, sequence }) => [stream, sequence])).toEqual([
      [7, 1],
      [7, 2],
      [7, 3],
    ]);
    expect([...reader.state.counters.subarray(0, 2)]).toEqual([1, 5]);
  });

  test('series that come later are told before the frame that has them', () => {
    const world = new World();
    const { reader } = world.subscribe();
    world.tick();
    world.add('a', 1);
    world.set('g', 2);
    world.tick();
    for (let i = 0; i < 20; i++) world.add(`n${i}`, i);
    world.tick();
    expect(reader.names).toEqual(['a', 'g', ...Array.from({ length: 20 }, (_, i) => `n${i}`)]);
    expect(reader.state.counterCount).toBe(21);
    expect(reader.state.counters[20]).toBe(19);
    expect(reader.state.gauges[3]).toBe(2);
  });

  test('a subset is sent alone, by any spelling, also when it comes later', () => {
    const world = new World();
    world.add('a', 1);
    const { reader } = world.subscribe(['b{y="2",x="1"}', 'g', 'never']);
    world.tick();
    world.add('b{x="1",y="2"}', 5);
    world.set('g', 9);
    world.set('h', 9);
    world.add('a', 1);
    world.tick();
    expect(reader.names).toEqual(['b{x="1",y="2"}', 'g']);
    expect(reader.frames.map(countersIn)).toEqual([[], [1]]);
    expect(reader.state.counters[1]).toBe(5);
    expect([hasBit(reader.frames[1]!.gaugeBits, 0), hasBit(reader.frames[1]!.gaugeBits, 1)]).toEqual([true, false]);
  });

  test('nothing comes after unsubscribing, and one end when the scope closes', () => {
    const world = new World();
    world.add('a', 1);
    const [one, two] = [world.subscribe(null, 1), world.subscribe(null, 2)];
    world.tick();
    world.hub.remove(one.subscription);
    world.tick();
    world.hub.end(world.scope.id);
    world.hub.end(world.scope.id);
    world.tick();
    expect([one.reader.frames.length, two.reader.frames.length, one.reader.ended, two.reader.ended]).toEqual([
      1, 2, 0, 1,
    ]);
  });
});

describe('a large scope', () => {
  const large = (): World => {
    const world = new World();
    for (let i = 0; i < 1500; i++) world.add(`c${i}`, i);
    for (let i = 0; i < 1000; i++) world.set(`g${i}`, i);
    world.tick();
    return world;
  };

  test('is told in pieces, then comes the first frame', () => {
    const world = large();
    const { reader } = world.subscribe();
    world.tick();
    expect(reader.pieces).toEqual([1000, 1000, 500]);
    expect(countersIn(reader.frames[0]!)).toHaveLength(1500);
    expect(gaugesIn(reader.frames[0]!)).toHaveLength(1000);
  });

  test('of which a few series are asked for is told of these alone', () => {
    const world = large();
    const { reader } = world.subscribe(['c1400', 'g999', 'never']);
    world.tick();
    expect(reader.names).toEqual(['c1400', 'g999']);
    expect(countersIn(reader.frames[0]!)).toEqual([1400]);
    expect(gaugesIn(reader.frames[0]!)).toEqual([999]);
  });

  test('waits for a reader that is behind; no frame comes before its series are told', () => {
    const world = large();
    const { reader } = world.subscribe();
    const told = reader.schema.bind(reader);
    // Each piece is all that it can take at a time.
    reader.schema = (...piece) => {
      told(...piece);
      reader.behind = true;
    };
    for (let i = 0; i < 3000; i++) world.add(`late${i}`, i);
    world.tick();
    world.tick();
    expect(reader.names).toHaveLength(3500);
    expect(reader.frames).toEqual([]);
    reader.catchUp();
    reader.catchUp();
    expect(reader.names).toHaveLength(5500);
    reader.behind = false;
    world.tick();
    expect(countersIn(reader.frames[0]!)).toHaveLength(4500);
    expect(reader.state.counters[4499]).toBe(2999);
  });

  test('is told no further when the reader left or the scope ended', () => {
    for (const leave of ['remove', 'end'] as const) {
      const world = new World();
      const { reader, subscription } = world.subscribe();
      reader.behind = true;
      world.add('a', 1);
      world.tick();
      if (leave === 'remove') world.hub.remove(subscription);
      else world.hub.end(world.scope.id);
      reader.catchUp();
      expect(reader.names).toEqual([]);
    }
  });
});

test('the time of the last tick is known to who comes later, and follows', () => {
  const world = new World();
  expect(world.subscribe().subscription.lastTick).toBe(0);
  world.tick();
  world.tick();
  const { subscription } = world.subscribe(null, 2);
  expect(subscription.lastTick).toBe(1001);
  subscription.held = true;
  world.tick();
  expect(subscription.lastTick).toBe(1002);
});

describe('a reader that is behind', () => {
  test('is sent nothing, then one frame with all that changed and the values of then', () => {
    const world = new World();
    for (const name of ['a', 'b', 'c']) world.add(name, 1);
    const { reader } = world.subscribe();
    world.tick();
    reader.behind = true;
    world.add('a', 1);
    world.tick();
    world.add('a', 1);
    world.add('d', 4);
    world.tick();
    expect(reader.frames).toHaveLength(1);
    expect(world.hub.skippedFrames).toBe(2);
    reader.behind = false;
    world.add('c', 1);
    world.tick();
    expect(reader.frames).toHaveLength(2);
    expect(countersIn(reader.frames[1]!)).toEqual([0, 2, 3]);
    expect([...reader.state.counters.subarray(0, 4)]).toEqual([3, 1, 2, 4]);
    expect(reader.frames.map(({ sequence }) => sequence)).toEqual([0, 3]);
  });

  test('is still told of a gap that lay in what it was not sent', () => {
    const world = new World();
    world.add('a', 1);
    const { reader } = world.subscribe();
    world.tick();
    reader.behind = true;
    world.tick(true);
    world.tick();
    reader.behind = false;
    world.tick();
    world.tick();
    expect(reader.frames.map(({ gap }) => gap)).toEqual([false, true, false]);
  });

  test('does not keep others waiting', () => {
    const world = new World();
    world.add('a', 1);
    const [slow, fast] = [world.subscribe(null, 1), world.subscribe(null, 2)];
    slow.reader.behind = true;
    for (let i = 0; i < 5; i++) world.tick();
    expect([slow.reader.frames.length, fast.reader.frames.length]).toEqual([0, 5]);
  });
});

test('a held subscription is sent nothing, remembers that it missed something, and goes on with all of it', () => {
  const world = new World();
  world.add('a', 1);
  const { reader, subscription } = world.subscribe();
  subscription.held = true;
  world.tick();
  expect(subscription.missed).toBe(true);
  world.add('late', 2);
  world.tick(true);
  expect([reader.frames.length, reader.names.length, world.hub.skippedFrames]).toEqual([0, 1, 0]);
  subscription.held = false;
  world.tick();
  expect(reader.names).toEqual(['a', 'late']);
  expect(countersIn(reader.frames[0]!)).toEqual([0, 1]);
  // The frame with the gap was a stored one.
  expect(reader.frames[0]!.gap).toBe(false);
});

test('whatever happens in whatever order, a reader that catches up knows the scope', () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant('add' as const),
      name: fc.integer({ min: 0, max: 30 }),
      by: fc.integer({ min: 0, max: 9 }),
    }),
    fc.record({ do: fc.constant('set' as const), name: fc.integer({ min: 0, max: 30 }), by: fc.integer() }),
    fc.constant({ do: 'tick' as const }),
    fc.record({ do: fc.constant('behind' as const), value: fc.boolean() }),
    fc.record({ do: fc.constant('held' as const), value: fc.boolean() }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 0, max: 60 }), (steps, start) => {
      const world = new World();
      let reader: Kept | null = null;
      let subscription: Subscription | null = null;
      steps.forEach((one, i) => {
        if (i === start) ({ reader, subscription } = world.subscribe());
        if (one.do === 'add') world.add(`c${one.name}`, one.by);
        else if (one.do === 'set') world.set(`g${one.name}`, one.by);
        else if (one.do === 'tick') world.tick();
        else if (one.do === 'behind' && reader) reader.behind = one.value;
        else if (one.do === 'held' && subscription) subscription.held = one.value;
      });
      if (!reader || !subscription) return;
      const [known, live] = [reader as Kept, subscription as Subscription];
      known.behind = false;
      live.held = false;
      world.tick();
      const { counterCount, gaugeCount, counters, gauges } = world.scope;
      expect([known.state.counterCount, known.state.gaugeCount]).toEqual([counterCount, gaugeCount]);
      expect(known.state.counters.slice(0, counterCount)).toEqual(counters.slice(0, counterCount));
      expect(known.state.gauges.slice(0, 4 * gaugeCount)).toEqual(gauges.slice(0, 4 * gaugeCount));
    }),
    { numRuns: 300 },
  );
});
