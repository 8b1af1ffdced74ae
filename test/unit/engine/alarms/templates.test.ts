import { describe, expect, test } from 'vitest';
import { alarmLine, plainText, titleOf } from '../../../../src/engine/alarms/templates.ts';
import type { MessageAlarm } from '../../../../src/engine/alarms/notify/channel.ts';
import { message } from '../../../support/alarm-notify.ts';

const alarms = (...given: Partial<MessageAlarm>[]): MessageAlarm[] => message({}, given).alarms;

describe('titles', () => {
  test.each<[string, Parameters<typeof titleOf>[0]]>([
    ['Disk full: node7 = 97.125 (warning)', { kind: 'firing', fresh: alarms({}), resolved: [], still: [] }],
    [
      '2 × Disk full: node7, node8 (critical)',
      { kind: 'firing', fresh: alarms({}, { place: 'node8', severity: 'critical' }), resolved: [], still: [] },
    ],
    [
      '5 × Disk full: a, b, c and 2 more (warning, 1 resolved, 2 still firing)',
      {
        kind: 'firing',
        fresh: alarms({ place: 'a' }, { place: 'b' }, { place: 'c' }, { place: 'd' }, { place: 'e' }),
        resolved: alarms({}),
        still: alarms({}, {}),
      },
    ],
    ['Resolved: Disk full: node7 (warning)', { kind: 'resolved', fresh: [], resolved: alarms({}), still: [] }],
    [
      'Still firing: 2 × A, B (warning)',
      { kind: 'repeat', fresh: [], resolved: [], still: alarms({ name: 'A' }, { name: 'B' }) },
    ],
  ])('%s', (title, parts) => {
    expect(titleOf(parts)).toBe(title);
  });

  test('a hostile name is one line of bounded length', () => {
    const title = titleOf({
      kind: 'firing',
      fresh: alarms({ name: `x\r\nBcc: all@example.org\r\n\r\n${'y'.repeat(9999)}`, place: 'p\nq\u202e' }),
      resolved: [],
      still: [],
    });
    expect(title).not.toMatch(/[\r\n\u202e]/);
    expect(title.length).toBeLessThanOrEqual(200);
  });
});

test('an alarm is one line, whatever it is called', () => {
  const line = alarmLine(alarms({ metric: 'm{a="\r\n"}', name: 'n\n', place: 'p\u2028', severity: 'critical' })[0]!);
  expect(line).toBe('FIRING critical n · p · m{a=" "} = 97.125 (limit 95) since 2023-11-14 22:13:20 UTC');
});

test('descriptions keep their lines, links stand below, the rest is counted', () => {
  const text = plainText(
    message({ firing: 12 }, [
      { description: 'one\ntwo\r\n', link: 'https://example.org/runbook' },
      { status: 'resolved', ended: 0 },
      {},
    ]),
    { most: 2, links: true },
  );
  expect(text.split('\n')).toEqual([
    expect.stringMatching(/^FIRING warning Disk full · node7/),
    '  one',
    '  two',
    '  https://example.org/runbook',
    expect.stringMatching(/^resolved .* until 1970-01-01 00:00:00 UTC$/),
    'and 10 more',
  ]);
});
