import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeDirectory } from '../../../src/engine/directory.ts';
import { temporaryFolder } from '../../support/tmp.ts';

const mode = (folder: string): number => statSync(folder).mode & 0o777;

describe('making a directory', () => {
  test('what is missing is made private, what is there stays', () => {
    const top = path.join(temporaryFolder(), 'top');
    mkdirSync(top);
    const before = process.umask(0);
    try {
      for (let n = 0; n < 2; n++) makeDirectory(path.join(top, 'a', 'b', 'c'));
    } finally {
      process.umask(before);
    }
    expect(['a', 'a/b', 'a/b/c'].map((each) => mode(path.join(top, each)))).toEqual([0o700, 0o700, 0o700]);
    expect(mode(top)).toBe(0o777 & ~before);
  });

  test('a relative path, and one through a link', () => {
    const folder = temporaryFolder();
    mkdirSync(path.join(folder, 'real'));
    symlinkSync('real', path.join(folder, 'link'));
    makeDirectory(path.relative(process.cwd(), path.join(folder, 'link', 'a')));
    expect(statSync(path.join(folder, 'real', 'a')).isDirectory()).toBe(true);
  });

  test('a file, and what is below it, is refused in words', () => {
    const file = path.join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    for (const place of [file, path.join(file, 'a', 'b')])
      expect(() => makeDirectory(place)).toThrow(
        expect.objectContaining({ code: 'ENOTDIR', message: `${file} is not a directory` }),
      );
  });

  test('a link to nothing is refused, and nothing is made behind it', () => {
    const folder = temporaryFolder();
    symlinkSync(path.join(folder, 'nothing'), path.join(folder, 'link'));
    for (const place of ['link', 'link/a'])
      expect(() => makeDirectory(path.join(folder, place))).toThrow(expect.objectContaining({ code: 'EEXIST' }));
  });

  test.each(['/proc/vigie', '/proc/vigie/a/b'])('%s: the reason of the system, at once', (place) => {
    expect(() => makeDirectory(place)).toThrow(/ENOENT.*mkdir '\/proc\/vigie'/);
  });
});
