import { describe, expect, test } from 'vitest';
import { expandList } from '../../../../src/engine/targets/discovery/node-set.ts';
import { placesOf } from '../../../../src/engine/targets/find-type.ts';
import { parseTargetUrl, withPath } from '../../../../src/engine/targets/url.ts';

const parts = (text: string): unknown[] => {
  const { protocol, hostname, port, path, socketPath } = parseTargetUrl(text);
  return [protocol, hostname, port, path, socketPath];
};

describe('addresses as people write them', () => {
  test.each([
    ['node7', ['http:', 'node7', 80, '/', null]],
    ['node7:9100', ['http:', 'node7', 9100, '/', null]],
    [' node7:9100/metrics ', ['http:', 'node7', 9100, '/metrics', null]],
    ['http://node7:9100/metrics?collect[]=cpu', ['http:', 'node7', 9100, '/metrics?collect[]=cpu', null]],
    ['HTTPS://Node7', ['https:', 'node7', 443, '/', null]],
    ['https://node7:8443/a/b', ['https:', 'node7', 8443, '/a/b', null]],
    ['::1', ['http:', '::1', 80, '/', null]],
    ['[::1]:9100', ['http:', '::1', 9100, '/', null]],
    ['http://[fe80::1]:9100/metrics', ['http:', 'fe80::1', 9100, '/metrics', null]],
    ['http://2130706433/', ['http:', '127.0.0.1', 80, '/', null]],
    ['unix:/run/x.sock', ['http:', 'localhost', 80, '/', '/run/x.sock']],
    ['unix:/run/x.sock:/metrics?a=b', ['http:', 'localhost', 80, '/metrics?a=b', '/run/x.sock']],
  ])('%s', (text, expected) => {
    expect(parts(text)).toEqual(expected);
    const parsed = parseTargetUrl(text);
    expect(parts(parsed.href)).toEqual(expected);
    expect(withPath(parsed, '/other')).toMatchObject({ path: '/other', pathGiven: true, hostname: parsed.hostname });
    expect(parts(withPath(parsed, parsed.path).href)).toEqual(expected);
  });

  test('whether port and path were given', () => {
    const given = (text: string): boolean[] => {
      const { portGiven, pathGiven } = parseTargetUrl(text);
      return [portGiven, pathGiven];
    };
    expect(given('node7')).toEqual([false, false]);
    expect(given('http://node7:80/')).toEqual([true, false]);
    expect(given('node7/metrics')).toEqual([false, true]);
    expect(given('[::1]')).toEqual([false, false]);
  });

  test.each([
    ['', /no address/],
    ['ftp://node7', /ftp:\/\/ is not known/],
    ['http://user:secret@node7/', /user and password/],
    ['http://', /is not an address/],
    ['node 7', /is not an address/],
    ['unix:run/x.sock', /whole path/],
    [`unix:/${'x'.repeat(200)}`, /107 bytes/],
    [`http://${'x'.repeat(3000)}/`, /2048 characters/],
  ])('%s is refused', (text, message) => {
    expect(() => parseTargetUrl(text)).toThrow(message);
  });
});

describe('behind a host that is reached by SSH', () => {
  test.each([
    ['ssh://login/node7:9100', 'ssh://login/node7:9100', ['login', 'http:', 'node7', 9100, '/', null]],
    [
      'ssh://login/Node7:9100/metrics?a=b',
      'ssh://login/node7:9100/metrics?a=b',
      ['login', 'http:', 'node7', 9100, '/metrics?a=b', null],
    ],
    [
      'SSH://Me@Login:2222/https://node7',
      'ssh://Me@Login:2222/https://node7:443',
      ['Me@Login:2222', 'https:', 'node7', 443, '/', null],
    ],
    ['ssh://login/http://node7', 'ssh://login/node7:80', ['login', 'http:', 'node7', 80, '/', null]],
    ['ssh://login/[fe80::1]:9100', 'ssh://login/[fe80::1]:9100', ['login', 'http:', 'fe80::1', 9100, '/', null]],
    ['ssh://[fe80::2]/node7:1', 'ssh://[fe80::2]/node7:1', ['fe80::2', 'http:', 'node7', 1, '/', null]],
    [
      'ssh://me@[fe80::2]:22/node7:1',
      'ssh://me@[fe80::2]:22/node7:1',
      ['me@[fe80::2]:22', 'http:', 'node7', 1, '/', null],
    ],
    [
      'ssh://login/unix:/run/x.sock:/metrics',
      'ssh://login/unix:/run/x.sock:/metrics',
      ['login', 'http:', 'localhost', 80, '/metrics', '/run/x.sock'],
    ],
  ])('%s', (text, href, expected) => {
    const all = (one: string): unknown[] => [parseTargetUrl(one).ssh, ...parts(one)];
    expect(parseTargetUrl(text).href).toBe(href);
    expect(all(text)).toEqual(expected);
    expect(all(href)).toEqual(expected);
    const parsed = parseTargetUrl(text);
    expect(withPath(parsed, '/other')).toMatchObject({ path: '/other', ssh: parsed.ssh, hostname: parsed.hostname });
    expect(all(withPath(parsed, parsed.path).href)).toEqual(expected);
  });

  test('a bare name is looked for at the usual ports there', () => {
    expect(placesOf('ssh://Login/Node7').map(({ href }) => href)).toEqual([
      'ssh://Login/node7:9100',
      'ssh://Login/node7:1337',
    ]);
    expect(placesOf('ssh://login/https://node7').map(({ href }) => href)).toEqual(['ssh://login/https://node7:443']);
  });

  test('a node set is one', () => {
    expect(expandList('ssh://me@login/node[08-10]:9100, ssh://login/localhost:1337', 10)).toEqual([
      ...['08', '09', '10'].map((n) => `ssh://me@login/node${n}:9100`),
      'ssh://login/localhost:1337',
    ]);
  });

  test.each([
    ['ssh://login', 'what is asked there'],
    ['ssh://login/', 'what is asked there'],
    ['ssh:///node7:9100', 'the host to log in to'],
    ['ssh://me:secret@login/node7:9100', 'no password'],
    ['ssh://-oProxyCommand=x/node7:9100', 'the name of a host'],
    ['ssh://me@-oProxyCommand=x/node7:9100', 'the name of a host'],
    ['ssh://a b/node7:9100', 'the name of a host'],
    ['ssh://login;id/node7:9100', 'the name of a host'],
    ['ssh://login:99999/node7:9100', 'no port 99999'],
    ['ssh://login/ssh://other/node7:9100', 'hops on the way'],
    ['ssh://login/me:pw@node7:9100', 'user and password'],
    ['ssh://login/ftp://node7', 'not known here'],
    ['ssh://login/unix:x.sock', 'whole path'],
  ])('%s is refused in words', (text, words) => {
    expect(() => parseTargetUrl(text)).toThrow(words);
  });
});
