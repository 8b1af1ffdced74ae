import { describe, expect, test } from 'vitest';
import { History } from '../../../src/engine/history.ts';
import type { TickInfo } from '../../../src/engine/live/sampler.ts';
import { Scope } from '../../../src/engine/live/scope.ts';
import { openMemoryStore } from '../../../src/engine/store/memory.ts';
import type { Store, Tick } from '../../../src/engine/store/store.ts';
import { decodeFrame, FrameState, type Frame } from '../../../src/shared/frame.ts';

/** Takes ticks, or refuses them. */
class Taker {
  readonly ticks: Tick[] = [];
  full = false;

  append(tick: Tick): boolean {
    if (!this.full) this.ticks.push(tick);
    return !this.full;
  }
}

class Rig {
  readonly taker = new Taker();
  readonly scope = new Scope('node/h', 'node');
  readonly history = new History(this.taker as unknown as Store);
  #sequence = 0;

  tick(scopes: readonly Scope[] = [this.scope], gap = false): void {
    const sequence = this.#sequence++;
    const info: TickInfo = { time: 1000 * sequence, interval: 1000, sequence, gap };
    for (const scope of scopes) scope.settle();
    this.history.append(info, scopes);
    for (const scope of scopes) scope.clear();
  }

  frames(id = this.scope.id): Frame[] {
    return this.taker.ticks.flatMap((tick) =>
      tick.scopes.filter((s) => s.scope === id).map((s) => decodeFrame(s.frame)),
    );
  }

  added(id = this.scope.id): string[][] {
    return this.taker.ticks.flatMap((tick) =>
      tick.scopes.filter((s) => s.scope === id).map((s) => [...s.added].map((def) => def.name)),
    );
  }
}

describe('frames', () => {
  test('the first is full, and then every sixtieth', () => {
    const rig = new Rig();
    rig.scope.register('c', '', 'counter');
    for (let i = 0; i < 121; i++) rig.tick();
    expect(rig.frames().flatMap((frame, i) => (frame.full ? [i] : []))).toEqual([0, 60, 120]);
  });

  test('those between carry what changed', () => {
    const rig = new Rig();
    for (const name of ['a', 'b', 'c']) rig.scope.register(name, '', 'counter');
    rig.tick();
    rig.scope.increase(1, 5);
    rig.tick();
    rig.tick();
    expect(rig.frames().map((f) => [...f.counterValues])).toEqual([[0, 0, 0], [5], []]);
  });

  test('a scope that was left out of a tick after a gap says so in its next frame', () => {
    const rig = new Rig();
    const other = new Scope('run/r', 'run');
    rig.tick([rig.scope, other]);
    rig.tick([rig.scope], true);
    rig.tick([rig.scope, other]);
    rig.tick([rig.scope, other]);
    expect(rig.frames().map((frame) => frame.gap)).toEqual([false, true, false, false]);
    expect(rig.frames('run/r').map((frame) => frame.gap)).toEqual([false, true, false]);
  });

  test('a target, which may have a history of an earlier start, begins with a gap', () => {
    const rig = new Rig();
    const target = new Scope('target/t', 'target');
    rig.tick();
    rig.tick([rig.scope, target]);
    rig.tick([rig.scope, target]);
    expect(rig.frames('target/t').map((frame) => frame.gap)).toEqual([true, false]);
  });

  test('each scope counts its own', () => {
    const rig = new Rig();
    const late = new Scope('run/late', 'run');
    rig.tick();
    rig.tick([rig.scope, late]);
    rig.tick([rig.scope, late]);
    expect(rig.frames().map((f) => f.full)).toEqual([true, false, false]);
    expect(rig.frames(late.id).map((f) => f.full)).toEqual([true, false]);
  });
});

describe('series', () => {
  test('are named once, with the frame that has them first', () => {
    const rig = new Rig();
    rig.scope.register('a', '', 'counter');
    rig.scope.register('g', '', 'gauge');
    rig.tick();
    rig.scope.register('b', '', 'counter');
    rig.tick();
    rig.tick();
    expect(rig.added()).toEqual([['a', 'g'], ['b'], []]);
  });
});

describe('after refused ticks', () => {
  test('the next frame is full and names what was not taken, so nothing is missing', () => {
    const rig = new Rig();
    rig.scope.register('a', '', 'counter');
    rig.tick();
    rig.taker.full = true;
    rig.scope.register('b', '', 'counter');
    rig.scope.increase(0, 7);
    rig.tick();
    rig.scope.increase(1, 3);
    rig.tick();
    rig.taker.full = false;
    rig.tick();
    rig.tick();
    expect(rig.frames().map((f) => [f.sequence, f.full])).toEqual([
      [0, true],
      [3, true],
      [4, false],
    ]);
    expect(rig.added()).toEqual([['a'], ['b'], []]);
    const state = new FrameState();
    for (const frame of rig.frames()) state.apply(frame);
    expect([...state.counters.subarray(0, 2)]).toEqual([7, 3]);
  });

  test('another scope is not written in full for it', () => {
    const rig = new Rig();
    const other = new Scope('run/other', 'run');
    rig.tick([rig.scope, other]);
    rig.taker.full = true;
    rig.tick([other]);
    rig.taker.full = false;
    rig.tick([rig.scope, other]);
    expect(rig.frames().map((f) => f.full)).toEqual([true, false]);
    expect(rig.frames(other.id).map((f) => f.full)).toEqual([true, true]);
  });

  test('a refused first frame is made again, with all names', () => {
    const rig = new Rig();
    rig.scope.register('a', '', 'counter');
    rig.taker.full = true;
    rig.tick();
    rig.taker.full = false;
    rig.tick();
    expect(rig.frames().map((f) => f.full)).toEqual([true]);
    expect(rig.added()).toEqual([['a']]);
  });
});

