import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { NODE_FLAGS } from '../../../src/host/node-flags.ts';

const MODULE = fileURLToPath(new URL('../../../src/engine/compilers.ts', import.meta.url));

/** Calls one function as often as an engine does in a day of ticks' first minute, then others when there is work. */
const PROGRAM = `
import { useCompilers } from ${JSON.stringify(MODULE)};
const make = (name) => new Function(\`return function \${name}(a) { let s = 0; for (const x of a) s += x; return s; }\`)();
const values = Array.from({ length: 50 }, (_, i) => i);
const call = (f) => { for (let i = 0; i < 20_000; i++) f(values); };
call(make('ofTicks'));
useCompilers();
call(make('ofWork'));
`;

test('functions are optimized only once there is work', () => {
  const trace = execFileSync(
    process.execPath,
    [...NODE_FLAGS, '--trace-opt', '--input-type=module', '--eval', PROGRAM],
    { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
  );
  const optimized = (name: string): boolean => new RegExp(`compiling method .*<JSFunction ${name} `).test(trace);
  expect(optimized('ofWork')).toBe(true);
  expect(optimized('ofTicks')).toBe(false);
});
