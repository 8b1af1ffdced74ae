import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { Socket } from 'node:net';
import { delimiter, isAbsolute, join } from 'node:path';
import { GpuGauges } from './gpu.ts';
import { NVIDIA_QUERY, parseNvidiaLine } from './nvidia-line.ts';
import type { NvidiaGpu } from './nvidia-line.ts';
import type { Source, SourceInstance, SourceWriter } from './source.ts';

const PROGRAM = 'nvidia-smi';
const MAX_GPUS = 64;
/** Answers after which a start counts as a good one. */
const SETTLED = 100;
/** Characters without an end of line: then it is not the program that we think it is. */
const MAX_LINE = 4096;
/** Characters between two ticks: GPUs say some hundred each. */
const MAX_HEARD = 1_000_000;
/** Most seconds that one tick counts as silence: after the engine itself was stopped, answers wait to be read. */
const MAX_TICK = 5;
/** Characters of one message that is passed on. */
const MAX_MESSAGE = 160;

export interface NvidiaOptions {
  /** The program; without it the folders of PATH are searched. */
  readonly program?: string;
  /** Ms between two answers of the program. */
  readonly loop: number;
  /** A program that says nothing for so long hangs, in seconds: drivers do when a GPU fell off its bus. */
  readonly silence: number;
  /** Ms before the program is started again after it ended; twice as long each time, up to the second. */
  readonly backoff: readonly [first: number, longest: number];
  /** Monotonic clock, ms. */
  readonly now: () => number;
}

const DEFAULTS: NvidiaOptions = { loop: 1000, silence: 30, backoff: [1000, 300_000], now: () => performance.now() };

interface Gpu {
  readonly gauges: GpuGauges;
  latest: NvidiaGpu;
  at: number;
}

/**
 * One program that goes on and on, never one per tick: starting it takes the driver a second on a large node. It is
 * started, watched and started again from within `sample`, so that there is no timer to leak.
 */
class Nvidia implements SourceInstance {
  readonly #program: string;
  readonly #options: NvidiaOptions;
  readonly #gpus = new Map<number, Gpu>();
  #child: ChildProcess | null = null;
  #closed = false;
  #rest = '';
  #heard = 0;
  #silent = 0;
  #worked = 0;
  #startAt = -Infinity;
  #backoff: number;
  #failure: string | null = null;
  /** What it said last that is no answer: mostly the reason why it is about to end. */
  #words = '';

  constructor(program: string, options: NvidiaOptions) {
    this.#program = program;
    this.#options = options;
    this.#backoff = options.backoff[0];
    this.#start();
  }

