import { expect, test } from 'vitest';
import { openMemoryStore } from '../../../../src/engine/store/memory.ts';
import { decodeFrame } from '../../../../src/shared/frame.ts';
import { profile, run, T0, Teller, tick } from './support.ts';

const times = async (store: ReturnType<typeof openMemoryStore>['store'], scope: string): Promise<number[]> =>
  (await store.frames(scope, 0, Number.MAX_SAFE_INTEGER, 1e9)).frames.map((bytes) => decodeFrame(bytes).time);

test('each store is its own engine', () => {
  expect(openMemoryStore().engineId).not.toBe(openMemoryStore().engineId);
});

test('frames older than the limit go, the newer ones stay whole', async () => {
  const { store } = openMemoryStore({ maxAge: 100_000 });
  const teller = new Teller('node/a');
  for (let i = 0; i < 1000; i++)
    store.append(tick(T0 + i * 1000, teller.at(T0 + i * 1000, i === 0 ? { c: 0, once: 7 } : { c: i })));
  const kept = await times(store, 'node/a');
  expect(kept.at(-1)).toBe(T0 + 999_000);
  expect(kept.length).toBeGreaterThanOrEqual(100);
  expect(kept.length).toBeLessThan(120);
  const first = (await store.snapshot('node/a', kept[0]!))!;
  expect([...first.columns.counters]).toEqual([(kept[0]! - T0) / 1000, 7]);
});

test('bytes are bounded over all scopes, the oldest go first', async () => {
  const { store } = openMemoryStore({ maxBytes: 40_000 });
  const tellers = Array.from({ length: 10 }, (_, i) => new Teller(`run/${i}`));
  for (let i = 0; i < 10; i++) store.putRun(run(`${i}`, { state: 'running' }));
  for (let i = 0; i < 500; i++) store.append(tick(T0 + i, ...tellers.map((teller) => teller.at(T0 + i, { c: i }))));
  let total = 0;
  for (const { scope } of tellers) {
    const kept = await times(store, scope);
    expect(kept.at(-1)).toBe(T0 + 499);
    // A frame in which one counter changed takes at least 14 bytes.
    total += kept.length * 14;
  }
  expect(total).toBeLessThanOrEqual(40_000);
  expect(total).toBeGreaterThan(10_000);
});

test('one frame larger than all that is allowed harms nothing', async () => {
  const { store } = openMemoryStore({ maxBytes: 1000 });
  const teller = new Teller('node/a');
  const wide = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`c${i}`, i]));
  for (let i = 0; i < 5; i++) expect(store.append(tick(T0 + i, teller.at(T0 + i, wide)))).toBe(true);
  expect(await times(store, 'node/a')).toEqual([]);
  expect(await store.snapshot('node/a', T0 + 9)).toBeNull();
});

test('only the newest profiles and ended runs are kept; live runs always', async () => {
  const { store } = openMemoryStore({ maxProfiles: 3, maxRuns: 5 });
  store.putRun(run('live', { state: 'running' }));
  for (let i = 0; i < 10; i++) store.putProfile(profile(run(`r${i}`, { start_time: T0 + i })));
  expect((await store.runs({ limit: 100 })).runs.map(({ id }) => id)).toEqual(['r9', 'r8', 'r7', 'r6', 'r5']);
  expect(await store.profile('r7')).toEqual(profile(run('r7', { start_time: T0 + 7 })));
  expect(await store.profile('r6')).toBeNull();
  expect((await store.run('live'))!.state).toBe('running');
});
