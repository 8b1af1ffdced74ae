/** Lists of profiles, groups and marks: one contract, two stores. */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from '../../../src/engine/store/index.ts';
import type { ListAsked } from '../../../src/engine/store/profiles/profile-store.ts';
import type { Store } from '../../../src/engine/store/store.ts';
import type { Profile, ProfileSummary } from '../../../src/shared/api/profiles.ts';
import type { Run } from '../../../src/shared/api/runs.ts';
import { parseSearch } from '../../../src/shared/profiles/search.ts';
import { openInside } from '../../support/small-store.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { profile, run, T0 } from '../../unit/engine/store/support.ts';

const NOW = T0 + 86_400_000;
const MINUTE = 60_000;

const list = (search = '', over: Partial<ListAsked> = {}): ListAsked => {
  const { terms, errors } = parseSearch(search, NOW);
  expect(errors).toEqual([]);
  return { terms, sort: 'start', limit: 100, trash: '0', ...over };
};
const groups = (search = '', over = {}) => ({
  terms: parseSearch(search, NOW).terms,
  sort: 'last' as const,
  limit: 50,
  ...over,
});
const ids = ({ runs }: { runs: readonly Pick<Run, 'id'>[] }): string[] => runs.map(({ id }) => id);

/** A run of so many ms that began so many minutes after T0. */
const timed = (id: string, minute: number, duration: number, over: Partial<Run> = {}): Profile => {
  const start_time = T0 + minute * MINUTE;
  return profile(run(id, { start_time, end_time: start_time + duration, ...over }));
};

