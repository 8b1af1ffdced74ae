/** Inputs that were kept: one file each. */

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FuzzTarget } from './target.ts';

const folderOf = ({ name }: FuzzTarget): string => join(import.meta.dirname, '../fixtures/fuzz', name);

export function corpusOf(target: FuzzTarget): { file: string; bytes: Uint8Array }[] {
  const folder = folderOf(target);
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((file) => file.endsWith('.bin'));
  return files.toSorted().map((file) => ({ file, bytes: new Uint8Array(readFileSync(join(folder, file))) }));
}

/** Returns the file's path. */
export function keep(target: FuzzTarget, input: Uint8Array, why: 'seen' | 'harm'): string {
  const folder = folderOf(target);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${why}-${createHash('sha256').update(input).digest('hex').slice(0, 12)}.bin`);
  writeFileSync(file, input);
  return file;
}
