import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  countConnections,
  farOf,
  goneOf,
  groupConnections,
  groupsOf,
  mergeConnections,
  ratesOf,
  readFar,
  readPort,
  sameFingerprint,
  selectConnections,
  TRAIL_MS,
  withPoint,
} from '../../../../src/renderer/data/connections.ts';
import type { TrafficPoint } from '../../../../src/renderer/data/connections.ts';
import { NewForward } from '../../../../src/shared/api/connections.ts';
import { connectionOf, hopOf, promptOf } from '../views/connectionFixture.ts';

const rowsOf = (...list: ReturnType<typeof connectionOf>[]) => new Map(list.map((one) => [one.id, one]));

describe('the list', () => {
  const a = connectionOf();
  const b = connectionOf({ id: 'b', name: 'other' });

  test('the complete list replaces; changes are added, removed ones go', () => {
    expect([...mergeConnections(rowsOf(b), { all: true, connections: [a], removed: [] }).keys()]).toEqual(['a']);
    const renamed = { ...a, name: 'renamed' };
    const next = mergeConnections(rowsOf(a, b), { all: false, connections: [renamed], removed: ['b'] });
    expect([...next.values()]).toEqual([renamed]);
  });

  test('is searched in names, hosts, hops and reasons, and stands by name with its numbers in order', () => {
    const list = [
      connectionOf({ id: '1', name: 'login10' }),
      connectionOf({ id: '2', name: 'login9', hops: [hopOf('gate', 'me@10.0.0.1:22')] }),
      connectionOf({ id: '3', name: 'far', state: 'refused', reason: 'its Key has changed' }),
    ];
    const ids = (search: string, state: 'all' | 'refused' = 'all') =>
      selectConnections(list, { search, state }).map(({ id }) => id);
    expect(ids('')).toEqual(['3', '2', '1']);
    expect(ids('GATE')).toEqual(['2']);
    expect(ids('key changed')).toEqual(['3']);
    expect(ids('10.0.0.1 login')).toEqual(['2']);
    expect(ids('', 'refused')).toEqual(['3']);
    expect(ids('nothing such')).toEqual([]);
  });

  test('has heads only where there are groups; what is in none stands last', () => {
    const grouped = [
      connectionOf({ id: '1', group: 'Zürich' }),
      connectionOf({ id: '2', group: '' }),
      connectionOf({ id: '3', group: 'EU' }),
    ];
    const shape = (closed: string[] = []) =>
      groupConnections(grouped, new Set(closed)).map((row) => (row.kind === 'group' ? row.title : row.id));
    expect(shape()).toEqual(['EU', '3', 'Zürich', '1', 'In no group', '2']);
    expect(shape(['group EU'])).toEqual(['EU', 'Zürich', '1', 'In no group', '2']);
    expect(groupConnections([a, b], new Set()).map(({ kind }) => kind)).toEqual(['connection', 'connection']);
    expect(groupConnections([], new Set())).toEqual([]);
    expect(groupsOf(grouped)).toEqual(['EU', 'Zürich']);
  });

  test('is counted by state', () => {
    expect(countConnections([a, b, connectionOf({ state: 'down' })])).toMatchObject({
      all: 3,
      up: 2,
      down: 1,
      idle: 0,
    });
  });
});

