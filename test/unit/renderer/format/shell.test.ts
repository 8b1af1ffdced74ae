import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pushCommand, shellWord } from '../../../../src/renderer/format/shell.ts';

test.each([
  ['/run/user/1000/engine.socket', '/run/user/1000/engine.socket'],
  ['', "''"],
  ['a b', "'a b'"],
  ['$HOME', "'$HOME'"],
  ['~', "'~'"],
  ["it's", `'it'\\''s'`],
])('%s is the shell word %s', (text, word) => {
  expect(shellWord(text)).toBe(word);
});

test('nothing but quoted text and escaped quotes comes out where a character is special', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const word = shellWord(text);
      if (word === text) {
        expect(text).toMatch(/^[\w@%+=:,./-]+$/);
        return;
      }
      expect(word).toMatch(/^'[^']*'(?:\\''[^']*')*$/);
      expect(word.slice(1, -1).split(`'\\''`).join("'")).toBe(text);
    }),
  );
});

test('only a socket that push would not find is named, and quoted only where it must be', () => {
  expect(pushCommand('/tmp/vigie-1000/engine.socket', 'a=1')).toBe('./bin/vigie push a=1');
  expect(pushCommand(null, 'a=1')).toBe('./bin/vigie push a=1');
  expect(pushCommand('/run/v/engine.socket', 'a=1')).toBe('./bin/vigie push --socket /run/v/engine.socket a=1');
  expect(pushCommand('/x y/e.socket', 'a=1')).toBe("./bin/vigie push --socket '/x y/e.socket' a=1");
});
