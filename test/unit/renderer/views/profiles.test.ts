import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareLink, packIds, readSubject, unpackIds } from '../../../../src/renderer/views/profiles/compare/link.ts';
import { readListQuery, runsAsked } from '../../../../src/renderer/views/profiles/list/listQuery.ts';
import { groupRowOf, rowsOf } from '../../../../src/renderer/views/profiles/list/rows.ts';
import { complete, showSearch, without, withTerm } from '../../../../src/renderer/views/profiles/list/searchModel.ts';
import { NOTHING_PICKED, pick, pickAll, pickRange } from '../../../../src/renderer/views/profiles/list/selection.ts';
import { readTags } from '../../../../src/renderer/views/profiles/list/readTags.ts';
import { nextOf, searchTime } from '../../../../src/renderer/views/profiles/run/neighbours.ts';
import { tagColour } from '../../../../src/renderer/views/profiles/tagColour.ts';
import {
  exitText,
  longerText,
  originText,
  regressionText,
  runTime,
  savedText,
  trendOf,
} from '../../../../src/renderer/views/profiles/words.ts';
import { parseSearch } from '../../../../src/shared/profiles/search.ts';
import { groupOf, summaryOf } from './profileFixture.ts';

const NOW = Date.UTC(2026, 10, 21, 12);

test('what became of rules of grouping is said', () => {
  expect(savedText(false, 0)).toBe('The rules are saved.');
  expect(savedText(false, 1)).toBe('The rules are saved: 1 run is grouped anew.');
  expect(savedText(true, 12_345)).toBe('The default rules hold again: 12\u202f345 runs are grouped anew.');
});

describe('run times and trends in words', () => {
  test.each([
    [0, '0 s'],
    [420, '420 ms'],
    [12_340, '12.3 s'],
    [61_000, '1:01'],
    [3_725_000, '1:02:05'],
    [NaN, '–'],
    [-1, '–'],
  ])('%d ms: %s', (ms, text) => expect(runTime(ms)).toBe(text));

  test.each([
    [null, '–', 'unknown'],
    [0, '–', 'unknown'],
    [1.02, 'steady', 'same'],
    [0.97, 'steady', 'same'],
    [1.12, '12 % slower', 'slower'],
    [2.4, '2.4 × slower', 'slower'],
    [0.8, '20 % faster', 'faster'],
    [0.25, '4 × faster', 'faster'],
  ])('trend %s: %s', (ratio, text, tone) => expect(trendOf(ratio)).toMatchObject({ text, tone }));

  test.each([
    [1, 'as long'],
    [1.38, '38 % longer'],
    [1.052, '5.2 % longer'],
    [3.1, '3.1 × as long'],
    [0.7, '30 % shorter'],
  ])('%d: %s', (ratio, text) => expect(longerText(ratio)).toBe(text));

  test('a regression says against what', () => {
    const regression = { metric: 'duration', ratio: 1.38, against: 'baseline', duration: 1, run: 'a' } as const;
    expect(regressionText(regression)).toBe('38 % longer than the baseline');
    expect(regressionText({ ...regression, ratio: 2.5, against: 'usual' })).toBe('2.5 × as long as usual');
  });

  test('how processes failed, and nothing when none did', () => {
    expect(exitText({ outcome: 'ok', codes: [{ code: '0', count: 4 }] })).toBeNull();
    expect(exitText({ outcome: 'unknown', codes: [] })).toBeNull();
    const codes = [
      { code: '0', count: 6 },
      { code: '137', count: 3 },
      { code: 'killed', count: 1 },
      { code: '2', count: 1 },
    ];
    expect(exitText({ outcome: 'failed', codes })).toBe('exit 137 in 3, 1 killed, …');
    expect(exitText({ outcome: 'failed', codes: [] })).toBe('failed');
  });

  test('where a profile came from', () => {
    expect(originText({ id: 'abcdefghijkl', engine: null })).toBeNull();
    expect(originText({ id: `p${'x'.repeat(21)}`, engine: null })).toBe('imported');
    expect(originText({ id: 'abcdefghijkl', engine: '0123456789abcdef' })).toBe('from engine 01234567');
  });
});