describe.each(['memory', 'sqlite'] as const)('profiles of the %s store', (kind) => {
  let store: Store;

  beforeEach(async () => {
    const data = kind === 'memory' ? null : join(temporaryFolder(), 'data');
    ({ store } = await openStore({ data }));
  });
  afterEach(() => store.close());

  const page = async (search = '', over: Partial<ListAsked> = {}): Promise<string[]> =>
    ids(await store.profiles.list(list(search, over)));

  test('are listed newest first, with what a list shows of them', async () => {
    store.putProfile(timed('a', 0, 5000, { command: '/opt/bin/lulesh -s 30' }));
    store.putProfile({ ...timed('b', 1, 9000, { command: './lulesh -s 30' }), user: 'ada' });
    store.putRun(run('c', { state: 'running' }));
    const { runs, next, total } = await store.profiles.list(list());
    expect(next).toBeNull();
    expect(total).toBe(2);
    expect(runs.map(({ id, duration, group, user }) => ({ id, duration, group, user }))).toEqual([
      { id: 'b', duration: 9000, group: 'lulesh -s 30', user: 'ada' },
      { id: 'a', duration: 5000, group: 'lulesh -s 30', user: '' },
    ]);
    expect(runs[0]).toMatchObject({ tags: [], note: '', pinned: false, deleted: null, engine: null, regression: null });
    expect(await store.profiles.summaries(['b', 'none', 'a'])).toEqual([runs[0], null, runs[1]]);
  });

  test('a run that goes on again is in no list until it has ended again', async () => {
    store.putProfile(timed('a', 0, 5000, { state: 'interrupted' }));
    expect(await page()).toEqual(['a']);
    store.putRun(run('a', { state: 'running', end_time: 0 }));
    expect(await page()).toEqual([]);
    store.putProfile(timed('a', 0, 9000));
    expect(await page('duration:9s state:finished')).toEqual(['a']);
  });

  test('a run that goes on leaves the trash', async () => {
    store.putProfile(timed('a', 0, 5000, { state: 'interrupted' }));
    await store.profiles.change('a', { tags: ['x'] }, NOW);
    await store.profiles.trash(['a'], NOW);
    store.putRun(run('a', { state: 'running', end_time: 0 }));
    expect(await page('', { trash: '1' })).toEqual([]);
    store.putProfile(timed('a', 0, 9000));
    expect(await page('tag:x')).toEqual(['a']);
    expect(await page('', { trash: '1' })).toEqual([]);
  });

  test('are searched by keyword, and each keyword in its own field only', async () => {
    store.putProfile({ ...timed('a', 0, 5000, { command: 'ada', cluster: 'jean', size: 64 }), user: 'bob' });
    store.putProfile({ ...timed('b', 10, 600_000, { command: 'bob --x', nodelist: 'n[1-4]', size: 8 }), user: 'ada' });
    await store.profiles.change('a', { tags: ['Slow', 'old one'], note: 'see the fabric' }, NOW);
    const expected: [string, string[]][] = [
      ['user:ada', ['b']],
      ['cmd:ada', ['a']],
      ['ada', ['b', 'a']],
      ['tag:slow', ['a']],
      ['tag:slo', []],
      ['-tag:slow', ['b']],
      ['tag:"old one"', ['a']],
      ['note:FABRIC', ['a']],
      ['node:n[1-4]', ['b']],
      ['cluster:jean size:>8', ['a']],
      ['size:>=8', ['b', 'a']],
      ['size:>64', []],
      ['size:1..8', ['b']],
      ['duration:>9m', ['b']],
      ['duration:<1m', ['a']],
      ['job:job-b', ['b']],
      ['-user:ada -user:bob', []],
      ['state:ok', ['b', 'a']],
      [`from:23h58m`, ['b']],
      ['adabob', []],
      ['"bob --x"', ['b']],
    ];
    for (const [search, found] of expected) expect([search, await page(search)]).toEqual([search, found]);
  });

  test('every page of every order together is all of them once', async () => {
    for (let i = 0; i < 25; i++) {
      store.putProfile(timed(`r${i}`, i % 7, 1000 * (i % 5), { command: `./job ${'cab'[i % 3]}`, size: i % 4 }));
    }
    for (const sort of ['start', 'duration', 'command', 'size'] as const) {
      for (const order of ['asc', 'desc'] as const) {
        const seen: ProfileSummary[] = [];
        let cursor: string | undefined;
        do {
          const asked = list('', { sort, order, limit: 4, ...(cursor === undefined ? {} : { cursor }) });
          const answer = await store.profiles.list(asked);
          expect(answer.total).toBe(25);
          seen.push(...answer.runs);
          cursor = answer.next ?? undefined;
        } while (cursor !== undefined);
        expect(new Set(ids({ runs: seen })).size).toBe(25);
        const key = { start: 'start_time', duration: 'duration', command: 'command', size: 'size' } as const;
        const values = seen.map((one) => one[key[sort]]!);
        const sorted = values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
        expect(values).toEqual(order === 'asc' ? sorted : sorted.toReversed());
      }
    }
    await expect(store.profiles.list(list('', { cursor: 'x' }))).rejects.toMatchObject({ code: 'bad_request' });
    const { next } = await store.profiles.list(list('', { limit: 4 }));
    const other = list('', { sort: 'size', cursor: next! });
    await expect(store.profiles.list(other)).rejects.toMatchObject({ code: 'bad_request' });
  });

  test('groups tell how often, how long and which way it goes', async () => {
    for (let i = 0; i < 12; i++)
      store.putProfile(timed(`a${i}`, i, i < 8 ? 10_000 : 20_000, { command: `/p${i}/solve` }));
    store.putProfile(timed('b', 30, 1000, { command: './other', state: 'interrupted' }));
    const { groups: found, total } = await store.profiles.groups(groups());
    expect(total).toBe(2);
    expect(found.map(({ group, runs, last }) => ({ group, runs, last: last.id }))).toEqual([
      { group: 'other', runs: 1, last: 'b' },
      { group: 'solve', runs: 12, last: 'a11' },
    ]);
    const solve = found[1]!;
    expect(solve).toMatchObject({ command: '/p11/solve', median: 10_000, trend: 2, baseline: null, failed: 0 });
    expect(solve.durations.map(({ run: id }) => id)).toEqual(Array.from({ length: 12 }, (_, i) => `a${i}`));
    // Twice the usual 10 s.
    expect(solve.regressions).toBe(4);
    expect(solve.last.regression).toMatchObject({ ratio: 2, against: 'usual', run: null });
    const first = await store.profiles.groups(groups('', { limit: 1 }));
    const second = await store.profiles.groups(groups('', { limit: 1, cursor: first.next! }));
    expect([...first.groups, ...second.groups].map(({ group }) => group)).toEqual(['other', 'solve']);
    expect(second.next).toBeNull();
    const some = await store.profiles.groups(groups('time:<=2027-01-15', { sort: 'runs' }));
    expect(some.groups[0]).toMatchObject({ group: 'solve' });
    expect(await page('', { group: 'solve', limit: 2 })).toEqual(['a11', 'a10']);
  });

  test('one run of a group is the baseline, and others of its size are held against it', async () => {
    store.putProfile(timed('a', 0, 10_000));
    store.putProfile(timed('b', 1, 13_000));
    store.putProfile(timed('wide', 2, 13_000, { size: 8 }));
    expect(await store.profiles.change('a', { baseline: true }, NOW)).toMatchObject({ baseline: true });
    const [wide, b, a] = (await store.profiles.list(list())).runs;
    expect(b!.regression).toEqual({ metric: 'duration', ratio: 1.3, against: 'baseline', duration: 10_000, run: 'a' });
    expect([wide!.regression, a!.regression, a!.baseline]).toEqual([null, null, true]);
    await store.profiles.change('b', { baseline: true }, NOW);
    expect((await store.profiles.list(list())).runs.map(({ baseline }) => baseline)).toEqual([false, true, false]);
    expect((await store.profiles.groups(groups())).groups[0]).toMatchObject({ baseline: 'b' });
  });

  test('tags of many change at once, and say which could not', async () => {
    store.putProfile(timed('a', 0, 1));
    store.putProfile(timed('b', 1, 1));
    await store.profiles.change('a', { tags: Array.from({ length: 32 }, (_, i) => `t${i}`) }, NOW);
    const change = { ids: ['a', 'b', 'none'], add_tags: ['new'], remove_tags: ['T1'] };
    // One goes, one comes.
    expect(await store.profiles.changeMany(change, NOW)).toMatchObject({
      changed: ['a', 'b'],
      failed: [{ id: 'none' }],
    });
    const again = { ids: ['a', 'b'], add_tags: ['newer', 'NEW'], remove_tags: [] };
    expect(await store.profiles.changeMany(again, NOW)).toMatchObject({ changed: ['b'], failed: [{ id: 'a' }] });
    expect((await store.profiles.marks('b'))!.tags).toEqual(['new', 'newer']);
    expect(await store.profiles.change('none', { tags: [] }, NOW)).toBeNull();
  });

  test('what is deleted can be restored, with all that was said of it', async () => {
    store.putProfile(timed('a', 0, 1000, { jobid: 'j' }));
    store.putProfile(timed('b', 1, 1000, { jobid: 'j' }));
    store.putRun(run('live', { state: 'running' }));
    await store.profiles.change('b', { tags: ['x'], note: 'n' }, NOW);
    const deleted = await store.profiles.trash(['b', 'live'], NOW);
    expect(deleted).toMatchObject({ changed: ['b'], failed: [{ id: 'live' }] });
    expect(await page()).toEqual(['a']);
    expect(ids(await store.runs({ limit: 10 }))).toEqual(['a']);
    expect((await store.latestProfile('j'))!.run.id).toBe('a');
    expect((await store.profiles.list(list('', { trash: '1' }))).runs).toMatchObject([{ id: 'b', deleted: NOW }]);
    expect(await store.profiles.groups(groups())).toMatchObject({ groups: [{ runs: 1 }] });
    await store.profiles.trash(['b'], null);
    expect(await page('tag:x note:n')).toEqual(['b']);
    expect((await store.latestProfile('j'))!.run.id).toBe('b');
  });

  test('profiles of other engines are lists of their own', async () => {
    store.putProfile(timed('a', 0, 1));
    store.putProfile(timed('e1.a', 1, 1));
    expect(await page()).toEqual(['a']);
    expect(await page('', { engine: 'e1' })).toEqual(['e1.a']);
    expect((await store.profiles.list(list('', { engine: 'all' }))).runs.map(({ engine }) => engine)).toEqual([
      'e1',
      null,
    ]);
    expect((await store.profiles.groups(groups('', { engine: 'e1' }))).total).toBe(1);
  });

  test('of all engines together runs of one command are one group', async () => {
    for (const [i, id] of ['a', 'b', 'e1.a', 'e2.a'].entries()) store.putProfile(timed(id, i, 1000, { command: 'x' }));
    store.putProfile(timed('e2.b', 9, 1000, { command: 'y' }));
    for (const search of ['', 'x']) {
      const { groups: found } = await store.profiles.groups(groups(search, { engine: 'all' }));
      expect(found.find(({ group }) => group === 'x')).toMatchObject({ runs: 4, last: { id: 'e2.a' } });
      expect(found).toHaveLength(search === '' ? 2 : 1);
    }
  });

  test('runs of no known command have nothing in common', async () => {
    for (const i of Array.from({ length: 8 }).keys()) {
      store.putProfile(timed(`a${i}`, i, i < 4 ? 1000 : 5000, { command: '' }));
    }
    const [group] = (await store.profiles.groups(groups())).groups;
    expect(group).toMatchObject({ group: '', runs: 8, regressions: 0, trend: null });
    expect((await store.profiles.list(list())).runs.every(({ regression }) => regression === null)).toBe(true);
  });

  test('other rules make other groups', async () => {
    store.putProfile(timed('a', 0, 1, { command: 'x -n 1' }));
    store.putProfile(timed('b', 1, 1, { command: 'x -n 2' }));
    expect((await store.profiles.groups(groups())).total).toBe(2);
    await store.profiles.setRules([{ pattern: '-n [0-9]+', replacement: '-n N', note: '' }]);
    await expect
      .poll(async () => (await store.profiles.groups(groups())).groups.map(({ group }) => group))
      .toEqual(['x -n N']);
    await expect.poll(async () => (await store.profiles.rules()).regrouping).toBeNull();
    store.putProfile(timed('c', 2, 1, { command: 'x -n 3' }));
    expect((await store.profiles.groups(groups())).groups).toMatchObject([{ group: 'x -n N', runs: 3 }]);
    await store.profiles.setRules(null);
    await expect.poll(async () => (await store.profiles.groups(groups())).total).toBe(3);
  });

  test('rules hold for runs of other engines too, and are tried on them', async () => {
    const other = '0123456789abcdef0123456789abcdef';
    store.putProfile(timed('a', 0, 1, { command: 'x -n 1' }));
    store.putProfile(timed(`${other}.b`, 1, 1, { command: 'x -n 2' }));
    store.putProfile(timed(`${other}.c`, 2, 1, { command: 'x -n 2' }));
    const counted = await store.profiles.commands(10);
    expect(counted.toSorted((a, b) => a.runs - b.runs)).toEqual([
      { command: 'x -n 1', runs: 1 },
      { command: 'x -n 2', runs: 2 },
    ]);
    await store.profiles.setRules([{ pattern: '-n [0-9]+', replacement: '-n N', note: '' }]);
    const named = async (engine: string): Promise<unknown> =>
      (await store.profiles.groups(groups('', { engine }))).groups.map(({ group, runs }) => [group, runs]);
    await expect.poll(() => named('all')).toEqual([['x -n N', 3]]);
    expect(await named(other)).toEqual([['x -n N', 2]]);
    expect(await named('')).toEqual([['x -n N', 1]]);
  });

  test('commands, tags and notes with markup and control characters are data', async () => {
    const nasty = '<img src=x onerror=alert(1)>\u001f\u001e"%_\'; DROP TABLE card;--';
    store.putProfile(timed('a', 0, 1, { command: nasty, nodelist: '\u001fada' }));
    await store.profiles.change('a', { tags: ["<b>'x'</b>"], note: nasty }, NOW);
    const [one] = (await store.profiles.list(list('tag:"<b>\'x\'</b>" cmd:"drop table"'))).runs;
    expect(one).toMatchObject({ command: nasty, tags: ["<b>'x'</b>"], note: nasty });
    // The separator within does not make a field of what follows.
    expect(await page('user:ada')).toEqual([]);
    expect(await page('node:ada')).toEqual(['a']);
  });

  test('the same job id a hundred times is a hundred profiles', async () => {
    for (let i = 0; i < 100; i++) store.putProfile(timed(`r${i}`, i, 1000, { jobid: 'again' }));
    const { runs, total } = await store.profiles.list(list('job:again', { limit: 1000 }));
    expect([runs.length, total]).toEqual([100, 100]);
    expect((await store.latestProfile('again'))!.run.id).toBe('r99');
  });
});

