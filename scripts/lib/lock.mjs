/** One set-up at a time: two commands started together in a fresh clone must not install over each other. */

import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { root } from './paths.mjs';

/** A lock without a living owner that can be seen from here (another host) is taken over after this many ms. */
const foreignLimit = 15 * 60_000;

/**
 * @param {string} folder
 * @returns {boolean} Whether the holder of the lock is gone.
 */
function abandoned(folder) {
  let age = 0;
  try {
    age = Date.now() - statSync(folder).mtimeMs;
    const [host, pid] = readFileSync(path.join(folder, 'holder'), 'utf8').split(' ');
    if (host !== hostname()) return age > foreignLimit;
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    if (code === 'ESRCH') return true;
    // No holder yet: its owner is between two calls, or died there.
    return code === 'ENOENT' && age > 10_000;
  }
}

/**
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function locked(name, work) {
  const folder = path.join(root, '.cache', `${name}.lock`);
  mkdirSync(path.dirname(folder), { recursive: true });
  for (;;) {
    try {
      mkdirSync(folder);
      break;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    if (abandoned(folder)) rmSync(folder, { recursive: true, force: true });
    else await sleep(100);
  }
  const release = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', release);
  try {
    writeFileSync(path.join(folder, 'holder'), `${hostname()} ${process.pid}`);
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
}
