/** Files of Prometheus' file_sd, JSON or YAML: looked at every few seconds, since no file system tells of all changes. */

import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Discovery, Found } from './discovery.ts';
import { Groups, targetsOf, type Group } from './groups.ts';

const EVERY = 2000;
/** A file that is larger, in bytes, is taken for a mistake. */
const LARGEST = 64 * 1024 * 1024;

export interface FileSd {
  readonly groups: Group[];
  readonly failures: { readonly file: string; readonly reason: string }[];
}

/** The files that a path with `*` in its last part names. */
async function filesOf(path: string): Promise<string[]> {
  const pattern = basename(path);
  if (!pattern.includes('*')) return [path];
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&'));
  const fits = new RegExp(`^${parts.join('.*')}$`);
  const folder = dirname(path);
  return (await readdir(folder))
    .filter((name) => fits.test(name) && !name.startsWith('.'))
    .toSorted()
    .map((name) => join(folder, name));
}

/** The groups in a text, JSON or YAML. */
export async function parseFileSd(text: string): Promise<Group[]> {
  const { parse } = await import('yaml');
  // YAML reads JSON too.
  const parsed = Groups.safeParse(parse(text) ?? []);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(
    `${issue?.path.join('.') || 'it'}: ${issue?.message ?? ''}; expected a list of {targets: […], labels: {…}}`,
  );
}

export async function readFileSd(path: string): Promise<FileSd> {
  const read: FileSd = { groups: [], failures: [] };
  for (const file of await filesOf(path)) {
    try {
      if ((await stat(file)).size > LARGEST) throw new Error('it is larger than 64 MiB');
      read.groups.push(...(await parseFileSd(await readFile(file, 'utf8'))));
    } catch (error) {
      read.failures.push({ file, reason: error instanceof Error ? error.message : String(error) });
    }
  }
  return read;
}

/** Which files there are and when each was written. */
async function stateOf(path: string): Promise<string> {
  const states = (await filesOf(path)).map(async (file) => {
    const { mtimeMs, size, ino } = await stat(file);
    return `${file} ${mtimeMs} ${size} ${ino}`;
  });
  return (await Promise.all(states)).join('\n');
}

/** A file that cannot be read leaves all targets as they were: half of a list is not the list. */
export function fileSd(path: string, settings: Omit<Found, 'url'> = {}): Discovery {
  let known: string | null = null;
  return {
    kind: 'file_sd',
    name: path,
    every: EVERY,
    async look() {
      const state = await stateOf(path);
      if (state === known) return null;
      const { groups, failures } = await readFileSd(path);
      const [failure] = failures;
      if (failure) throw new Error(`${failure.file}: ${failure.reason}`);
      known = state;
      const notes: string[] = [];
      const targets: Found[] = [];
      for (const group of groups) targetsOf(group, { settings }, notes, targets);
      return { targets, notes };
    },
  };
}
