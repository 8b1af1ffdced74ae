/** Small file systems of a test's own: full and read-only disks. Needs root and the right to mount. */

import { execFileSync } from 'node:child_process';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from '../../support/tmp.ts';

const command = (name: string, ...args: string[]): void => void execFileSync(name, args, { stdio: 'pipe' });

function mountable(): string | null {
  if (process.getuid?.() !== 0) return 'only root can mount';
  if (process.env['CI'] === 'true') return null;
  try {
    command('unshare', '--mount', 'mount', '-t', 'tmpfs', 'none', '/mnt');
    return null;
  } catch (error) {
    return `mounting is not allowed here (${(error as Error).message.split('\n')[0]})`;
  }
}

/** Why these tests cannot run, or null. Run unattended as root they must. */
export const noMount = mountable();
if (noMount !== null) console.warn(`skipped: tests of full and read-only disks: ${noMount}`);

/** Mounts a tmpfs of this many KiB until the test is finished. */
export function mountTmpfs(kib: number): { path: string; remount(mode: 'ro' | 'rw'): void } {
  const path = temporaryFolder();
  command('mount', '-t', 'tmpfs', '-o', `size=${kib}k,mode=700`, 'vigie-test', path);
  onTestFinished(() => command('umount', '-l', path));
  return { path, remount: (mode) => command('mount', '-o', `remount,${mode}`, path) };
}
