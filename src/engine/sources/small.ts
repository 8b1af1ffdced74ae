import { closeSync, openSync, readSync, readdirSync } from 'node:fs';
import { Cursor } from './cursor.ts';

/**
 * Files of one number or a few lines, of which there may be hundreds below /sys: they are kept open, and all are read
 * through one buffer.
 */
export interface SmallFile {
  /** What the file holds now, up to 16 KiB; null when the thing behind it is gone or does not answer. Valid until the next read of any of these files. */
  read(): Uint8Array | null;
  /** The decimal number that the file begins with; -1 when there is none. */
  unsigned(): number;
  close(): void;
}

const BUFFER = new Uint8Array(16 * 1024);
/** Most entries of a folder that are looked at. */
const MAX_ENTRIES = 4096;

/** Null when the file cannot be opened, for whatever reason: drivers answer in many ways for what they do not have. */
export function openSmallFile(path: string): SmallFile | null {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return null;
  }
  const read = (): Uint8Array | null => {
    try {
      let length = 0;
      while (length < BUFFER.length) {
        const got = readSync(fd, BUFFER, length, BUFFER.length - length, length);
        if (got === 0) break;
        length += got;
      }
      return BUFFER.subarray(0, length);
    } catch {
      return null;
    }
  };
  return {
    read,
    unsigned() {
      const bytes = read();
      return bytes === null ? -1 : new Cursor(bytes).unsigned();
    },
    close: () => closeSync(fd),
  };
}

/** The first line of a small file, without blanks around it; null when it cannot be read or is empty. */
export function readLine(path: string): string | null {
  const file = openSmallFile(path);
  if (file === null) return null;
  const bytes = file.read();
  const text = bytes === null ? '' : Buffer.from(bytes).toString('latin1');
  file.close();
  return text.split('\n', 1)[0]!.trim() || null;
}

/** Names in a folder, sorted; none when it is absent or may not be read. */
export function listFolder(path: string): string[] {
  try {
    return readdirSync(path).sort().slice(0, MAX_ENTRIES);
  } catch {
    return [];
  }
}
