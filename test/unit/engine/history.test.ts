import { describe, expect, test } from 'vitest';
import { History } from '../../../src/engine/history.ts';
import type { TickInfo } from '../../../src/engine/live/sampler.ts';
import { Scope } from '../../../src/engine/live/scope.ts';
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

  tick(scopes: readonly Scope[] = [this.scope]): void {
    const sequence = this.#sequence++;
    const info: TickInfo = { time: 1000 * sequence, interval: 1000, sequence, gap: false };
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
      tick.scopes.filter((s) => s.scope === id).map((s) => s.added.map((def) => def.name)),
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
