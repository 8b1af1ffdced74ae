import { describe, expect, test } from 'vitest';
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
