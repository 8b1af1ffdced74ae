import { closeSync, existsSync, openSync, readSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { formatMetric } from '../../shared/model/metric.ts';
import type { Source, SourceInstance, SourceWriter } from './source.ts';

/** States as the kernel writes them. Others are counted together as `other`. */
const STATES = ['R', 'S', 'D', 'Z', 'T', 'I'] as const;
const OTHER = STATES.length;

/** Seconds from one round over all processes to the next, at least. */
const ROUND_EVERY = 10;
/**
 * Most time spent in one tick, in ms, and processes looked at before the clock is asked again. A node with 256 cores has
 * thousands of kernel threads: a round over them takes many ticks, and must not cost more for it.
 */
const BUDGET = 0.4;
const PACE = 8;

const SPACE = 0x20;
const CLOSE = 0x29;
const DECIMAL = /^[1-9]\d{0,6}$/;

/** Number of the state in /proc/PID/stat, -1 when it is not in the known form. Never throws. */
export function parseState(bytes: Uint8Array): number {
  // The name before it is the program's own choice: blanks and brackets too.
  const close = bytes.lastIndexOf(CLOSE);
  if (close < 0 || bytes[close + 1] !== SPACE || bytes[close + 3] !== SPACE) return -1;
  const letter = bytes[close + 2]!;
  for (let i = 0; i < STATES.length; i++) if (STATES[i]!.charCodeAt(0) === letter) return i;
  return OTHER;
}

class ProcessesInstance implements SourceInstance {
  readonly #folder: string;
  readonly #buffer = new Uint8Array(1024);
  readonly #counts = new Int32Array(STATES.length + 1);
  #names: readonly string[] = [];
  #next = 0;
  #sinceRound = Infinity;
  #handles: { readonly all: number; readonly states: readonly number[] } | null = null;

  constructor(folder: string) {
    this.#folder = folder;
  }

  sample(out: SourceWriter, seconds: number): void {
    this.#sinceRound += seconds;
    if (this.#next >= this.#names.length) {
      if (this.#sinceRound < ROUND_EVERY) return;
      this.#names = readdirSync(this.#folder).filter((name) => DECIMAL.test(name));
      this.#next = 0;
      this.#sinceRound = 0;
      this.#counts.fill(0);
    }
    if (this.#look() && this.#names.length > 0) this.#emit(out);
  }

  close(): void {
    this.#names = [];
  }

  /** True when the round is over. */
  #look(): boolean {
    const end = performance.now() + BUDGET;
    const { length } = this.#names;
    while (this.#next < length) {
      const stop = Math.min(length, this.#next + PACE);
      for (; this.#next < stop; this.#next++) this.#one(this.#names[this.#next]!);
      if (performance.now() >= end) break;
    }
    return this.#next >= length;
  }

  #one(name: string): void {
    let fd: number;
    try {
      fd = openSync(join(this.#folder, name, 'stat'), 'r');
    } catch {
      // Ended since the round began, or hidden from this user.
      return;
    }
    try {
      const length = readSync(fd, this.#buffer, 0, this.#buffer.length, 0);
      const state = parseState(this.#buffer.subarray(0, length));
      if (state >= 0) this.#counts[state]!++;
    } catch {
      // Ended between the two calls.
    } finally {
      closeSync(fd);
    }
  }

  #emit(out: SourceWriter): void {
    this.#handles ??= register(out);
    let sum = 0;
    for (const [i, handle] of this.#handles.states.entries()) {
      out.setGauge(handle, this.#counts[i]!);
      sum += this.#counts[i]!;
    }
    out.setGauge(this.#handles.all, sum);
  }
}

function register(out: SourceWriter): { all: number; states: number[] } {
  const state = (name: string): number =>
    out.gauge(
      formatMetric('proxy_processes_state', [['state', name]]),
      'Processes in this state, as counted over some seconds',
    );
  return {
    all: out.gauge('proxy_processes_pids', 'Processes that exist, as counted over some seconds'),
    states: [...STATES.map(state), state('other')],
  };
}

/** Processes by state, from /proc/PID/stat, in rounds. How many run or are blocked at each tick comes with the cores. */
export const processes: Source = {
  name: 'processes',
  open(roots) {
    // A process always sees itself, also where those of others are hidden.
    return existsSync(join(roots.proc, 'self', 'stat')) ? new ProcessesInstance(roots.proc) : null;
  },
};
