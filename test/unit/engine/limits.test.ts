import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError, resolveConfig } from '../../../src/engine/config.ts';
import { DEFAULT_LIMITS, LimitSettings, MaxSeries } from '../../../src/engine/limits.ts';
import { memoryCeiling, MemoryGuard, type MemoryUse } from '../../../src/engine/memory-guard.ts';
import type { Refusal } from '../../../src/engine/refusals.ts';
import { parseDuration } from '../../../src/shared/duration.ts';
import { parseSize } from '../../../src/shared/size.ts';
import { temporaryFolder } from '../../support/tmp.ts';

const document = readFileSync(join(import.meta.dirname, '../../../docs/limits.md'), 'utf8');

function fromFile(text: string) {
  const file = join(temporaryFolder(), 'vigie.yaml');
  writeFileSync(file, text);
  return resolveConfig({}, {}, file);
}

describe('the table in docs/limits.md', () => {
  const rows = new Map(
    [...document.matchAll(/^\| `([a-z_]+)` +\| (\S+) +\| (\S+), (\S+) +\|/gm)].map(([, name, ...cells]) => [
      name!,
      cells as [string, string, string],
    ]),
  );
  const number = (text: string): number => parseDuration(text) ?? parseSize(text) ?? Number.NaN;
  const field = (name: string) => LimitSettings.shape[name as keyof typeof LimitSettings.shape];

  test('has every limit, and no other', () => {
    expect([...rows.keys()].toSorted()).toEqual(['max_series', ...Object.keys(DEFAULT_LIMITS)].toSorted());
  });

  test.each(Object.entries(DEFAULT_LIMITS))('%s has its default and bounds', (name, value) => {
    const [standard, least, most] = rows.get(name)!;
    expect(number(standard)).toBe(value);
    for (const allowed of [standard, least, most]) expect(field(name).safeParse(allowed).success).toBe(true);
    const spelled = (n: number): string => (parseDuration(standard) === null ? `${n}` : `${n}ms`);
    for (const outside of [number(least) - 1, number(most) + 1]) {
      expect(field(name).safeParse(spelled(outside)).success, spelled(outside)).toBe(false);
    }
  });

  test('max_series, too', () => {
    const [standard, least, most] = rows.get('max_series')!;
    expect(standard).toBe('2000000');
    for (const allowed of [least, most]) expect(MaxSeries.safeParse(allowed).success).toBe(true);
    for (const outside of [Number(least) - 1, Number(most) + 1])
      expect(MaxSeries.safeParse(outside).success).toBe(false);
  });
});

test('every reason for which something is refused is explained, and no other', () => {
  // Held complete by the compiler.
  const reasons: Readonly<Record<Refusal, true>> = {
    too_many_connections: true,
    too_many_http_connections: true,
    too_many_requests: true,
    too_many_unread_responses: true,
    unauthorized: true,
    request_too_large: true,
    request_too_slow: true,
    response_too_large: true,
    response_too_slow: true,
    silent_connection: true,
    unfinished_message: true,
  };
  const part = document.slice(document.indexOf('\n## What is refused\n'));
  const documented = [...part.matchAll(/^\| `([a-z_]+)`/gm)].map(([, name]) => name!);
  expect(documented.toSorted()).toEqual(Object.keys(reasons).toSorted());
});

describe('in the configuration file', () => {
  test('those that stand there hold, the others keep their defaults', async () => {
    const config = await fromFile('max_series: 1000\nlimits:\n  message_size: 4MiB\n  request_time: 1m\n  labels: 3\n');
    expect(config.maxSeries).toBe(1000);
    expect(config.limits).toEqual({
      ...DEFAULT_LIMITS,
      message_size: 4 * 1024 * 1024,
      request_time: 60_000,
      labels: 3,
    });
  });

  test('the flag wins', async () => {
    const file = join(temporaryFolder(), 'vigie.yaml');
    writeFileSync(file, 'max_series: 1000\n');
    expect((await resolveConfig({ max_series: '77' }, {}, file)).maxSeries).toBe(77);
  });

  test.each([
    ['limits:\n  series_per_run: 0\n', 'limits.series_per_run'],
    ['limits:\n  series_per_run: many\n', 'limits.series_per_run'],
    ['limits:\n  message_size: 1 foot\n', 'limits.message_size'],
    ['limits:\n  request_time: 30\n', 'limits.request_time'],
    ['limits:\n  unknown: 1\n', 'unknown'],
    ['limits: 5\n', 'limits'],
    ['max_series: 0\n', 'max_series'],
  ])('%j is an error that names it', async (text, name) => {
    const error: unknown = await fromFile(text).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).toContain(name);
  });
});

describe('memory', () => {
  const GIB = 2 ** 30;
  const guardOf = (use: { -readonly [K in keyof MemoryUse]: MemoryUse[K] }) => new MemoryGuard(GIB, () => use);

  test('is full above the ceiling, and until it is clearly below', () => {
    const use = { resident: GIB, heap: 0, heapLimit: GIB };
    const guard = guardOf(use);
    expect(guard.look()).toBe(false);
    use.resident = GIB + 1;
    expect(guard.look()).toBe(true);
    use.resident = GIB - 1;
    expect(guard.look()).toBe(true);
    use.resident = 0.94 * GIB;
    expect(guard.look()).toBe(false);
    expect(guard.resident).toBe(use.resident);
  });

  test('is full when the collector would have no room', () => {
    const use = { resident: 1, heap: 0.84 * GIB, heapLimit: GIB };
    const guard = guardOf(use);
    expect(guard.look()).toBe(false);
    use.heap = 0.86 * GIB;
    expect(guard.look()).toBe(true);
  });

  test('leaves a quarter of a small machine or control group to others', () => {
    expect(memoryCeiling(2 * GIB, GIB)).toBe(0.75 * GIB);
    expect(memoryCeiling(1000, GIB)).toBe(1000);
    // What the system says when there is no limit.
    for (const none of [0, 2 ** 64]) expect(memoryCeiling(1e15, none)).toBe(memoryCeiling(1e15, Infinity));
  });

  test('the process itself is seen', () => {
    const guard = new MemoryGuard(1);
    expect(guard.look()).toBe(true);
    expect(guard.resident).toBeGreaterThan(10_000_000);
    expect(new MemoryGuard(1e15).look()).toBe(false);
  });
});
