/** Samples as clients could cause them: plain ones and hostile ones. */

import fc from 'fast-check';
import type { Sample } from '../../../../src/engine/live/merges.ts';
import { parseMetric, refuseMetricName } from '../../../../src/shared/model/metric.ts';

export const counter = (name: string, value: number, doc = ''): Sample => ({
  ...parsed(name),
  doc,
  kind: 'counter',
  counter: value,
  gauge: null,
  changed: 1_795_188_214_224,
});

export const gauge = (name: string, min: number, max: number, hits: number, total: number, doc = ''): Sample => ({
  ...parsed(name),
  doc,
  kind: 'gauge',
  counter: 0,
  gauge: { min, max, hits, total },
  changed: 1_795_188_214_224,
});

function parsed(name: string): { name: string; key: string; family: string } {
  const { key, family } = parseMetric(name);
  return { name, key, family };
}

const word = fc.constantFrom(
  'a',
  'b',
  'a_total',
  'a.b',
  'a-b',
  'a_b',
  'A:b',
  '9',
  '',
  '_',
  'é',
  '{',
  '}',
  '"',
  '\\',
  '#',
  ' ',
  'le',
  '\u202e',
  '𝒜',
  '<script>',
  '..',
  '/',
);
const label = fc.tuple(
  fc.constantFrom('a', 'b', 'vigie_name', 'le', 'quantile', '__name__', 'job', 'x9'),
  fc.oneof(word, fc.string({ maxLength: 8 }), fc.constantFrom('\n', '\\n', '"', 'a-b', 'a.b', '",x="')),
);

const spelled = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

/** Names that an engine accepts. */
export const names: fc.Arbitrary<string> = fc
  .oneof(
    fc.string({ minLength: 1, maxLength: 20, unit: 'binary' }),
    fc.array(word, { minLength: 1, maxLength: 3 }).map((words) => words.join('')),
    fc
      .tuple(fc.array(word, { minLength: 1, maxLength: 2 }), fc.array(label, { maxLength: 3 }))
      .map(([words, labels]) => `${words.join('')}{${labels.map(([k, v]) => `${k}="${spelled(v)}"`).join(',')}}`),
  )
  .filter((name) => refuseMetricName(name) === null);

const docs = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.constantFrom('', '\n# EOF\n', 'a\\b', '"', '\u0000', '\r\n', '# TYPE a counter'),
);
const positive = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true });
const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

/** Samples with different keys, as a merge gives them. */
export const samples: fc.Arbitrary<Sample[]> = fc.uniqueArray(
  fc.oneof(
    fc.tuple(names, positive, docs).map(([name, value, doc]) => counter(name, value, doc)),
    fc
      .tuple(names, finite, finite, fc.constantFrom(0, 1, 2, 0.5), finite, docs)
      .map(([name, min, max, hits, total, doc]) => gauge(name, min, max, hits, total, doc)),
  ),
  { selector: ({ key }) => key, maxLength: 30 },
);
