import { expect, test } from 'vitest';
import { ConfigError } from '../../../../../src/engine/remote/config/error.ts';
import { readLines } from '../../../../../src/engine/remote/config/line.ts';
import { readValue } from '../../../../../src/engine/remote/config/values.ts';
import { parseKnownHostsLine } from '../../../../../src/engine/remote/known-hosts-line.ts';

test.each<[string, string, readonly string[] | undefined]>([
  ['User ada', 'user', ['ada']],
  ['  \tUser\t ada \r', 'user', ['ada']],
  ['User=ada', 'user', ['ada']],
  ['User = "a b"', 'user', ['a b']],
  ['User a b', 'user', ['a', 'b']],
  ['User', 'user', []],
  ['User #ada', 'user', []],
  ['User ada #x', 'user', ['ada']],
  ['User ""', 'user', ['']],
  ['User a#b', 'user', undefined],
  ['User a\\ b', 'user', undefined],
  ["User 'a'", 'user', undefined],
  ['User "a', 'user', undefined],
  ['Host a "b c" !d', 'host', ['a', 'b c', '!d']],
  ['Host a=b', 'host', undefined],
  ['Match host=a user "b c"', 'match', ['host', 'a', 'user', 'b c']],
  ['Match !final all', 'match', ['!final', 'all']],
  ['ProxyCommand nc "%h" \\%p # x', 'proxycommand', ['nc "%h" \\%p # x']],
  ['"Port" 22', '', undefined],
])('%j', (text, keyword, words) => {
  expect(readLines('/c', `\n# comment\n${text}\n`)).toEqual([
    expect.objectContaining({ keyword, words, file: '/c', line: 3 }),
  ]);
});

test('a line ends at a zero byte, as it does for OpenSSH', () => {
  expect(readLines('/c', 'User ada\0 lovelace\nPort 2\0')).toMatchObject([{ words: ['ada'] }, { words: ['2'] }]);
});

test('long nonsense is read in no time worth mentioning', () => {
  const long = 50_000;
  const pieces = ['1', '1 ', ' ', '"', '"" ', 'a=', '=', '#', '\\', '\r', '\t', '1h', ',', '%', '[', 'a'];
  for (const piece of pieces) {
    const text = piece.repeat(long);
    for (const keyword of ['User', 'Host', 'Match', 'ProxyJump']) {
      expect(readLines('/c', `${keyword} ${text}!`)).toHaveLength(1);
    }
    for (const keyword of ['connecttimeout', 'addkeystoagent', 'port', 'ciphers']) {
      expect(() => readValue(keyword, [`${text}!`])).toThrow(ConfigError);
    }
    expect(parseKnownHostsLine(`${text}!`)).not.toBeTypeOf('object');
  }
});
