/**
 * Builds the native parts (libvigie, vigie-run, and its exporter for each MPI whose mpicc is here) into native/build: what
 * `npm run native` does. Needs CMake and a C compiler.
 */

import { execFileSync } from 'node:child_process';
import path from 'node:path';

import { root } from './lib/paths.mjs';

/** @param {string[]} args */
const cmake = (...args) => execFileSync('cmake', args, { cwd: path.join(root, 'native'), stdio: 'inherit' });

try {
  cmake('--preset', 'default');
  cmake('--build', '--preset', 'default', '--parallel');
} catch (error) {
  const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
  console.error(missing ? 'CMake is not installed: it is needed for the native parts' : String(error));
  process.exitCode = 1;
}
