/** Who a file, a socket or a port belongs to, as far as /proc and /etc/passwd tell. */

import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';

export const ownUid = (): number => process.getuid?.() ?? -1;

/** Who runs this. In a container the user may have a number and no name. */
export function ownUser(): { readonly name: string; readonly home: string } {
  try {
    const { username, homedir: home } = userInfo();
    return { name: username, home };
  } catch {
    return { name: process.env['USER'] ?? `user ${ownUid()}`, home: homedir() };
  }
}

/** A user's name; their number when it is not known here. */
export function userName(uid: number): string {
  if (uid === ownUid()) return ownUser().name;
  try {
    for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
      const [name, , number] = line.split(':');
      if (name && number === String(uid)) return name;
    }
  } catch {
    // The number has to do.
  }
  return `user ${uid}`;
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

/** Inode of the socket that listens on a path, or null. */
function unixListener(path: string): string | null {
  for (const line of read('/proc/net/unix').split('\n')) {
    // Num RefCount Protocol Flags Type St Inode Path; the flag says that it accepts connections.
    const [, , , flags, , , inode] = line.split(/\s+/, 7);
    if (inode && (Number.parseInt(flags ?? '', 16) & 0x10000) !== 0 && line.endsWith(` ${path}`)) return inode;
  }
  return null;
}

export interface PortListener {
  readonly uid: number;
  readonly inode: string;
}

/** Who listens on a TCP port of this machine, whichever address. */
export function portListener(port: number): PortListener | null {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of read(file).split('\n')) {
      // sl local rem st queues timer retransmits uid timeout inode; 0A: it listens.
      const words = line.trim().split(/\s+/);
      if (!words[1]?.endsWith(`:${hex}`) || words[3] !== '0A') continue;
      return { uid: Number(words[7]), inode: words[9] ?? '' };
    }
  }
  return null;
}

export interface Program {
  readonly pid: number;
  readonly name: string;
}

/** The program that holds a socket; null when it is not one of ours, whose descriptors alone can be seen. */
export function holderOf(inode: string): Program | null {
  const wanted = `socket:[${inode}]`;
  for (const pid of processes()) {
    try {
      for (const fd of readdirSync(`/proc/${pid}/fd`)) {
        if (readlinkSync(`/proc/${pid}/fd/${fd}`) === wanted) return { pid, name: read(`/proc/${pid}/comm`).trim() };
      }
    } catch {
      // Somebody else's, or gone meanwhile.
    }
  }
  return null;
}

function processes(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

/** The program that listens on a Unix socket, if it can be seen. */
export function listenerOf(path: string): Program | null {
  const inode = unixListener(path);
  return inode === null ? null : holderOf(inode);
}

/** In words, for the middle of a sentence. */
export const programText = (program: Program | null): string =>
  program === null ? 'a program' : `${program.name} (pid ${program.pid})`;

/** A process with this number is there, whoever it belongs to. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