describe('the list’s address', () => {
  const read = (text: string) => readListQuery(new URLSearchParams(text));

  test('by command without anything, one by one for a group, and an unknown order is the usual one', () => {
    expect(read('')).toEqual({
      view: 'commands',
      search: '',
      group: null,
      sort: 'last',
      descending: true,
      engine: null,
    });
    expect(read('group=a.out')).toMatchObject({ view: 'runs', group: 'a.out', sort: 'start' });
    expect(read('view=trash&sort=constructor&order=asc')).toMatchObject({
      view: 'trash',
      sort: 'start',
      descending: false,
    });
    expect([read('engine=all').engine, read('engine=../x').engine]).toEqual(['all', null]);
    expect(read('sort=command')).toMatchObject({ sort: 'command', descending: false });
  });

  test('a group without a command is a group', () => {
    expect(runsAsked(read('group='), '')).toEqual({ group: '', sort: 'start', order: 'desc' });
    expect(runsAsked(read('view=trash'), 'x')).toEqual({ search: 'x', trash: '1', sort: 'start', order: 'desc' });
  });
});

describe('selection', () => {
  const shown = ['a', 'b', 'c', 'd', 'e'];

  test('a range takes the state of the one ticked before', () => {
    const one = pick(NOTHING_PICKED, 'b');
    const some = pickRange(one, shown, 'd');
    expect([...some.ids]).toEqual(['b', 'c', 'd']);
    const fewer = pickRange(pick(some, 'd'), shown, 'c');
    expect([...fewer.ids]).toEqual(['b']);
  });

  test('without an anchor in sight it is one tick', () => {
    expect([...pickRange({ ids: new Set(['z']), anchor: 'z' }, shown, 'c').ids]).toEqual(['z', 'c']);
  });

  test('all, then none; what is hidden stays', () => {
    const all = pickAll({ ids: new Set(['z']), anchor: null }, shown);
    expect(all.ids.size).toBe(6);
    expect([...pickAll(all, shown).ids]).toEqual(['z']);
  });
});

describe('the search field', () => {
  test('chips of terms and errors of the rest', () => {
    const { chips, errors } = showSearch('lulesh tag:"before the fix" -user:bob size:many', NOW);
    expect(chips.map(({ text, keyword, negated }) => [text, keyword, negated])).toEqual([
      ['lulesh', null, false],
      ['tag:"before the fix"', 'tag', false],
      ['-user:bob', 'user', true],
    ]);
    expect(errors).toEqual([{ text: 'size:many', message: expect.stringContaining('number of processes') }]);
  });

  test('a term is taken out with its spaces, and added once', () => {
    const text = 'lulesh tag:slow from:7d';
    const [, tag] = showSearch(text, NOW).chips;
    expect(without(text, tag!)).toBe('lulesh from:7d');
    expect(withTerm(text, 'tag', 'slow')).toBe(text);
    expect(withTerm('', 'tag', 'before the fix')).toBe('tag:"before the fix"');
  });

  test('keywords are offered for the word at the end, and values behind them', () => {
    expect(complete('lulesh si', {}).map(({ text }) => text)).toEqual(['lulesh size:']);
    expect(complete('-ta', {})[0]).toMatchObject({ text: '-tag:', label: '-tag:' });
    expect(complete('tag:be', { tag: ['before the fix', 'slow'] }).map(({ text }) => text)).toEqual([
      'tag:"before the fix" ',
    ]);
    expect(complete('state:', {}).map(({ label }) => label)).toContain('state:failed');
    expect(complete('nonsense:x', {})).toEqual([]);
  });

  test('whatever is offered is a search without errors when a value was taken', () => {
    const value = fc
      .string({ minLength: 1, maxLength: 20 })
      .filter((text) => text.trim() !== '' && !/[\n\r]/.test(text));
    fc.assert(
      fc.property(fc.array(value, { maxLength: 5 }), fc.constantFrom('tag:', 'x user:', '-node:'), (values, typed) => {
        for (const { text } of complete(typed, { tag: values, user: values, node: values })) {
          expect(parseSearch(text, NOW).errors).toEqual([]);
        }
      }),
    );
  });
});

