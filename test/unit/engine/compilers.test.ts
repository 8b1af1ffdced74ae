import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { NODE_FLAGS } from '../../../src/host/node-flags.ts';

const MODULE = fileURLToPath(new URL('../../../src/engine/compilers.ts', import.meta.url));

/** Calls one function as often as an engine does in a day of ticks' first minute, then others when there is work. */
const PROGRAM = `
import { noteText, useCompilers } from ${JSON.stringify(MODULE)};
const make = (name) => new Function(\`return function \${name}(a) { let s = 0; for (const x of a) s += x; return s; }\`)();
const values = Array.from({ length: 50 }, (_, i) => i);
const call = (f) => { for (let i = 0; i < 20_000; i++) f(values); };
call(make('ofTicks'));
// The exporters of a few nodes.
for (let i = 0; i < 5; i++) noteText(65_536, 10_000);
call(make('ofNodes'));
$BEGIN
call(make('ofWork'));
`;

test.each([
  ['work is said to be there', 'useCompilers();'],
  ['a target with ten thousand values is asked each second', 'noteText(65_536, 1000);'],
  ['a thousand targets are asked every ten seconds', 'for (let i = 0; i < 100; i++) noteText(40_000, 10_000);'],
])('functions are optimized only once %s', (_, begin) => {
  const trace = execFileSync(
    process.execPath,
    [...NODE_FLAGS, '--trace-opt', '--input-type=module', '--eval', PROGRAM.replace('$BEGIN', begin)],
    { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  const optimized = (name: string): boolean => new RegExp(`compiling method .*<JSFunction ${name} `).test(trace);
  expect(optimized('ofWork')).toBe(true);
  expect(optimized('ofTicks')).toBe(false);
  expect(optimized('ofNodes')).toBe(false);
});
