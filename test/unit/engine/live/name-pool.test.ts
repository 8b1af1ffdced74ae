import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NamePool, SharedNames } from '../../../../src/engine/live/name-pool.ts';
import { hashBytes } from '../../../../src/engine/live/name-table.ts';

const bytesOf = (name: string): Buffer => Buffer.from(name);

function find(table: SharedNames, name: string): number {
  const bytes = bytesOf(name);
  return table.find(bytes, 0, bytes.length, hashBytes(bytes, 0, bytes.length));
}

function add(table: SharedNames, name: string): number {
  const bytes = bytesOf(name);
  const hash = hashBytes(bytes, 0, bytes.length);
  const known = table.find(bytes, 0, bytes.length, hash);
  return known >= 0 ? known : table.add(bytes, 0, bytes.length, hash);
}

/** All that a table says of an entry is of this name. */
function check(table: SharedNames, entry: number, name: string): void {
  const bytes = bytesOf(name);
  expect(find(table, name)).toBe(entry);
  expect(table.name(entry)).toBe(name);
  expect(table.length(entry)).toBe(bytes.length);
  expect(table.hash(entry)).toBe(hashBytes(bytes, 0, bytes.length));
  expect(table.bytes.toString('utf8', table.start(entry), table.start(entry) + bytes.length)).toBe(name);
  const line = Buffer.concat([Buffer.from('xyz'), bytes, Buffer.from('1')]);
  const view = new DataView(line.buffer, line.byteOffset, line.length);
  expect(table.standsAt(entry, view, 3)).toBe(true);
  if (bytes.length > 0) expect(table.standsAt(entry, view, 2)).toBe(bytes.equals(line.subarray(2, 2 + bytes.length)));
}

describe('tables that share their names', () => {
  test('know their own ones only, whatever others have', () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z{}="é]{0,12}$/), { maxLength: 60 });
    fc.assert(
      fc.property(names, names, names, (first, second, third) => {
        const pool = new NamePool();
        const lists = [first, second, third];
        const tables = lists.map(() => new SharedNames(pool));
        for (let i = 0; i < 60; i++) {
          for (const [t, list] of lists.entries()) if (i < list.length) add(tables[t]!, list[i]!);
        }
        for (const [t, list] of lists.entries()) {
          for (const [entry, name] of list.entries()) check(tables[t]!, entry, name);
          for (const other of lists.flat()) if (!list.includes(other)) expect(find(tables[t]!, other)).toBe(-1);
        }
        expect(pool.size).toBe(new Set(lists.flat()).size);
      }),
    );
  });

  test('take no more than one of them', () => {
    const pool = new NamePool();
    const names = Array.from({ length: 2000 }, (_, i) => `metric{label="${i}"}`);
    const fill = (): SharedNames => {
      const table = new SharedNames(pool);
      for (const name of names) add(table, name);
      return table;
    };
    fill();
    const bytes = pool.bytes.length;
    for (let i = 0; i < 20; i++) check(fill(), 1999, names[1999]!);
    expect([pool.size, pool.bytes.length]).toEqual([2000, bytes]);
  });

  test('give back what nobody has any more, and keep the rest where it is found', () => {
    const pool = new NamePool();
    const stays = new SharedNames(pool);
    for (let i = 0; i < 3000; i++) add(stays, `stays{i="${i}"}`);
    let most = 0;
    for (let round = 0; round < 50; round++) {
      const churn = new SharedNames(pool);
      for (let i = 0; i < 5000; i++) add(churn, `churn{round="${round}",i="${i}"}`);
      if (round % 10 === 0) add(stays, `stays{round="${round}"}`);
      check(churn, 4999, `churn{round="${round}",i="4999"}`);
      churn.release();
      expect(find(churn, `churn{round="${round}",i="0"}`)).toBe(-1);
      most = Math.max(most, pool.size);
    }
    for (const i of [0, 1, 1500, 2999]) check(stays, i, `stays{i="${i}"}`);
    check(stays, 3004, 'stays{round="40"}');
    // Not the 250,000 that there were.
    expect(most).toBeLessThan(25_000);
    expect(pool.bytes.length).toBeLessThan(2_000_000);
  });
});
