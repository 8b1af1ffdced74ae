import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { afterAll, describe, expect, test } from 'vitest';

import { requireComponent } from '../../support/components.ts';
import { golden, messagesOf, readRecording, sumsOf } from '../../support/recording.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';

describe('eventually', () => {
  test('calls again until it neither throws nor gives false or undefined', async () => {
    const answers = [() => undefined, () => false, () => Promise.reject(new Error('not yet')), () => 0];
    expect(await eventually(() => answers.shift()?.(), { interval: 1 })).toBe(0);
    expect(answers).toEqual([]);
  });

  test('tells the last failure when the time is over', async () => {
    const attempt = () => Promise.reject(new Error('never'));
    await expect(eventually(attempt, { timeout: 20, interval: 1 })).rejects.toThrow('not within 20 ms: never');
    await expect(eventually(() => false, { timeout: 20, interval: 1 })).rejects.toThrow('it stayed false or undefined');
  });
});

describe('a temporary folder', () => {
  const folders: string[] = [];

  test('can be written', () => {
    const folder = temporaryFolder();
    writeFileSync(path.join(folder, 'file'), 'x');
    folders.push(folder);
    expect(existsSync(path.join(folder, 'file'))).toBe(true);
  });

  test('is gone after its test', () => {
    expect(folders.map((folder) => existsSync(folder))).toEqual([false]);
  });

  const ofFile = temporaryFolder();

  test('of a file stays until its last test', () => {
    expect(existsSync(ofFile)).toBe(true);
  });

  afterAll(() => expect(existsSync(ofFile)).toBe(true));
});

describe('a program that is missing', () => {
  const skipped = (reason: string): never => {
    throw new Error(`skipped: ${reason}`);
  };
  const find = (ci: string | undefined) => {
    const { PATH, CI } = process.env;
    process.env['PATH'] = temporaryFolder();
    if (ci === undefined) delete process.env['CI'];
    else process.env['CI'] = ci;
    try {
      return requireComponent('promtool', { skip: skipped });
    } finally {
      process.env['PATH'] = PATH;
      if (CI === undefined) delete process.env['CI'];
      else process.env['CI'] = CI;
    }
  };

  test('skips with a reason, and fails where CI=true', () => {
    expect(() => find(undefined)).toThrow('skipped: promtool is not installed (Debian package prometheus)');
    expect(() => find('true')).toThrow(/^promtool is not installed/);
  });
});

describe('recordings', () => {
  test.each(['wire-capi-0', 'wire-mpi-0'] as const)('%s: the reads follow each other and are all of it', (name) => {
    const { bytes, chunks } = readRecording(name);
    let end = 0;
    let last = 0;
    for (const { time, offset, length } of chunks) {
      expect(offset).toBe(end);
      expect(time).toBeGreaterThanOrEqual(last);
      end = offset + length;
      last = time;
    }
    expect(end).toBe(bytes.length);
  });

  test('the sums of a single client are those of the profile that it made', () => {
    const { counters, gauges } = sumsOf(messagesOf(readRecording('wire-capi-0')));
    const profile = golden('profiles_get_capi.json') as { counters: { name: string; ctype: object }[] };
    const values = new Map(profile.counters.map(({ name, ctype }) => [name, ctype]));
    expect(counters.size).toBeGreaterThan(2);
    for (const [name, value] of counters) expect(values.get(name)).toMatchObject({ Counter: { value } });
    for (const [name, value] of gauges) expect(values.get(name)).toEqual({ Gauge: value });
  });
});