describe('traffic', () => {
  const at = (time: number, received: number, sent = 0): TrafficPoint => ({ time, in: received, out: sent });

  test('is spread over the steps in which it was heard of', () => {
    const trail = [at(1000, 100), at(2500, 1100), at(7000, 5100)];
    const { in: rates } = ratesOf(trail, 8000, 2000, 4);
    // Steps end at 2, 4, 6 and 8 s.
    expect(rates).toEqual([0, 500, 0, 2000]);
  });

  test('before this page looked nothing is known; without news nothing moved', () => {
    expect(ratesOf([at(5000, 1)], 8000, 2000, 4).in).toEqual([null, null, 0, 0]);
    expect(ratesOf([], 8000, 2000, 2).in).toEqual([null, null]);
  });

  test('an engine that began anew counts from zero', () => {
    expect(ratesOf([at(0, 1_000_000), at(3000, 400)], 4000, 2000, 2).in).toEqual([0, 200]);
  });

  test('rates are never negative and add up to what was carried', () => {
    const step = fc.record({ wait: fc.integer({ min: 1, max: 3000 }), bytes: fc.integer({ min: 0, max: 1e9 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        let [time, total] = [0, 0];
        let trail: TrafficPoint[] = [at(0, 0)];
        for (const { wait, bytes } of steps) {
          trail = withPoint(trail, at((time += wait), (total += bytes)));
        }
        const rates = ratesOf(trail, 60_000, 2000, 30).in;
        expect(rates.every((rate) => rate !== null && rate >= 0)).toBe(true);
        const sum = rates.reduce<number>((all, rate) => all + (rate ?? 0) * 2, 0);
        expect(Math.round(sum)).toBe(total);
      }),
    );
  });

  test('what is too old is let go, but for the last point before', () => {
    let trail: TrafficPoint[] = [];
    for (let time = 0; time <= 3 * TRAIL_MS; time += 1000) trail = withPoint(trail, at(time, time));
    expect(trail.length).toBeLessThanOrEqual(TRAIL_MS / 1000 + 3);
    expect(trail[0]!.time).toBeLessThan(2 * TRAIL_MS);
    expect(trail.at(-1)!.time).toBe(3 * TRAIL_MS);
  });
});

describe('forwards', () => {
  test.each([
    ['8888', { host: 'localhost', port: 8888 }],
    [' node7:80 ', { host: 'node7', port: 80 }],
    ['[::1]:443', { host: '::1', port: 443 }],
    ['/run/a b.socket', { socket: '/run/a b.socket' }],
    ['unix:/run/x.sock', { socket: '/run/x.sock' }],
  ])('%s', (text, to) => {
    expect(readFar(text)).toEqual(to);
    expect(NewForward.safeParse({ port: 0, to }).success).toBe(true);
  });

  test.each([
    ['', 'write a port'],
    ['node7', 'expected a port'],
    ['node7:', 'expected a port'],
    ['a b:80', 'expected a port'],
    ['::1:80', 'expected a port'],
    ['node7:70000', 'there is no port 70000'],
    ['0', 'there is no port 0'],
    ['unix:run/x', 'begins with /'],
  ])('%s is told in words', (text, words) => {
    expect(readFar(text)).toContain(words);
    expect(farOf(text)).toBeNull();
  });

  test('a port here', () => {
    expect([readPort(''), readPort(' 8080 ')]).toEqual([0, 8080]);
    expect([readPort('x'), readPort('0'), readPort('65536')].every((one) => typeof one === 'string')).toBe(true);
  });

  test('whatever is written, it is a place that the engine takes or words', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const far = readFar(text);
        if (typeof far === 'string') expect(far).not.toBe('');
        else if (!('socket' in far)) expect(NewForward.safeParse({ to: far }).success).toBe(true);
      }),
    );
  });
});

describe('keys', () => {
  const print = `SHA256:${'aB3+/'.repeat(8)}xyz`;

  test('are compared as people paste them', () => {
    expect(sameFingerprint(print, '')).toBeNull();
    for (const pasted of [print, print.slice(7), ` 256 ${print} host (ED25519)\n`, `${print}=`]) {
      expect(sameFingerprint(print, pasted)).toBe(true);
    }
    for (const pasted of ['SHA256:', 'x', print.slice(0, -1), `${print}A`, print.toLowerCase()]) {
      expect(sameFingerprint(print, pasted)).toBe(false);
    }
    expect(sameFingerprint('', 'anything')).toBe(false);
  });
});

test('prompts that are gone', () => {
  const [one, two] = [promptOf(), promptOf({ id: 'p2' })];
  expect(goneOf([one, two], [two])).toEqual([one]);
  expect(goneOf([one], [one, two])).toEqual([]);
});
