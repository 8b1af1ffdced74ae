import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { alarmSecretsFile, Secrets } from '../../../../../src/engine/alarms/notify/secrets.ts';
import { temporaryFolder } from '../../../../support/tmp.ts';

function open(data: string | null): { secrets: Secrets; warnings: string[] } {
  const warnings: string[] = [];
  return { secrets: new Secrets(data, (message) => warnings.push(message)), warnings };
}

test('kept in a private file, found again, forgotten', () => {
  const data = join(temporaryFolder(), 'data');
  const { secrets } = open(data);
  expect(existsSync(data)).toBe(false);
  secrets.set('c1', { password: 'p' });
  secrets.set('c2', { url: 'u' });
  expect(statSync(alarmSecretsFile(data)).mode & 0o777).toBe(0o600);
  const again = open(data).secrets;
  expect([again.of('c1'), again.of('c2'), again.of('c3')]).toEqual([{ password: 'p' }, { url: 'u' }, {}]);
  again.keepOnly(new Set(['c2']));
  again.set('c2', null);
  expect(readFileSync(alarmSecretsFile(data), 'utf8')).not.toMatch(/"p"|"u"/);
});

test('without a data directory they are in memory', () => {
  const { secrets } = open(null);
  secrets.set('c1', { password: 'p' });
  expect(secrets.of('c1')).toEqual({ password: 'p' });
});

test.each([
  ['{"version":1,"secrets":{"c":{"password":"hunter2"', 0o600, /no file of secrets/],
  ['{"version":1,"secrets":{"c":{"password":"hunter2"}}}', 0o644, /only you can read/],
  ['{"version":2,"secrets":{"c":"hunter2"}}', 0o600, /no file of secrets/],
])('a file that cannot be used is put aside, and what is in it is not told: %s', (text, mode, words) => {
  const data = temporaryFolder();
  const path = alarmSecretsFile(data);
  writeFileSync(path, text);
  chmodSync(path, mode);
  const { secrets, warnings } = open(data);
  expect(secrets.of('c')).toEqual({});
  expect(warnings).toEqual([expect.stringMatching(words)]);
  expect(warnings[0]).not.toContain('hunter2');
  expect(readFileSync(`${path}.unusable`, 'utf8')).toBe(text);
});
