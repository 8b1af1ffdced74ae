import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { RemoteWriteSettings, shownUrl } from '../../../../src/engine/remote-write/settings.ts';

const parse = (...list: object[]): z.output<typeof RemoteWriteSettings> => RemoteWriteSettings.parse(list);

function refusal(...list: object[]): string {
  const parsed = RemoteWriteSettings.safeParse(list);
  return parsed.success ? 'accepted' : parsed.error.issues.map((i) => `${i.path.join('.')}: ${i.message}`).join('; ');
}

describe('remote_write', () => {
  test('needs a URL only; the rest has defaults', () => {
    const [one] = parse({ url: 'https://prom.example.org:9090/api/v1/write' });
    expect({ ...one, url: one!.url.href }).toEqual({
      url: 'https://prom.example.org:9090/api/v1/write',
      name: 'prom.example.org-9090',
      interval: 15_000,
      batch_samples: 2000,
      batch_wait: 5000,
      timeout: 30_000,
      min_backoff: 1000,
      max_backoff: 60_000,
      queue: 512 * 1024 * 1024,
      labels: {},
      headers: {},
      tls: { insecure: false },
      metrics: { keep: ['*'], drop: [] },
      scopes: ['node', 'run'],
    });
    expect(parse({ url: 'http://[::1]:9090/' })[0]!.name).toBe('1-9090');
  });

  test.each([
    [{ url: 'prom:9090/x' }, '0.url: expected http:// or https://'],
    [{ url: 'not a url' }, '0.url: expected a URL'],
    [{ url: 'https://me:secret@h/w' }, 'use basic_auth with a password_file'],
    [{ url: 'http://h/w', token_file: '/t' }, '0.url: would send a password or token in clear'],
    [{ url: 'https://h/w', read_url: 'http://h/', token_file: '/t' }, '0.read_url: would send'],
    [{ url: 'https://h/w', token_file: '/t', basic_auth: { username: 'u', password_file: '/p' } }, 'not both'],
    [{ url: 'https://h/w', basic_auth: { username: 'u', password: 'p' } }, '0.basic_auth.password_file'],
    [{ url: 'https://h/w', interval: '15' }, '0.interval: expected a duration with a unit'],
    [{ url: 'https://h/w', interval: '1ms' }, '0.interval: must be between 10ms and 1h'],
    [{ url: 'https://h/w', labels: { run: 'x' } }, 'is a label that Vigie sets itself'],
    [{ url: 'https://h/w', labels: { __name__: 'x' } }, 'is a label that Vigie sets itself'],
    [{ url: 'https://h/w', headers: { Authorization: 'x' } }, 'secrets stand in files'],
    [{ url: 'https://h/w', headers: { 'X-Org': 'a\r\nHost: b' } }, 'expected printable ASCII'],
    [{ url: 'https://h/w', name: '../x' }, '0.name: expected letters'],
    [{ url: 'https://h/w', name: '.' }, '0.name: expected letters'],
    [{ url: 'https://h/w', min_backoff: '1m', max_backoff: '1s' }, 'must not be longer than max_backoff'],
    [{ url: 'https://h/w', tls: { ca: 'x' } }, 'ca'],
    [{ url: 'https://h/w', queue: '1B' }, '0.queue'],
  ])('%j is refused in words', (settings, words) => {
    expect(refusal(settings)).toContain(words);
    expect(refusal(settings)).not.toContain('secret@');
  });

  test('a name stands once, also where a file system does not tell A from a', () => {
    expect(refusal({ url: 'https://h/a' }, { url: 'https://h/b' })).toContain('"h" stands twice');
    expect(refusal({ url: 'https://h/a', name: 'X' }, { url: 'https://h/b', name: 'x' })).toContain('stands twice');
    expect(refusal({ url: 'https://h/a' }, { url: 'https://h/b', name: 'b' })).toBe('accepted');
  });

  test('credentials in clear go to this machine only', () => {
    for (const host of ['localhost', '127.0.0.1:9', '[::1]:9'])
      expect(refusal({ url: `http://${host}/w`, token_file: '/t' })).toBe('accepted');
  });

  test('what is shown of a URL has no query', () => {
    expect(shownUrl(new URL('https://h:1/a/b?key=secret#x'))).toBe('https://h:1/a/b');
  });
});
