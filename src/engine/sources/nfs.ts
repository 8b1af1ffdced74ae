import { join } from 'node:path';
import { formatMetric } from '../../shared/model/metric.ts';
import { NFS3_OPERATIONS, NFS4_OPERATIONS } from './nfs-operations.ts';
import { openTickFile } from './read.ts';
import type { Source, SourceWriter } from './source.ts';

export interface NfsClient {
  /** Remote calls made, sent again, and made again with new credentials; null when the line is missing. */
  rpc: readonly [calls: number, retransmissions: number, refreshes: number] | null;
  /** Calls by operation, in the order of the kernel; empty when the version is not spoken. */
  version3: readonly number[];
  version4: readonly number[];
}

/** More operations than any kernel has. */
const MAX_OPERATIONS = 256;

/** /proc/net/rpc/nfs; lines cut off or malformed are left out. Never throws. */
export function parseNfsClient(bytes: Uint8Array): NfsClient {
  const client: NfsClient = { rpc: null, version3: [], version4: [] };
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  // What stands behind the last newline is cut off.
  for (const line of text.split('\n').slice(0, -1)) {
    const [key = '', ...words] = line.trim().split(/[ \t]+/);
    if (words.length === 0 || words.length > MAX_OPERATIONS || !words.every((word) => /^\d{1,20}$/.test(word)))
      continue;
    const numbers = words.map(Number);
    if (key === 'rpc' && numbers.length >= 3) client.rpc = [numbers[0]!, numbers[1]!, numbers[2]!];
    // The first number says how many follow.
    else if (numbers[0] !== numbers.length - 1) continue;
    else if (key === 'proc3') client.version3 = numbers.slice(1);
    else if (key === 'proc4') client.version4 = numbers.slice(1);
  }
  return client;
}

const RPC: readonly (readonly [family: string, doc: string])[] = [
  ['proxy_nfs_rpc_calls_total', 'Remote calls that the NFS client made'],
  ['proxy_nfs_rpc_retransmissions_total', 'Remote calls that the NFS client had to send again'],
  ['proxy_nfs_rpc_refreshes_total', 'Times that the NFS client renewed the credentials of a call'],
];
const OPERATIONS_DOC = 'Calls that the NFS client made, by version of the protocol and operation';

/** Counters by place; one is registered when it first counts, since most operations are never used. */
class Operations {
  readonly #version: string;
  readonly #names: readonly string[];
  readonly #handles: number[] = [];

  constructor(version: string, names: readonly string[]) {
    this.#version = version;
    this.#names = names;
  }

  emit(out: SourceWriter, counts: readonly number[]): void {
    const known = this.#names.length;
    // What stands behind the known ones is told as one.
    const others = counts.slice(known).reduce((sum, count) => sum + count, 0);
    for (let i = 0; i <= known; i++) {
      const name = this.#names[i] ?? 'other';
      const count = i === known ? others : (counts[i] ?? 0);
      let handle = this.#handles[i];
      if (handle === undefined) {
        if (count === 0) continue;
        const full = formatMetric('proxy_nfs_requests_total', [
          ['version', this.#version],
          ['operation', name],
        ]);
        this.#handles[i] = handle = out.counter(full, OPERATIONS_DOC, { detail: true });
      }
      out.setCounter(handle, count);
    }
  }
}

/** Calls of the NFS client of this network namespace, from /proc/net/rpc/nfs, which is there once something was mounted. */
export const nfs: Source = {
  name: 'nfs',
  open(roots) {
    const file = openTickFile(join(roots.proc, 'net', 'rpc', 'nfs'));
    if (file === null) return null;
    let rpc: readonly number[] | null = null;
    const version3 = new Operations('3', NFS3_OPERATIONS);
    const version4 = new Operations('4', NFS4_OPERATIONS);
    return {
      sample(out) {
        const now = parseNfsClient(file.read());
        if (now.rpc === null) throw new Error('rpc/nfs does not tell how many calls there were');
        rpc ??= RPC.map(([family, doc]) => out.counter(family, doc));
        for (const [i, handle] of rpc.entries()) out.setCounter(handle, now.rpc[i]!);
        version3.emit(out, now.version3);
        version4.emit(out, now.version4);
      },
      close: () => file.close(),
    };
  },
};