/** Of so many runs: number n is of command n % 40, size n % 7 and user n % 30. */
function manyProfiles(data: string, runs: number): void {
  mkdirSync(data, { mode: 0o700 });
  const { db, store } = openInside(data);
  db.exec(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${runs})
    INSERT INTO run SELECT i, 'r' || i, 'j' || i, ${T0} + i, 'finished', 1, '',
      json_set('${JSON.stringify(run('x', { command: '' }))}', '$.id', 'r' || i, '$.command', 'app' || (i % 40)) FROM n`);
  db.exec(`INSERT INTO card SELECT number, id, '', start, number % 1000, number % 7, 'finished', 0, 1, 'app' || (number % 40),
      'app' || (number % 40), 0, 0, NULL, '{"user":"","exits":{"outcome":"ok","codes":[]}}',
      'u' || (number % 30) || char(31) || 'app' || (number % 40) || replace(hex(zeroblob(3)), '00', char(31)) FROM run`);
  store.close();
}

test('100,000 profiles: each is on one page, and what is searched is found among all', async () => {
  const data = join(temporaryFolder(), 'data');
  manyProfiles(data, 100_000);
  const { store } = await openStore({ data });
  try {
    const seen = new Set<string>();
    let cursor: string | undefined;
    do {
      const { runs, next, total } = await store.profiles.list(
        list('', { sort: 'duration', limit: 1000, ...(cursor === undefined ? {} : { cursor }) }),
      );
      expect(total).toBe(100_000);
      for (const { id } of runs) seen.add(id);
      cursor = next ?? undefined;
    } while (cursor !== undefined);
    expect(seen.size).toBe(100_000);
    const found = await store.profiles.list(list('user:u7 cmd:app17 size:3', { limit: 1000 }));
    // What is 7 by 30, 17 by 40 and 3 by 7 at once comes once in 840; 17 and 7 by 10.
    expect([found.runs.length, found.next]).toEqual([119, null]);
    expect(await store.profiles.list(list('nowhere'))).toMatchObject({ runs: [], total: 0 });
    const grouped = await store.profiles.groups(groups());
    expect([grouped.total, grouped.groups[0]!.runs, grouped.groups[0]!.durations.length]).toEqual([40, 2500, 40]);
  } finally {
    await store.close();
  }
}, 180_000);

test('a page of very long commands ends early, and the next one goes on', async () => {
  const { store } = await openStore({ data: join(temporaryFolder(), 'data') });
  try {
    for (let i = 0; i < 300; i++) store.putProfile(timed(`r${i}`, i, 1000, { command: `${i} ${'x'.repeat(65_000)}` }));
    const first = await store.profiles.list(list('', { limit: 1000 }));
    expect(first.runs.length).toBeLessThan(300);
    const second = await store.profiles.list(list('', { limit: 1000, cursor: first.next! }));
    expect(ids(first).concat(ids(second))).toEqual(Array.from({ length: 300 }, (_, i) => `r${299 - i}`));
  } finally {
    await store.close();
  }
});

test('whatever is searched, both stores find the same', async () => {
  const memory = (await openStore({ data: null })).store;
  const sqlite = (await openStore({ data: join(temporaryFolder(), 'data') })).store;
  try {
    const words = ['ada', 'bob', 'lulesh', 'İx', '-n', '4', 'ÄÖ'];
    for (let i = 0; i < 60; i++) {
      const command = `${words[i % 7]!} ${words[(i * 3 + 1) % 7]!}`;
      const one = {
        ...timed(`r${i}`, i * 30, [0, 1000, 60_000, 3_600_000][i % 4]!, {
          ...{ command, size: 2 ** (i % 5), nodelist: `n${i % 3}`, cluster: words[i % 2]! },
          state: i % 6 === 0 ? 'interrupted' : 'finished',
        }),
        user: words[i % 3]!,
      };
      for (const store of [memory, sqlite]) store.putProfile(one);
      if (i % 4 > 0) continue;
      for (const store of [memory, sqlite]) await store.profiles.change(`r${i}`, { tags: [words[i % 5]!] }, NOW);
    }
    const keyword = fc.constantFrom('', 'user:', 'cmd:', 'node:', 'tag:', 'cluster:', 'job:');
    const term = fc.oneof(
      fc
        .tuple(fc.constantFrom('', '-'), keyword, fc.constantFrom(...words.slice(0, 4), 'n1', 'r1'))
        .map((all) => all.join('')),
      fc.constantFrom(
        'size:>2',
        'size:4..8',
        '-size:1',
        'duration:<=1m',
        'state:failed',
        '-state:ok',
        'from:20h',
        'to:2h',
        'time:20h..10h',
      ),
    );
    const sort = fc.constantFrom('start', 'duration', 'command', 'size');
    await fc.assert(
      fc.asyncProperty(fc.array(term, { maxLength: 3 }), sort, async (terms, by) => {
        const asked = list(terms.join(' '), { sort: by, limit: 1000 });
        expect(await sqlite.profiles.list(asked)).toEqual(await memory.profiles.list(asked));
        const grouped = groups(terms.join(' '));
        expect(await sqlite.profiles.groups(grouped)).toEqual(await memory.profiles.groups(grouped));
      }),
      { numRuns: 150 },
    );
  } finally {
    await Promise.all([memory.close(), sqlite.close()]);
  }
}, 120_000);
