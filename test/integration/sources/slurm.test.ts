import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { slurm } from '../../../src/engine/sources/slurm.ts';
import { eventually } from '../../support/wait.ts';
import { Recorder } from '../../unit/engine/sources/recorder.ts';

const ROOT = '/sys/fs/cgroup';
const CONTROLLERS = ['cpuacct', 'memory'] as const;
/** As several slurmds on one machine name theirs, so that a real one is not disturbed. */
const NODE = `vigie-test-${process.pid}`;
const at = (controller: string, path: string): string => join(ROOT, controller, `slurm_${NODE}`, path);

function writable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return existsSync(join(folder, 'cgroup.procs'));
  } catch {
    return false;
  }
}

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0).reverse()) clean();
});

// Only root may make cgroups, and version 1 is not everywhere: written trees stand in elsewhere.
describe.runIf(CONTROLLERS.every((controller) => writable(join(ROOT, controller))))('cgroups of this kernel', () => {
  function make(path: string): void {
    for (const controller of CONTROLLERS) {
      const folder = at(controller, path);
      mkdirSync(folder);
      cleanups.push(() => {
        if (existsSync(folder)) rmdirSync(folder);
      });
    }
  }

  test('a job at work: its time is counted, its folders are noticed when they come and when they go', async () => {
    for (const path of ['', 'uid_0', 'uid_0/job_7', 'uid_0/job_7/step_0']) make(path);
    const source = slurm.open({ proc: '/proc', sys: '/sys' })!;
    cleanups.push(() => void source.close());
    const out = new Recorder();
    const name = (family: string, labels: string): string => `proxy_slurm_${family}{${labels},slurmd="${NODE}"}`;
    const worker = spawn('/bin/sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' });
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    cleanups.push(() => worker.kill('SIGKILL'));
    for (const controller of CONTROLLERS) {
      writeFileSync(at(controller, 'uid_0/job_7/step_0/cgroup.procs'), String(worker.pid));
    }
    await eventually(() => {
      source.sample(out, 1);
      return (out.value(name('step_cpu_seconds_total', 'job="7",step="0"')) ?? 0) > 0.1;
    });
    // A job's numbers hold those of its steps.
    expect(out.value(name('job_cpu_seconds_total', 'job="7"'))).toBeGreaterThan(0.09);
    expect(out.value(name('job_memory_used_bytes', 'job="7"'))).toBeGreaterThanOrEqual(0);
    make('uid_0/job_8');
    source.sample(out, 1);
    expect(out.value(name('job_memory_used_bytes', 'job="8"'))).toBeGreaterThanOrEqual(0);

    worker.kill('SIGKILL');
    await ended;
    for (const controller of CONTROLLERS) {
      // The kernel lets go of an ended process a moment later.
      await eventually(() => {
        rmdirSync(at(controller, 'uid_0/job_7/step_0'));
        return true;
      });
      rmdirSync(at(controller, 'uid_0/job_7'));
    }
    source.sample(out, 1);
    expect(out.value(name('job_memory_used_bytes', 'job="7"'))).toBeNull();
    expect(out.value(name('job_cpu_seconds_total', 'job="7"'))).toBeGreaterThan(0.09);
    expect(out.value(name('job_memory_used_bytes', 'job="8"'))).toBeGreaterThanOrEqual(0);
  });
});
