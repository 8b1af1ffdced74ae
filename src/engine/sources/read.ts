import { closeSync, openSync, readSync } from 'node:fs';

/** A file read again at every tick: opened once, read from its start into one buffer that grows when needed. */
export interface TickFile {
  /** Everything the file holds now. The bytes are valid until the next read, which writes over them. */
  read(): Uint8Array;
  close(): void;
}

const FIRST_SIZE = 8 * 1024;
/** Far above the largest file read here (cpuinfo of a thousand cores); a file that goes on without end stops here. */
const MAX_SIZE = 16 * 1024 * 1024;

/** Absent files, and files a container hides, are how a machine says that it does not have the thing. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM']);

/** Null when the file is absent or not for this user. Other failures to open are thrown. */
export function openTickFile(path: string): TickFile | null {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && ABSENT.has(String(error.code))) return null;
    throw error;
  }
  let buffer = new Uint8Array(FIRST_SIZE);
  return {
    read() {
      let length = 0;
      for (;;) {
        if (length === buffer.length) {
          if (length >= MAX_SIZE) throw new Error(`${path} is larger than ${MAX_SIZE} bytes`);
          const larger = new Uint8Array(buffer.length * 2);
          larger.set(buffer);
          buffer = larger;
        }
        // The kernel hands out some files (net/dev) in pieces, so only an empty read is the end.
        const got = readSync(fd, buffer, length, buffer.length - length, length);
        if (got === 0) return buffer.subarray(0, length);
        length += got;
      }
    },
    close: () => closeSync(fd),
  };
}

/** For what does not change while the engine runs. Null as for {@link openTickFile}. */
export function readOnce(path: string): Uint8Array | null {
  const file = openTickFile(path);
  if (file === null) return null;
  try {
    return file.read();
  } finally {
    file.close();
  }
}
