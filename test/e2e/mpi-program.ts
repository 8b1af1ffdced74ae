/** Ranks of an MPI program as instrumentation reports them, and the sums that must come out. */

import { setInterval as every } from 'node:timers';
import { Pusher } from '../../src/client/pusher.ts';

/** One call of one rank in a step: how often, how long in seconds, and how many bytes; null: the call has no size. */
export interface Made {
  readonly hits: number;
  readonly time: number;
  readonly size: number | null;
}

/** What a rank does in a step, by call in lower case without `mpi_`. */
export type Step = (rank: number) => Readonly<Record<string, Made>>;

/** Quarters and eighths: exact in whatever order they are added. */
export const EVEN: Step = () => ({
  allreduce: { hits: 8, time: 0.25, size: 8 * 1024 },
  isend: { hits: 16, time: 0.125, size: 16 * 65_536 },
  waitall: { hits: 4, time: 0.25, size: null },
});

const DOCS = {
  hits: 'Number of function calls for',
  time: 'Total seconds spent for',
  size: 'Total size (IN + OUT) for',
};

export class MpiProgram {
  /** By metric, over all ranks. */
  readonly totals = new Map<string, number>();
  /** Seconds in MPI of each rank. */
  readonly times: number[];
  readonly #ranks: Pusher[];
  readonly #described: Set<string>[];
  #timer: NodeJS.Timeout | null = null;

  private constructor(ranks: Pusher[]) {
    this.#ranks = ranks;
    this.times = ranks.map(() => 0);
    this.#described = ranks.map(() => new Set());
  }

  static async start(
    socket: string | null,
    job: Parameters<Pusher['job']>[0],
    { ranks = 4, metrics = true }: { ranks?: number; metrics?: boolean } = {},
  ): Promise<MpiProgram> {
    if (socket === null) throw new Error('this engine has no socket for programs');
    const program = new MpiProgram(await Promise.all(Array.from({ length: ranks }, () => Pusher.connect(socket))));
    // One after the other: a rank's number is its place in the order of arrival.
    for (const [rank, pusher] of program.#ranks.entries()) {
      pusher.job({ size: ranks, ...job });
      if (metrics) program.#increase(rank, 'mpi___hits___mpi_init', 'Number of function calls for MPI_Init', 1);
      else program.#increase(rank, 'app_steps_total', 'Steps', 1);
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    return program;
  }

  #increase(rank: number, name: string, doc: string, by: number): void {
    const pusher = this.#ranks[rank]!;
    const described = this.#described[rank]!;
    if (!described.has(name)) pusher.describeCounter(name, doc);
    described.add(name);
    pusher.increase(name, by);
    this.totals.set(name, (this.totals.get(name) ?? 0) + by);
  }

  /** One step on every rank. */
  step(work: Step): void {
    for (let rank = 0; rank < this.#ranks.length; rank++) {
      for (const [call, made] of Object.entries(work(rank))) {
        for (const what of ['hits', 'time', 'size'] as const) {
          const by = made[what];
          if (by === null) continue;
          this.#increase(rank, `mpi___${what}___mpi_${call}`, `${DOCS[what]} ${call}`, by);
          this.#increase(rank, TOTALS[what], 'Aggregated MPI metrics', by);
        }
        this.times[rank]! += made.time;
      }
    }
  }

  run(work: Step, everyMs = 200): void {
    this.#timer ??= every(() => this.step(work), everyMs);
  }

  hold(): void {
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }

  async end(): Promise<void> {
    this.hold();
    await Promise.all(this.#ranks.map((rank) => rank.close()));
  }

  lose(): void {
    this.hold();
    for (const rank of this.#ranks) rank.destroy();
  }
}

const TOTALS = {
  hits: 'total___mpi___hits___total',
  time: 'total___mpi___time___total',
  size: 'total___mpi___size_total',
} as const;
