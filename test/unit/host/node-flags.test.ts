import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { MALLOC, NODE_FLAGS } from '../../../src/host/node-flags.ts';

const launcher = readFileSync(new URL('../../../bin/vigie', import.meta.url), 'utf8');

test('the engine of the window is started as the command starts it', () => {
  const flags = /^node_flags='([^']*)'$/m.exec(launcher)?.[1];
  expect(flags?.split(' ')).toEqual(NODE_FLAGS);
  const malloc = Array.from(launcher.matchAll(/^(MALLOC_\w+)=\$\{\1-(\d+)\}$/gm), ([, name, value]) => [name, value]);
  expect(Object.fromEntries(malloc)).toEqual(MALLOC);
});
