/** The native parts: compiled once for a run of tests, and handed out to each test as if nothing else had been built. */

import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

import { locked } from '../../scripts/lib/lock.mjs';
import { runFolder } from './run-cache.ts';

const run = promisify(execFile);
const sources = path.resolve(import.meta.dirname, '../../native');

/** Where CMake tells what it makes, once it is configured. */
const REPLY = '.cmake/api/v1/reply';

/** Part of a target's description in CMake's file API. */
interface Target {
  readonly name: string;
  /** Relative to the folder of the build. */
  readonly artifacts?: readonly { readonly path: string }[];
}

/** Files that the targets were built to, relative to the folder of the build. */
function filesOf(build: string, targets: readonly string[]): string[] {
  const folder = path.join(build, REPLY);
  const files = readdirSync(folder)
    .filter((name) => name.startsWith('target-'))
    .map((name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as Target)
    .filter(({ name }) => targets.includes(name))
    .flatMap(({ artifacts = [] }) => artifacts.map((artifact) => artifact.path));
  if (files.length < targets.length) throw new Error(`not all of ${targets.join(', ')} are files`);
  return files;
}

/** A library's versions, and the names that programs ask for, are links beside it. */
function copyWithLinks(build: string, folder: string, file: string): void {
  const from = path.join(build, path.dirname(file));
  const into = path.join(folder, path.dirname(file));
  mkdirSync(into, { recursive: true });
  const itself = realpathSync(path.join(build, file));
  for (const name of readdirSync(from)) {
    if (realpathSync(path.join(from, name)) === itself) copyFileSync(itself, path.join(into, name));
  }
}

/**
 * Builds the targets, and copies them and libvigie into `folder`, where nothing else is: `vigie-run` takes what it finds
 * beside it. Returns the path of one of the files there, by its place in the build.
 */
export async function buildNative(folder: string, targets: readonly string[]): Promise<(name: string) => string> {
  const build = runFolder('native');
  const all = [...new Set(['vigie', ...targets])];
  await locked('test-native', async () => {
    if (!existsSync(path.join(build, REPLY))) {
      const query = path.join(build, '.cmake/api/v1/query');
      mkdirSync(query, { recursive: true });
      writeFileSync(path.join(query, 'codemodel-v2'), '');
      // Programs find libvigie beside them, wherever they are copied to.
      await run('cmake', ['-S', sources, '-B', build, '-DCMAKE_BUILD_RPATH_USE_ORIGIN=ON']);
    }
    await run('cmake', ['--build', build, '--parallel', '2', ...all.flatMap((target) => ['--target', target])]);
    for (const file of filesOf(build, all)) copyWithLinks(build, folder, file);
  });
  return (name) => path.join(folder, name);
}
