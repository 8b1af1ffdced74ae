import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkTemplate,
  fillDescription,
  formatValue,
  oneLine,
  type TemplateValues,
} from '../../../../src/shared/alarms/template.ts';

const values: TemplateValues = {
  ...{ name: 'Disk full', severity: 'critical', value: 97.123456789, threshold: 95, metric: 'disk{mount="/"}' },
  ...{ scope: 'node/node7', place: 'node7', labels: { mount: '/', team: 'ops' } },
};
const fill = (text: string, over: Partial<TemplateValues> = {}): string =>
  fillDescription(text, { ...values, ...over });

test.each([
  ['{{value}} of {{metric}} at {{place}}', '97.1235 of disk{mount="/"} at node7'],
  ['{{ threshold }}', '95'],
  ['{{labels.mount}} {{labels.team}} {{labels.nothing}}.', '/ ops .'],
  ['{{unknown}} {{labels.}} {{}} {{ value', '{{unknown}} {{labels.}} {{}} {{ value'],
  ['{{labels.toString}}{{labels.__proto__}}{{constructor}}', '{{constructor}}'],
  ['{{{value}}}', '{97.1235}'],
  ['first\nsecond {{severity}}', 'first\nsecond critical'],
])('%s', (template, text) => {
  expect(fill(template)).toBe(text);
});

test('what is filled in is not looked at again', () => {
  expect(fill('{{metric}}', { metric: '{{labels.team}}' })).toBe('{{labels.team}}');
  expect(fill('{{labels.mount}}}', { labels: { mount: '{{value}' } })).toBe('{{value}}');
});

test('ends of lines and characters that are not seen stay out', () => {
  expect(fill('{{place}}', { place: 'a\r\nSubject: x\u2028b\u202ec\u0000d\u200be' })).toBe('a Subject: x b c d e');
});

test('long values are cut', () => {
  expect(fill('{{place}}', { place: 'x'.repeat(5000) })).toHaveLength(1024);
  expect(fill('{{place}}'.repeat(400), { place: 'x'.repeat(1000) }).length).toBeLessThanOrEqual(16_384);
  expect(oneLine('😀'.repeat(10), 5).isWellFormed()).toBe(true);
});

test('whatever is filled in, the result is the text with lines of its own only', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }), (place, mount) => {
      const text = fill('A {{place}} B\n{{labels.mount}}', { place, labels: { mount } });
      expect(text.split('\n')).toHaveLength(2);
      expect(text.startsWith('A ')).toBe(true);
      expect(/[\r\0\u2028\u2029\u202e]/.test(text)).toBe(false);
    }),
  );
});

describe('checkTemplate', () => {
  test.each(['', 'plain', '{{value}} {{ labels.some_name }}', '}}'])('%j can be used', (text) => {
    expect(checkTemplate(text)).toBeNull();
  });
  test.each([
    ['{{valeu}}', /\{\{valeu\}\} is not known/],
    ['{{value', /not closed/],
    ['{{labels.a-b}}', /not known/],
    ['{{#each}}', /not known/],
  ])('%s', (text, words) => {
    expect(checkTemplate(text)).toMatch(words);
  });
});

test.each([
  [null, 'no value'],
  [0, '0'],
  [-3, '-3'],
  [123_456_789, '123456789'],
  [0.1 + 0.2, '0.3'],
  [1e-9, '1e-9'],
  [1.5e300, '1.5e+300'],
  [NaN, 'NaN'],
])('%s', (value, text) => {
  expect(formatValue(value)).toBe(text);
});
