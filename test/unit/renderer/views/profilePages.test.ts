import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  FEW_PAGES,
  isFewPages,
  placesOf,
  withChange,
  withoutRuns,
  withRunsBack,
} from '../../../../src/renderer/views/profiles/list/pages.ts';
import { summaryOf } from './profileFixture.ts';

const pagesOf = (...pages: readonly (readonly string[])[]) => {
  const total = pages.flat().length;
  return {
    pageParams: pages.map((_, i) => i),
    pages: pages.map((ids) => ({ rows: ids.map((id) => summaryOf(id)), total, next: null })),
  };
};
const ids = ({ pages }: ReturnType<typeof pagesOf>): string[][] => pages.map(({ rows }) => rows.map(({ id }) => id));

test('few pages, many pages, and what has none', () => {
  const many = pagesOf(...Array.from({ length: FEW_PAGES + 1 }, (_, i) => [`r${i}`]));
  expect(isFewPages(many)).toBe(false);
  expect(isFewPages({ pages: many.pages.slice(1) })).toBe(true);
  for (const other of [undefined, null, [], { runs: [] }, { pages: 7 }]) expect(isFewPages(other)).toBe(true);
});

describe('runs that are deleted in a long list', () => {
  const list = pagesOf(['a', 'b', 'c'], ['d', 'e'], ['f']);

  test('are taken out and not counted any more; other pages have the same rows', () => {
    const left = withoutRuns(list, new Set(['b', 'f', 'nowhere']));
    expect(ids(left)).toEqual([['a', 'c'], ['d', 'e'], []]);
    expect(left.pages.map(({ total }) => total)).toEqual([4, 4, 4]);
    expect(left.pages[1]!.rows).toBe(list.pages[1]!.rows);
    expect(left.pageParams).toBe(list.pageParams);
  });

  test('come back where they were', () => {
    fc.assert(
      fc.property(fc.subarray(['a', 'b', 'c', 'd', 'e', 'f']), (some) => {
        const gone = new Set(some);
        expect(withRunsBack(withoutRuns(list, gone), placesOf(list, gone))).toEqual(list);
      }),
    );
  });

  test('come back once, and into pages that came meanwhile none', () => {
    const gone = new Set(['b']);
    const taken = placesOf(list, gone);
    expect(withRunsBack(list, taken)).toEqual(list);
    const longer = pagesOf(['a', 'c'], ['d', 'e'], ['f'], ['g']);
    expect(ids(withRunsBack(longer, taken))).toEqual([['a', 'b', 'c'], ['d', 'e'], ['f'], ['g']]);
    expect(ids(withRunsBack(pagesOf([]), [{ page: 3, index: 0, run: summaryOf('z') }]))).toEqual([[]]);
  });

  test('of a list that was not counted no number is made up', () => {
    const [page] = list.pages;
    expect(withoutRuns({ pages: [{ ...page!, total: null }] }, new Set(['a'])).pages[0]!.total).toBeNull();
  });
});

test('tags and pins of runs in a long list: as the engine has them, without case, and only theirs', () => {
  const tagged = { rows: [summaryOf('a', { tags: ['Slow', 'old'] }), summaryOf('b')], total: 2, next: null };
  const { pages } = withChange({ pages: [tagged, ...pagesOf(['c']).pages] }, new Set(['a']), {
    add_tags: ['slow', 'paper'],
    remove_tags: ['OLD'],
    pinned: true,
  });
  expect(pages[0]!.rows.map(({ tags, pinned }) => [tags, pinned])).toEqual([
    [['Slow', 'paper'], true],
    [[], false],
  ]);
  const [unpinned] = withChange({ pages }, new Set(['a']), { pinned: false }).pages;
  expect(unpinned!.rows[0]).toMatchObject({ tags: ['Slow', 'paper'], pinned: false });
  expect(pages[1]!.rows[0]!.tags).toEqual([]);
});
