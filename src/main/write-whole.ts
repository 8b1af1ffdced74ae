import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { SaveOutcome } from '../shared/bridge.ts';

/** Part of a text that is written at once, in UTF-16 units. */
const PART = 4 * 1024 * 1024;

/** Ends of a part never lie between the two halves of a character. */
function* parts(text: string): Generator<string> {
  for (let at = 0; at < text.length;) {
    let end = Math.min(text.length, at + PART);
    const last = text.charCodeAt(end - 1);
    if (end < text.length && last >= 0xd800 && last <= 0xdbff) end--;
    yield text.slice(at, end);
    at = end;
  }
}

/**
 * Writes a file as UTF-8 so that it is there whole or not at all: beside its place, synced, then moved. What was there
 * before stays when it fails. Never rejects.
 */
export async function writeWhole(path: string, text: string): Promise<SaveOutcome> {
  // Without the file's own name, which may be as long as a name can be.
  const next = join(dirname(path), `.vigie-${randomBytes(6).toString('hex')}.part`);
  try {
    const file = await open(next, 'wx', 0o666);
    try {
      for (const part of parts(text)) await file.writeFile(part);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(next, path);
    return { saved: true, name: basename(path) };
  } catch (error) {
    await rm(next, { force: true }).catch(() => undefined);
    return { saved: false, reason: reasonOf(error, path) };
  }
}

function reasonOf(error: unknown, path: string): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return `there is no space left in ${dirname(path)}; choose another folder`;
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return `${dirname(path)} cannot be written; choose another folder`;
  return message;
}
