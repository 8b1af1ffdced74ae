import { Cursor, ascii } from './cursor.ts';
import type { SourceWriter } from './source.ts';

/** Lines of /proc/stat behind those of the cores. The first number is taken: of `intr` and `softirq` it is the sum. */
const LINES: readonly (readonly [key: string, kind: 'counter' | 'gauge', name: string, doc: string])[] = [
  ['intr', 'counter', 'proxy_intr_total', 'Interrupts that were served'],
  ['ctxt', 'counter', 'proxy_context_switches_total', 'Times that a core went on with another task'],
  ['btime', 'gauge', 'proxy_boot_time_seconds', 'When this node was started, in seconds since 1970'],
  ['processes', 'counter', 'proxy_forks_total', 'Processes and threads that were started'],
  ['procs_running', 'gauge', 'proxy_procs_running', 'Threads that run or wait for a core'],
  ['procs_blocked', 'gauge', 'proxy_procs_blocked', 'Threads that wait for a disk or a file system'],
  ['softirq', 'counter', 'proxy_softirqs_total', 'Soft interrupts that were served'],
];
const KEYS = LINES.map(([key]) => ascii(`${key} `));
const NEWLINE = 0x0a;

/**
 * Values in the order of the lines above, -1 for those that this kernel does not tell. `from`: where the lines of the
 * cores end. Writes over `into`. Never throws.
 */
export function parseActivity(
  bytes: Uint8Array,
  from = 0,
  into: Float64Array = new Float64Array(LINES.length),
): Float64Array {
  into.fill(-1);
  const cursor = new Cursor(bytes);
  cursor.at = from;
  while (cursor.at < bytes.length) {
    const which = KEYS.findIndex((key) => cursor.skip(key));
    const value = which < 0 ? -1 : cursor.unsigned();
    // The line of interrupts is tens of kilobytes long on large nodes: the runtime searches faster than a loop here.
    const end = bytes.indexOf(NEWLINE, cursor.at);
    if (end < 0) break;
    cursor.at = end + 1;
    if (value >= 0) into[which] = value;
  }
  return into;
}

/**
 * Context switches, interrupts, forks. Part of the source of the cores, because a read of /proc/stat makes the kernel
 * sum up over all cores and interrupts: once a tick is enough.
 */
export class KernelActivity {
  readonly #values = new Float64Array(LINES.length);
  readonly #handles = new Int32Array(LINES.length).fill(-1);

  emit(out: SourceWriter, bytes: Uint8Array, from: number): void {
    const values = parseActivity(bytes, from, this.#values);
    for (let i = 0; i < LINES.length; i++) {
      const [, kind, name, doc] = LINES[i]!;
      const value = values[i]!;
      if (value < 0) {
        if (kind === 'gauge' && this.#handles[i]! >= 0) out.clearGauge(this.#handles[i]!);
        continue;
      }
      if (this.#handles[i]! < 0) this.#handles[i] = kind === 'counter' ? out.counter(name, doc) : out.gauge(name, doc);
      if (kind === 'counter') out.setCounter(this.#handles[i]!, value);
      else out.setGauge(this.#handles[i]!, value);
    }
  }
}
