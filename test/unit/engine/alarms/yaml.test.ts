import { describe, expect, test } from 'vitest';
import { plainRule, readRules, RulesError, writeRules } from '../../../../src/engine/alarms/yaml.ts';
import { RuleSettings, type RuleSettingsInput } from '../../../../src/shared/api/alarms.ts';

const rule = (name: string, change: Partial<RuleSettingsInput> = {}): RuleSettings =>
  RuleSettings.parse({ name, scope: { kind: 'node' }, metric: 'm{a="[{\\"#: "}', raise: 1, ...change });

const rules = [
  rule('plain'),
  rule('all', {
    ...{ enabled: false, measure: { kind: 'avg', window: '1.5m' }, op: '<=', raise: -0.25, clear: 3, for: '90s' },
    ...{ keep_firing_for: '1h', no_data: 'state', no_data_after: '5m', severity: 'critical' },
    ...{
      labels: { team: 'x', empty: '' },
      description: 'so: {{value}}\n- "quoted"\n\n  # no comment\n',
      link: 'https://example.org/a',
    },
  }),
  rule('absent', { measure: { kind: 'absent', after: '2m' }, scope: { kind: 'run', command: '*' } }),
  rule('ratio: of "two" – ½', { measure: { kind: 'ratio', to: 'n' }, scope: { kind: 'merge', name: 'Node: h' } }),
];

describe('rules as text', () => {
  test('what is written is read again', async () => {
    const text = await writeRules(rules);
    const read = await readRules(text);
    expect(read.map(({ reason }) => reason)).toEqual([null, null, null, null]);
    expect(read.map(({ settings }) => settings)).toEqual(rules);
    // As JSON, too.
    const json = await readRules(JSON.stringify({ rules: rules.map(plainRule) }));
    expect(json.map(({ settings }) => settings)).toEqual(rules);
  });

  test('only what is not so anyway is written', () => {
    expect(plainRule(rule('r'))).toEqual({
      name: 'r',
      scope: { kind: 'node' },
      metric: 'm{a="[{\\"#: "}',
      op: '>',
      raise: 1,
    });
  });

  test('a long list is read bit by bit, and is the same', { timeout: 60_000 }, async () => {
    const many = Array.from({ length: 300 }, (_, i) => ({ ...rules[i % rules.length]!, name: `r${i}` }));
    const text = await writeRules(many);
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const read = await readRules(`# with a comment\n---\n${text}\n# at the end\n`);
    clearInterval(timer);
    expect(read.map(({ settings }) => settings)).toEqual(many);
    expect(turns).toBeGreaterThan(0);
  });

  test('each rule is checked by itself, and what is wrong is said', async () => {
    const text = `rules:
  - {name: good, scope: {kind: all}, metric: m, raise: 1}
  - {name: good, scope: {kind: all}, metric: m, raise: 1}
  - {name: side, scope: {kind: all}, metric: m, raise: 1, clear: 2}
  - {name: selector, scope: {kind: all}, metric: 'm{', raise: 1}
  - {name: time, scope: {kind: all}, metric: m, for: 10 days}
  - {scope: {kind: all}, metric: m, wrong: 1}
  - 7`;
    expect((await readRules(text)).map(({ name, reason }) => `${name}: ${reason}`)).toEqual([
      'good: null',
      'good: another rule of this text has the same name',
      expect.stringMatching(/^side: clear: it must end at or below 1/),
      expect.stringMatching(/^selector: metric: /),
      expect.stringMatching(/^time: for: /),
      expect.stringMatching(/^rule 6: .*name/),
      expect.stringMatching(/^rule 7: /),
    ]);
  });
});

describe('hostile text', () => {
  const lines = (count: number, line: (i: number) => string): string =>
    Array.from({ length: count }, (_, i) => line(i)).join('\n');
  const levels = 'abcdefghi'.split('');
  const laughs = levels.map(
    (name, i) =>
      `${name}: &${name} [${Array(9)
        .fill(i === 0 ? 'x' : `*${levels[i - 1]}`)
        .join(',')}]`,
  );

  test.each([
    ['not rules', 'a: 1'],
    ['nothing', ''],
    ['a text', 'hello'],
    ['not YAML', 'rules: [\n - }'],
    ['aliases of aliases', laughs.join('\n')],
    ['brackets', '['.repeat(4_000_000)],
    ['braces', '{a: '.repeat(1_000_000)],
    ['lists in lists', '- '.repeat(2_000_000)],
    ['indentation', lines(2000, (i) => `${' '.repeat(i)}a:`)],
    ['many keys', lines(100_000, (i) => `k${i}: 1`)],
    ['many anchors', lines(100_000, (i) => `- &a${i} x`)],
    ['a long text', `rules: "${'x'.repeat(4_100_000)}"`],
    ['more than may be', 'x'.repeat(5_000_000)],
    ['a tag', 'rules: !!js/function "function(){}"'],
    ['too many rules', `rules:\n${'  - {}\n'.repeat(10_001)}`],
    ['other keys', 'rules: []\nmore: 1'],
  ])('%s is refused in words', { timeout: 60_000 }, async (_, text) => {
    await expect(readRules(text)).rejects.toThrow(RulesError);
  });

  test('names of the language are names', async () => {
    const [one] = await readRules('rules: [{__proto__: {enabled: false}, name: y, scope: {kind: all}, metric: m}]');
    expect(one?.settings).toBeNull();
    expect(({} as { enabled?: boolean }).enabled).toBeUndefined();
  });
});
