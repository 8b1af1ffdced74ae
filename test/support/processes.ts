/** Looking at processes by /proc. */

import { readdirSync, readFileSync } from 'node:fs';

/** Everything that the process has started and that still runs, it itself first. */
export function processTree(pid: number): { pid: number; command: string }[] {
  const found = new Map<number, { parent: number; command: string }>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (state === 'Z') continue;
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      found.set(Number(name), { parent: Number(parent), command });
    } catch {
      // Gone meanwhile.
    }
  }
  const tree = found.has(pid) ? [{ pid, command: found.get(pid)!.command }] : [];
  for (let i = 0; i < tree.length; i++) {
    for (const [child, { parent, command }] of found) {
      if (parent === tree[i]!.pid) tree.push({ pid: child, command });
    }
  }
  return tree;
}

/** The process with the engine in it, below the program. */
export function enginePid(pid: number): number | null {
  const own = processTree(pid).filter(({ command }) => command.includes('embedded.cjs'));
  return own.at(-1)?.pid ?? null;
}

export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^\d+ \(.*\) Z /s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}
