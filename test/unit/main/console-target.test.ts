import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConsoleTarget } from '../../../src/main/console-target.ts';

const engine = { url: 'http://127.0.0.1:4000', token: 'secret', pid: 7, host: 'n1' };
const target = new ConsoleTarget(engine);

test.each([
  ['http://127.0.0.1:4000/', true],
  ['http://127.0.0.1:4000/?x=1#notice=moved', true],
  ['http://127.0.0.1:4000/ui/', true],
  ['http://127.0.0.1:4000/ui/jobs/1?range=1h#x', true],
  ['http://127.0.0.1:4000/ui', false],
  ['http://127.0.0.1:4000/ui/../api/v1/status', false],
  ['http://127.0.0.1:4000/api/v1/status', false],
  ['http://127.0.0.1:4000//evil.example/ui/', false],
  ['http://127.0.0.1:40000/ui/jobs', false],
  ['http://127.0.0.1/ui/jobs', false],
  ['https://127.0.0.1:4000/ui/jobs', false],
  ['http://localhost:4000/ui/jobs', false],
  ['http://127.0.0.1:4000@evil.example/ui/jobs', false],
  ['http://127.0.0.1:4000.evil.example/ui/jobs', false],
  ['http://evil.example/ui/#http://127.0.0.1:4000/ui/', false],
  ['blob:http://127.0.0.1:4000/ui/jobs', false],
  ['data:text/html,/ui/', false],
  ['file:///ui/jobs', false],
  ['javascript:/ui/', false],
  ['about:blank', false],
  ['', false],
])('a page of the interface: %s is %s', (url, expected) => {
  expect(target.isPage(url)).toBe(expected);
});

test.each([
  ['http://127.0.0.1:4000/assets/x.js', true, false],
  ['http://127.0.0.1:4000/api/v1/status', true, true],
  ['ws://127.0.0.1:4000/api/v1/live', true, true],
  ['http://127.0.0.1:4000/ui/../api/v1/status', true, true],
  ['http://127.0.0.1:4000/apis', true, false],
  ['http://127.0.0.1:4000/?/api/', true, false],
  ['wss://127.0.0.1:4000/api/v1/live', false, false],
  ['https://127.0.0.1:4000/api/v1/status', false, false],
  ['ftp://127.0.0.1:4000/api/', false, false],
  ['http://127.0.0.1:4001/api/v1/status', false, false],
  ['http://[::1]:4000/api/v1/status', false, false],
  ['http://evil.example/api/v1/status', false, false],
  ['not an address', false, false],
])('a request: %s is the engine’s: %s, and gets its token: %s', (url, own, token) => {
  expect(target.isOwn(url)).toBe(own);
  expect(target.needsToken(url)).toBe(token);
});

test.each([
  ['http://127.0.0.1:4000/api/v1/exports/file?ticket=x', true],
  ['http://127.0.0.1:4000/api/v1/engines/ab-1/api/v1/exports/file?ticket=x', true],
  ['http://127.0.0.1:4000/api/v1/exports/file/../../token', false],
  ['http://127.0.0.1:4000/api/v1/exports', false],
  ['http://127.0.0.1:4000/assets/x.js', false],
  ['http://127.0.0.1:4001/api/v1/exports/file?ticket=x', false],
  ['blob:http://127.0.0.1:4000/api/v1/exports/file', false],
  ['data:text/plain,/api/v1/exports/file', false],
  ['file:///api/v1/exports/file', false],
  ['', false],
])('a file that was asked for: %s is %s', (url, expected) => {
  expect(target.isExport(url)).toBe(expected);
});

test('its page is that of the asked view, else the jobs', () => {
  expect(target.page('/ui/node/n1?range=1h')).toBe('http://127.0.0.1:4000/ui/node/n1?range=1h');
  for (const path of ['', '/', '/ui', 'https://evil.example/', '//evil.example/ui/', '@evil.example/ui/']) {
    expect(target.page(path)).toBe('http://127.0.0.1:4000/ui/jobs');
  }
});

test('whatever it is asked, it throws nothing, and only its own host is its own', () => {
  const url = fc.oneof(
    fc.string(),
    fc.webUrl(),
    fc.string().map((path) => `http://127.0.0.1:4000${path}`),
  );
  fc.assert(
    fc.property(url, (text) => {
      const own = target.isOwn(text);
      const host = URL.canParse(text) ? new URL(text).host : null;
      if (own) expect(host).toBe('127.0.0.1:4000');
      if (target.isPage(text) || target.needsToken(text)) expect(own).toBe(true);
    }),
  );
});
