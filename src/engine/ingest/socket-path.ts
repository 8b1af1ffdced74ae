/**
 * Unix socket paths: made private, taken over when an earlier engine left one behind, never taken from somebody else.
 */

import { chmodSync, lstatSync, renameSync, rmSync, type BigIntStats } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { makeDirectory } from '../directory.ts';

export class SocketPathError extends Error {
  override readonly name = 'SocketPathError';
  readonly code: 'in_use' | 'not_ours' | 'not_a_socket' | 'bad_directory' | 'cannot_listen';

  constructor(code: SocketPathError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

/** Connections that wait until the engine accepts them: all ranks of a node may start at once. The kernel may cap it. */
const BACKLOG = 4096;

const stat = (path: string): BigIntStats | null => lstatSync(path, { bigint: true, throwIfNoEntry: false }) ?? null;

/** Also by time: a file system gives the number of a removed file to the next one. */
const same = (a: BigIntStats, b: BigIntStats | null): boolean =>
  a.ino === b?.ino && a.dev === b.dev && a.birthtimeNs === b.birthtimeNs;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const uid = (): bigint => BigInt(process.getuid?.() ?? -1);

/** Makes a directory that only its owner can enter. In /tmp anybody may have made it first: then it is not used. */
export function privateDirectory(path: string): void {
  try {
    makeDirectory(path);
  } catch (error) {
    throw new SocketPathError('bad_directory', `the directory ${path} cannot be made: ${messageOf(error)}`);
  }
  const found = stat(path);
  if (!found?.isDirectory() || found.uid !== uid() || (found.mode & 0o077n) !== 0n) {
    throw new SocketPathError(
      'bad_directory',
      `${path} is not a directory that only you can enter (owner or mode is not yours, 0700); give --socket another path`,
    );
  }
}

/** Somebody accepts connections there. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const done = (alive: boolean): void => {
      socket.destroy();
      resolve(alive);
    };
    socket.once('connect', () => done(true));
    // Refused: nobody listens. Anything else (a full backlog, no permission) is taken as alive.
    socket.once('error', (error: NodeJS.ErrnoException) =>
      done(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
    );
    socket.setTimeout(2000, () => done(true));
  });
}

const inUse = (path: string): SocketPathError =>
  new SocketPathError('in_use', `another program listens on ${path}; stop it or choose another path`);

/**
 * The socket file that an engine of ours left behind, which may be removed as long as it is the same; null: the path is
 * free. Throws when the path is somebody's, or alive.
 */
async function leftBehind(path: string): Promise<BigIntStats | null> {
  const found = stat(path);
  if (!found) return null;
  if (!found.isSocket())
    throw new SocketPathError('not_a_socket', `${path} exists and is not a socket; remove it or choose another path`);
  if (found.uid !== uid())
    throw new SocketPathError('not_ours', `${path} belongs to another user; choose another path`);
  if (await answers(path)) throw inUse(path);
  return found;
}

/** Listens on a path that only its owner can use (mode 0600). Of several that want it at once, one gets it. */
export async function listenPrivately(server: Server, path: string): Promise<void> {
  for (;;) {
    const stale = await leftBehind(path);
    // Looked at again, without waiting from here until we listen: meanwhile another engine may have begun to.
    const found = stat(path);
    if (found && !(stale && same(stale, found))) continue;
    // Gone already: another one is about to listen, and we are refused below.
    if (found) rmSync(path, { force: true });
    break;
  }
  if (!stat(dirname(path))) {
    throw new SocketPathError(
      'bad_directory',
      `the directory of ${path} does not exist; make it or choose another path`,
    );
  }
  try {
    const own = await listen(server, path);
    if (!own || !same(own, stat(path))) {
      closeBeside(server, path);
      throw inUse(path);
    }
    chmodSync(path, 0o600);
  } catch (error) {
    if (error instanceof SocketPathError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw inUse(path);
    throw new SocketPathError('cannot_listen', `cannot listen on ${path}: ${messageOf(error)}`);
  }
}

/** Resolves with the file as it was right after it was made. */
function listen(server: Server, path: string): Promise<BigIntStats | null> {
  return new Promise((resolve, reject) => {
    let own: BigIntStats | null = null;
    // The file must never exist with wider permissions, not even for a moment. It is made within the call of listen.
    const umask = process.umask(0o177);
    try {
      server.once('error', reject);
      server.listen({ path, backlog: BACKLOG }, () => {
        server.off('error', reject);
        resolve(own);
      });
      own = stat(path);
    } finally {
      process.umask(umask);
    }
  });
}

/** Closes a server whose path another one has taken. Closing removes the file of that name: not theirs. */
function closeBeside(server: Server, path: string): void {
  const aside = `${path}.${process.pid}`;
  const theirs = stat(path) !== null;
  if (theirs) renameSync(path, aside);
  server.close();
  if (theirs) renameSync(aside, path);
}
