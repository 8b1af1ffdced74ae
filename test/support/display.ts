/** A display without a screen: Xvfb on a number that is free. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { findProgram } from '../../scripts/lib/components.mjs';

export interface Display {
  /** `:N` for $DISPLAY. */
  readonly name: string;
  /** Ends it as if the screen were gone: at once. */
  lose(): void;
  close(): Promise<void>;
}

/** @param size Width and height of its screen in pixels. */
export async function openDisplay(size: readonly [number, number] = [1440, 900]): Promise<Display> {
  const program = findProgram('Xvfb');
  if (program === undefined) throw new Error('Xvfb is not installed (Debian package xvfb)');
  const args = ['-displayfd', '3', '-screen', '0', `${size[0]}x${size[1]}x24`, '-nolisten', 'tcp', '-noreset'];
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] });
  const ended = once(child, 'close');
  const number = child.stdio[3]!;
  const [data] = (await Promise.race([
    once(number, 'data'),
    ended.then(() => Promise.reject(new Error('Xvfb did not start'))),
  ])) as [Buffer];
  return {
    name: `:${data.toString('utf8').trim()}`,
    lose: () => void child.kill('SIGKILL'),
    async close() {
      child.kill();
      await ended;
    },
  };
}
