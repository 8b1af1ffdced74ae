import { spawn } from 'node:child_process';
import { statfs } from 'node:fs/promises';
import type { Mount } from './mounts.ts';

export interface Space {
  /** Bytes. */
  readonly size: number;
  /** Bytes that users who are not root can still write. */
  readonly available: number;
  /** 0: the file system does not limit them. */
  readonly files: number;
  readonly filesFree: number;
}

/** A server that takes longer than this many milliseconds to tell its space is away. */
const PATIENCE = 5000;

/**
 * Local file systems are asked directly, on a thread of the runtime. One with a server behind it is asked by a child: a
 * server that is away holds whoever asks for as long as it likes, and a thread that is held can neither be given up nor
 * let the engine exit, while a child can be left behind.
 */
export function askSpace(mount: Mount): Promise<Space> {
  return mount.local ? askHere(mount.point) : askChild(mount.point);
}

async function askHere(point: string): Promise<Space> {
  const told = await statfs(Buffer.from(point, 'latin1'));
  const size = told.bsize * told.blocks;
  return { size, available: told.bsize * told.bavail, files: told.files, filesFree: told.ffree };
}

const ANSWER = /^(\d{1,20}) (\d{1,20}) (\d{1,20}) (\d{1,20}) (\d{1,20})\n$/;

/** Places whose last child has not ended: no second one is sent after it. */
const waiting = new Set<string>();

/** By coreutils' or busybox's stat. Rejects when there is no answer in `patience` ms; nothing is waited for then. */
export function askChild(point: string, patience = PATIENCE, program = 'stat'): Promise<Space> {
  if (waiting.has(point)) return Promise.reject(new Error('does not answer'));
  waiting.add(point);
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['-f', '-c', '%S %b %a %c %d', '--', Buffer.from(point, 'latin1').toString('utf8')], {
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { PATH: process.env['PATH'], LC_ALL: 'C' },
      cwd: '/',
    });
    let text = '';
    const over = (error: Error | null): void => {
      clearTimeout(timer);
      child.stdout.destroy();
      if (error !== null) {
        child.kill('SIGKILL');
        // It dies when the server comes back, if not now. The engine does not wait for it to exit.
        child.unref();
        reject(error);
      }
    };
    const timer = setTimeout(() => over(new Error(`no answer within ${patience} ms`)), patience);
    timer.unref();
    child.stdout.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
      if (text.length > 200) over(new Error('stat answers something else'));
    });
    child.on('exit', () => waiting.delete(point));
    child.on('error', (error) => {
      // It was not started at all.
      if (child.pid === undefined) waiting.delete(point);
      over(error);
    });
    child.on('close', () => {
      const found = ANSWER.exec(text);
      if (found === null) return over(new Error('stat has no answer'));
      over(null);
      const [block, blocks, available, files, filesFree] = found.slice(1).map(Number);
      resolve({ size: block! * blocks!, available: block! * available!, files: files!, filesFree: filesFree! });
    });
  });
}
