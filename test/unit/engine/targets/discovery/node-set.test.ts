import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expandList, expandNodeSet, splitList } from '../../../../../src/engine/targets/discovery/node-set.ts';

describe('node sets', () => {
  test.each([
    ['node7:9100', ['node7:9100']],
    ['node[1-3]', ['node1', 'node2', 'node3']],
    ['node[008-011,130]:9100', ['node008:9100', 'node009:9100', 'node010:9100', 'node011:9100', 'node130:9100']],
    ['https://r[1-2]n[01-02]/m', ['https://r1n01/m', 'https://r1n02/m', 'https://r2n01/m', 'https://r2n02/m']],
    ['[::1]:9100', ['[::1]:9100']],
    ['http://[fe80::1-2]:9100/metrics', ['http://[fe80::1-2]:9100/metrics']],
  ])('%s', (set, names) => {
    expect(expandNodeSet(set, 1000)).toEqual(names);
  });

  test.each([
    ['node[128-001]', 'the range 128-001 in node[128-001] runs backwards'],
    ['node[1-', 'the bracket in node[1- has no end'],
    ['node[1,,2]', '"" in node[1,,2] is no number and no range such as 001-128'],
    ['node[]', '"" in node[] is no number and no range such as 001-128'],
    ['node[0-999999999999]', 'node[0-999999999999] are more than 1000 targets'],
    ['n[1-100]m[1-100]', 'n[1-100]m[1-100] are more than 1000 targets'],
  ])('%s is refused: %s', (set, reason) => {
    expect(() => expandNodeSet(set, 1000)).toThrow(reason);
  });

  test('a list is taken apart at blanks, lines, and commas outside brackets; comments are left out', () => {
    expect(splitList('a[1,2], b;c\n# no\nd #e\n f')).toEqual(['a[1,2]', 'b', 'c', 'd', 'f']);
    expect(splitList('http://x/#frag')).toEqual(['http://x/#frag']);
    expect(expandList('a[1-2] a2 a1 b', 10)).toEqual(['a1', 'a2', 'b']);
    expect(() => expandList('a[1-6] b[1-6]', 10)).toThrow('these are more than 10 targets');
  });

  test('nothing that somebody writes takes more than the limit allows', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[ab0-9[\],\-.:\s]{0,40}$/), (text) => {
        try {
          expect(expandList(text, 100).length).toBeLessThanOrEqual(100);
        } catch (error) {
          expect((error as Error).name).toBe('NodeSetError');
        }
      }),
    );
  });
});