  sample(out: SourceWriter, seconds: number): void {
    const now = this.#options.now();
    this.#heard = 0;
    this.#silent += Math.min(seconds, MAX_TICK);
    if (this.#child === null) {
      if (now >= this.#startAt) this.#start();
    } else if (this.#silent > this.#options.silence) {
      // It may hang in the driver and not end: a second one is only started once this one is gone.
      this.#end(this.#child, `says nothing for ${this.#options.silence} s`);
    }
    for (const gpu of this.#gpus.values()) this.#emit(out, gpu, now);
    if (this.#failure !== null) throw new Error(this.#failure);
  }

  close(): void {
    this.#closed = true;
    this.#child?.stdout?.destroy();
    this.#child?.kill('SIGKILL');
  }

  #emit(out: SourceWriter, { gauges, latest, at }: Gpu, now: number): void {
    if (now - at > 5 * this.#options.loop) {
      gauges.clear(out);
      return;
    }
    gauges.set(out, 'usage', latest.usage);
    gauges.set(out, 'memoryBusy', latest.memoryBusy);
    gauges.set(out, 'memoryUsed', latest.memoryUsed);
    gauges.set(out, 'memoryTotal', latest.memoryTotal);
    gauges.set(out, 'temperature', latest.temperature);
    gauges.set(out, 'power', latest.power);
    gauges.set(out, 'clock', latest.clock);
    gauges.set(out, 'memoryClock', latest.memoryClock);
  }

  #start(): void {
    this.#silent = this.#heard = this.#worked = 0;
    this.#rest = '';
    this.#words = '';
    const query = [
      `--query-gpu=${NVIDIA_QUERY.join(',')}`,
      '--format=csv,noheader,nounits',
      `--loop-ms=${this.#options.loop}`,
    ];
    // Nothing of the engine's own settings is its business. It ends by itself once nobody reads what it writes.
    const { PATH = '', LD_LIBRARY_PATH } = process.env;
    const env = { PATH, LC_ALL: 'C', ...(LD_LIBRARY_PATH === undefined ? {} : { LD_LIBRARY_PATH }) };
    const child = spawn(this.#program, query, { env, cwd: '/', stdio: ['ignore', 'pipe', 'ignore'] });
    this.#child = child;
    // Neither it nor the pipe keeps the engine running.
    child.unref();
    if (child.stdout instanceof Socket) child.stdout.unref();
    child.stdout.setEncoding('latin1');
    child.stdout.on('data', (chunk: string) => this.#hear(child, chunk));
    child.stdout.on('error', () => {});
    child.on('error', (error) => this.#ended(child, `does not start: ${error.message.slice(0, MAX_MESSAGE)}`));
    child.on('exit', (code, signal) => this.#ended(child, `ended with ${signal ?? `code ${code}`}`));
  }

  #hear(child: ChildProcess, chunk: string): void {
    if (child !== this.#child || this.#closed) return;
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop()!;
    for (const line of lines) this.#line(line);
    this.#heard += chunk.length;
    if (this.#rest.length > MAX_LINE || this.#heard > MAX_HEARD) this.#end(child, 'writes what is no answer');
  }

  #end(child: ChildProcess, why: string): void {
    this.#fail(why);
    this.#rest = '';
    child.stdout?.destroy();
    child.kill('SIGKILL');
  }

  #line(line: string): void {
    const gpu = line.length <= MAX_LINE ? parseNvidiaLine(line) : null;
    if (gpu === null) {
      const words = line.replace(/[^ -~]/g, '').trim();
      if (words !== '') this.#words = words.slice(0, MAX_MESSAGE);
      return;
    }
    const now = this.#options.now();
    this.#silent = 0;
    this.#failure = null;
    // It works: should it end now, that is not one more failure in a row.
    if (++this.#worked > SETTLED) this.#backoff = this.#options.backoff[0];
    const known = this.#gpus.get(gpu.index);
    if (known !== undefined) {
      known.latest = gpu;
      known.at = now;
    } else if (this.#gpus.size < MAX_GPUS) {
      this.#gpus.set(gpu.index, {
        gauges: new GpuGauges(String(gpu.index), 'nvidia', gpu.model),
        latest: gpu,
        at: now,
      });
    }
  }

  #ended(child: ChildProcess, how: string): void {
    if (child !== this.#child) return;
    this.#child = null;
    if (this.#closed) return;
    this.#fail(this.#failure === null ? how : null);
    this.#startAt = this.#options.now() + this.#backoff;
    this.#backoff = Math.min(2 * this.#backoff, this.#options.backoff[1]);
  }

  #fail(how: string | null): void {
    if (how !== null) this.#failure = `${PROGRAM} ${how}${this.#words === '' ? '' : `: ${this.#words}`}`;
  }
}

function findProgram(): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    // The current folder is nobody's place for programs.
    if (!isAbsolute(folder)) continue;
    const path = join(folder, PROGRAM);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not here.
    }
  }
  return null;
}

export function nvidiaSource(changed: Partial<NvidiaOptions> = {}): Source {
  const options = { ...DEFAULTS, ...changed };
  return {
    name: 'nvidia',
    open(roots) {
      // Login nodes often have the program without the driver: it would only fail.
      if (!existsSync(join(roots.proc, 'driver', 'nvidia', 'version'))) return null;
      const program = options.program ?? findProgram();
      return program === null ? null : new Nvidia(program, options);
    },
  };
}

/** Use, memory, power, clocks and temperature of NVIDIA's GPUs, as nvidia-smi tells them. */
export const nvidia: Source = nvidiaSource();
