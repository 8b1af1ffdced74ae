import { expect, test } from 'vitest';
import { isOwnAddress } from '../../../../src/engine/targets/own-address.ts';
import { placesOf } from '../../../../src/engine/targets/find-type.ts';

const own = (url: string | null) => ({ url, sockets: ['/run/e.sock'], hostname: 'n1.cluster' });

test.each([
  ['http://127.0.0.1:1337', 'http://127.0.0.1:1337', true],
  ['http://127.0.0.1:1337', 'http://localhost:1337/metrics', true],
  ['http://127.0.0.1:1337', 'http://[::1]:1337', true],
  ['http://127.0.0.1:1337', 'http://127.0.0.1:9100', false],
  ['http://127.0.0.1:1337', 'http://n2:1337', false],
  // Only loopback is listened on: another server may have that name's address.
  ['http://127.0.0.1:1337', 'http://n1.cluster:1337', false],
  ['http://0.0.0.0:1337', 'http://n1.cluster:1337', true],
  ['http://0.0.0.0:1337', 'http://n1:1337', true],
  ['http://0.0.0.0:1337', 'http://127.0.0.1:1337', true],
  ['http://10.0.0.1:1337', 'http://10.0.0.1:1337', true],
  [null, 'http://127.0.0.1:1337', false],
  [null, 'unix:/run/e.sock:/metrics', true],
  ['unix:/run/l.sock', 'unix:/run/l.sock', true],
  [null, 'unix:/run/other.sock', false],
] as const)('listening at %s, %s is this engine: %s', (url, href, is) => {
  expect(isOwnAddress(href, own(url))).toBe(is);
});

test.each([
  ['node7', ['http://node7:9100', 'http://node7:1337']],
  ['::1', ['http://[::1]:9100', 'http://[::1]:1337']],
  ['node7:80', ['http://node7']],
  ['http://node7', ['http://node7']],
  ['node7/metrics', ['http://node7/metrics']],
  ['unix:/run/x.sock', ['unix:/run/x.sock']],
])('%s may mean %j', (text, places) => {
  expect(placesOf(text).map(({ href }) => href)).toEqual(places);
});
