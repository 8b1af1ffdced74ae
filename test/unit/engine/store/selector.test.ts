import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LinearPattern } from '../../../../src/engine/store/linear-pattern.ts';
import { Selector, SelectorError } from '../../../../src/engine/store/selector.ts';

describe('patterns', () => {
  const piece: fc.Arbitrary<string> = fc.letrec<{ node: string; atom: string }>((tie) => ({
    atom: fc.oneof(
      fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '[a-b]', '\\d', '\\.', '\\w'),
      tie('node').map((node) => `(${node})`),
      tie('node').map((node) => `(?:${node})`),
    ),
    node: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      tie('atom'),
      fc.tuple(tie('atom'), fc.constantFrom('*', '+', '?', '{2}', '{1,3}', '{0,}')).map(([a, r]) => `${a}${r}`),
      fc.tuple(tie('node'), tie('node')).map(([a, b]) => `${a}${b}`),
      fc.tuple(tie('node'), tie('node')).map(([a, b]) => `${a}|${b}`),
    ),
  })).node;

  test('mean what they mean to RegExp, about the whole text', () => {
    fc.assert(
      fc.property(piece, fc.array(fc.constantFrom('a', 'b', '.', '1'), { maxLength: 8 }), (pattern, drawn) => {
        const text = drawn.join('');
        expect(new LinearPattern(pattern).matches(text)).toBe(new RegExp(`^(?:${pattern})$`, 'u').test(text));
      }),
      { numRuns: 500 },
    );
  });

  test('that would keep others busy for years are answered', () => {
    const text = 'a'.repeat(1000);
    expect(new LinearPattern('(a+)+b').matches(text)).toBe(false);
    expect(new LinearPattern('(a|a)*(a|aa)+c?').matches(text)).toBe(true);
    expect(new LinearPattern('(.*)(.*)(.*)(.*)x').matches(text)).toBe(false);
  });

  test.each(['(', ')', '[a', 'a**', '*', 'a{2,1}', 'a{101}', '\\q', '(?=a)', '\\', '(a{100}){100}', '('.repeat(500)])(
    'that are none are refused: %s',
    (pattern) => {
      expect(() => new LinearPattern(pattern)).toThrow();
    },
  );
});

describe('selectors', () => {
  const NAMES = ['a', 'a{x="1"}', 'a{x="2",y="q"}', 'b{x="1"}'];
  test.each([
    ['a', ['a', 'a{x="1"}', 'a{x="2",y="q"}']],
    ['a{}', ['a', 'a{x="1"}', 'a{x="2",y="q"}']],
    ['{x="1"}', ['a{x="1"}', 'b{x="1"}']],
    ['a{x!="1"}', ['a', 'a{x="2",y="q"}']],
    ['a{x=~"1|2",}', ['a{x="1"}', 'a{x="2",y="q"}']],
    ['a{ x =~ ".+" , y !~ "q.*" }', ['a{x="1"}']],
    ['{__name__=~"b|c"}', ['b{x="1"}']],
    ['a{x=""}', ['a']],
  ])('%s', (text, wanted) => {
    const selector = Selector.parse(text);
    expect(NAMES.filter((name) => selector.matches(name))).toEqual(wanted);
  });

  test.each([
    '',
    '{}',
    'a{x}',
    'a{x=1}',
    'a{x="1"',
    'a{x="1"}b',
    'a{=~"1"}',
    'a{x=~"("}',
    `a{x="${'y'.repeat(5000)}"}`,
  ])('refused in words: %s', (text) => {
    expect(() => Selector.parse(text)).toThrow(SelectorError);
  });

  test('of one question have a bound together: each alone is well, all of them are too large', () => {
    const large = 'a{x=~"(y{60}){60}"}';
    expect(Selector.all([large, 'a{x=~"y.*"}'])).toHaveLength(2);
    expect(() => Selector.all(Array.from({ length: 100 }, () => large))).toThrow(SelectorError);
    expect(() => Selector.parse(`a{${Array.from({ length: 60 }, () => 'x=~"(y{60}){60}"').join(',')}}`)).toThrow(
      SelectorError,
    );
    expect(Selector.all(Array.from({ length: 100 }, (_, i) => `a{x=~"host${i}[0-9]+"}`))).toHaveLength(100);
  });
});
