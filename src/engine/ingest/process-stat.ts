/** What the kernel tells of a process in /proc/PID/stat. */

import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

export interface ProcessStat {
  /** It runs no more: a zombie, or about to be gone. Its CPU time is final. */
  readonly ended: boolean;
  /** Field 22, in clock ticks after boot: tells it from another process that gets the same number later. */
  readonly startTime: string;
  /** User and system time of all its threads, also of those that have ended; not of its children. Seconds. */
  readonly cpuSeconds: number;
  /** Bytes in memory; 0 once it has given them back. */
  readonly residentBytes: number;
}

interface Units {
  readonly ticksPerSecond: number;
  readonly pageBytes: number;
}

/** Longer than the line of any process. */
const LINE = Buffer.alloc(8192);
/** Keys of the auxiliary vector. */
const AT_PAGESZ = 6n;
const AT_CLKTCK = 17n;

let known: Units | null = null;

/** What the kernel counts in here: it tells each program at its start. */
function units(): Units {
  known ??= readUnits();
  return known;
}

function readUnits(): Units {
  const found = new Map<bigint, number>();
  try {
    const bytes = readFileSync('/proc/self/auxv');
    for (let at = 0; at + 16 <= bytes.length; at += 16) {
      found.set(bytes.readBigUInt64LE(at), Number(bytes.readBigUInt64LE(at + 8)));
    }
  } catch {
    // As most machines have it.
  }
  return { ticksPerSecond: found.get(AT_CLKTCK) ?? 100, pageBytes: found.get(AT_PAGESZ) ?? 4096 };
}

/** Null when the text is no such line. */
export function parseStat(text: string, { ticksPerSecond, pageBytes }: Units = units()): ProcessStat | null {
  // The command, field 2, is in parentheses and may have any characters; the state follows.
  const end = text.lastIndexOf(')');
  if (end < 0) return null;
  const fields = text.slice(end + 2).split(' ');
  const [state, startTime] = [fields[0], fields[19]];
  const ticks = Number(fields[11]) + Number(fields[12]);
  const pages = Number(fields[21]);
  if (state === undefined || startTime === undefined || !/^\d+$/.test(startTime)) return null;
  if (!Number.isSafeInteger(ticks) || ticks < 0 || !Number.isSafeInteger(pages)) return null;
  const ended = state === 'Z' || state === 'X';
  return { ended, startTime, cpuSeconds: ticks / ticksPerSecond, residentBytes: Math.max(0, pages) * pageBytes };
}

/** The process with this pid that started at this time, in clock ticks after boot. Null: it is gone, or cannot be read. */
export function readStat(pid: number | string, startTime: bigint | string): ProcessStat | null {
  let descriptor = -1;
  try {
    // A third of the time that readFileSync takes.
    descriptor = openSync(`/proc/${pid}/stat`, 'r');
    const length = readSync(descriptor, LINE, 0, LINE.length, 0);
    const stat = parseStat(LINE.toString('latin1', 0, length));
    return stat?.startTime === String(startTime) ? stat : null;
  } catch {
    return null;
  } finally {
    if (descriptor >= 0) closeSync(descriptor);
  }
}

/** The process with this pid that started at this time, in clock ticks after boot, runs. */
export function processLives(pid: number | string, startTime: bigint | string): boolean {
  return readStat(pid, startTime)?.ended === false;
}
