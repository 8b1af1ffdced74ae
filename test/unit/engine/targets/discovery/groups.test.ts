import { expect, test } from 'vitest';
import { targetsOf } from '../../../../../src/engine/targets/discovery/groups.ts';
import { timedOut } from '../../../../../src/engine/targets/fetch-words.ts';
import { parseTargetUrl } from '../../../../../src/engine/targets/url.ts';

const group = (targets: string[], labels: Record<string, string> = {}) => ({ targets, labels });

test.each([
  ['250ms', 250],
  ['1m30s', 90_000],
  ['1h', 3_600_000],
])('an interval of %s is followed', (interval, ms) => {
  const notes: string[] = [];
  const [found] = targetsOf(group(['a:1'], { __scrape_interval__: interval }), { settings: {} }, notes);
  expect([found!.period, notes]).toEqual([ms, []]);
});

test.each(['1ms', '0s', '249ms', '61m', '2y', 'soon'])('an interval of %s is left out, and said so', (interval) => {
  const notes: string[] = [];
  const [found] = targetsOf(group(['a:1'], { __scrape_interval__: interval }), { settings: { period: 5000 } }, notes);
  expect([found!.period, notes]).toEqual([5000, [expect.stringContaining(interval)]]);
});

test('groups have so many targets at most in all', () => {
  const notes: string[] = [];
  const found = targetsOf(group(['a[1-6]:1', 'b[1-6]:1', 'c:1']), { settings: {} }, notes, [], 10);
  expect(found.map(({ url }) => url)).toEqual(
    [1, 2, 3, 4, 5, 6].map((n) => `http://a${n}:1/metrics`).concat('http://c:1/metrics'),
  );
  expect(notes).toHaveLength(1);
  expect(() => targetsOf(group(['d[1-3]:1', 'e:1']), { settings: {} }, notes, found, 10)).toThrow('more than 10');
});

test('a name that is not looked up in time is told from a host that does not answer', () => {
  const { message, kind } = timedOut('lookup', 2500, parseTargetUrl('http://n1:9100'), 0);
  expect([kind, message]).toEqual(['down', 'the name n1 was not looked up within 2.5 s: does the name server answer?']);
});
