import { readFileSync, readdirSync } from 'node:fs';

/** Unit of the times in /proc/PID/stat: USER_HZ is 100 wherever Node runs. */
const TICK_SECONDS = 0.01;

/**
 * CPU seconds that a process has used so far, all its threads together.
 *
 * The scheduler's own count of each thread is in nanoseconds, but a thread that ended takes its count along; /proc/PID/stat
 * keeps those too, in steps of 10 ms. So the fine number is taken unless the coarse one is clearly larger.
 */
export function cpuSeconds(pid: number): number {
  let fine = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      fine += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ', 1)[0]) / 1e9;
    } catch (error) {
      // It ended since the folder was read.
      if (!(error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH')))
        throw error;
    }
  }
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The command's name, in parentheses, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const coarse = (Number(fields[11]) + Number(fields[12])) * TICK_SECONDS;
  return coarse > fine + 3 * TICK_SECONDS ? coarse : fine;
}

/** Resident memory in bytes: now, and the most it has been. */
export function residentBytes(pid: number): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kibibytes = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? NaN);
  return { now: kibibytes('VmRSS') * 1024, peak: kibibytes('VmHWM') * 1024 };
}

export const threadCount = (pid: number): number => readdirSync(`/proc/${pid}/task`).length;
