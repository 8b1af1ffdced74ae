import { describe, expect, test } from 'vitest';
import {
  EMPTY_FORM,
  formOf,
  patchOf,
  readForm,
  readLines,
  readPatterns,
  readUrl,
  settingsOf,
} from '../../../../src/renderer/views/targets/form.ts';
import { ends, previewWords } from '../../../../src/renderer/views/targets/preview.ts';
import { stillShown, toggled } from '../../../../src/renderer/views/targets/selection.ts';
import {
  agoText,
  fixedReason,
  secondLine,
  shortUrl,
  targetName,
} from '../../../../src/renderer/views/targets/words.ts';
import { BulkResult, NewTarget, TargetPatch } from '../../../../src/shared/api/targets.ts';
import { targetOf } from './targetFixture.ts';

describe('an address while it is typed', () => {
  test.each([
    'node7',
    'node7:9100',
    'http://node7:9100/metrics',
    'https://[2001:db8::1]:9100',
    '2001:db8::1',
    'unix:/run/x.sock:/metrics',
    'ssh://me@login:2222/https://node7:9100/metrics',
    'ssh://login/unix:/run/x.sock',
    '',
  ])('%j says nothing wrong', (text) => {
    expect(readUrl(text)).toEqual({ text, error: null });
  });

  test.each([
    ['htp://node7:9100', 'did you mean http://?'],
    ['htttp://node7', 'did you mean http://?'],
    ['ftp://node7', 'ftp:// is not known here: An address'],
    ['node7:99999', 'there is no port 99999'],
    ['http://node7:0/metrics', 'there is no port 0'],
    ['node7 node8', 'Add many'],
    ['node[001-128]:9100', 'Add many'],
    ['ssh://login/node[001-128]:9100', 'Add many'],
    ['ssh://login', 'what is asked there'],
    ['ssh://me:pw@login/node7:9100', 'no password'],
  ])('%j: %s', (text, words) => {
    expect(readUrl(text).error).toContain(words);
  });
});

describe('the form', () => {
  test('as it opens it is what the engine takes by itself', () => {
    const { request, errors } = readForm({ ...EMPTY_FORM, url: ' node7:9100 ' });
    expect(errors).toEqual({});
    expect(NewTarget.parse(request)).toMatchObject({ url: 'node7:9100', period: 10_000, timeout: 5000 });
  });

  test('without an address nothing is asked and nothing is wrong yet', () => {
    expect(readForm(EMPTY_FORM)).toEqual({ request: null, errors: {} });
  });

  test('each mistake stands beside its field', () => {
    const { request, errors } = readForm({
      ...EMPTY_FORM,
      url: 'node7',
      period: '2h',
      timeout: '1',
      labels: 'rack',
      include: '/(/',
      merge: 'node_load1=mean',
      auth: 'bearer',
      pin: 'ab:cd',
    });
    expect(request).toBeNull();
    expect(errors).toEqual({
      period: 'the longest period is 1h',
      timeout: 'expected a duration with a unit, such as 1s, 250ms or 5m',
      labels: '“rack” is not name=value',
      include: expect.stringContaining('regular expression'),
      merge: 'the rule is one of sum, last, max, min',
      token: 'this is needed',
      pin: 'expected the SHA-256 fingerprint of a certificate',
    });
  });

  test('a timeout that somebody made longer than the period is named; the usual one is not', () => {
    expect(readForm({ ...EMPTY_FORM, url: 'a', period: '1s', timeout: '3s' }).errors.timeout).toContain('1s');
    expect(readForm({ ...EMPTY_FORM, url: 'a', period: '1s' }).errors).toEqual({});
  });

  test('labels keep what stands behind the first =, and patterns their blanks between slashes', () => {
    expect(readLines('a=b=c\n\n d = e ')).toEqual({ record: { a: 'b=c', d: 'e' }, wrong: null });
    expect(readPatterns('node_* go_*,up\n/^a b$/ /x\\/y/')).toEqual(['node_*', 'go_*', 'up', '/^a b$/', '/x\\/y/']);
  });

  test('settings for many have no address', () => {
    const { settings } = settingsOf({ ...EMPTY_FORM, labels: 'rack=r1' });
    expect(settings).toMatchObject({ labels: { rack: 'r1' }, period: '10s' });
    expect(settings).not.toHaveProperty('url');
  });
});

