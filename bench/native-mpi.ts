/** What counting MPI costs, beside the plain program: the MPI part of `npm run bench -- native`. */

import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { findProgram } from '../scripts/lib/components.mjs';
import { startEngine } from './support/engine.ts';
import { median, printTable, verdict } from './support/report.ts';

const SOURCE = join(import.meta.dirname, 'native', 'mpi.c');
const LIBRARIES = ['openmpi', 'mpich'] as const;
/** ns of a call; ms that MPI_Init and MPI_Finalize take longer. */
const BUDGET = { call: 60, init: 5, finalize: 5 };

export interface MpiResult {
  readonly library: (typeof LIBRARIES)[number];
  /** CPU ns of a call of MPI_Iprobe. */
  readonly plainCall: number;
  readonly call: number;
  /** Wall µs of a round trip of 8 bytes between two ranks. */
  readonly plainRoundTrip: number;
  readonly roundTrip: number;
  /** ms longer. */
  readonly init: number;
  readonly finalize: number;
}

interface Line {
  readonly init: number;
  readonly finalize: number;
  readonly each: number;
  readonly cpu: number;
}

export interface MpiOptions {
  readonly rounds?: number;
  readonly calls?: number;
  readonly roundTrips?: number;
}

/**
 * Runs each program plain and under vigie-run in turn, with an engine that reads its table, and prints the medians.
 * `vigieRun`: built with the exporters beside it. MPI libraries that are not installed are left out.
 */
export async function measureMpi(
  vigieRun: string,
  folder: string,
  { rounds = 5, calls = 5e6, roundTrips = 1e6 }: MpiOptions = {},
): Promise<MpiResult[]> {
  mkdirSync(folder, { recursive: true });
  const engine = await startEngine(['--memory', '--no-node']);
  const env = {
    ...process.env,
    VIGIE_SOCKET: join(dirname(engine.legacySocket), 'vigie.socket'),
    OMPI_ALLOW_RUN_AS_ROOT: '1',
    OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
    OMPI_MCA_rmaps_base_oversubscribe: '1',
  };
  const results: MpiResult[] = [];
  try {
    for (const library of LIBRARIES) {
      const [compiler, launcher] = [findProgram(`mpicc.${library}`), findProgram(`mpirun.${library}`)];
      if (compiler === undefined || launcher === undefined) continue;
      const program = join(folder, `mpi-${library}`);
      execFileSync(compiler, ['-O2', '-w', '-o', program, SOURCE]);
      const run = (ranks: number, monitored: boolean, ...args: string[]): Line => {
        const words = ['-np', String(ranks), ...(monitored ? [vigieRun, '--'] : []), program, ...args];
        return JSON.parse(execFileSync(launcher, words, { encoding: 'utf8', env })) as Line;
      };
      const probes: [Line, Line][] = [];
      const pairs: [Line, Line][] = [];
      for (let i = 0; i < rounds; i++) {
        const both = (ranks: number, ...args: string[]): [Line, Line] => [
          run(ranks, false, ...args),
          run(ranks, true, ...args),
        ];
        probes.push(both(1, 'probe', String(calls)));
        pairs.push(both(2, 'pingpong', String(roundTrips)));
      }
      const of = (lines: readonly [Line, Line][], which: 0 | 1, key: keyof Line) =>
        median(lines.map((pair) => pair[which][key]));
      const longer = (key: 'init' | 'finalize') =>
        median([...probes, ...pairs].map(([plain, monitored]) => monitored[key] - plain[key]));
      results.push({
        library,
        plainCall: of(probes, 0, 'cpu'),
        call: of(probes, 1, 'cpu'),
        plainRoundTrip: of(pairs, 0, 'each') / 1000,
        roundTrip: of(pairs, 1, 'each') / 1000,
        init: longer('init'),
        finalize: longer('finalize'),
      });
    }
  } finally {
    await engine.stop();
  }
  print(results, rounds);
  return results;
}

function print(results: readonly MpiResult[], rounds: number): void {
  console.log(`\nMPI, medians of ${rounds} rounds, plain and under vigie-run in turn:\n`);
  const compared = (plain: number, counted: number, digits: number) =>
    [plain, counted, counted - plain].map((value) => value.toFixed(digits)).concat((counted / plain).toFixed(2));
  const bound = (value: number, budget: number) => [`≤ ${budget}`, verdict(value <= budget)];
  printTable(
    ['', 'plain', 'counted', 'more', 'ratio', 'budget', ''],
    results.flatMap(({ library, plainCall, call, plainRoundTrip, roundTrip, init, finalize }) => [
      [`${library}: CPU ns of a call`, ...compared(plainCall, call, 1), ...bound(call - plainCall, BUDGET.call)],
      [`${library}: µs of a round trip`, ...compared(plainRoundTrip, roundTrip, 3), '', ''],
      [`${library}: ms of MPI_Init`, '', '', init.toFixed(1), '', ...bound(init, BUDGET.init)],
      [`${library}: ms of MPI_Finalize`, '', '', finalize.toFixed(1), '', ...bound(finalize, BUDGET.finalize)],
    ]),
  );
}
