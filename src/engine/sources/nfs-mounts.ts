import { join } from 'node:path';
import { formatMetric } from '../../shared/model/metric.ts';
import { Every } from './devices.ts';
import { labelValue } from './label.ts';
import { openTickFile } from './read.ts';
import type { TickFile } from './read.ts';
import type { Source, SourceInstance, SourceWriter } from './source.ts';

/** Most mounts followed while the engine runs; an automounter makes ever new ones. */
const MAX_MOUNTS = 128;
/** While nothing of NFS is mounted, this file is looked at every so many seconds only. */
const IDLE = 10;

/** Operations by what they are to a job: data, or everything around it. */
const KINDS = ['read', 'write', 'other'] as const;

export interface OperationSums {
  operations: number;
  /** Sent again because no answer came. */
  retransmissions: number;
  timeouts: number;
  /** From sending to the answer. */
  responseSeconds: number;
  /** From the request of the program to its end: waiting in line too. */
  seconds: number;
}

export interface NfsMount {
  /** `server:/path` */
  readonly export: string;
  readonly mount: string;
  /** Programs' own reads and writes, direct ones included; then what went to and from the server. */
  readonly bytes: readonly [read: number, written: number, serverRead: number, serverWritten: number];
  readonly operations: Record<(typeof KINDS)[number], OperationSums>;
}

const none = (): OperationSums => ({ operations: 0, retransmissions: 0, timeouts: 0, responseSeconds: 0, seconds: 0 });

