import { lookup } from 'node:dns/promises';
import { expect, test } from 'vitest';
import { AddressPolicy, isLoopback } from '../../../../../src/engine/alarms/notify/address.ts';
import { AlarmChannelSettings, networkList } from '../../../../../src/engine/alarms/notify/settings.ts';

const policy = (allow: AlarmChannelSettings['private']): AddressPolicy =>
  new AddressPolicy(AlarmChannelSettings.parse({ private: allow }));

test.each([
  ['127.0.0.1', true, true, false],
  ['10.1.2.3', true, true, true],
  ['10.2.2.3', true, true, false],
  ['[fd00::1]', true, true, true],
  ['[::1]', true, true, false],
  ['192.0.2.1', false, true, true],
  ['[2001:db8::1]', false, true, true],
])('%s is private: %s; allowed with true: %s, with a list: %s', (host, isPrivate, all, some) => {
  expect(policy(false).refuses(host) !== null).toBe(isPrivate);
  expect(policy(true).refuses(host) === null).toBe(all);
  expect(policy(['10.1.0.0/16', 'fd00::/8']).refuses(host) === null).toBe(some);
});

test('names are looked at when they are looked up', async () => {
  expect(policy(false).refuses('localhost')).toBeNull();
  const found = (allow: AlarmChannelSettings['private']): Promise<unknown> =>
    new Promise((resolve) =>
      policy(allow).lookup('localhost', { all: true }, (error, addresses) => resolve(error ?? addresses)),
    );
  expect(await found(false)).toMatchObject({ message: expect.stringMatching(/localhost \(.*\) is a private address/) });
  expect(await found(true)).toEqual(await lookup('localhost', { all: true }));
});

test('an address that stands in a network of the list', () => {
  const list = networkList(['10.0.0.0/8', '192.168.1.7']);
  expect(list.check('10.255.0.1')).toBe(true);
  expect(list.check('192.168.1.7')).toBe(true);
  expect(list.check('192.168.1.8')).toBe(false);
});

test.each([['10.0.0.0/33'], ['ten'], ['::1/129'], ['10.0.0.0/8/8']])('%s is no network', (network) => {
  expect(AlarmChannelSettings.safeParse({ private: [network] }).success).toBe(false);
});

test('this machine', () => {
  expect(['localhost', '127.1.2.3', '[::1]', '::1'].every(isLoopback)).toBe(true);
  expect(['localhost.example.org', '10.0.0.1', '127.0.0.1.example.org'].some(isLoopback)).toBe(false);
});
