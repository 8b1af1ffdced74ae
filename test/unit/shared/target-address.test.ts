import { expect, test } from 'vitest';
import { readSshAddress, readSshHost, sshAddress, sshHostOf } from '../../../src/shared/target-address.ts';

test.each([
  ['login', { name: 'login' }],
  ['me@login', { name: 'login', user: 'me' }],
  ['me@login:2222', { name: 'login', user: 'me', port: 2222 }],
  ['me@realm@login', { name: 'login', user: 'me@realm' }],
  ['fe80::1', { name: 'fe80::1' }],
  ['me@fe80::1', { name: 'fe80::1', user: 'me' }],
  ['[fe80::1]:22', { name: 'fe80::1', port: 22 }],
])('the host %s', (text, expected) => {
  expect(readSshHost(text)).toEqual(expected);
  const address = sshAddress(text, 'node7:9100');
  expect(readSshAddress(address)).toEqual({ host: text, inner: 'node7:9100' });
  expect(sshHostOf(address)).toBe(text);
});

test('what is none', () => {
  expect(readSshAddress('http://node7:9100')).toBeNull();
  expect(sshHostOf('node7:9100')).toBeNull();
  expect(sshHostOf('ssh://')).toBeNull();
  expect(() => readSshHost('login:0')).toThrow('no port 0');
});