/** Blanks and backslashes in paths are written as octal numbers. */
const unescaped = (text: string): string =>
  text.replace(/\\([0-3][0-7]{2})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

const numbersOf = (text: string): number[] | null => {
  const words = text.trim().split(/\s+/);
  return words.every((word) => /^\d{1,20}$/.test(word)) ? words.map(Number) : null;
};

const DEVICE = /^device (\S+) mounted on (\S+) with fstype nfs4? statvers=1\.\d+$/;

/**
 * Mounts of NFS in /proc/self/mountstats. A mount whose numbers are not all there is left out. One file system mounted
 * at several places has one set of numbers, told at each: the first place stands for all. Never throws.
 */
export function parseMountstats(bytes: Uint8Array): NfsMount[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const mounts: NfsMount[] = [];
  const told = new Set<string>();
  const blocks = text.split(/^(?=device )/m);
  // Cut off: some of the last one's numbers are missing.
  if (!text.endsWith('\n')) blocks.pop();
  for (const block of blocks) {
    if (mounts.length >= MAX_MOUNTS) break;
    const mount = parseBlock(block.split('\n'));
    if (mount === null) continue;
    // The same export with the same options is the same file system, unless that was forbidden.
    const options = /^\topts:\t.*$/m.exec(block)?.[0] ?? '';
    const identity = JSON.stringify([mount.export, options]);
    if (told.has(identity) && !options.includes('nosharecache')) continue;
    told.add(identity);
    mounts.push(mount);
  }
  return mounts;
}

function parseBlock(lines: readonly string[]): NfsMount | null {
  const device = DEVICE.exec(lines[0] ?? '');
  if (device === null) return null;
  let bytes: readonly number[] | null = null;
  let inOperations = false;
  const operations = { read: none(), write: none(), other: none() };
  for (const line of lines) {
    const [, key, rest] = /^\s*([A-Za-z0-9_]+):\s(.*)$/.exec(line) ?? [];
    if (line.trim() === 'per-op statistics') inOperations = true;
    if (key === undefined || rest === undefined) continue;
    if (!inOperations) {
      if (key === 'bytes') bytes = numbersOf(rest);
      continue;
    }
    const numbers = numbersOf(rest);
    if (numbers === null || numbers.length < 8) return null;
    const sums = operations[key === 'READ' ? 'read' : key === 'WRITE' ? 'write' : 'other'];
    const [count = 0, sent = 0, timeouts = 0, , , , response = 0, whole = 0] = numbers;
    sums.operations += count;
    sums.retransmissions += Math.max(0, sent - count);
    sums.timeouts += timeouts;
    sums.responseSeconds += response / 1000;
    sums.seconds += whole / 1000;
  }
  if (!inOperations || bytes === null || bytes.length < 6) return null;
  const [read = 0, written = 0, directRead = 0, directWritten = 0, serverRead = 0, serverWritten = 0] = bytes;
  return {
    export: labelValue(Buffer.from(unescaped(device[1]!), 'latin1')),
    mount: labelValue(Buffer.from(unescaped(device[2]!), 'latin1')),
    bytes: [read + directRead, written + directWritten, serverRead, serverWritten],
    operations,
  };
}

const BYTES: readonly (readonly [family: string, doc: string])[] = [
  ['proxy_nfs_mount_read_bytes_total', 'Bytes that programs read from this mount, from the cache too'],
  ['proxy_nfs_mount_write_bytes_total', 'Bytes that programs wrote to this mount'],
  ['proxy_nfs_mount_server_read_bytes_total', 'Bytes that came from the server of this mount'],
  ['proxy_nfs_mount_server_write_bytes_total', 'Bytes that went to the server of this mount'],
];
const SUMS: readonly (readonly [value: keyof OperationSums, family: string, doc: string])[] = [
  ['operations', 'proxy_nfs_mount_operations_total', 'Operations on this mount that have ended'],
  ['retransmissions', 'proxy_nfs_mount_retransmissions_total', 'Operations on this mount that had to be sent again'],
  ['timeouts', 'proxy_nfs_mount_timeouts_total', 'Times that the server of this mount did not answer in time'],
  [
    'responseSeconds',
    'proxy_nfs_mount_response_seconds_total',
    'Time that the server took to answer operations, in seconds',
  ],
  ['seconds', 'proxy_nfs_mount_operation_seconds_total', 'Time that operations took, waiting in line too, in seconds'],
];

/** Handles in the order of BYTES, then SUMS for each of KINDS. */
function register(out: SourceWriter, mount: NfsMount): number[] {
  const labels = [
    ['mount', mount.mount],
    ['export', mount.export],
  ] as const;
  return [
    ...BYTES.map(([family, doc]) => out.counter(formatMetric(family, labels), doc)),
    ...KINDS.flatMap((kind) =>
      SUMS.map(([, family, doc]) =>
        out.counter(formatMetric(family, [...labels, ['operation', kind]]), doc, { detail: true }),
      ),
    ),
  ];
}

function emit(out: SourceWriter, handles: readonly number[], mount: NfsMount): void {
  let at = 0;
  for (const bytes of mount.bytes) out.setCounter(handles[at++]!, bytes);
  for (const kind of KINDS) {
    for (const [value] of SUMS) out.setCounter(handles[at++]!, mount.operations[kind][value]);
  }
}

class NfsMounts implements SourceInstance {
  readonly #file: TickFile;
  readonly #handles = new Map<string, readonly number[]>();
  readonly #idle = new Every(IDLE);
  #any = false;

  constructor(file: TickFile) {
    this.#file = file;
  }

  sample(out: SourceWriter, seconds: number): void {
    if (!this.#idle.due(seconds) && !this.#any) return;
    const mounts = parseMountstats(this.#file.read());
    this.#any = mounts.length > 0;
    for (const mount of mounts) {
      const key = JSON.stringify([mount.mount, mount.export]);
      let handles = this.#handles.get(key);
      if (handles === undefined) {
        if (this.#handles.size >= MAX_MOUNTS) continue;
        this.#handles.set(key, (handles = register(out, mount)));
      }
      emit(out, handles, mount);
    }
  }

  close(): void {
    this.#file.close();
  }
}

/**
 * Bytes, operations and their times of each mount of NFS, from /proc/self/mountstats. The kernel tells them out of its
 * own memory: a server that hangs does not hang this.
 */
export const nfsMounts: Source = {
  name: 'nfs-mounts',
  open(roots) {
    // Only where the NFS client is loaded: elsewhere this file lists every mount for nothing.
    const client = openTickFile(join(roots.proc, 'net', 'rpc', 'nfs'));
    if (client === null) return null;
    client.close();
    const file = openTickFile(join(roots.proc, 'self', 'mountstats'));
    return file === null ? null : new NfsMounts(file);
  },
};
