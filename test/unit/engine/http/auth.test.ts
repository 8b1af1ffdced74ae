import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Auth, loadToken, TokenCheck } from '../../../../src/engine/http/auth.ts';
import { temporaryFolder } from '../../../support/tmp.ts';

const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe('the token file', () => {
  test('is made private, with the bare token and one newline, in a folder made private', () => {
    const path = join(temporaryFolder(), 'a', 'b', 'token');
    const before = process.umask(0);
    try {
      const token = loadToken(path);
      expect(readFileSync(path, 'latin1')).toBe(`${token}\n`);
      expect(token).toMatch(/^[\w-]{43}$/);
      expect(mode(path)).toBe('600');
      expect(mode(join(path, '..'))).toBe('700');
    } finally {
      process.umask(before);
    }
  });

  test('is used again, and two are different', () => {
    const folder = temporaryFolder();
    const token = loadToken(join(folder, 'token'));
    expect(loadToken(join(folder, 'token'))).toBe(token);
    expect(loadToken(join(folder, 'other'))).not.toBe(token);
  });

  test('may be written by hand, with or without the newline', () => {
    const path = join(temporaryFolder(), 'token');
    for (const text of ['a-token-of-my-own', 'a-token-of-my-own\n', 'a-token-of-my-own\r\n']) {
      writeFileSync(path, text, { mode: 0o600 });
      expect(loadToken(path)).toBe('a-token-of-my-own');
    }
  });

  test.each([0o640, 0o604, 0o660, 0o644, 0o601, 0o777])('is refused with mode %o', (bits) => {
    const path = join(temporaryFolder(), 'token');
    loadToken(path);
    chmodSync(path, bits);
    expect(() => loadToken(path)).toThrow(`${path} must be a file that only you can read (chmod 600)`);
  });

  test('is refused when it is a link, a folder, or a link that leads nowhere', () => {
    const folder = temporaryFolder();
    const real = join(folder, 'real');
    loadToken(real);
    symlinkSync(real, join(folder, 'link'));
    symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling'));
    mkdirSync(join(folder, 'folder'), { mode: 0o700 });
    for (const name of ['link', 'dangling', 'folder']) {
      expect(() => loadToken(join(folder, name)), name).toThrow('give --token-file another path');
    }
    expect(existsSync(join(folder, 'nowhere'))).toBe(false);
  });

  test.each([
    ['empty', ''],
    ['short', 'short'],
    ['with a blank', 'sixteen characters at least'],
    ['with a control character', 'sixteen-chars-and\u0007more'],
    ['too long', 'x'.repeat(2000)],
  ])('is refused when it is %s', (_name, text) => {
    const path = join(temporaryFolder(), 'token');
    writeFileSync(path, `${text}\n`, { mode: 0o600 });
    expect(() => loadToken(path)).toThrow(
      'holds no usable token (16 or more printable characters); remove it to get a new one',
    );
  });
});

describe('the token', () => {
  test('matches itself only', () => {
    const check = new TokenCheck('the-right-token-1');
    expect(check.matches('the-right-token-1')).toBe(true);
    for (const wrong of ['', 'the-right-token-', 'the-right-token-2', 'the-right-token-1 ', 'THE-RIGHT-TOKEN-1']) {
      expect(check.matches(wrong)).toBe(false);
    }
  });

  test('stands in the header behind Bearer, in any case', () => {
    const auth = new Auth({ token: new TokenCheck('the-right-token-1'), allowHosts: [], compat: false });
    const ask = (authorization: string | undefined) => auth.identify(requestWith({ authorization }));
    for (const value of ['Bearer the-right-token-1', 'bearer the-right-token-1', 'BEARER   the-right-token-1 '])
      expect(ask(value)).toMatchObject({ role: 'control', by: 'token', name: 'owner' });
    for (const value of [
      undefined,
      '',
      'the-right-token-1',
      'Bearer',
      'Basic the-right-token-1',
      'Bearer the-right-token-1 x',
    ]) {
      expect(ask(value)).toBeNull();
    }
  });
});

function requestWith(headers: Record<string, string | undefined>, socket = new Socket()): IncomingMessage {
  return { headers, socket } as unknown as IncomingMessage;
}

describe('Host and Origin', () => {
  const auth = new Auth({
    token: new TokenCheck('x'.repeat(16)),
    allowHosts: ['Login1.Cluster.example', '10.1.2.3'],
    compat: false,
  });
  const codeOf = (headers: Record<string, string | undefined>): string => {
    try {
      auth.checkOrigin(requestWith(headers));
      return 'accepted';
    } catch (error) {
      return (error as { code: string }).code;
    }
  };

  test.each([
    'localhost',
    'LOCALHOST:80',
    'localhost:1',
    '127.0.0.1',
    '127.0.0.1:65535',
    '[::1]',
    '[::1]:8080',
    hostname(),
    `${hostname()}:9`,
    'login1.cluster.example:22',
    '10.1.2.3:1337',
  ])('%s is ours', (host) => expect(codeOf({ host })).toBe('accepted'));

  test.each([
    undefined,
    '',
    'evil.example',
    'evil.example:1337',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil.example#localhost',
    'localhost:x',
    '::1',
    '0.0.0.0',
    '169.254.169.254',
    'localhost@evil.example',
  ])('%s is not: DNS of others may lead here', (host) => expect(codeOf({ host })).toBe('forbidden_host'));

  test('an Origin is the Host itself, or nobody comes in', () => {
    const host = 'localhost:1337';
    for (const origin of [undefined, 'http://localhost:1337', 'https://localhost:1337', 'http://LOCALHOST:1337']) {
      expect(codeOf({ host, origin })).toBe('accepted');
    }
    for (const origin of [
      'null',
      '',
      'http://localhost',
      'http://localhost:1338',
      'http://127.0.0.1:1337',
      'http://evil.example',
      'file://',
      'http://localhost:1337.evil.example',
      'http://localhost:1337/',
    ]) {
      expect(codeOf({ host, origin }), origin).toBe('forbidden_origin');
    }
  });

  test("connections of the engine's own socket need neither", () => {
    const socket = new Socket();
    auth.trust(socket);
    expect(() =>
      auth.checkOrigin(requestWith({ host: 'anything', origin: 'http://anything.else' }, socket)),
    ).not.toThrow();
    expect(auth.identify(requestWith({}, socket))).toMatchObject({ role: 'control', by: 'socket' });
    expect(auth.identify(requestWith({}))).toBeNull();
  });
});
