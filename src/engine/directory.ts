/** Makes directories. */

import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

/** Null: nothing is there. */
function isDirectory(path: string): boolean | null {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return null;
    throw error;
  }
}

/**
 * Makes a directory (0700) with what is missing above it. Throws the reason the system gives, or ENOTDIR.
 *
 * Not mkdir's own `recursive`: where the system says "no such file" for a name it does not let anybody make, as below
 * /proc, that tries again for ever.
 */
export function makeDirectory(path: string): void {
  const missing: string[] = [];
  let place = resolve(path);
  let found = isDirectory(place);
  while (found === null && dirname(place) !== place) {
    missing.push(place);
    place = dirname(place);
    found = isDirectory(place);
  }
  if (found !== true) throw Object.assign(new Error(`${place} is not a directory`), { code: 'ENOTDIR' });
  for (const each of missing.reverse()) {
    try {
      mkdirSync(each, { mode: 0o700 });
    } catch (error) {
      // Somebody else made it meanwhile.
      if (codeOf(error) !== 'EEXIST' || isDirectory(each) !== true) throw error;
    }
  }
}
