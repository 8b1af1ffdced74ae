/**
 * Unix socket paths: made private, taken over when an earlier engine left one behind, never taken from somebody else.
 */

import { chmodSync, lstatSync, mkdirSync, unlinkSync, type Stats } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';

export class SocketPathError extends Error {
  override readonly name = 'SocketPathError';
  readonly code: 'in_use' | 'not_ours' | 'not_a_socket' | 'bad_directory' | 'cannot_listen';

  constructor(code: SocketPathError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

const stat = (path: string): Stats | null => lstatSync(path, { throwIfNoEntry: false }) ?? null;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const uid = (): number => process.getuid?.() ?? -1;

/** Makes a directory that only its owner can enter. In /tmp anybody may have made it first: then it is not used. */
export function privateDirectory(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new SocketPathError('bad_directory', `the directory ${path} cannot be made: ${messageOf(error)}`);
  }
  const found = stat(path);
  if (!found?.isDirectory() || found.uid !== uid() || (found.mode & 0o077) !== 0) {
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

/** Removes a socket file that an engine of ours left behind. Throws when the path is somebody's, or alive. */
async function reclaim(path: string): Promise<void> {
  const found = stat(path);
  if (!found) return;
  if (!found.isSocket())
    throw new SocketPathError('not_a_socket', `${path} exists and is not a socket; remove it or choose another path`);
  if (found.uid !== uid())
    throw new SocketPathError('not_ours', `${path} belongs to another user; choose another path`);
  if (await answers(path)) {
    throw new SocketPathError('in_use', `another program listens on ${path}; stop it or choose another path`);
  }
  unlinkSync(path);
}

/** Listens on a path that only its owner can use (mode 0600). */
export async function listenPrivately(server: Server, path: string): Promise<void> {
  await reclaim(path);
  if (!stat(dirname(path))) {
    throw new SocketPathError(
      'bad_directory',
      `the directory of ${path} does not exist; make it or choose another path`,
    );
  }
  // The file must never exist with wider permissions, not even for a moment.
  const umask = process.umask(0o177);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, () => {
        server.off('error', reject);
        resolve();
      });
    });
    chmodSync(path, 0o600);
  } catch (error) {
    throw new SocketPathError('cannot_listen', `cannot listen on ${path}: ${messageOf(error)}`);
  } finally {
    process.umask(umask);
  }
}
