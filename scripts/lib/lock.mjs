/** One set-up at a time: two commands started together in a fresh clone must not install over each other. */

import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { root } from './paths.mjs';

/** A lock without a living owner that can be seen from here (another host) is taken over after this many ms. */
const foreignLimit = 15 * 60_000;

/** After so many ms of waiting it is said who is waited for. */
const patience = 2000;

/**
 * @param {unknown} error
 * @returns {string}
 */
const codeOf = (error) => (error instanceof Error && 'code' in error ? String(error.code) : '');

/**
 * @param {string} folder
 * @returns {string[]} Host and process id.
 */
const holder = (folder) => readFileSync(path.join(folder, 'holder'), 'utf8').split(' ');

/**
 * @param {string} folder
 * @returns {string | null} When the holder of the lock is gone: a name for this very lock, which no later one has.
 */
function abandoned(folder) {
  let age = 0;
  let id = '';
  try {
    const { ino, mtimeNs, mtimeMs } = statSync(folder, { bigint: true });
    age = Date.now() - Number(mtimeMs);
    id = `${ino}-${mtimeNs}`;
    const [host, pid] = holder(folder);
    if (host !== hostname()) return age > foreignLimit ? id : null;
    process.kill(Number(pid), 0);
    return null;
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return id;
    // No holder yet: its owner is between two calls, or died there.
    return codeOf(error) === 'ENOENT' && age > 10_000 ? id : null;
  }
}

/**
 * Takes an abandoned lock out of the way. Others may have seen the same one and be slower: what they find may already be
 * somebody's new lock. They cannot move that, because the old one is still at the place they would move it to.
 *
 * @param {string} folder
 * @param {string} aside
 * @returns {boolean} Whether it was this call.
 */
function moveAway(folder, aside) {
  try {
    renameSync(folder, aside);
    // An empty folder would be replaced.
    writeFileSync(path.join(aside, 'abandoned'), '');
    return true;
  } catch (error) {
    if (['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(codeOf(error))) return false;
    throw error;
  }
}

/**
 * @param {string} name
 * @param {string} folder
 */
function sayWaiting(name, folder) {
  let who = 'another process';
  try {
    const [host, pid] = holder(folder);
    who = `process ${pid} on ${host}`;
  } catch {
    // It has just begun, or just ended.
  }
  process.stderr.write(`Waiting for ${who}, which does the same (${name}). If it is gone, remove ${folder}\n`);
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
  const began = Date.now();
  let said = false;
  /** @type {string[]} */
  const away = [];
  const remove = () => away.forEach((each) => rmSync(each, { recursive: true, force: true }));
  process.once('exit', remove);
  try {
    for (;;) {
      try {
        mkdirSync(folder);
        break;
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error;
      }
      const id = abandoned(folder);
      if (id !== null && moveAway(folder, `${folder}.${id}`)) {
        away.push(`${folder}.${id}`);
        continue;
      }
      if (!said && Date.now() - began > patience) {
        said = true;
        sayWaiting(name, folder);
      }
      await sleep(100);
    }
    away.push(folder);
    writeFileSync(path.join(folder, 'holder'), `${hostname()} ${process.pid}`);
    return await work();
  } finally {
    process.off('exit', remove);
    remove();
  }
}
