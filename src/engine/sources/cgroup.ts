/** What the files of one cgroup say, in both versions: pure parsers, bytes in, numbers out. */

import { Cursor, ascii } from './cursor.ts';

/** Values of a cgroup in the units of the series: seconds, bytes, numbers. */
export const CGROUP_VALUES = [
  'cpu',
  'cpuSystem',
  'cpuThrottled',
  'memory',
  'memoryPeak',
  'memoryLimit',
  'memoryAnonymous',
  'memoryCache',
  'oomKills',
  'readBytes',
  'writtenBytes',
  'reads',
  'writes',
] as const;
export type CgroupValue = (typeof CGROUP_VALUES)[number];
/** Null is said to be none, such as a limit; what is missing is not known. */
export type Found = Partial<Record<CgroupValue, number | null>>;

/** Reads one file into values; what the file does not say stays out. Never throws. */
export type CgroupParser = (bytes: Uint8Array) => Found;

/** Larger limits mean none: the kernel writes the largest number of pages it can count. */
const NO_LIMIT = 2 ** 60;
/** What cpuacct.stat counts in; see cpu.ts. */
const TICKS_PER_SECOND = 100;

interface Key {
  readonly text: Uint8Array;
  readonly value: CgroupValue;
  /** Of the file's unit in one of the series. Divided, not multiplied: the result is then the nearest number. */
  readonly per: number;
}

/** Lines of `key number`. */
function keyed(keys: readonly (readonly [key: string, value: CgroupValue, per: number])[]): CgroupParser {
  const known: readonly Key[] = keys.map(([key, value, per]) => ({ text: ascii(`${key} `), value, per }));
  return (bytes) => {
    const found: Found = {};
    const cursor = new Cursor(bytes);
    while (cursor.at < bytes.length) {
      const key = known.find(({ text }) => cursor.skip(text));
      const number = key === undefined ? -1 : cursor.unsigned();
      const whole = cursor.atNewline();
      if (!cursor.nextLine()) break;
      if (key !== undefined && number >= 0 && whole) found[key.value] = number / key.per;
    }
    return found;
  };
}

/** A file of one number. A word, such as `max` for no limit, is none. */
function single(value: CgroupValue, per = 1, below = Infinity): CgroupParser {
  return (bytes) => {
    const cursor = new Cursor(bytes);
    const number = cursor.unsigned();
    if (number < 0) return { [value]: null };
    return cursor.atNewline() ? { [value]: number < below ? number / per : null } : {};
  };
}

const text = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');

/** io.stat: `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`, a line for each device; the sum of all. */
function ioStat(bytes: Uint8Array): Found {
  const found = { readBytes: 0, writtenBytes: 0, reads: 0, writes: 0 };
  for (const line of text(bytes).split('\n').slice(0, -1)) {
    const numbers = /^\d+:\d+ rbytes=(\d{1,20}) wbytes=(\d{1,20}) rios=(\d{1,20}) wios=(\d{1,20})(?: |$)/.exec(line);
    if (numbers === null) continue;
    found.readBytes += Number(numbers[1]);
    found.writtenBytes += Number(numbers[2]);
    found.reads += Number(numbers[3]);
    found.writes += Number(numbers[4]);
  }
  return found;
}

/** blkio.throttle.*_recursive: `8:0 Read 4096`, a line for each device and direction; the sum of all devices. */
function blkio(read: CgroupValue, written: CgroupValue): CgroupParser {
  return (bytes) => {
    let reads = 0;
    let writes = 0;
    for (const line of text(bytes).split('\n').slice(0, -1)) {
      const found = /^\d+:\d+ (Read|Write) (\d{1,20})$/.exec(line);
      if (found?.[1] === 'Read') reads += Number(found[2]);
      else if (found !== null) writes += Number(found[2]);
    }
    return { [read]: reads, [written]: writes };
  };
}

export interface CgroupFile {
  readonly name: string;
  readonly parse: CgroupParser;
  /** Read every ten seconds, and of jobs only: limits hardly change, and memory.stat is gathered from all cores. */
  readonly slow: boolean;
}

const MICRO = 1e6;
const NANO = 1e9;

/** Files by controller: those of version 2 lie in one folder, those of version 1 in one for each controller. */
export const CGROUP_FILES = {
  unified: [
    {
      name: 'cpu.stat',
      slow: false,
      parse: keyed([
        ['usage_usec', 'cpu', MICRO],
        ['system_usec', 'cpuSystem', MICRO],
        ['throttled_usec', 'cpuThrottled', MICRO],
      ]),
    },
    { name: 'memory.current', slow: false, parse: single('memory') },
    { name: 'memory.peak', slow: false, parse: single('memoryPeak') },
    { name: 'io.stat', slow: false, parse: ioStat },
    { name: 'memory.max', slow: true, parse: single('memoryLimit', 1, NO_LIMIT) },
    {
      name: 'memory.stat',
      slow: true,
      parse: keyed([
        ['anon', 'memoryAnonymous', 1],
        ['file', 'memoryCache', 1],
      ]),
    },
    { name: 'memory.events', slow: false, parse: keyed([['oom_kill', 'oomKills', 1]]) },
  ],
  cpuacct: [
    { name: 'cpuacct.usage', slow: false, parse: single('cpu', NANO) },
    { name: 'cpuacct.stat', slow: false, parse: keyed([['system', 'cpuSystem', TICKS_PER_SECOND]]) },
  ],
  cpu: [{ name: 'cpu.stat', slow: false, parse: keyed([['throttled_time', 'cpuThrottled', NANO]]) }],
  memory: [
    { name: 'memory.usage_in_bytes', slow: false, parse: single('memory') },
    { name: 'memory.max_usage_in_bytes', slow: false, parse: single('memoryPeak') },
    { name: 'memory.limit_in_bytes', slow: true, parse: single('memoryLimit', 1, NO_LIMIT) },
    {
      name: 'memory.stat',
      slow: true,
      parse: keyed([
        ['total_rss', 'memoryAnonymous', 1],
        ['total_cache', 'memoryCache', 1],
      ]),
    },
    { name: 'memory.oom_control', slow: false, parse: keyed([['oom_kill', 'oomKills', 1]]) },
  ],
  blkio: [
    // Only with what runs below: Slurm's tasks run in folders of their own.
    { name: 'blkio.throttle.io_service_bytes_recursive', slow: false, parse: blkio('readBytes', 'writtenBytes') },
    { name: 'blkio.throttle.io_serviced_recursive', slow: false, parse: blkio('reads', 'writes') },
  ],
} as const satisfies Record<string, readonly CgroupFile[]>;

export type Controller = keyof typeof CGROUP_FILES;
