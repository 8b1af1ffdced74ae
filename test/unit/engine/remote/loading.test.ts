import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

const SRC = join(import.meta.dirname, '../../../../src');

/** What is loaded with a file: its own imports of values, and theirs. */
function loadedWith(entry: string): Set<string> {
  const seen = new Set<string>();
  const look = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    const text = readFileSync(path, 'utf8');
    for (const [, names, from] of text.matchAll(/^(?:import|export)\s+([^;]*?)\s*from\s+'(\.[^']+)'/gm)) {
      if (!names?.startsWith('type ')) look(join(dirname(path), from!));
    }
  };
  look(entry);
  return seen;
}

test('an engine without connections loads nothing of what is for them but the gate', () => {
  const loaded = [...loadedWith(join(SRC, 'engine/engine.ts'))].map((path) => relative(SRC, path));
  expect(loaded).toContain('engine/targets/manager.ts');
  expect(loaded.filter((path) => path.startsWith('engine/remote/'))).toEqual(['engine/remote/gate.ts']);
  // The look itself sees what there is to see.
  expect(existsSync(join(SRC, 'engine/remote/open.ts'))).toBe(true);
  expect([...loadedWith(join(SRC, 'engine/remote/open.ts'))].length).toBeGreaterThan(20);
});
