/** What the system lets an engine have: open files, memory. */

import { readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import type { Check } from '../../shared/api/diagnosis.ts';
import { memoryCeiling } from '../memory-guard.ts';
import { bytesText, ok, problem, warning } from './check.ts';
import type { Patient } from './patient.ts';

const MIB = 1024 * 1024;
/** Beside connections: the database, sources, the page. */
const OWN_FILES = 256;
/** Enough for the ranks of a large node, each with a connection. */
const ENOUGH_FILES = 4096;
/** An idle engine needs about 90 MiB; below this there is no room for jobs. */
const LITTLE_MEMORY = 256 * MIB;
/** V8 reserves this much address space long before it uses it. */
const ADDRESS_SPACE = 8 * 1024 * MIB;

/** The soft limits of /proc/PID/limits by name; unlimited is Infinity. */
export function parseLimits(text: string): Map<string, number> {
  const limits = new Map<string, number>();
  for (const line of text.split('\n')) {
    const match = /^(Max [a-z ]+?) {2,}(\d+|unlimited)/.exec(line);
    if (match) limits.set(match[1]!, match[2] === 'unlimited' ? Infinity : Number(match[2]));
  }
  return limits;
}

export function checkLimits({ config, status }: Patient): Check[] {
  const most = status
    ? status.limits.connections.limit + status.limits.http_connections.limit
    : config.limits.connections + config.limits.http_connections;
  const wanted = most + OWN_FILES;
  const limits = readLimits(status?.engine.pid ?? process.pid);
  return [
    ...(limits ? [judgeFiles(limits.get('Max open files') ?? Infinity, wanted), ...judgeAddressSpace(limits)] : []),
    judgeMemory(status?.limits.memory.limit ?? memoryCeiling(config.limits.memory), freemem(), totalmem()),
  ];
}

function readLimits(pid: number): Map<string, number> | null {
  for (const path of [`/proc/${pid}/limits`, '/proc/self/limits']) {
    try {
      return parseLimits(readFileSync(path, 'utf8'));
    } catch {
      // Not Linux, or a process of somebody else.
    }
  }
  return null;
}

export function judgeFiles(files: number, wanted: number): Check {
  if (files === Infinity) return ok('limits', 'open_files', 'any number of files may be open');
  const text = `${files} files may be open at once`;
  const advice = 'raise it: `ulimit -n`, LimitNOFILE= of a systemd unit, or the limits of PAM';
  if (files < OWN_FILES) return problem('limits', 'open_files', `${text}: too few for an engine`, advice);
  if (files >= Math.min(wanted, ENOUGH_FILES)) return ok('limits', 'open_files', text);
  const less = 'or lower limits.connections and limits.http_connections to what is needed';
  return warning(
    'limits',
    'open_files',
    `${text}, the limits of connections add up to ${wanted}`,
    `${advice}; ${less}`,
  );
}

function judgeAddressSpace(limits: ReadonlyMap<string, number>): Check[] {
  const space = limits.get('Max address space') ?? Infinity;
  if (space >= ADDRESS_SPACE) return [];
  const text = `the address space is limited to ${bytesText(space)} (ulimit -v): Node reserves more than it uses`;
  return [problem('limits', 'address_space', text, '`ulimit -v unlimited`, and limit the memory with a control group')];
}

export function judgeMemory(ceiling: number, free: number, total: number): Check {
  const text = `an engine may use ${bytesText(ceiling)} of memory; ${bytesText(free)} of ${bytesText(total)} are free`;
  if (ceiling < LITTLE_MEMORY) {
    const advice = 'raise limits.memory, or the memory of its control group';
    return warning('limits', 'memory', text, advice);
  }
  if (free < LITTLE_MEMORY) return warning('limits', 'memory', text, 'end what needs the memory of this machine');
  return ok('limits', 'memory', text);
}
