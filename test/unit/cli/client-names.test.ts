import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseNames } from '../../../src/cli/client-names.ts';
import { formatMetric, parseMetric } from '../../../src/shared/model/metric.ts';

const keys = (text: string): string[] => parseNames(text).map(({ key }) => key);

test.each<[string, string[]]>([
  ['a', ['a']],
  ['a,b', ['a', 'b']],
  [' a , ,b, ', ['a', 'b']],
  ['a,a', ['a']],
  ['', []],
  ['a{x="1",y="2"},b', ['a{x="1",y="2"}', 'b']],
  // The same metric, whatever the order of its labels.
  ['a{y="2",x="1"},a{x="1",y="2"}', ['a{x="1",y="2"}']],
  ['a{x="1,}",y="\\""},b', ['a{x="1,}",y="\\""}', 'b']],
  // Without quotes, as a shell leaves them.
  ['calls{name=read}', ['calls{name="read"}']],
  ['calls{name=read,kind=in out},b', ['calls{kind="in out",name="read"}', 'b']],
  // What is no label is not guessed at.
  ['a{1=2}', ['a{1=2}']],
  ['a{', ['a{']],
])('%s', (text, expected) => {
  expect(keys(text)).toEqual(expected);
});

test('any metrics, joined with commas, are found again', () => {
  const name = fc.stringMatching(/^[a-z_]{1,8}$/);
  const label = fc.tuple(name, fc.string({ maxLength: 8 }));
  const metric = fc
    .tuple(name, fc.uniqueArray(label, { maxLength: 3, selector: ([key]) => key }))
    .map(([family, labels]) => formatMetric(family, labels));
  fc.assert(
    fc.property(
      fc.uniqueArray(metric, { minLength: 1, maxLength: 4, selector: (m) => parseMetric(m).key }),
      (metrics) => {
        expect(keys(metrics.join(','))).toEqual(metrics.map((m) => parseMetric(m).key));
      },
    ),
  );
});
