import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_SAVED_TEXT, THEMES } from '../../../src/shared/bridge.ts';
import { BridgeMessage, ExternalLink, FileName } from '../../../src/shared/bridge-messages.ts';

const takes = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown): boolean =>
  schema.safeParse(value).success;

describe('a link that is opened outside', () => {
  test.each([
    ['https://example.org', 'https://example.org/'],
    ['https://example.org:8443/a/b?c=d&e=%20#f', 'https://example.org:8443/a/b?c=d&e=%20#f'],
    ['https://example.org/a@b', 'https://example.org/a@b'],
    ['https://EXAMPLE.org/../a', 'https://example.org/a'],
    // What the person reads cannot be turned around, and a letter that only looks like another one is seen.
    ['https://example.org/\u202Etxt.exe', 'https://example.org/%E2%80%AEtxt.exe'],
    ['https://ex\u0430mple.org/', 'https://xn--exmple-4nf.org/'],
  ])('%s', (given, opened) => expect(ExternalLink.parse(given)).toBe(opened));

  test.each([
    'http://example.org/',
    'file:///etc/passwd',
    'file://example.org/share',
    'javascript:alert(1)',
    'JavaScript:alert(1)//https://example.org/',
    'data:text/html,<script>1</script>',
    'vbscript:x',
    'smb://example.org/share',
    'ms-msdt:/id',
    'https:example.org',
    'https:/example.org',
    'https:\\\\example.org',
    'https://',
    'https:///example.org',
    'https://user@example.org/',
    'https://user:password@example.org/',
    'https://example.org\\@evil.example/',
    'https://example.org%40evil.example/',
    'https://example.org\uFF20evil.example/',
    'https://example.org\uFF0F.evil.example/',
    ' https://example.org/',
    'https://example.org/ ',
    'https://exam\nple.org/',
    'https://example.org/a\tb',
    'https://exam\0ple.org/',
    'https://example.org:99999/',
    'https://[::1/',
    `https://example.org/${'x'.repeat(2048)}`,
    '',
  ])('not %j', (url) => expect(takes(ExternalLink, url)).toBe(false));

  test('whatever is given: what comes out leads to a host on the web, and nowhere else', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.webUrl({ withFragments: true, withQueryParameters: true, validSchemes: ['https', 'http', 'file'] }),
      fc.tuple(fc.string(), fc.string(), fc.string()).map(([user, host, path]) => `https://${user}@${host}/${path}`),
      fc
        .string({ unit: fc.constantFrom(...Array.from('https:/\\@?#.%40[]\t\n \0\u202e\uff0f\uff20a1')) })
        .map((end) => `https:/${end}`),
    );
    let taken = 0;
    fc.assert(
      fc.property(text, (given) => {
        const parsed = ExternalLink.safeParse(given);
        if (!parsed.success) return;
        taken++;
        const url = new URL(parsed.data);
        expect([url.protocol, url.username, url.password]).toEqual(['https:', '', '']);
        expect(url.href).toBe(parsed.data);
        expect(parsed.data).toMatch(/^https:\/\/[!-~]+$/);
        // The host is the one that a person reads in what was given.
        const read = /^https:\/\/([^/?#]+)/.exec(given)![1]!;
        expect(new URL(`https://${read}`).host).toBe(url.host);
      }),
      { numRuns: 2000 },
    );
    expect(taken).toBeGreaterThan(50);
  });
});

describe('a name that is suggested for a file', () => {
  test.each(['a', 'vigie-job_17-2026.csv', 'Größe 1.json', '日本.csv', 'a.b.c', '-'])('%s', (name) =>
    expect(FileName.parse(name)).toBe(name),
  );

  test.each([
    '',
    '.',
    '..',
    '.bashrc',
    '../a',
    'a/b',
    '/etc/passwd',
    'a\\b',
    'C:a',
    'a*',
    'a?',
    'a"b',
    'a<b',
    'a|b',
    'a\0.csv',
    'a\nb',
    'a\u007F',
    'a\u0085b',
    'sc\u202Evsc.exe',
    'a\u200Bb',
    'a\u2028b',
    '\uFEFFa',
    '\uD800',
    ' a',
    'a ',
    'a.',
    'a\u00A0',
    'x'.repeat(201),
  ])('not %j', (name) => expect(takes(FileName, name)).toBe(false));

  test('whatever is given: what comes out names one file in a folder, and reads as it is', () => {
    let taken = 0;
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...Array.from('./\\ab\u202e \0')) })),
        (name) => {
          if (!takes(FileName, name)) return;
          taken++;
          expect(name).not.toMatch(/[/\\:]|^\.|\.$|^\s|\s$/);
          expect(name).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
          expect(name.length).toBeLessThanOrEqual(200);
        },
      ),
      { numRuns: 2000 },
    );
    expect(taken).toBeGreaterThan(50);
  });
});

const good: readonly Record<string, unknown>[] = [
  { call: 'openExternal', url: 'https://example.org/' },
  { call: 'saveFile', name: 'a.csv', text: '' },
  { call: 'notify', title: 'a', body: '' },
  ...THEMES.map((theme) => ({ call: 'setTheme', theme })),
];

describe('a message of the bridge', () => {
  test.each(good)('$call', (message) => expect(BridgeMessage.parse(message)).toEqual(message));

  test('not with anything beside what it needs, nor without it', () => {
    const key = fc.string({ unit: 'binary' }).filter((name) => name !== '__proto__');
    fc.assert(
      fc.property(fc.constantFrom(...good), key, fc.anything(), (message, name, value) => {
        if (Object.hasOwn(message, name)) return;
        expect(takes(BridgeMessage, { ...message, [name]: value })).toBe(false);
      }),
    );
    for (const message of good) {
      for (const name of Object.keys(message)) {
        const { [name]: _, ...rest } = message;
        expect(takes(BridgeMessage, rest)).toBe(false);
      }
    }
  });

  test('not with a value of another kind', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...good),
        fc.nat(),
        fc.anything().filter((value) => typeof value !== 'string'),
        (message, at, value) => {
          const names = Object.keys(message);
          expect(takes(BridgeMessage, { ...message, [names[at % names.length]!]: value })).toBe(false);
        },
      ),
    );
  });

  test('not anything at all', () => {
    const thing = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true });
    fc.assert(
      fc.property(thing, (value) => {
        expect(takes(BridgeMessage, value)).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });

  test('not larger than what it is for', () => {
    expect(takes(BridgeMessage, { call: 'notify', title: 'x'.repeat(201), body: '' })).toBe(false);
    expect(takes(BridgeMessage, { call: 'notify', title: 'x', body: 'x'.repeat(1001) })).toBe(false);
    const text = 'x'.repeat(MAX_SAVED_TEXT);
    expect(takes(BridgeMessage, { call: 'saveFile', name: 'a', text })).toBe(true);
    expect(takes(BridgeMessage, { call: 'saveFile', name: 'a', text: `${text}x` })).toBe(false);
  });
});
