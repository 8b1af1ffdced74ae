import { join } from 'node:path';
import { openTickFile } from './read.ts';
import type { Source, SourceWriter } from './source.ts';

export interface Uptime {
  /** Since the node was started. */
  readonly seconds: number;
}

const LINE = /^(\d{1,12}\.\d{1,9}) \d+\.\d+\n/;

/** Null when it is not the one line of /proc/uptime. Never throws. */
export function parseUptime(bytes: Uint8Array): Uptime | null {
  const line = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 256)).toString('latin1');
  const found = LINE.exec(line);
  return found === null ? null : { seconds: Number(found[1]) };
}

function register(out: SourceWriter): number {
  // It changes at every tick and says little: not worth a stored number each time.
  return out.gauge('proxy_uptime_seconds', 'Time since the node was started', { detail: true });
}

function emit(out: SourceWriter, handle: number, now: Uptime): void {
  out.setGauge(handle, now.seconds);
}

/** How long the node runs, from /proc/uptime. */
export const uptime: Source = {
  name: 'uptime',
  open(roots) {
    const file = openTickFile(join(roots.proc, 'uptime'));
    if (file === null) return null;
    let handle: number | null = null;
    return {
      sample(out) {
        const now = parseUptime(file.read());
        if (now === null) throw new Error('uptime is not in the known form');
        handle ??= register(out);
        emit(out, handle, now);
      },
      close: () => file.close(),
    };
  },
};
