import { describe, expect, test } from 'vitest';
import { readLines } from '../../../../../src/engine/remote/config/line.ts';
import { scanConfig, type ConfigAsk } from '../../../../../src/engine/remote/config/scan.ts';

function asksOf(text: string): readonly ConfigAsk[] {
  return scanConfig({ files: [{ path: '/c', lines: readLines('/c', text), included: new Map() }], problems: [] }).asks;
}

describe('what runs a program is asked for, however it is written', () => {
  test.each([
    ['Match exec "test -e /x"', 'match-exec'],
    ['  match host a EXEC true', 'match-exec'],
    ['Match exec=true', 'match-exec'],
    ['Match ex"ec" true', 'match-exec'],
    ['Match e\\xec true', 'match-exec'],
    ['"Match" exec true', 'match-exec'],
    ['Match=exec true', 'match-exec'],
    ['Match !exec true', 'match-exec'],
    ['Match command x', 'match-exec'],
    ['ProxyCommand nc %h %p', 'proxy-command'],
    ['PROXYCOMMAND=nc', 'proxy-command'],
    ['"ProxyCommand" nc', 'proxy-command'],
    ['KnownHostsCommand /bin/x', 'known-hosts-command'],
    ['LocalCommand /bin/x', 'local-command'],
  ])('%j', (text, what) => {
    expect(asksOf(`User ada\n${text}\n`)).toEqual([expect.objectContaining({ file: '/c', line: 2, what })]);
  });

  test.each(['ProxyCommand none', 'Match host a', '# Match exec true', 'User exec', 'ProxyJump a', 'RemoteCommand x'])(
    'and nothing else: %j',
    (text) => {
      expect(asksOf(text)).toEqual([]);
    },
  );
});

test('the same command is asked for once, another one anew', () => {
  const [first, second, ...rest] = asksOf('ProxyCommand a\nHost b\nProxyCommand a\nProxyCommand b\n');
  expect(rest).toEqual([]);
  expect(first!.hash).not.toBe(second!.hash);
  expect(asksOf('\n\nProxyCommand a')[0]!.hash).toBe(first!.hash);
  expect(asksOf('LocalCommand a')[0]!.hash).not.toBe(first!.hash);
});

test('its text has no control characters', () => {
  expect(asksOf('ProxyCommand a\u001b[2Jb\u202e')[0]!.text).toBe('a [2Jb');
});
