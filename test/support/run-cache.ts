/**
 * What many test files need and what takes long to make: made once for a run of tests, by whichever file needs it first.
 * Nothing of it outlives the run, so that it is always what the present sources make. Nobody may change it.
 */

import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { locked } from '../../scripts/lib/lock.mjs';

const VARIABLE = 'VIGIE_TEST_CACHE';

/** Of vitest: before and after all files of a run. */
export function setup(): (() => void) | undefined {
  if (process.env[VARIABLE] !== undefined) return undefined;
  const folder = mkdtempSync(path.join(tmpdir(), 'vigie-run-'));
  process.env[VARIABLE] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}

/** A folder of the run, for those who keep it in order themselves. */
export function runFolder(name: string): string {
  const cache = process.env[VARIABLE];
  if (cache === undefined) throw new Error(`${VARIABLE} is not set: the run was not set up by vitest.config.ts`);
  return path.join(cache, name);
}

/** Folder with what `make` puts into it; `name` tells one thing from another. Whoever asks meanwhile waits. */
export async function madeOnce(name: string, make: (folder: string) => Promise<unknown>): Promise<string> {
  const folder = runFolder(name);
  if (existsSync(`${folder}.made`)) return folder;
  await locked(`test-${name}`, async () => {
    if (existsSync(`${folder}.made`)) return;
    // Left half by a file that was ended.
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder);
    await make(folder);
    mkdirSync(`${folder}.made`);
  });
  return folder;
}
