import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  actionLink,
  actionOf,
  crashedPage,
  failedPage,
  startingPage,
  unreachablePage,
} from '../../../src/main/status-page.ts';

/** Longer addresses are not loaded by Chromium. */
const LONGEST_ADDRESS = 2 * 1024 * 1024;

const html = (page: string): string => {
  const [head, body] = [page.slice(0, page.indexOf(',')), page.slice(page.indexOf(',') + 1)];
  expect(head).toBe('data:text/html;charset=utf-8');
  return decodeURIComponent(body);
};
/** The actions that a page offers, in order. */
const offered = (page: string): string[] => [...html(page).matchAll(/<a [^>]*href="([^"]*)"/g)].map((one) => one[1]!);
const links = (...actions: Parameters<typeof actionLink>[0][]): string[] => actions.map(actionLink);

const failure = { type: 'failed', code: 'failed', message: 'it went wrong', running: null } as const;
const running = { url: 'http://127.0.0.1:4000', token: 'a-secret', pid: 77, host: 'node-1' };

describe('actions', () => {
  test('are exactly their links', () => {
    for (const action of ['retry', 'attach', 'quit', 'reload'] as const)
      expect(actionOf(actionLink(action))).toBe(action);
    for (const url of ['', 'retry', 'https://action.invalid/', 'https://action.invalid/other'])
      expect(actionOf(url)).toBeNull();
    for (const more of ['?', '#', '/', 'x', ' ']) expect(actionOf(`${actionLink('quit')}${more}`)).toBeNull();
    expect(actionOf('http://action.invalid/quit')).toBeNull();
    expect(actionOf('https://action.invalid.evil.example/quit')).toBeNull();
  });

  test('are those that help', () => {
    expect(offered(startingPage())).toEqual([]);
    expect(offered(unreachablePage())).toEqual(links('reload', 'quit'));
    expect(offered(crashedPage('oom'))).toEqual(links('reload', 'quit'));
    expect(offered(failedPage(failure, []))).toEqual(links('retry', 'quit'));
    expect(offered(failedPage({ ...failure, running }, []))).toEqual(links('attach', 'retry', 'quit'));
  });
});

describe('a page', () => {
  test('runs nothing and loads nothing', () => {
    for (const page of [
      startingPage(),
      unreachablePage(),
      crashedPage('oom'),
      failedPage({ ...failure, running }, ['x']),
    ]) {
      const text = html(page);
      expect(text).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
      expect(text).not.toMatch(/<script|<img|<iframe|<form|\bon\w+=|src=/i);
    }
  });

  test('says who is in the way, but not how to be let in', () => {
    const text = html(failedPage({ ...failure, code: 'store_locked', running }, []));
    expect(text).toContain('<h1>Another engine has this data</h1>');
    expect(text).toContain('pid 77 on node-1 answers at http://127.0.0.1:4000');
    expect(text).not.toContain('a-secret');
  });

  test('names what is known of the reason', () => {
    const title = (code: string, other: typeof running | null): string | undefined =>
      /<h1>(.*?)<\/h1>/.exec(html(failedPage({ ...failure, code, running: other }, [])))?.[1];
    expect(title('in_use', running)).toBe('Another engine runs here');
    expect(title('in_use', null)).toBe('The engine’s socket is taken');
    expect(title('store_locked', null)).toBe('Another engine has this data');
    expect(title('constructor', null)).toBe('The engine does not start');
  });

  test('shows everything as text', () => {
    const evil = `</pre></p><script>alert(1)</script><img src=x onerror="alert('1')">&lt;`;
    const text = html(failedPage({ ...failure, message: evil, running: { ...running, host: evil } }, [evil, evil]));
    expect(text).not.toMatch(/<script|<img/);
    const escaped =
      '&lt;/pre&gt;&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;lt;';
    expect(text.split(escaped)).toHaveLength(5);
    expect(html(crashedPage(evil))).not.toMatch(/<script|<img/);
  });

  test('can be loaded whatever is in it: half characters too', () => {
    const units = fc.array(fc.oneof(fc.integer({ min: 0xd700, max: 0xe000 }), fc.integer({ min: 0, max: 0xffff })));
    const halves = units.map((codes) => String.fromCharCode(...codes));
    const anything = fc.oneof(fc.string({ unit: 'binary' }), halves);
    fc.assert(
      fc.property(anything, fc.array(anything), (message, lines) => {
        const page = failedPage({ ...failure, message }, lines);
        const tags = html(page).match(/<\/?[a-z][^>]*>/g)?.length;
        const without = html(failedPage(failure, lines.length > 0 ? ['x'] : [])).match(/<\/?[a-z][^>]*>/g)?.length;
        expect(tags).toBe(without);
      }),
    );
    const cut = '😀'.slice(0, 1);
    expect(html(failedPage(failure, [`x${cut}`, '😀y']))).toContain('x\ufffd\n😀y');
  });

  test('can be loaded however long the log is, of which it shows the end', () => {
    const line = '€'.repeat(4096);
    const page = failedPage({ ...failure, message: '€'.repeat(1_000_000) }, [
      ...Array<string>(99).fill(line),
      'the end',
    ]);
    expect(page.length).toBeLessThan(LONGEST_ADDRESS);
    expect(html(page)).toContain('the end</pre>');
  });
});
