import type { LookupAddress } from 'node:dns';
import { expect, test } from 'vitest';
import { Names } from '../../../../src/engine/targets/fetch-names.ts';

const HERE: LookupAddress[] = [{ address: '192.0.2.1', family: 4 }];
const NONE = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });

/** A system that answers when the test says so. */
function asked() {
  const open = new Map<string, (found: boolean) => void>();
  const order: string[] = [];
  let now = 0;
  const names = new Names(
    (name, _options, answer) => {
      order.push(name);
      open.set(name, (found) => {
        open.delete(name);
        if (found) answer(null, HERE);
        else answer(NONE, []);
      });
    },
    () => now,
  );
  const results: string[] = [];
  const look = (name: string): void =>
    names.lookup(name, {}, (error, addresses) => void results.push(`${name} ${error?.code ?? addresses[0]!.address}`));
  return { look, open, order, results, later: (ms: number) => (now += ms) };
}

test('a name that was found is looked up while a hundred others hang', () => {
  const { look, open, results, later } = asked();
  look('good');
  open.get('good')!(true);
  later(60_000);
  for (let n = 0; n < 100; n++) look(`bad${n}`);
  look('good');
  expect([...open.keys()]).toEqual(['bad0', 'good']);
  open.get('good')!(true);
  expect(results).toEqual(['good 192.0.2.1', 'good 192.0.2.1']);
});

test('new names come before those that were not found', () => {
  const { look, open, order } = asked();
  look('bad');
  open.get('bad')!(false);
  look('slow');
  look('bad');
  look('new');
  expect([...open.keys()]).toEqual(['slow']);
  open.get('slow')!(true);
  open.get('new')!(true);
  expect(order).toEqual(['bad', 'slow', 'new', 'bad']);
});

test('one question serves all who ask it, and its answer for a while', async () => {
  const { look, open, order, results, later } = asked();
  look('node7');
  look('node7');
  open.get('node7')!(true);
  expect(results).toHaveLength(2);
  look('node7');
  // Never called from within.
  expect(results).toHaveLength(2);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(results).toHaveLength(3);
  expect(order).toEqual(['node7']);
  later(60_000);
  look('node7');
  expect(order).toEqual(['node7', 'node7']);
});

test('what was not found is asked again', () => {
  const { look, open, order, results } = asked();
  look('x');
  open.get('x')!(false);
  look('x');
  open.get('x')!(true);
  expect([order, results]).toEqual([
    ['x', 'x'],
    ['x ENOTFOUND', 'x 192.0.2.1'],
  ]);
});

test('that a name was not found is told to the next one, when those who asked may have given up', async () => {
  const { look, open, order, results, later } = asked();
  look('x');
  later(5000);
  open.get('x')!(false);
  look('x');
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect([order, results]).toEqual([['x'], ['x ENOTFOUND', 'x ENOTFOUND']]);
  later(60_000);
  look('x');
  expect(order).toEqual(['x', 'x']);
});
