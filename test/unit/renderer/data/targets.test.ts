import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import {
  countStates,
  dayBytesAt,
  mergeTargets,
  selectTargets,
  shownState,
} from '../../../../src/renderer/data/targets.ts';
import type { TargetQuery } from '../../../../src/renderer/data/targets.ts';
import type { TargetsEvent } from '../../../../src/renderer/data/live.ts';
import { TargetsModel } from '../../../../src/renderer/data/targetsModel.ts';
import { targetOf } from '../views/targetFixture.ts';

const counts = { total: 0, new: 0, up: 0, slow: 0, down: 0, refused: 0, paused: 0 };
const event = (change: Partial<TargetsEvent>): TargetsEvent => ({
  ...{ type: 'targets', all: false, targets: [], removed: [], counts },
  ...change,
});
const all: TargetQuery = { search: '', state: 'all', type: 'all', sort: 'url', descending: false };

// Changes are told in animation frames, of which there are none here.
vi.stubGlobal('requestAnimationFrame', () => 0);

describe('messages of the targets topic', () => {
  test('the complete list replaces what was known, changes add to it, what was removed goes', () => {
    const first = mergeTargets(
      new Map([['old', targetOf({ id: 'old' })]]),
      event({ all: true, targets: [targetOf({ id: 'a' }), targetOf({ id: 'b' })] }),
    );
    expect([...first.keys()]).toEqual(['a', 'b']);
    const second = mergeTargets(
      first,
      event({ targets: [targetOf({ id: 'b', samples: 7 }), targetOf({ id: 'c' })], removed: ['a'] }),
    );
    expect([...second.keys()]).toEqual(['b', 'c']);
    expect(second.get('b')?.samples).toBe(7);
    expect([...first.keys()]).toEqual(['a', 'b']);
  });

  test('what was removed and is told anew in one message is there', () => {
    const rows = new Map([['a', targetOf()]]);
    expect(mergeTargets(rows, event({ removed: ['a'], targets: [targetOf({ samples: 9 })] })).get('a')?.samples).toBe(
      9,
    );
  });
});

describe('the model', () => {
  function source() {
    const listeners = new Set<(change: TargetsEvent) => void>();
    return {
      listeners,
      onTargets(listener: (change: TargetsEvent) => void) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    };
  }

  test('listens only while somebody looks, and for a moment after', () => {
    vi.useFakeTimers();
    try {
      const from = source();
      const model = new TargetsModel(from);
      expect(from.listeners.size).toBe(0);
      const leave = model.subscribe(() => undefined);
      expect(from.listeners.size).toBe(1);
      leave();
      const back = model.subscribe(() => undefined);
      vi.advanceTimersByTime(60_000);
      expect(from.listeners.size).toBe(1);
      back();
      vi.advanceTimersByTime(60_000);
      expect(from.listeners.size).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  test('is loaded with the complete list; before that a request’s answer is no list', () => {
    const from = source();
    const model = new TargetsModel(from);
    model.subscribe(() => undefined);
    model.put(targetOf());
    expect(model.snapshot().rows.size).toBe(0);
    for (const listener of from.listeners) listener(event({ all: true, targets: [targetOf()] }));
    expect(model.snapshot().loaded).toBe(true);
    model.put(targetOf({ id: 'b' }));
    model.drop('a');
    expect([...model.snapshot().rows.keys()]).toEqual(['b']);
    model.close();
    expect(model.snapshot().loaded).toBe(false);
    expect(from.listeners.size).toBe(0);
  });
});

describe('the table', () => {
  const list = [
    targetOf({ id: '1', url: 'http://node10:9100', state: 'down', reason: 'connection refused on port 9100' }),
    targetOf({ id: '2', url: 'http://node9:9100', labels: { rack: 'r12' } }),
    targetOf({ id: '3', url: 'http://gpu:9400', type: 'proxy', state: 'slow', paused: true, duration: null }),
  ];
  const urls = (query: Partial<TargetQuery>): string[] => selectTargets(list, { ...all, ...query }).map(({ id }) => id);

  test('stands in the order of hosts with their numbers', () => {
    expect(urls({})).toEqual(['3', '2', '1']);
    expect(urls({ descending: true })).toEqual(['1', '2', '3']);
  });

  test('by state: what needs a person first; what is paused is nothing else', () => {
    expect(urls({ sort: 'state' })).toEqual(['1', '2', '3']);
    expect(urls({ state: 'slow' })).toEqual([]);
    expect(urls({ state: 'paused' })).toEqual(['3']);
    expect(shownState(list[2]!)).toBe('paused');
    expect(countStates(list)).toEqual({ all: 3, up: 1, slow: 0, new: 0, down: 1, refused: 0, paused: 1 });
  });

  test('searches address, labels and reason, all words of it, without case', () => {
    expect(urls({ search: 'RACK=r12' })).toEqual(['2']);
    expect(urls({ search: 'refused' })).toEqual(['1']);
    expect(urls({ search: 'node refused' })).toEqual(['1']);
    expect(urls({ search: 'gpu refused' })).toEqual([]);
    expect(urls({ type: 'proxy' })).toEqual(['3']);
  });

  test('any order has all rows, each once, and the other way round is the reverse but for equals', () => {
    const some = fc.array(
      fc.record({ samples: fc.nat(5), url: fc.constantFrom('http://a1', 'http://a2', 'http://b') }),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(some, (given) => {
        const rows = given.map((one, i) => targetOf({ ...one, id: String(i) }));
        const up = selectTargets(rows, { ...all, sort: 'samples' });
        const down = selectTargets(rows, { ...all, sort: 'samples', descending: true });
        expect(up.map(({ id }) => id).toSorted()).toEqual(rows.map(({ id }) => id).toSorted());
        expect(down.map(({ samples }) => samples)).toEqual(up.map(({ samples }) => samples).toReversed());
      }),
    );
  });
});

test('a day at another period', () => {
  expect(dayBytesAt(1000, '10s', '20s')).toBe(500);
  expect(dayBytesAt(1000, '10s', '250ms')).toBe(40_000);
  expect(dayBytesAt(1000, '10s', 'soon')).toBeNull();
  expect(dayBytesAt(1000, '10s', '0s')).toBeNull();
});
