/** `vigie alarms`, as one types it: tests of rules without an engine, rules to and from a running one. */

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { startEngine } from '../../support/engine.ts';
import { runVigie } from '../../support/launch.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';

const RULES = `rules:
  - name: Disk
    scope: {kind: node}
    metric: used_percent
    raise: 90
    for: 5s
`;
const tests = (state: string): string => `rules: rules.yaml
tests:
  - name: a disk that fills
    scope: node/n1
    series:
      - {metric: 'used_percent{disk="a"}', values: '85+1x10 95x60'}
    expect:
      - {at: 30s, rule: Disk, alarms: [{state: ${state}, metric: 'used_percent{disk="a"}', value: 95}]}
      - {at: 2s, alarms: []}
`;

describe('vigie alarms', () => {
  test('test: says what is otherwise, and ends with 1 then', async () => {
    const folder = temporaryFolder();
    writeFileSync(path.join(folder, 'rules.yaml'), RULES);
    const [good, bad, wrong] = ['good', 'bad', 'wrong'].map((name) => path.join(folder, `${name}.yaml`)) as [
      string,
      string,
      string,
    ];
    writeFileSync(good, tests('firing'));
    writeFileSync(bad, tests('pending'));
    writeFileSync(wrong, 'rules: []');
    const passed = await runVigie(['alarms', 'test', good], { folder });
    expect([passed.code, passed.stdout]).toEqual([0, `${good}: passed, 1 test(s), 2 time(s)\n`]);
    const failed = await runVigie(['alarms', 'test', good, bad, wrong], { folder });
    expect(failed.code).toBe(1);
    expect(failed.stdout).toContain('a disk that fills: at 30s Disk: expected pending');
    expect(failed.stdout).toContain(`${bad}: FAILED`);
    expect(failed.stdout).toContain(`${wrong}: tests: `);
  });

  test('import, export and list', async () => {
    const folder = temporaryFolder();
    const data = path.join(folder, 'data');
    await startEngine({ folder, args: ['--data', data] });
    const vigie = (...args: string[]) => runVigie(['alarms', ...args, '--data', data], { folder });
    const file = path.join(folder, 'rules.yaml');
    const always =
      '  - {name: Always, scope: {kind: node}, metric: vigie_series, op: ">=", raise: 0, severity: critical}\n';
    writeFileSync(file, `${RULES}${always}  - {name: Wrong, scope: {kind: node}, metric: 'm{'}\n`);
    const dry = await vigie('import', file, '--dry-run');
    expect(dry.stdout.split('\n').slice(0, 2)).toEqual(['added: Disk', 'added: Always']);
    expect(dry.stdout).toContain('Nothing was changed');
    expect((await vigie('export')).stdout.trim()).toBe('rules: []');
    const imported = await vigie('import', file);
    expect([imported.code, imported.stdout]).toEqual([1, expect.stringContaining('refused: Wrong: metric: ')]);
    writeFileSync(file, (await vigie('export')).stdout);
    expect(readFileSync(file, 'utf8')).toContain('name: Always');
    expect(imported.stdout).not.toContain('Nothing was changed');
    const again = await vigie('import', file, '--replace');
    expect([again.code, again.stdout]).toEqual([0, 'unchanged: Disk\nunchanged: Always\n']);
    await eventually(async () => (await vigie('list')).stdout.includes('1 firing'), { timeout: 60_000 });
    const listed = (await vigie('list', '--state', 'firing')).stdout.split('\n');
    expect(listed[0]).toMatch(/^STATE +SEVERITY +FOR +RULE +WHERE +METRIC +VALUE$/);
    expect(listed[1]).toMatch(/^firing +critical +\d+ s +Always +\S+ +vigie_series +\d/);
    const { alarms } = JSON.parse((await vigie('list', '--json')).stdout) as { alarms: { name: string }[] };
    expect(alarms.map(({ name }) => name)).toEqual(['Always']);
  });
});
