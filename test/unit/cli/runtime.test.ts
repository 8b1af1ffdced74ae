import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { findRuntime, root, RuntimeError } from '../../../src/cli/runtime.ts';
import { temporaryFolder } from '../../support/tmp.ts';

test('the tree is that of this file', () => {
  expect(root).toBe(path.join(import.meta.dirname, '..', '..', '..'));
});

describe.runIf(process.platform === 'linux')('the runtime', () => {
  test('is the one that is named', () => {
    const folder = temporaryFolder();
    writeFileSync(path.join(folder, 'electron'), '');
    expect(findRuntime({ ELECTRON_OVERRIDE_DIST_PATH: folder })).toBe(path.join(folder, 'electron'));
  });

  test.each(['', 'gone', 'file', 'empty'])('that is named and not there is an error with its name: %s', (name) => {
    const folder = temporaryFolder();
    writeFileSync(path.join(folder, 'file'), '');
    mkdirSync(path.join(folder, 'empty'));
    const named = path.join(folder, name);
    expect(() => findRuntime({ ELECTRON_OVERRIDE_DIST_PATH: named })).toThrow(RuntimeError);
    expect(() => findRuntime({ ELECTRON_OVERRIDE_DIST_PATH: named })).toThrow(
      `ELECTRON_OVERRIDE_DIST_PATH is ${named}, and there is no electron in it`,
    );
  });

  test('is else the installed one, if there is one', () => {
    for (const env of [{}, { ELECTRON_OVERRIDE_DIST_PATH: '' }]) {
      const found = findRuntime(env);
      const folder = path.join(root, 'node_modules', 'electron');
      if (found === null) expect(existsSync(path.join(folder, 'dist', 'electron'))).toBe(false);
      else {
        expect(path.dirname(found)).toBe(path.join(folder, 'dist'));
        expect(existsSync(found)).toBe(true);
      }
    }
  });
});
