import { expect, test } from 'vitest';
import { z } from 'zod';
import { Numbers } from '../../../../src/shared/api/numbers.ts';

const plain = z.array(z.number().nullable());

test.each([
  ['numbers', [1, -2.5, 0]],
  ['numbers that are not known', [null, 1]],
  ['none', []],
  ['a text', ['1']],
  ['a hole', [undefined]],
  ['what is no number', [Number.NaN]],
  ['more than any number', [Infinity]],
  ['a list in it', [[1]]],
  ['no list', { 0: 1, length: 1 }],
  ['nothing', null],
])('%s: as one schema for each number would have it', (_what, value) => {
  expect(Numbers.safeParse(value).success).toBe(plain.safeParse(value).success);
});

test('it is described as what it is', () => {
  expect(z.toJSONSchema(z.object({ values: Numbers, shares: Numbers.nullable() }), { unrepresentable: 'any' })).toEqual(
    z.toJSONSchema(z.object({ values: plain, shares: plain.nullable() })),
  );
});
