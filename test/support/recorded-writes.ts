/**
 * What a program writes to a directory, system call by system call, as strace records it; and what the disk has when the
 * power goes: all up to a file's last fsync, and of what came after it anything.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** In the order in which one thread made them; times in seconds since the epoch. */
export type Recorded = { readonly time: number } & (
  | { readonly kind: 'create'; readonly file: string; readonly truncate: boolean }
  | { readonly kind: 'write'; readonly file: string; readonly at: number; readonly bytes: Buffer }
  | { readonly kind: 'truncate'; readonly file: string; readonly length: number }
  | { readonly kind: 'sync'; readonly file: string }
  | { readonly kind: 'remove'; readonly file: string }
  | { readonly kind: 'rename'; readonly file: string; readonly to: string }
);

const CALLS = 'pwrite64,write,ftruncate,unlink,rename,openat,fsync,fdatasync';

/** Words before the program's own. Its threads' calls are in files beside `output`. */
export const straceWords = (output: string): string[] => [
  ...['strace', '-ff', '-ttt', '-y', '-xx', '-s', '16777216', '-e', `trace=${CALLS}`],
  ...['-e', 'signal=none', '-o', output, '--'],
];

/** A text of `\x..` only. */
const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll('\\x', ''), 'hex');
const textOf = (hex: string): string => bytesOf(hex).toString();

const LINE = /^(\d+\.\d+) (\w+)\((.*)\)\s+= (-?\d+)/s;
const FILE = /^\d+<([^>]*)>/;

/** Lines that were written to standard output, with their times. */
export interface Said {
  readonly time: number;
  readonly text: string;
}

export interface Recording {
  readonly calls: readonly Recorded[];
  readonly said: readonly Said[];
}

/** What all threads did below a directory; only one of them may write there. */
export function readRecording(output: string, directory: string): Recording {
  const said: Said[] = [];
  const threads: Recorded[][] = [];
  for (const name of readdirSync(dirname(output))) {
    if (!name.startsWith(`${basename(output)}.`)) continue;
    const calls: Recorded[] = [];
    for (const line of readFileSync(join(dirname(output), name), 'latin1').split('\n')) {
      const match = LINE.exec(line);
      if (!match || Number(match[4]) < 0) continue;
      const [time, call, words] = [Number(match[1]), match[2]!, match[3]!];
      if (call === 'write' && words.startsWith('1<')) said.push({ time, text: textOf(/"([^"]*)"/.exec(words)![1]!) });
      const recorded = read(call, words, directory);
      if (recorded) calls.push({ time, ...recorded });
    }
    if (calls.length > 0) threads.push(calls);
  }
  const writing = threads.filter((calls) => calls.some(({ kind }) => kind === 'write' || kind === 'sync'));
  return { calls: writing.flat().toSorted((a, b) => a.time - b.time), said };
}

type WithoutTime<T> = T extends unknown ? Omit<T, 'time'> : never;

function read(call: string, words: string, directory: string): WithoutTime<Recorded> | null {
  const below = (path: string): string | null =>
    path === directory || path.startsWith(`${directory}/`) ? path.slice(directory.length + 1) : null;
  const strings = Array.from(words.matchAll(/"([^"]*)"/g), (match) => match[1]!);
  if (call === 'openat') {
    const file = below(textOf(strings[0]!));
    if (!file || !/O_CREAT/.test(words)) return null;
    return { kind: 'create', file, truncate: /O_TRUNC/.test(words) };
  }
  if (call === 'unlink' || call === 'rename') {
    const [file, to] = strings.map((each) => below(textOf(each)));
    if (!file) return null;
    return call === 'unlink' ? { kind: 'remove', file } : { kind: 'rename', file, to: to! };
  }
  const named = FILE.exec(words);
  const file = named && below(textOf(named[1]!));
  if (!file) return null;
  const numbers = /,\s*(\d+)(?:,\s*(\d+))?$/.exec(words);
  switch (call) {
    case 'pwrite64':
      return { kind: 'write', file, at: Number(numbers![2]), bytes: bytesOf(strings[0]!) };
    case 'ftruncate':
      return { kind: 'truncate', file, length: Number(numbers![1]) };
    case 'fsync':
    case 'fdatasync':
      return { kind: 'sync', file };
    default:
      return null;
  }
}

interface Contents {
  bytes: Buffer;
  length: number;
}

const apply = (contents: Contents, at: number, bytes: Buffer): void => {
  const end = at + bytes.length;
  if (end > contents.bytes.length) {
    const larger = Buffer.alloc(Math.max(end, 2 * contents.bytes.length));
    contents.bytes.copy(larger, 0, 0, contents.length);
    contents.bytes = larger;
  }
  if (at > contents.length) contents.bytes.fill(0, contents.length, at);
  bytes.copy(contents.bytes, at);
  contents.length = Math.max(contents.length, end);
};

interface DiskFile {
  /** What a cut of the power cannot take any more. */
  readonly safe: Contents;
  /** Calls since then. */
  pending: Recorded[];
}

/** A disk that has taken the calls one after another. */
export class Disk {
  readonly #files = new Map<string, DiskFile>();

  take(call: Recorded): void {
    const { kind, file } = call;
    // Readers of the log share it in memory; it is made anew at each start.
    if (file.endsWith('-shm')) return;
    if (kind === 'remove') this.#files.delete(file);
    else if (kind === 'rename') {
      const moved = this.#files.get(file);
      this.#files.delete(file);
      if (moved) this.#files.set(call.to, moved);
    } else {
      let known = this.#files.get(file);
      if (!known) this.#files.set(file, (known = { safe: { bytes: Buffer.alloc(0), length: 0 }, pending: [] }));
      if (kind === 'write' || kind === 'truncate' || (kind === 'create' && call.truncate)) known.pending.push(call);
      if (kind !== 'sync') return;
      for (const each of known.pending) perform(known.safe, each);
      known.pending = [];
    }
  }

  /** What is there after a cut: of each call that was not made safe all, nothing, or some sectors (`chance` 0 to 1). */
  afterCut(chance: () => number): Map<string, Buffer> {
    const files = new Map<string, Buffer>();
    for (const [name, { safe, pending }] of this.#files) {
      const contents = { bytes: Buffer.from(safe.bytes.subarray(0, safe.length)), length: safe.length };
      for (const each of pending) {
        const luck = chance();
        if (luck < 0.4) perform(contents, each);
        else if (luck < 0.6 && each.kind === 'write') {
          const whole = Math.floor((each.bytes.length * chance()) / SECTOR) * SECTOR;
          if (whole > 0) perform(contents, { ...each, bytes: each.bytes.subarray(0, whole) });
        }
      }
      files.set(name, contents.bytes.subarray(0, contents.length));
    }
    return files;
  }
}

const SECTOR = 512;

function perform(contents: Contents, call: Recorded): void {
  if (call.kind === 'write') apply(contents, call.at, call.bytes);
  else if (call.kind === 'create') contents.length = 0;
  else if (call.kind === 'truncate') {
    if (call.length > contents.length) apply(contents, call.length - 1, Buffer.alloc(1));
    contents.length = call.length;
  }
}
