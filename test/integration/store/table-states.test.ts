/** How far shared tables were read, over restarts: never without the samples, and never after the run has finished. */

import { join } from 'node:path';
import { onTestFinished, expect, test } from 'vitest';
import { openStore } from '../../../src/engine/store/index.ts';
import type { OpenedStore, TableState } from '../../../src/engine/store/store.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { profile, run, T0, Teller, tick } from '../../unit/engine/store/support.ts';

const nonce = (letter: string): string => letter.repeat(32);
const state = (letter: string, scope: string, ...bytes: number[]): TableState => ({
  nonce: nonce(letter),
  scope,
  state: new Uint8Array(bytes),
});

function reopenable() {
  const data = join(temporaryFolder(), 'data');
  let opened: OpenedStore | null = null;
  onTestFinished(() => opened?.store.close());
  return async (): Promise<OpenedStore> => {
    await opened?.store.close();
    return (opened = await openStore({ data }));
  };
}

const kept = ({ tables }: OpenedStore) =>
  Object.fromEntries(tables.map((each) => [each.nonce[0], [each.scope, ...each.state!]]));

test('the last state of each table is there after a restart, until the table has ended', async () => {
  const open = reopenable();
  const { store } = await open();
  const scope = new Teller('run/1');
  const append = (time: number, tables: TableState[]) =>
    store.append({ ...tick(T0 + time, scope.at(T0 + time, { c: time })), tables });
  append(0, [state('a', 'run/1', 1), state('b', 'run/1', 2, 2), state('c', 'run/1')]);
  append(1, [state('a', 'run/1', 9, 9, 9), { nonce: nonce('b'), scope: 'run/1', state: null }]);
  expect(kept(await open())).toEqual({ a: ['run/1', 9, 9, 9], c: ['run/1'] });
  // Nothing has changed: they stay.
  expect(kept(await open())).toEqual({ a: ['run/1', 9, 9, 9], c: ['run/1'] });
});

test('a state waits for a frame of its scope', async () => {
  const open = reopenable();
  const { store } = await open();
  store.append({ ...tick(T0, new Teller('run/2').at(T0, { c: 1 })), tables: [state('a', 'run/1', 1)] });
  await store.flush();
  expect(kept(await open())).toEqual({});
  const again = (await open()).store;
  again.append({ ...tick(T0, new Teller('run/2').at(T0, { c: 1 })), tables: [state('a', 'run/1', 1)] });
  again.append({ ...tick(T0 + 1, new Teller('run/1').at(T0 + 1, { c: 1 })), tables: [state('b', 'run/1', 2)] });
  expect(kept(await open())).toEqual({ a: ['run/1', 1], b: ['run/1', 2] });
});

test('bytes that are no frame take their states with them to the next tick of the scope', async () => {
  const open = reopenable();
  const { store } = await open();
  const scope = new Teller('run/1');
  store.append({ ...tick(T0, scope.at(T0, { c: 1 })), tables: [state('a', 'run/1', 1)] });
  const broken = { scope: 'run/1', added: [], frame: new Uint8Array([1, 2, 3]) };
  store.append({ ...tick(T0 + 1, broken), tables: [state('a', 'run/1', 2)] });
  await expect(store.flush()).rejects.toThrow('frame is shorter');
  expect(kept(await open())).toEqual({ a: ['run/1', 1] });
  const again = (await open()).store;
  again.append({ ...tick(T0 + 2, broken), tables: [state('a', 'run/1', 2)] });
  again.append(tick(T0 + 3, new Teller('run/1').at(T0 + 3, { c: 3 })));
  expect(kept(await open())).toEqual({ a: ['run/1', 2] });
});

test.each([
  ['finished', []],
  ['interrupted', ['a']],
] as const)('a run that ended as %s keeps the states of %j', async (how, left) => {
  const open = reopenable();
  const { store } = await open();
  const one = run('1', { state: 'running' });
  store.append({ ...tick(T0, new Teller(one.scope).at(T0, { c: 1 })), tables: [state('a', one.scope, 1)] });
  store.putProfile(profile({ ...one, state: how }));
  expect(Object.keys(kept(await open()))).toEqual(left);
});
