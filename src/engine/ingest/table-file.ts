/**
 * Opens a shared table that a client names, and nothing else: the path comes from outside, and what is opened is read
 * and in the end removed. Only in directories that no other user can write to, so that nobody changes a path meanwhile.
 */

import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { processLives } from './process-stat.ts';
import type { LastWords } from './process-usage.ts';
import { HEADER, MAX_TABLE, readHeader, type TableHeader } from './table.ts';

export type TableRefusal =
  | 'announce_malformed'
  | 'table_elsewhere'
  | 'table_missing'
  | 'table_not_private'
  | 'table_too_large'
  | 'table_invalid'
  | 'too_many_tables';

/** A link is an error instead of what it leads to, and a fifo does not wait for its writer. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Where the header has them: two unsigned numbers of 64 bits in the machine's order. */
const LAST_WORDS = { from: 88, to: 104 } as const;

const ownUid = (): number => process.getuid?.() ?? -1;

/** Where libvigie makes tables. */
export function tableDirectories(environment: NodeJS.ProcessEnv = process.env): string[] {
  const runtime = environment.XDG_RUNTIME_DIR;
  const directories = [join('/dev/shm', `vigie-${ownUid()}`), join('/run/user', String(ownUid()), 'vigie')];
  if (runtime?.startsWith('/')) directories.push(join(runtime, 'vigie'));
  return directories;
}

/** What looks like tables there, by name. */
export function listTables(directories: readonly string[]): { path: string; nonce: string }[] {
  return [...new Set(directories)].flatMap((directory) => {
    try {
      const names = readdirSync(directory).filter((name) => /^\d+-[0-9a-f]{32}\.table$/.test(name));
      return names.map((name) => ({ path: join(directory, name), nonce: name.slice(-38, -6) }));
    } catch {
      return [];
    }
  });
}

export class TableFile {
  readonly path: string;
  readonly header: TableHeader;
  readonly #descriptor: number;
  #open = true;

  constructor(path: string, header: TableHeader, descriptor: number) {
    this.path = path;
    this.header = header;
    this.#descriptor = descriptor;
  }

  /** Bytes that were read: fewer where the file ends, none when it cannot be read. */
  readonly readAt = (into: Uint8Array, length: number, at: number): number => {
    try {
      return this.#open ? readSync(this.#descriptor, into, at, length, at) : 0;
    } catch {
      return 0;
    }
  };

  /** What the process has used up to its end; null: it has not said it. */
  lastWords(): LastWords | null {
    const bytes = Buffer.alloc(LAST_WORDS.to);
    if (this.readAt(bytes, LAST_WORDS.to - LAST_WORDS.from, LAST_WORDS.from) < LAST_WORDS.to - LAST_WORDS.from)
      return null;
    const longs = new BigUint64Array(bytes.buffer, bytes.byteOffset, LAST_WORDS.to / 8);
    const [microseconds, peakBytes] = [Number(longs[LAST_WORDS.from / 8]), Number(longs[LAST_WORDS.from / 8 + 1])];
    return microseconds > 0 ? { cpuSeconds: microseconds / 1e6, peakBytes } : null;
  }

  /** Removes the file from its directory if it is still the one that was opened. */
  remove(): void {
    try {
      const own = fstatSync(this.#descriptor);
      const there = lstatSync(this.path);
      if (own.ino === there.ino && own.dev === there.dev) rmSync(this.path);
    } catch {
      // It is gone already.
    }
  }

  close(): void {
    if (this.#open) closeSync(this.#descriptor);
    this.#open = false;
  }

  /** The process that made the table runs, whatever became of its connection. */
  get alive(): boolean {
    return processLives(this.header.pid, this.header.startTime);
  }
}

/** Opens the table at a path, or says why not. */
export function openTable(path: string, nonce: string, directories: readonly string[]): TableFile | TableRefusal {
  const directory = dirname(path);
  if (!directories.includes(directory) || !new RegExp(`^\\d+-${nonce}\\.table$`).test(basename(path))) {
    return 'table_elsewhere';
  }
  let descriptor: number;
  try {
    const found = lstatSync(directory);
    if (!found.isDirectory() || found.uid !== ownUid() || (found.mode & 0o077) !== 0) return 'table_not_private';
    descriptor = openSync(path, FLAGS);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ELOOP' || code === 'ENXIO' ? 'table_not_private' : 'table_missing';
  }
  const checked = check(descriptor, nonce);
  if (typeof checked !== 'string') return new TableFile(path, checked, descriptor);
  closeSync(descriptor);
  return checked;
}

function check(descriptor: number, nonce: string): TableHeader | TableRefusal {
  try {
    const found = fstatSync(descriptor);
    const own = found.isFile() && found.uid === ownUid() && found.nlink === 1;
    if (!own || (found.mode & 0o7777) !== 0o600) return 'table_not_private';
    if (found.size > MAX_TABLE) return 'table_too_large';
    const bytes = new Uint8Array(HEADER);
    if (readSync(descriptor, bytes, 0, HEADER, 0) !== HEADER) return 'table_invalid';
    const header = readHeader(bytes);
    return header?.nonce === nonce && header.uid === found.uid ? header : 'table_invalid';
  } catch {
    return 'table_missing';
  }
}
