import { expect, test } from 'vitest';
import { Comparison } from '../../../../src/shared/profiles/compare.ts';
import { summaryOf } from '../../renderer/views/profileFixture.ts';

const failed = { outcome: 'failed' as const, codes: [{ code: '1', count: 1 }] };

function baselineOf(runs: readonly ReturnType<typeof summaryOf>[], named?: string): string | null {
  const comparison = new Comparison('');
  for (const summary of runs) comparison.add({ summary, versions: undefined }, []);
  return comparison.finish(named, 10).baseline;
}

test('the baseline is the named run, else the marked one, else the first that did not fail', () => {
  const [bad, good, other] = [summaryOf('bad', { exit: failed }), summaryOf('good'), summaryOf('other')];
  expect(baselineOf([bad, good, other], 'bad')).toBe('bad');
  expect(baselineOf([bad, good, { ...other, baseline: true }])).toBe('other');
  expect(baselineOf([bad, good, other])).toBe('good');
  expect(baselineOf([bad])).toBe('bad');
  expect(baselineOf([])).toBeNull();
});