describe('an edit', () => {
  const target = targetOf({
    labels: { rack: 'r1' },
    filter: { include: ['node_*'], exclude: [] },
    merge: { node_load1: 'max' },
    auth: { kind: 'basic', name: 'me' },
  });

  test('that changes nothing is none, and leaves the secret alone', () => {
    expect(patchOf(target, formOf(target))).toBeNull();
  });

  test('sends only what changed', () => {
    expect(patchOf(target, { ...formOf(target), period: '30s' })).toEqual({ period: '30s' });
    expect(patchOf(target, { ...formOf(target), labels: '' })).toEqual({ labels: {} });
    expect(patchOf(target, { ...formOf(target), exclude: '*_bucket' })).toEqual({
      filter: { include: ['node_*'], exclude: ['*_bucket'] },
    });
    expect(patchOf(target, { ...formOf(target), auth: 'none' })).toEqual({ auth: { kind: 'none' } });
  });

  test('is what the engine takes', () => {
    const patch = patchOf(target, {
      ...formOf(target),
      url: 'node2:9100',
      auth: 'basic',
      username: 'u',
      password: 'p',
    });
    expect(TargetPatch.parse(patch)).toEqual({
      url: 'node2:9100',
      auth: { kind: 'basic', username: 'u', password: 'p' },
    });
  });

  test('with a mistake in it is none', () => {
    expect(patchOf(target, { ...formOf(target), period: 'often' })).toBeNull();
  });
});

describe('a preview', () => {
  test('says how many come, are there, and cannot', () => {
    const item = (outcome: string, url: string, reason: string | null = null) => ({ id: null, url, outcome, reason });
    const result = BulkResult.parse({
      items: [
        item('new', 'http://a:9100'),
        item('known', 'http://b'),
        item('known', 'http://c'),
        item('refused', 'x:/', 'no'),
      ],
      counts: {},
      notes: [],
      restore_until: null,
    });
    expect(previewWords(result)).toEqual({
      text: '1 target will be added, 2 are on the list already, 1 cannot be added',
      adds: 1,
      urls: ['a:9100'],
      refused: ['x:/: no'],
    });
  });

  test('a long list shows its ends, a short one all', () => {
    const urls = Array.from({ length: 9 }, (_, i) => `n${i}`);
    expect(ends(urls)).toEqual({ head: ['n0', 'n1', 'n2', 'n3'], between: 3, tail: ['n7', 'n8'] });
    expect(ends(urls.slice(0, 7))).toEqual({ head: urls.slice(0, 7), between: 0, tail: [] });
  });
});

describe('what is selected', () => {
  test('is toggled, and does not outlive what is shown', () => {
    const both = toggled(toggled(new Set(), 'a'), 'b');
    expect([...both]).toEqual(['a', 'b']);
    expect([...toggled(both, 'a')]).toEqual(['b']);
    expect([...stillShown(both, [{ id: 'b' }, { id: 'c' }])]).toEqual(['b']);
    expect(stillShown(both, [{ id: 'a' }, { id: 'b' }])).toBe(both);
  });
});

describe('words', () => {
  test('an address without what every one has', () => {
    expect(shortUrl('http://node7:9100/metrics')).toBe('node7:9100');
    expect(shortUrl('https://node7:9100/metrics')).toBe('https://node7:9100');
    expect(shortUrl('http://node7/other/metrics')).toBe('node7/other/metrics');
    expect(shortUrl('unix:/run/x.sock')).toBe('unix:/run/x.sock');
    expect(targetName({ type: 'system', url: '/system' })).toBe('This node');
  });

  test('how long ago', () => {
    const now = 1_000_000_000;
    const ago = (ms: number) => agoText(now - ms, now);
    expect([0, 4000, 99_000, 720_000, 10_800_000, 300_000_000].map(ago)).toEqual([
      'now',
      '4 s ago',
      '99 s ago',
      '12 min ago',
      '3 h ago',
      '3 d ago',
    ]);
    expect(agoText(null, now)).toBe('never');
    expect(ago(-5000)).toBe('now');
  });

  test('the second line is what is wrong, else what tells a target from others', () => {
    expect(secondLine(targetOf({ reason: 'no', labels: { a: 'b' } }))).toBe('no');
    const found = { kind: 'discovery', name: '/etc/x.json' } as const;
    expect(secondLine(targetOf({ labels: { a: 'b' }, origin: found }))).toBe('a=b · found through /etc/x.json');
    expect(fixedReason(targetOf())).toBeNull();
    expect(fixedReason(targetOf({ origin: found }))).toContain('/etc/x.json');
  });
});
