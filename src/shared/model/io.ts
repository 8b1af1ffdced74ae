/**
 * Metric names of I/O and system calls as instrumentation sends them, read into what they say: `io___hits___read` (calls of
 * libc), `strace___time___openat` (system calls), `io_mount_bytes_total{mount,type,kind}`, `io_sizes_total{kind,below}`,
 * `io_wait_seconds_total{call}`.
 * All are counters: sums over a rank's threads, and in a run over its ranks. Times are seconds, sizes bytes.
 */

/** `io`: libc's functions; `system`: system calls. What one makes by way of the other is in both. */
export type IoLayer = 'io' | 'system';
export type IoKind = 'read' | 'write' | 'metadata';
export type IoQuantity = 'calls' | 'time' | 'bytes';

export type IoMetric =
  | { readonly what: 'call'; readonly layer: IoLayer; readonly call: string; readonly quantity: IoQuantity }
  /** All calls together; of bytes those in one direction. */
  | { readonly what: 'total'; readonly layer: IoLayer; readonly quantity: 'calls' | 'time' | 'read' | 'write' }
  | {
      readonly what: 'mount';
      readonly mount: string;
      /** Of the file system; empty: no file (a socket, a pipe). */
      readonly type: string;
      readonly kind: IoKind;
      readonly quantity: IoQuantity;
    }
  /** Calls that moved fewer bytes than this, and not fewer than the class before; Infinity: the last class. */
  | { readonly what: 'size'; readonly kind: 'read' | 'write'; readonly below: number }
  /** A call that waits until something is ready (`poll`, `select`, …): in no total. */
  | { readonly what: 'wait'; readonly call: string; readonly quantity: 'calls' | 'time' };

const LAYERS: ReadonlyMap<string, IoLayer> = new Map([
  ['io', 'io'],
  ['strace', 'system'],
] as const);
const QUANTITIES: ReadonlyMap<string, IoQuantity> = new Map([
  ['hits', 'calls'],
  ['time', 'time'],
  ['size', 'bytes'],
] as const);
const TOTALS: ReadonlyMap<string, 'calls' | 'time' | 'read' | 'write'> = new Map([
  ['hits___total', 'calls'],
  ['time___total', 'time'],
  ['size___read', 'read'],
  ['size___write', 'write'],
] as const);
const MOUNT_FAMILIES: ReadonlyMap<string, IoQuantity> = new Map([
  ['io_mount_calls_total', 'calls'],
  ['io_mount_seconds_total', 'time'],
  ['io_mount_bytes_total', 'bytes'],
] as const);
const WAIT_FAMILIES: ReadonlyMap<string, 'calls' | 'time'> = new Map([
  ['io_wait_calls_total', 'calls'],
  ['io_wait_seconds_total', 'time'],
] as const);
const KINDS: ReadonlySet<string> = new Set<IoKind>(['read', 'write', 'metadata']);
const isKind = (text: string | undefined): text is IoKind => text !== undefined && KINDS.has(text);

const CALL = /^(io|strace)___(hits|time|size)___([A-Za-z0-9_]+)$/;
const TOTAL = /^total___(io|strace)___(\w+)$/;

/** What a series means, or null when it is none of I/O's. */
export function parseIo(family: string, labels: Readonly<Record<string, string>>): IoMetric | null {
  const call = CALL.exec(family);
  if (call) return { what: 'call', layer: LAYERS.get(call[1]!)!, call: call[3]!, quantity: QUANTITIES.get(call[2]!)! };
  const total = TOTAL.exec(family);
  if (total) {
    const quantity = TOTALS.get(total[2]!);
    return quantity === undefined ? null : { what: 'total', layer: LAYERS.get(total[1]!)!, quantity };
  }
  const waits = WAIT_FAMILIES.get(family);
  if (waits !== undefined) {
    const waiter = labels['call'];
    return waiter === undefined ? null : { what: 'wait', call: waiter, quantity: waits };
  }
  const { mount, type, kind, below } = labels;
  const quantity = MOUNT_FAMILIES.get(family);
  if (quantity !== undefined)
    return mount === undefined || !isKind(kind) ? null : { what: 'mount', mount, type: type ?? '', kind, quantity };
  if (family !== 'io_sizes_total' || !isKind(kind) || kind === 'metadata' || below === undefined) return null;
  const limit = below === 'inf' ? Infinity : Number(below);
  return limit > 0 ? { what: 'size', kind, below: limit } : null;
}
