import fc from 'fast-check';
import { expect, test } from 'vitest';

import { createLog } from '../../../../../src/engine/remote/session/log.ts';
import { cleanText } from '../../../../../src/engine/remote/session/prompts.ts';

const texts = (log: ReturnType<typeof createLog>): string[] => log.lines().map(({ text }) => text);

test('an answer that a host says again is not shown, in lines before it, too', () => {
  const log = createLog(() => 7);
  log.add('login', 'your password hunter22 is old');
  log.hide('hunter22');
  log.add('login', 'HELLO hunter22');
  expect(log.lines()).toEqual([
    { at: 7, host: 'login', text: 'your password ••• is old' },
    { at: 7, host: 'login', text: 'HELLO •••' },
  ]);
});

test('of two secrets, one in the other, nothing is left', () => {
  const log = createLog();
  log.hide('abcd');
  log.hide('abcdefgh');
  log.add('h', 'x abcdefgh y');
  expect(texts(log)).toEqual(['x ••• y']);
});

test('private keys and tokens are taken out whoever wrote them', () => {
  const log = createLog();
  log.add('h', '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----');
  log.add('h', 'Authorization: Bearer abcdef0123456789');
  log.add('h', 'token=abcdef0123456789');
  expect(texts(log)).toEqual(['••• (private key)', 'Authorization: Bearer •••', 'token=•••']);
});

test('keeps the last 500 lines', () => {
  const log = createLog();
  for (let i = 0; i < 2000; i++) log.add('h', `line ${i}`);
  expect(texts(log)).toHaveLength(500);
  expect(texts(log).at(-1)).toBe('line 1999');
});

test('whatever is hidden is in no line', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-zA-Z0-9]{4,30}$/), fc.string(), fc.string(), (secret, before, after) => {
      const log = createLog();
      log.hide(secret);
      log.add('h', before + secret + after);
      expect(texts(log).join('')).not.toContain(secret);
    }),
  );
});

test('text of hosts: no escapes, no turned reading direction, bounded', () => {
  expect(cleanText('a\u001b[31mb\u202ec\r\nd\u0000')).toBe('a [31mb c\nd');
  for (const unseen of ['\u061c', '\u00ad', '\u180e', '\u2028', '\u2029', '\u3164', '\u115f', '\ufff9', '\u{e0041}']) {
    expect(cleanText(`a${unseen}b`)).toBe('a b');
  }
  expect(cleanText('é ß 日本 🙂\nعربي')).toBe('é ß 日本 🙂\nعربي');
  expect(cleanText('x'.repeat(100_000)).length).toBeLessThanOrEqual(2001);
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      // oxlint-disable-next-line no-control-regex -- they are what must not be there
      expect(cleanText(text)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    }),
  );
});

test('a reason that names its host does so once', () => {
  const log = createLog(() => 7);
  log.add('hop2', 'hop2: the connection was lost');
  log.add('hop2', 'hop22: is another');
  expect(texts(log)).toEqual(['the connection was lost', 'hop22: is another']);
});
