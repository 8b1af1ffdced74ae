import { expect, test } from 'vitest';
import { dropToken, takeToken, tokenFromHash } from '../../../../src/renderer/data/session.ts';

function storage(): Storage {
  const map = new Map<string, string>();
  return {
    get length() {
      return map.size;
    },
    clear: () => map.clear(),
    getItem: (key) => map.get(key) ?? null,
    key: (n) => [...map.keys()][n] ?? null,
    removeItem: (key) => void map.delete(key),
    setItem: (key, value) => void map.set(key, value),
  };
}

test('the token leaves the address at once, the view and its query stay', () => {
  const kept = storage();
  const replaced: string[] = [];
  const place = { hash: '#token=abc%2Fd-_', pathname: '/ui/jobs/r1', search: '?tab=series' };
  expect(takeToken(place, kept, (url) => replaced.push(url))).toBe('abc/d-_');
  expect(replaced).toEqual(['/ui/jobs/r1?tab=series']);
  expect(takeToken({ ...place, hash: '' }, kept, (url) => replaced.push(url))).toBe('abc/d-_');
  expect(replaced).toHaveLength(1);
  dropToken(kept);
  expect(takeToken({ ...place, hash: '' }, kept, () => undefined)).toBeNull();
});

test('a fragment without a token is left alone', () => {
  for (const hash of ['', '#', '#main', '#token=', '#token=%20', '#other=1']) expect(tokenFromHash(hash)).toBeNull();
});
