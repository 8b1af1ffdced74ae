import { expect, test } from 'vitest';
import type { EngineContext } from '../../../../src/engine/context.ts';
import { History } from '../../../../src/engine/history.ts';
import { replay } from '../../../../src/engine/http/replay.ts';
import { LiveHub, Subscription } from '../../../../src/engine/live/hub.ts';
import { Scope } from '../../../../src/engine/live/scope.ts';
import { openStore } from '../../../../src/engine/store/index.ts';
import { decodeFrame, FrameState } from '../../../../src/shared/frame.ts';

/** Ticks 0, 1, 2… at 1000, 1001, 1002…, of which the store drops some; then a reader comes back. */
async function resume(
  dropped: readonly number[],
  ticks: number,
  from: number,
  during = 0,
  scope = new Scope('run/x', 'run'),
): Promise<unknown[]> {
  const { store } = await openStore({ data: null });
  const hub = new LiveHub();
  scope.register('a', '', 'counter');
  let sequence = 0;
  const history = new History({
    ...store,
    append: (tick) => !dropped.includes(sequence) && store.append(tick),
  });
  const tick = (): void => {
    const info = { time: 1000 + sequence, interval: 1, sequence, gap: false };
    history.append(info, [scope]);
    hub.publish(info, [scope]);
    sequence++;
  };
  for (let i = 0; i < ticks; i++) tick();

  const told: unknown[] = [];
  const frame = (bytes: Uint8Array): void => void told.push(decodeFrame(bytes).sequence);
  const reader = { ready: () => true, whenReady: () => {}, schema: () => {}, frame, end: () => {} };
  const subscription = new Subscription(1, scope.id, reader, null);
  hub.add(subscription);
  const context: Pick<EngineContext, 'store' | 'scope' | 'openedAt' | 'now'> = {
    store,
    scope: () => scope,
    openedAt: () => 1000,
    now: () => 1000 + sequence,
  };
  const sent = replay(context as EngineContext, subscription, from, {
    frame,
    gap: (start, end) => told.push([start, end]),
    active: () => true,
    drained: () => Promise.resolve(),
    done: () => told.push('live'),
  });
  for (let i = 0; i < during; i++) tick();
  await sent;
  tick();
  await store.close();
  return told;
}

test('without a loss there is no gap', async () => {
  expect(await resume([], 5, 1001)).toEqual([2, 3, 4, 'live', 5]);
  expect(await resume([], 5, 1001, 2)).toEqual([2, 3, 4, 5, 6, 'live', 7]);
});

test('a target has stored frames after its scrapes only, and nothing is missing between them', async () => {
  const target = (): Scope => new Scope('target/x', 'target');
  expect(await resume([2, 4, 5], 6, 1000, 0, target())).toEqual([1, 3, 'live', 6]);
});

test('dropped ticks between stored ones are a gap', async () => {
  expect(await resume([3, 4], 7, 1001)).toEqual([2, [1002, 1005], 5, 6, 'live', 7]);
});

test('dropped ticks before the live ones are a gap', async () => {
  expect(await resume([3, 4], 5, 1001)).toEqual([2, [1002, 1004], 'live', 5]);
});

test('ticks that are dropped while stored ones are sent are a gap', async () => {
  expect(await resume([5, 6], 5, 1001, 2)).toEqual([2, 3, 4, [1004, 1006], 'live', 7]);
});

test('a store that has nothing of the time is told as one gap', async () => {
  expect(await resume([2, 3, 4], 5, 1001)).toEqual([[1001, 1004], 'live', 5]);
});

test('detail has no values where none were stored, and those of now at the end', async () => {
  const { store } = await openStore({ data: null });
  const hub = new LiveHub();
  const scope = new Scope('node/h', 'node');
  const history = new History(store);
  for (const name of ['total', 'core', 'idle']) scope.register(name, '', 'counter');
  for (const core of [1, 2]) scope.markDetail('counter', core);
  let sequence = 0;
  const tick = (): void => {
    const info = { time: 1000 * (sequence + 1), interval: 1000, sequence, gap: false };
    for (const counter of [0, 1]) scope.increase(counter, 1);
    history.append(info, [scope]);
    hub.publish(info, [scope]);
    scope.clear();
    sequence++;
  };
  for (let i = 0; i < 14; i++) tick();
  const state = new FrameState();
  const seen: number[][] = [];
  const frame = (bytes: Uint8Array): void => {
    state.apply(decodeFrame(bytes));
    seen.push([...state.counters.subarray(0, 3)]);
  };
  const reader = { ready: () => true, whenReady: () => {}, schema: () => {}, frame, end: () => {} };
  const subscription = new Subscription(1, scope.id, reader, null);
  hub.add(subscription);
  const context = { store, scope: () => scope, openedAt: () => 1000, now: () => 20_000 };
  const target = { frame, gap: () => {}, active: () => true, drained: () => Promise.resolve(), done: () => {} };
  await replay(context as unknown as EngineContext, subscription, 8000, target);
  tick();
  expect(seen).toEqual([
    [9, NaN, 0],
    [10, NaN, 0],
    [11, 11, 0],
    [12, NaN, 0],
    [13, NaN, 0],
    [14, 14, 0],
    [15, 15, 0],
  ]);
  await store.close();
});
