/** The desktop's runtime, Electron: where it is, and how it comes here. */

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The tree or the installation that this command belongs to: dist/engine/vigie.cjs is two folders below it. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Where the program is in an unpacked runtime. */
const PROGRAMS: Partial<Record<NodeJS.Platform, string>> = {
  darwin: 'Electron.app/Contents/MacOS/Electron',
  win32: 'electron.exe',
};

/** After a failure it is not tried again for this long, in ms: a start on a machine without a network must be quick. */
const AGAIN_AFTER = 24 * 60 * 60 * 1000;

export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
}

const folder = join(root, 'node_modules', 'electron');
const failedStamp = join(root, '.cache', 'runtime-failed');

/** The program, or null where it is not installed. Throws {@link RuntimeError} when one is named that is not there. */
export function findRuntime(env: NodeJS.ProcessEnv): string | null {
  const program = PROGRAMS[process.platform] ?? 'electron';
  const named = env['ELECTRON_OVERRIDE_DIST_PATH'];
  if (named) {
    const path = join(named, program);
    if (existsSync(path)) return path;
    throw new RuntimeError(`ELECTRON_OVERRIDE_DIST_PATH is ${named}, and there is no ${program} in it`);
  }
  try {
    const path = join(folder, 'dist', readFileSync(join(folder, 'path.txt'), 'utf8').trim());
    return existsSync(path) ? path : null;
  } catch {
    return null;
  }
}

function failedLately(): boolean {
  try {
    return Date.now() - statSync(failedStamp).mtimeMs < AGAIN_AFTER;
  } catch {
    return false;
  }
}

function remember(failed: boolean): void {
  try {
    if (!failed) return rmSync(failedStamp, { force: true });
    mkdirSync(dirname(failedStamp), { recursive: true });
    writeFileSync(failedStamp, '');
  } catch {
    // A tree that cannot be written: then it is tried each time.
  }
}

/** Fetches it once. Throws {@link RuntimeError} with the reason in one line; `force`: also after a failure of today. */
export async function fetchRuntime(env: NodeJS.ProcessEnv, force: boolean): Promise<string> {
  const script = join(root, 'scripts', 'fetch-runtime.mjs');
  if (!existsSync(script) || !existsSync(folder))
    throw new RuntimeError('this installation has no runtime for a window');
  if (!force && failedLately()) {
    throw new RuntimeError('the runtime could not be fetched earlier today (`npm start -- --window` tries again)');
  }
  const failure = await new Promise<string | null>((resolve) => {
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      // Its progress is shown as it comes, its failure below in one line.
      if (!said.includes('vigie: ')) process.stderr.write(text);
    });
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code) => {
      if (code === 0) resolve(null);
      else resolve(/vigie: (.+)/.exec(said)?.[1] ?? 'its installer failed');
    });
  });
  remember(failure !== null);
  if (failure !== null) throw new RuntimeError(failure);
  const runtime = findRuntime(env);
  if (runtime === null) throw new RuntimeError('the installer of the runtime has left nothing behind');
  return runtime;
}
