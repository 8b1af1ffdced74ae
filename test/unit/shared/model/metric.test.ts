import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  escapeLabelValue,
  formatMetric,
  MAX_LABELS,
  MAX_METRIC_NAME,
  parseMetric,
  refuseMetricName,
  type Label,
} from '../../../../src/shared/model/metric.ts';

const family = fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).filter((text) => !text.includes('{'));
const labelName = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/);
const labelValue = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.array(fc.constantFrom('"', '\\', '\n', '{', '}', ',', '=', 'n', ' '), { maxLength: 8 }).map((c) => c.join('')),
);
const labels: fc.Arbitrary<Label[]> = fc.uniqueArray(fc.tuple(labelName, labelValue), {
  selector: ([name]) => name,
  maxLength: 6,
});

const byName = (all: readonly Label[]): Label[] => all.toSorted((a, b) => (a[0] < b[0] ? -1 : 1));

describe('parseMetric', () => {
  test('reads back what formatMetric wrote', () => {
    fc.assert(
      fc.property(family, labels, (name, pairs) => {
        const parsed = parseMetric(formatMetric(name, pairs));
        expect(parsed.family).toBe(name);
        expect(parsed.labels).toEqual(byName(pairs));
      }),
    );
  });

  test('the key is canonical: reading it again changes nothing', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.tuple(family, labels).map(([f, l]) => formatMetric(f, l)),
        ),
        (raw) => {
          const first = parseMetric(raw);
          expect(parseMetric(first.key)).toEqual(first);
          expect(formatMetric(first.family, first.labels)).toBe(first.key);
        },
      ),
    );
  });

  test('the order in which labels are written does not matter', () => {
    fc.assert(
      fc.property(
        family,
        labels.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
        (name, [one, other]) => {
          expect(parseMetric(formatMetric(name, other))).toEqual(parseMetric(formatMetric(name, one)));
        },
      ),
    );
  });

  test.each([
    ['x{a="1",b="2"}', 'x{b="2",a="1"}'],
    ['x{a="1",b="2"}', 'x{ b ="2", a="1",}'],
    ['x', 'x{}'],
    ['x{a="}"}', 'x{ a="}",}'],
  ])('%s and %s are one metric', (one, other) => {
    expect(parseMetric(other).key).toBe(parseMetric(one).key);
  });

  test.each([
    ['x{a="1"}', 'x{a="2"}'],
    ['x{a="1"}', 'x{b="1"}'],
    ['x{a="1"}', 'y{a="1"}'],
    ['x', 'x{a=""}'],
    ['x{a="\\n"}', 'x{a="n"}'],
    ['x{a="1",a="1"}', 'x{a="1"}'],
    ['x{a="1"', 'x{a="1"}'],
  ])('%s and %s are two metrics', (one, other) => {
    expect(parseMetric(other).key).not.toBe(parseMetric(one).key);
  });

  test.each([
    '{a="1"}',
    'x{a="1"',
    'x{a=1}',
    'x{a="1"}}',
    'x{a="1"} 5',
    'x{="1"}',
    'x{1a="1"}',
    'x{a-b="1"}',
    'x{a="1",a="2"}',
    'x{a="\\t"}',
    'x{a="1" b="2"}',
    'x{a="1"\\',
    'x{',
    'x{,}',
    '../../etc/passwd',
    '<script>alert(1)</script>',
  ])('%s is not guessed at: all of it is the family', (raw) => {
    expect(parseMetric(raw)).toEqual({ family: raw, labels: [], key: raw });
  });

  test('never throws and never loses text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('x', '{', '}', '"', '\\', ',', '=', 'a', ' ', '\n', '\ud800'), { maxLength: 24 }),
        (pieces) => {
          const raw = pieces.join('');
          const parsed = parseMetric(raw);
          if (parsed.labels.length === 0) expect([raw, raw.slice(0, -'{}'.length)]).toContain(parsed.family);
          else expect(raw.startsWith(`${parsed.family}{`)).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('refuseMetricName', () => {
  test.each([
    ['', 'name_empty'],
    ['x'.repeat(MAX_METRIC_NAME + 1), 'name_too_long'],
    ['x'.repeat(10_240), 'name_too_long'],
    ['a\0b', 'name_control_character'],
    ['a\nb', 'name_control_character'],
    ['a\rb', 'name_control_character'],
    ['a\u007fb', 'name_control_character'],
    ['a\ud800b', 'name_control_character'],
    [`x{${Array.from({ length: MAX_LABELS + 1 }, (_, i) => `l${i}=""`).join(',')}}`, 'name_too_many_labels'],
  ])('%j: %s', (name, reason) => {
    expect(refuseMetricName(name)).toBe(reason);
  });

  test.each([
    'x'.repeat(MAX_METRIC_NAME),
    '../../x',
    '/etc/passwd',
    'a"b',
    "a'b",
    '<script>alert(1)</script>',
    'a\u202eb',
    'a b',
    '__proto__',
    'x{a="\\n"}',
    '{',
    '\u{1f600}',
  ])('%j is data', (name) => {
    expect(refuseMetricName(name)).toBeNull();
  });
});

test('label values are escaped as the text format says', () => {
  expect(escapeLabelValue('a\\b"c\nd')).toBe('a\\\\b\\"c\\nd');
});
