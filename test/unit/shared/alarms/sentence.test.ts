import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkRule } from '../../../../src/shared/alarms/check-rule.ts';
import { exactThreshold, ruleSentence } from '../../../../src/shared/alarms/sentence.ts';
import { RuleSettings, type RuleSettingsInput } from '../../../../src/shared/api/alarms.ts';

const rule = (change: Partial<RuleSettingsInput>): RuleSettings =>
  RuleSettings.parse({ name: 'r', scope: { kind: 'node' }, metric: 'proxy_memory_used_percent', raise: 90, ...change });

describe('a rule in words', () => {
  test.each<[Partial<RuleSettingsInput>, string]>([
    [
      { for: '5m', clear: 80, severity: 'critical' },
      'Critical when proxy_memory_used_percent on any node is above 90 % for 5m. It ends when that is at or below 80 %. After 1m without data it stays as it was.',
    ],
    [
      { scope: { kind: 'run', jobid: '7*', user: 'ada' }, op: '<=', keep_firing_for: '2m', no_data: 'ok' },
      'Warning when proxy_memory_used_percent of a job with the id like “7*” and the user “ada” is at most 90 %. It ends when that has not been so for 2m. After 1m without data that counts as if it were not so.',
    ],
    [
      {
        scope: { kind: 'all' },
        metric: 'errors_total',
        measure: { kind: 'increase', window: '10m' },
        raise: 3,
        no_data: 'state',
      },
      'Warning when the increase of errors_total anywhere over 10m is above 3. After 1m without data it shows “no data”.',
    ],
    [
      {
        scope: { kind: 'target', name: 'rack=*' },
        metric: 'up',
        measure: { kind: 'absent', after: '1m' },
        severity: 'info',
      },
      'Information when up of a target named or labelled like “rack=*” has told nothing for 1m, or nothing matches it for so long.',
    ],
    [
      {
        metric: 'used_bytes',
        measure: { kind: 'ratio', to: 'size_bytes' },
        raise: 0.9,
        scope: { kind: 'merge', name: 'main' },
        enabled: false,
      },
      'Switched off: Warning when used_bytes in the sum “main” divided by size_bytes (of two counters: what they grew by) is above 0.9. After 1m without data it stays as it was.',
    ],
  ])('%j', (change, sentence) => {
    expect(ruleSentence(rule(change))).toBe(sentence);
  });

  test('thresholds are never rounded', () => {
    const bytes = { metric: 'used_bytes', measure: { kind: 'value' } } as const;
    expect(exactThreshold(bytes, 1.5 * 2 ** 30)).toBe('1.5 GiB');
    expect(exactThreshold(bytes, 2 ** 30 + 1)).toBe('1073741825 B');
    expect(exactThreshold({ ...bytes, measure: { kind: 'rate' } }, 1024)).toBe('1 KiB/s');
    expect(exactThreshold({ metric: 'x_seconds', measure: { kind: 'value' } }, 0.1)).toBe('0.1 s');
  });

  test('whatever decides when it fires stands in it', () => {
    const time = fc.integer({ min: 1, max: 100 }).map((n) => `${n}s`);
    fc.assert(
      fc.property(
        fc.record({
          raise: fc.integer(),
          for: time,
          keep_firing_for: time,
          no_data_after: time,
          metric: fc.constantFrom('a', 'b{c="d"}'),
        }),
        (change) => {
          const sentence = ruleSentence(rule({ ...change, scope: { kind: 'node', name: 'host-7' } }));
          const parsed = rule(change);
          for (const text of [String(change.raise), change.for, change.keep_firing_for, change.metric, '“host-7”']) {
            expect(sentence.replaceAll('1m', '60s')).toContain(text.replaceAll('1m', '60s'));
          }
          expect(parsed.raise).toBe(change.raise);
        },
      ),
    );
  });
});

describe('what is wrong with a rule', () => {
  const fields = (change: Partial<RuleSettingsInput>): string[] => checkRule(rule(change)).map(({ field }) => field);

  test('the other threshold is on the other side', () => {
    expect(fields({ op: '>', clear: 95 })).toEqual(['clear']);
    expect(fields({ op: '<', clear: 85 })).toEqual(['clear']);
    expect(fields({ op: '=', clear: 85 })).toEqual(['clear']);
    expect(fields({ op: '>', clear: 90 })).toEqual([]);
    expect(fields({ op: '<=', clear: 95 })).toEqual([]);
  });

  test('what can never be, and what is always so', () => {
    expect(fields({ op: '<', raise: 0, measure: { kind: 'increase', window: '1m' } })).toEqual(['raise']);
    expect(fields({ measure: { kind: 'ratio', to: 'proxy_memory_used_percent' } })).toEqual(['measure']);
  });

  test('names that every alarm has', () => {
    expect(fields({ labels: { severity: 'x' } })).toEqual(['labels']);
    expect(fields({ labels: { team: 'x' } })).toEqual([]);
  });
});