describe('detail', () => {
  const withDetail = (): Rig => {
    const rig = new Rig();
    for (const name of ['total', 'core']) rig.scope.register(name, '', 'counter');
    for (const name of ['load', 'use']) rig.scope.register(name, '', 'gauge');
    rig.scope.markDetail('counter', 1);
    rig.scope.markDetail('gauge', 1);
    return rig;
  };
  const busy = (rig: Rig, ticks: number): void => {
    for (let i = 0; i < ticks; i++) {
      rig.scope.increase(0, 2);
      rig.scope.increase(1, 1);
      rig.scope.putGauge(0, Float64Array.of(i, i, 1, i));
      rig.scope.putGauge(1, Float64Array.of(i, i, 1, i));
      rig.tick();
    }
  };

  test('is written every ten seconds; a counter is not known from its first change until then', () => {
    const rig = withDetail();
    rig.tick();
    busy(rig, 25);
    const frames = rig.frames().slice(1);
    expect(frames.map((f) => f.counterValues.length)).toEqual(
      frames.map((_, i) => ([1, 10, 11, 20, 21].includes(i + 1) ? 2 : 1)),
    );
    expect(frames.map((f) => f.gaugeValues.length / 4)).toEqual(frames.map((_, i) => (i % 10 === 9 ? 2 : 1)));
    const state = new FrameState();
    const core = rig.frames().map((frame) => {
      state.apply(frame);
      return state.counters[1];
    });
    expect(core).toEqual(Array.from({ length: 26 }, (_, i) => (i % 10 === 0 ? i : NaN)));
  });

  test('that does not change costs nothing', () => {
    const rig = withDetail();
    for (let i = 0; i < 30; i++) rig.tick();
    expect(
      rig
        .frames()
        .slice(1)
        .every((f) => f.counterValues.length + f.gaugeValues.length === 0),
    ).toBe(true);
  });

  test('comes with full frames, and after refused ticks', () => {
    const rig = withDetail();
    rig.tick();
    busy(rig, 3);
    rig.taker.full = true;
    busy(rig, 1);
    rig.taker.full = false;
    busy(rig, 2);
    const last = rig.frames().slice(-2);
    expect(last.map((f) => f.full)).toEqual([true, false]);
    expect([...last[0]!.counterValues]).toEqual([10, 5]);
    expect([...last[1]!.counterValues]).toEqual([12, NaN]);
  });

  test('a series that comes between is named at once and has its value with the next detail', () => {
    const rig = withDetail();
    rig.tick();
    rig.tick();
    rig.scope.register('core2', '', 'counter');
    rig.scope.markDetail('counter', 2);
    rig.scope.increase(2, 7);
    for (let i = 0; i < 9; i++) rig.tick();
    const values = rig.frames().map((f) => [...f.counterValues]);
    expect(values[2]).toEqual([NaN]);
    expect(values[10]).toEqual([7]);
  });

  test('shows no spikes: what grew in ten seconds is spread over them', async () => {
    const { store } = openMemoryStore();
    const scope = new Scope('node/h', 'node');
    const history = new History(store);
    scope.register('core', '', 'counter');
    scope.markDetail('counter', 0);
    for (let sequence = 0; sequence <= 40; sequence++) {
      if (sequence > 0) scope.increase(0, 3);
      history.append({ time: 1000 * (sequence + 1), interval: sequence ? 1000 : 0, sequence, gap: sequence === 0 }, [
        scope,
      ]);
      scope.clear();
    }
    const ask = async (from: number, maxPoints: number): Promise<(number | null)[][]> => {
      const result = await store.query({ scope: 'node/h', from, to: 41_000, series: ['core'], maxPoints });
      return [result!.series[0]!.avg, result!.series[0]!.last];
    };
    const [rates, totals] = await ask(1000, 100);
    expect(rates!.slice(1)).toEqual(Array(40).fill(3));
    expect(totals!.map((total) => Math.round(total ?? NaN))).toEqual(Array.from({ length: 41 }, (_, i) => 3 * i));
    const [buckets] = await ask(5500, 10);
    for (const rate of buckets!) expect(rate).toBeCloseTo(3);
    await store.close();
  });
});
