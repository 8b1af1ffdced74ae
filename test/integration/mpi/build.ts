/** vigie-run with its MPI exporters, and the programs that tests run under it, built with both MPI libraries of Debian. */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { promisify } from 'node:util';

import { onTestFinished } from 'vitest';

import type { Component } from '../../support/components.ts';
import { buildNative } from '../../support/native.ts';

const call = promisify(execFile);
const native = path.resolve(import.meta.dirname, '../../../native');
const sources = path.join(native, 'exporters/mpi/test');

export const LIBRARIES = ['openmpi', 'mpich'] as const;
export type Library = (typeof LIBRARIES)[number];
export const BINDINGS = ['mpif.h', 'mpi', 'mpi_f08'] as const;

export const NEEDED: readonly Component[] = [
  'mpicc.openmpi',
  'mpirun.openmpi',
  'mpicc.mpich',
  'mpirun.mpich',
  'gfortran',
];

export async function buildExporters(folder: string): Promise<string> {
  const exporters = LIBRARIES.map((library) => `vigie-exporter-mpi-${library}`);
  const built = await buildNative(folder, ['vigie-run', 'vigie-preload', 'vigie-exporter-mpi', ...exporters]);
  return built('run/vigie-run');
}

export async function buildPrograms(folder: string): Promise<void> {
  const source = (name: string) => path.join(sources, name);
  const at = (name: string) => path.join(folder, name);
  await call('cc', ['-c', '-o', at('did.o'), source('did_fortran.c')]);
  await call('cc', ['-o', at('dlopens'), source('dlopens.c'), '-ldl']);
  for (const library of LIBRARIES) {
    // MPICH's header warns about its own constants.
    const flags = ['-O1', '-w', '-pthread'];
    await call(`mpicc.${library}`, [...flags, '-o', at(`calls-${library}`), source('calls.c')]);
    await call(`mpicc.${library}`, [...flags, '-o', at(`failures-${library}`), source('failures.c')]);
    await call(`mpicc.${library}`, [...flags, '-o', at(`paced-${library}`), source('paced.c')]);
    await call(`mpicc.${library}`, [...flags, '-shared', '-fPIC', '-o', at(`tool-${library}.so`), source('tool.c')]);
    for (const [i, name] of BINDINGS.entries()) {
      const fortran = ['-w', '-ffree-line-length-none', '-fallow-argument-mismatch', `-DBINDING=${i + 1}`];
      const files = [source('calls.F90'), at('did.o')];
      await call(`mpifort.${library}`, [...fortran, '-J', folder, '-o', at(`${name}-${library}`), ...files]);
    }
  }
}

export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end; killed with the test. */
export function start(command: readonly string[], env: NodeJS.ProcessEnv, cwd: string) {
  const child: ChildProcess = spawn(command[0]!, command.slice(1), { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout!.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr!.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return once(child, 'close').then(([code, signal]): Outcome => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    stdout,
    stderr,
  }));
}

/** Environment in which both launchers start 4 ranks on few cores, as root too. */
export const environment: NodeJS.ProcessEnv = {
  PATH: process.env['PATH'],
  HOME: process.env['HOME'],
  OMPI_ALLOW_RUN_AS_ROOT: '1',
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
  OMPI_MCA_rmaps_base_oversubscribe: '1',
  OMPI_MCA_mpi_yield_when_idle: '1',
};

export const mpirun = (library: Library, ranks: number): string[] => [`mpirun.${library}`, '-np', String(ranks)];

/**
 * Counters that the program itself says it must have: the sums over all ranks of what they wrote on stdout, a line
 * `mpi_send calls in out` for each function. Everything but times.
 */
export function expected(stdout: string): Record<string, number> {
  const sums: Record<string, number> = {};
  const add = (name: string, value: number) => {
    if (value > 0) sums[name] = (sums[name] ?? 0) + value;
  };
  for (const [, name, ...numbers] of stdout.matchAll(/^(mpi_\w+) (\d+) (\d+) (\d+)$/gm)) {
    const [calls, into, out] = numbers.map(Number) as [number, number, number];
    add(`mpi___hits___${name}`, calls);
    add('total___mpi___hits___total', calls);
    add(`mpi___size___${name}`, into + out);
    add('total___mpi___size_total', into + out);
    add(`mpi___size_in___${name}`, into);
    add('total___mpi___size___total_in', into);
    add(`mpi___size_out___${name}`, out);
    add('total___mpi___size___total_out', out);
  }
  return sums;
}

/** The same part of what was counted. */
export function counted(values: Iterable<readonly [string, number]>): Record<string, number> {
  return Object.fromEntries(
    [...values].filter(([name, value]) => /^(total___)?mpi___(hits|size)/.test(name) && value > 0),
  );
}