describe('a comparison’s address', () => {
  test('few ids are readable, many are packed, and both come back', () => {
    expect(packIds(['a', 'bc'])).toBe('a*bc');
    const many = Array.from({ length: 500 }, (_, i) => `run-${String(i).padStart(8, '0')}`);
    expect(packIds(many)).toHaveLength(500 * 12 + 4);
    expect(unpackIds(packIds(many))).toEqual(many);
    expect(unpackIds('a,b c*a')).toEqual(['a', 'b', 'c']);
  });

  test('ids of any kind come back', () => {
    // Those of other engines' runs have the engine's id before a dot.
    const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,24}(\.[A-Za-z0-9_-]{1,24})?$/);
    fc.assert(
      fc.property(fc.uniqueArray(id, { minLength: 1, maxLength: 40 }), (ids) => {
        expect(unpackIds(packIds(ids))).toEqual(ids);
      }),
    );
  });

  test('what somebody breaks is not taken', () => {
    expect(unpackIds('0**abc')).toEqual([]);
    expect(unpackIds('12**abc')).toEqual([]);
    expect(unpackIds('../../etc <b>')).toEqual([]);
    expect(unpackIds(Array.from({ length: 600 }, (_, i) => `r${i}`).join('*'))).toHaveLength(500);
  });

  test('a command or a search stays short, and a group may be empty', () => {
    const link = compareLink({ kind: 'found', group: 'a.out -n <n>', search: 'tag:x' }, 'base');
    const params = new URL(link, 'http://x').searchParams;
    expect(readSubject(params)).toEqual({ kind: 'found', group: 'a.out -n <n>', search: 'tag:x' });
    expect(params.get('baseline')).toBe('base');
    const runs = compareLink({ kind: 'runs', ids: ['a', 'b'] });
    expect(readSubject(new URL(runs, 'http://x').searchParams)).toEqual({ kind: 'runs', ids: ['a', 'b'] });
  });
});

describe('rows of the list by command', () => {
  const [a, b] = [groupOf('a.out', { runs: 30 }), groupOf('b.out', { runs: 1 })];

  test('runs stand below their command, and the way to the others', () => {
    const rows = rowsOf([a, b], new Map([['a.out', { runs: [summaryOf('r1')], error: null }]]));
    expect(rows.map(({ kind }) => kind)).toEqual(['group', 'run', 'note', 'group']);
    expect(rows[2]).toMatchObject({ text: 'All 30 runs of this command', more: true });
    expect(groupRowOf(rows, 2)).toBe(0);
    expect(groupRowOf(rows, 3)).toBe(3);
    expect(groupRowOf(rows, 9)).toBe(-1);
  });

  test('what is not here yet says so, and why', () => {
    const rows = rowsOf([b], new Map([['b.out', { runs: undefined, error: new Error('away') }]]));
    expect(rows[1]).toMatchObject({ kind: 'note', text: 'away', more: false });
  });
});

test('tags: as the engine takes them, and the first that it does not', () => {
  expect(readTags([' slow ', 'slow', 'two  words'])).toEqual({ tags: ['slow', 'two words'], error: null });
  expect(readTags(['x'.repeat(65)]).error).toContain('expected 1 to 64 characters');
  expect(tagColour('slow')).toBe(tagColour('slow'));
  fc.assert(fc.property(fc.string(), (tag) => tagColour(tag) >= 0 && tagColour(tag) < 8));
});

test('neighbours: the one behind, and times that the search takes', () => {
  expect(nextOf(['a', 'b', 'c'], 'b')).toBe('c');
  expect(nextOf(['a', 'b'], 'b')).toBeNull();
  expect(nextOf(['a'], 'z')).toBeNull();
  const { terms, errors } = parseSearch(`from:${searchTime(NOW + 345)}`, NOW);
  expect(errors).toEqual([]);
  expect(terms[0]?.test).toMatchObject({ field: 'start', low: NOW });
});
