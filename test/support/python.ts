/** Programs out of the Python index that tests use as the real reader, in versions that are known to fit together. */

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { requireComponent } from './components.ts';

const exec = promisify(execFile);

const cache = process.getuid?.() === 0 ? '/var/cache/vigie-test' : path.join(homedir(), '.cache', 'vigie-test');

/** Readers of exports. Extra-P names a graphical toolkit among its needs, half a gigabyte that its command line has no use for. */
const READERS = {
  whole: [
    ...['numpy==1.26.4', 'pyarrow==17.0.0', 'marshmallow==3.26.2', 'packaging', 'tqdm', 'pycubexr==2.1.1'],
    ...['scikit-learn==1.5.2', 'matplotlib==3.9.4'],
  ],
  bare: ['extrap==4.2.5'],
};
const NAME = createHash('sha256').update(JSON.stringify(READERS)).digest('hex').slice(0, 12);

let brought: Promise<string> | null = null;

async function bring(): Promise<string> {
  mkdirSync(cache, { recursive: true, mode: 0o755 });
  const { uid, mode } = lstatSync(cache);
  // Whoever could write it would run as whoever tests.
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0)
    throw new Error(`${cache} can be written by others; remove it`);
  const target = path.join(cache, `readers-${NAME}`);
  if (existsSync(target)) return target;
  const work = mkdtempSync(path.join(cache, 'work-'));
  try {
    const install = ['-m', 'pip', 'install', '--quiet', '--only-binary', ':all:', '--target', path.join(work, 'lib')];
    await exec('python3', [...install, ...READERS.whole], { timeout: 500_000 });
    await exec('python3', [...install, '--no-deps', ...READERS.bare], { timeout: 500_000 });
    renameSync(path.join(work, 'lib'), target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return target;
}

export interface Python {
  /** What a program says on stdout. `args`: as after `python3`. */
  run(args: readonly string[]): Promise<string>;
}

/** Python with pyarrow and Extra-P; fetched once for this machine. Skips the test where there is none. */
export async function requireReaders(context: Parameters<typeof requireComponent>[1]): Promise<Python> {
  requireComponent('pip3', context);
  const lib = await (brought ??= bring());
  return {
    async run(args) {
      const env = { ...process.env, PYTHONPATH: lib, QT_QPA_PLATFORM: 'offscreen', MPLBACKEND: 'agg' };
      const { stdout } = await exec('python3', [...args], { env, timeout: 300_000, maxBuffer: 2 ** 28 });
      return stdout;
    },
  };
}
