import { expect, test } from 'vitest';
import { RequestError } from '../../../../src/renderer/data/api.ts';
import type { Range } from '../../../../src/renderer/data/api.ts';
import { HistoryFill } from '../../../../src/renderer/data/historyFill.ts';
import { ScopeBuffer } from '../../../../src/renderer/data/scopeBuffer.ts';
import type { RangeResult } from '../../../../src/shared/api/query.ts';
import { describeSeries } from '../../../../src/shared/model/series.ts';

interface Asked {
  readonly range: Range;
  readonly resolve: (result: RangeResult) => void;
  readonly reject: (error: Error) => void;
}

function setUp() {
  const asked: Asked[] = [];
  const timers = new Map<() => void, number>();
  const changes: [what: 'filled' | 'told', scope: string, missing: string | null][] = [];
  const fill = new HistoryFill({
    query: (range) => new Promise((resolve, reject) => asked.push({ range, resolve, reject })),
    filled: ({ scope, missing }) => changes.push(['filled', scope, missing]),
    told: ({ scope, missing }) => changes.push(['told', scope, missing]),
    random: () => 0.5,
    setTimer: (call, ms) => {
      timers.set(call, ms);
      return () => timers.delete(call);
    },
  });
  const buffer = new ScopeBuffer('run/x');
  buffer.addSeries([describeSeries({ kind: 'counter', index: 0, name: 'a', doc: '' })]);
  /** Answers the newest question, and lets it be worked on. */
  const answer = async (error?: RequestError): Promise<void> => {
    const { range, resolve, reject } = asked.at(-1)!;
    if (error) reject(error);
    else resolve(resultOf(range));
    await new Promise((done) => setTimeout(done, 0));
  };
  /** Lets the one wait end; returns how long it was, ms. */
  const wait = (): number => {
    expect(timers.size).toBe(1);
    const [[call, ms]] = [...timers] as [[() => void, number]];
    timers.delete(call);
    call();
    return ms;
  };
  return { fill, buffer, asked, timers, changes, answer, wait };
}

function resultOf({ from, to }: Range): RangeResult {
  const column = [from, to];
  const series = [
    { key: 'a', name: 'a', kind: 'counter' as const, min: column, avg: column, max: column, last: column },
  ];
  return { scope: 'run/x', from, to, step: 0, times: [from, to], series };
}

const times = ({ ring }: ScopeBuffer): number[] => Array.from({ length: ring.count }, (_, i) => ring.time(i));
const gone = new RequestError('unreachable', 'no answer');

test('what failed is asked for again with growing waits until it is here; people are told meanwhile', async () => {
  const { fill, buffer, asked, timers, changes, answer, wait } = setUp();
  fill.add(buffer, 1000, 2000);
  await answer(gone);
  const waits = [wait()];
  await answer(new RequestError('store_unavailable', 'busy'));
  waits.push(wait());
  expect(changes).toEqual([]);
  await answer(gone);
  waits.push(wait());
  expect(waits).toEqual([500, 1000, 2000]);
  expect(changes).toEqual([['told', 'run/x', 'no answer']]);
  await answer();
  expect(new Set(asked.map(({ range }) => `${range.scope} ${range.from} ${range.to} ${range.series.length}`))).toEqual(
    new Set(['run/x 1000 2000 0']),
  );
  expect(times(buffer)).toEqual([1000, 2000]);
  expect(changes.slice(1)).toEqual([
    ['filled', 'run/x', 'no answer'],
    ['told', 'run/x', null],
  ]);
  expect(timers.size).toBe(0);
});

test('without a connection nobody is asked; the next one begins at once and with short waits', async () => {
  const { fill, buffer, asked, timers, answer, wait } = setUp();
  fill.add(buffer, 1000, 2000);
  await answer(gone);
  wait();
  await answer(gone);
  fill.pause();
  expect(timers.size).toBe(0);
  fill.resume();
  expect(asked).toHaveLength(3);
  // Lost again while the answer is on its way.
  fill.pause();
  await answer(gone);
  expect(timers.size).toBe(0);
  fill.add(buffer, 3000, 4000);
  expect(asked).toHaveLength(3);
  fill.resume();
  expect(asked.slice(3).map(({ range }) => range.from)).toEqual([1000, 3000]);
  await answer();
  expect(times(buffer)).toEqual([3000, 4000]);
});

test('a question that is on its way is not asked twice', async () => {
  const { fill, buffer, asked, answer, timers } = setUp();
  fill.add(buffer, 1000, 2000);
  fill.resume();
  expect(asked).toHaveLength(1);
  await answer();
  expect([times(buffer), timers.size]).toEqual([[1000, 2000], 0]);
  fill.resume();
  expect(asked).toHaveLength(1);
});

test('a refusal is told at once and waits for the next connection; what is not stored is not missing', async () => {
  const { fill, buffer, asked, timers, changes, answer } = setUp();
  fill.add(buffer, 1000, 2000);
  await answer(new RequestError('response_too_large', 'too wide'));
  expect([timers.size, changes]).toEqual([0, [['told', 'run/x', 'too wide']]]);
  fill.resume();
  expect(asked).toHaveLength(2);
  await answer(new RequestError('scope_not_found', 'no such scope'));
  expect(buffer.missing).toBeNull();
  expect(changes).toHaveLength(2);
  fill.resume();
  expect(asked).toHaveLength(2);
});

test('a buffer that nobody looks at is not asked for any more', async () => {
  const { fill, buffer, asked, timers, changes, answer, wait } = setUp();
  fill.add(buffer, 1000, 2000);
  await answer(gone);
  fill.drop(buffer);
  expect(timers.size).toBe(0);
  fill.add(buffer, 1000, 2000);
  await answer(gone);
  wait();
  fill.drop();
  await answer();
  fill.resume();
  expect([asked.length, times(buffer), changes]).toEqual([3, [], []]);
});
