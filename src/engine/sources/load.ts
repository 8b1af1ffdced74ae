import { join } from 'node:path';
import { openTickFile } from './read.ts';
import type { Source, SourceWriter } from './source.ts';

export interface Load {
  /** Tasks that run or wait for a core or a disk, averaged over 1, 5 and 15 minutes. */
  readonly averages: readonly [one: number, five: number, fifteen: number];
  /** Processes and threads that run or could run now. */
  readonly running: number;
  /** Processes and threads that exist. */
  readonly tasks: number;
}

const LINE = /^(\d{1,15}(?:\.\d{1,9})?) (\d{1,15}(?:\.\d{1,9})?) (\d{1,15}(?:\.\d{1,9})?) (\d{1,15})\/(\d{1,15}) \d+\n/;

/** Null when it is not the one line of /proc/loadavg. Never throws. */
export function parseLoadavg(bytes: Uint8Array): Load | null {
  // Short, and read once a tick: here a string costs nothing.
  const line = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 256)).toString('latin1');
  const found = LINE.exec(line);
  if (found === null) return null;
  return {
    averages: [Number(found[1]), Number(found[2]), Number(found[3])],
    running: Number(found[4]),
    tasks: Number(found[5]),
  };
}

function register(out: SourceWriter): readonly number[] {
  return [
    out.gauge('proxy_load1', 'Load average over one minute'),
    out.gauge('proxy_load5', 'Load average over five minutes'),
    out.gauge('proxy_load15', 'Load average over fifteen minutes'),
    out.gauge('proxy_process_running_tasks', 'Processes and threads that run or wait for a core'),
    out.gauge('proxy_process_tasks', 'Processes and threads that exist'),
  ];
}

function emit(out: SourceWriter, handles: readonly number[], load: Load): void {
  for (let i = 0; i < 3; i++) out.setGauge(handles[i]!, load.averages[i]!);
  out.setGauge(handles[3]!, load.running);
  out.setGauge(handles[4]!, load.tasks);
}

/** Load averages and number of tasks, from /proc/loadavg. */
export const load: Source = {
  name: 'load',
  open(roots) {
    const file = openTickFile(join(roots.proc, 'loadavg'));
    if (file === null) return null;
    let handles: readonly number[] | null = null;
    return {
      sample(out) {
        const now = parseLoadavg(file.read());
        if (now === null) throw new Error('loadavg is not in the known form');
        handles ??= register(out);
        emit(out, handles, now);
      },
      close: () => file.close(),
    };
  },
};
