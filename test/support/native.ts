/** The native parts, built from their sources into a folder of the test's own. */

import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const sources = path.resolve(import.meta.dirname, '../../native');

/** Configures and builds; `targets`: only these. Returns the path of one of the files built. */
export async function buildNative(folder: string, targets: readonly string[] = []): Promise<(name: string) => string> {
  await run('cmake', ['-S', sources, '-B', folder]);
  await run('cmake', ['--build', folder, '--parallel', '2', ...targets.flatMap((target) => ['--target', target])]);
  return (name) => path.join(folder, name);
}
