/** A program with several ranks as the old proxy's MPI exporter would report it, and the sums that must come out. */

import { setInterval as every } from 'node:timers';
import { Pusher } from '../../src/client/pusher.ts';
import type { JobDesc } from '../../src/shared/model/job.ts';

const CALLS = ['mpi_send', 'mpi_recv', 'mpi_allreduce'] as const;
const QUANTITIES = ['hits', 'time', 'size'] as const;
const DOC = { hits: 'Calls', time: 'Seconds in calls', size: 'Bytes given to calls' } as const;
/** Seconds per call: a power of two, so that sums are exact in whatever order they are made. */
const CALL_SECONDS = 2 ** -10;

export interface ProgramOptions extends Partial<JobDesc> {
  readonly jobid: string;
  /** Clients, each on a connection of its own. */
  readonly ranks?: number;
}

export class Program {
  /** What has been pushed of each counter, over all ranks. */
  readonly totals = new Map<string, number>();
  /** The last value of each gauge, of each rank. */
  readonly gauges = new Map<string, number[]>();
  readonly #socket: string;
  readonly #options: ProgramOptions;
  #ranks: Pusher[] = [];
  #round = 0;
  #ended = false;
  #timer: NodeJS.Timeout | null = null;

  private constructor(socket: string, options: ProgramOptions) {
    this.#socket = socket;
    this.#options = options;
  }

  /** Connects every rank and describes the job. Nothing is pushed yet. */
  static async start(socket: string | null, options: ProgramOptions): Promise<Program> {
    if (socket === null) throw new Error('this engine has no socket for programs');
    const program = new Program(socket, options);
    await program.connect();
    return program;
  }

  /** Again after `lose`, or after the engine went away: the same job, so the same run. */
  async connect(): Promise<void> {
    const { ranks = 4, ...desc } = this.#options;
    this.#ranks = await Promise.all(Array.from({ length: ranks }, () => Pusher.connect(this.#socket)));
    for (const rank of this.#ranks) {
      rank.job({ size: ranks, ...desc });
      for (const call of CALLS)
        for (const what of QUANTITIES) rank.describeCounter(`mpi___${what}___${call}`, DOC[what]);
      rank.describeGauge('app_residual_ratio', 'Residual of the last time step');
    }
  }

  /** One time step on every rank. */
  step(): void {
    this.#round++;
    this.#ranks.forEach((pusher, rank) => {
      CALLS.forEach((call, c) => {
        const calls = (rank + 1) * (c + 1) + (this.#round % 3);
        this.#increase(pusher, `mpi___hits___${call}`, calls);
        this.#increase(pusher, `mpi___time___${call}`, calls * CALL_SECONDS);
        this.#increase(pusher, `mpi___size___${call}`, calls * 4096);
      });
      this.set(rank, 'app_residual_ratio', 1 / 2 ** ((this.#round + rank) % 8));
    });
  }

  #increase(pusher: Pusher, name: string, by: number): void {
    pusher.increase(name, by);
    this.totals.set(name, (this.totals.get(name) ?? 0) + by);
  }

  set(rank: number, name: string, value: number): void {
    this.#ranks[rank]?.set(name, value);
    const values = this.gauges.get(name) ?? [];
    values[rank] = value;
    this.gauges.set(name, values);
  }

  /** Steps by itself until it is told to hold. */
  run(everyMs = 100): void {
    this.#timer ??= every(() => this.step(), everyMs);
  }

  hold(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }

  /**
   * What the last sample of each metric may be: the sum of a counter; of a gauge the mean over the ranks, and at the end,
   * when they have left one after the other, the value of the last one.
   */
  expected(): Map<string, readonly number[]> {
    const out = new Map<string, readonly number[]>([...this.totals].map(([name, total]) => [name, [total]]));
    for (const [name, values] of this.gauges) {
      out.set(name, this.#ended ? values : [values.reduce((sum, value) => sum + value, 0) / values.length]);
    }
    return out;
  }

  /** The ranks end as programs do: everything they wrote is read. */
  async end(): Promise<void> {
    this.hold();
    this.#ended = true;
    await Promise.all(this.#ranks.map((rank) => rank.close()));
  }

  /** All connections break off. */
  lose(): void {
    this.hold();
    for (const rank of this.#ranks) rank.destroy();
  }
}
