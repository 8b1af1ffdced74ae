import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkPath, VIEW_READS } from '../../../../../src/engine/remote/engines/pass.ts';
import { readEvent } from '../../../../../src/engine/remote/engines/pass-live.ts';
import { refuseVersion, skewOf } from '../../../../../src/engine/remote/engines/skew.ts';

const allowed = (path: string, role: 'view' | 'control' = 'control', method = 'GET'): boolean => {
  try {
    return checkPath(method, path, role) === path;
  } catch {
    return false;
  }
};

test('paths of the API are passed on as they are', () => {
  for (const path of [
    '/api/v1/status',
    '/api/v1/runs?limit=1&search=a%20b',
    '/api/v1/profiles/a-b_c',
    '/api/v1/openapi.json',
  ]) {
    expect([path, allowed(path)]).toEqual([path, true]);
  }
  for (const path of [
    '',
    '/',
    '/api/v1',
    '/api/v1/',
    '/api/v1/connections',
    '/api/v1/engines/x/api/v1/tokens',
    '/metrics',
    '//x/api/v1/runs',
  ]) {
    expect([path, allowed(path)]).toEqual([path, false]);
  }
});

test('however it is written, a path does not lead to what is never passed on', () => {
  const piece = fc.constantFrom(
    'connections',
    'engines',
    'live',
    'tokens',
    'api',
    'v1',
    '..',
    '.',
    '',
    '%2e%2e',
    '%2f',
    '%63onnections',
    '\\',
    ';',
    '@evil',
    '#',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), (pieces) => {
      const path = `/api/v1/${pieces.join('/')}`;
      if (!allowed(path)) return;
      const { host, pathname } = new URL(path, 'http://engine');
      const group = decodeURIComponent(pathname).split('/')[3] ?? '';
      expect([host, pathname.startsWith('/api/v1/')]).toEqual(['engine', true]);
      expect(['connections', 'engines', 'live', '']).not.toContain(group);
      expect(allowed(path, 'view')).toBe(VIEW_READS.has(group));
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) expect(allowed(path, 'view', method)).toBe(false);
    }),
  );
});

test('of live messages only those about the engine go on, each only as it was understood', () => {
  const hello = '{"type":"hello","role":"control"}';
  expect(readEvent(hello, 'control')).toBe(hello);
  expect(readEvent(hello, 'view')).toBe('{"type":"hello","role":"view"}');
  for (const text of [
    '',
    'x',
    '[]',
    'null',
    '{}',
    '{"type":1}',
    '{"type":"prompts"}',
    '{"type":"connections"}',
    '{"type":"runs","type":"prompts"}',
    '{"type":"__proto__"}',
  ]) {
    expect([text, readEvent(text, 'control')]).toEqual([text, null]);
  }
  expect(readEvent('{"type":"prompts","type":"runs"}', 'control')).toBe('{"type":"runs"}');
});

test('another version is told in words', () => {
  const own = { major: 2, minor: 3 };
  expect(refuseVersion(own, own)).toBeNull();
  expect(refuseVersion({ major: 2, minor: 9 }, own)).toBeNull();
  expect(refuseVersion({ major: 3, minor: 0 }, own)).toContain('update Vigie here');
  expect(refuseVersion({ major: 1, minor: 0 }, own)).toContain('update the engine there');
  expect([skewOf(own, own), skewOf({ major: 2, minor: 4 }, own), skewOf({ major: 2, minor: 0 }, own)]).toEqual([
    ...[null, expect.stringContaining('newer'), expect.stringContaining('older')],
  ]);
});
