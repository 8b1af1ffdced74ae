import { describe, expect, test } from 'vitest';
import { parseValues, runTestFile } from '../../../../src/engine/alarms/test-file.ts';

const none = (): Promise<string> => Promise.reject(new Error('no files here'));

const RULES = `
rules:
  - {name: Hot, scope: {kind: node}, metric: 'temp{zone=~"c.*"}', raise: 80, clear: 70, for: 5s}
  - {name: Errors, scope: {kind: run, command: '*solver*'}, metric: errors_total, measure: {kind: rate}, raise: 2}
`;

describe('tests of rules', () => {
  test('series, times and states', async () => {
    const file = `${RULES}
tests:
  - name: rises and falls
    series:
      - {metric: 'temp{zone="cpu"}', values: '75+1x10 85x3 75x5 60'}
      - {metric: 'temp{zone="air"}', values: 99}
    expect:
      - {at: 5s, alarms: []}
      - {at: 6s, rule: Hot, alarms: [{state: pending, metric: 'temp{zone="cpu"}', value: 81}]}
      - {at: 10500ms, rule: Hot, alarms: [{state: pending}]}
      - {at: 11s, rule: Hot, alarms: [{state: firing}]}
      - {at: 20s, rule: Hot, alarms: [{state: firing, value: 75}]}
      - {at: 21s, rule: Hot, alarms: [{state: resolved, value: 60}]}
  - name: jobs by command
    about: {run/1: {command: ./solver}, run/2: {command: ./other}}
    series:
      - {metric: errors_total, scope: run/1, values: '0+3x10'}
      - {metric: errors_total, scope: run/2, values: '0+3x10'}
    ends: {run/1: 5s}
    expect:
      - {at: 2s, alarms: [{state: firing, scope: run/1, value: 3}]}
      - {at: 5s, alarms: [{state: resolved, scope: run/1}]}
`;
    expect(await runTestFile(file, none)).toEqual({ tests: 2, checks: 8, failures: [] });
  });

  test('what is otherwise is said', async () => {
    const file = `${RULES}
tests:
  - series: [{metric: 'temp{zone="cpu"}', values: '90x10'}]
    expect:
      - {at: 6s, rule: Hot, alarms: []}
      - {at: 2s, alarms: [{state: firing, value: 90}]}
      - {at: 2s, rule: Cold, alarms: []}
`;
    const { failures } = await runTestFile(file, none);
    expect(failures).toEqual([
      'test 1: at 2s: expected firing with 90; there is none',
      'test 1: at 2s: unexpected pending temp{zone="cpu"} of node/test with 90',
      'test 1: there is no rule "Cold"',
      'test 1: at 6s Hot: unexpected firing temp{zone="cpu"} of node/test with 90',
    ]);
  });

  test('rules of other files, silence, and a longer period', async () => {
    const file = `
rules: rules.yaml
interval: 10s
tests:
  - series: [{metric: m, values: '5 _x4 5'}]
    expect: [{at: 10s, alarms: []}, {at: 30s, alarms: [{state: no_data}]}, {at: 50s, alarms: []}]
`;
    const rules = 'rules: [{name: r, scope: {kind: node}, metric: m, raise: 9, no_data: state, no_data_after: 30s}]';
    const read = async (name: string): Promise<string> => (name === 'rules.yaml' ? rules : none());
    expect(await runTestFile(file, read)).toMatchObject({ checks: 3, failures: [] });
  });

  test.each([
    ['no rules', 'tests: []'],
    ['no values', `${RULES}\ntests: [{series: [{metric: m, values: '1+x'}], expect: [{at: 1s, alarms: []}]}]`],
    ['a rule that is none', 'rules: [{name: x}]\ntests: [{series: [], expect: [{at: 1s, alarms: []}]}]'],
    ['too long', `${RULES}\ntests: [{series: [], expect: [{at: 400d, alarms: []}]}]`],
  ])('%s is refused', async (_, text) => {
    await expect(runTestFile(text, none)).rejects.toThrow(/./);
  });
});

test.each([
  ['1+2x3', [1, 3, 5, 7]],
  ['1-2x2', [1, -1, -3]],
  ['5x2', [5, 5, 5]],
  ['1 2.5 -3e2', [1, 2.5, -300]],
  ['_ _x2 stale 4', [NaN, NaN, NaN, NaN, 4]],
  ['', []],
])('the values %j', (text, expected) => {
  expect([...parseValues(text)]).toEqual(expected);
});

test.each(['x', '1+2', '1x', '1x99999999', '1x9999999', 'Infinity', '--1'])('%j are no values', (text) => {
  expect(() => parseValues(text)).toThrow(/./);
});
