import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { CGROUP_FILES } from '../../../../src/engine/sources/cgroup.ts';
import type { CgroupParser, Controller } from '../../../../src/engine/sources/cgroup.ts';
import { findPlaces, walkPlaces } from '../../../../src/engine/sources/slurm-tree.ts';
import { slurm } from '../../../../src/engine/sources/slurm.ts';
import type { SourceInstance } from '../../../../src/engine/sources/source.ts';
import { Recorder, openTree } from './recorder.ts';
import type { Tree } from './recorder.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const SCOPE = 'sys/fs/cgroup/system.slice/slurmstepd.scope';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean();
});

function openFixture(name: string): Tree {
  const tree = openTree(name);
  cleanups.push(tree.remove);
  return tree;
}

function open(name: string): { tree: Tree; instance: SourceInstance; out: Recorder } {
  const tree = openFixture(name);
  const instance = slurm.open(tree.roots)!;
  cleanups.push(() => void instance.close());
  return { tree, instance, out: new Recorder() };
}

describe('files of a cgroup', () => {
  const parser = (controller: Controller, name: string): CgroupParser =>
    CGROUP_FILES[controller].find((file) => file.name === name)!.parse;

  test.each([
    [
      'unified',
      'cpu.stat',
      'usage_usec 2500000\nuser_usec 2000000\nsystem_usec 500000\n',
      { cpu: 2.5, cpuSystem: 0.5 },
    ],
    ['unified', 'cpu.stat', 'usage_usec 1\nusage_usec_more 7\nsystem_usec x\nthrottled_usec 3', { cpu: 1e-6 }],
    ['unified', 'memory.current', '4096\n', { memory: 4096 }],
    ['unified', 'memory.current', '4096', {}],
    ['unified', 'memory.max', 'max\n', { memoryLimit: null }],
    ['unified', 'memory.max', '1073741824\n', { memoryLimit: 2 ** 30 }],
    ['unified', 'memory.stat', 'anon 1\nanon_thp 9\nfile 2\nfile_mapped 9\n', { memoryAnonymous: 1, memoryCache: 2 }],
    ['unified', 'memory.events', 'oom 5\noom_kill 2\noom_group_kill 1\n', { oomKills: 2 }],
    [
      'unified',
      'io.stat',
      '8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n8:16 rbytes=10 wbytes=20 rios=30 wios=40\n7:0 \nx\n',
      { readBytes: 11, writtenBytes: 22, reads: 33, writes: 44 },
    ],
    ['cpuacct', 'cpuacct.usage', '1500000000\n', { cpu: 1.5 }],
    ['cpuacct', 'cpuacct.stat', 'user 900\nsystem 7\n', { cpuSystem: 0.07 }],
    ['cpu', 'cpu.stat', 'nr_periods 1\nnr_throttled 1\nthrottled_time 2000000000\n', { cpuThrottled: 2 }],
    ['memory', 'memory.limit_in_bytes', '9223372036854771712\n', { memoryLimit: null }],
    ['memory', 'memory.stat', 'rss 1\ncache 1\ntotal_rss 5\ntotal_cache 6\n', { memoryAnonymous: 5, memoryCache: 6 }],
    [
      'blkio',
      'blkio.throttle.io_service_bytes_recursive',
      '8:0 Read 5\n8:0 Write 6\n8:0 Total 11\n9:1 Read 1\nTotal 12\n',
      { readBytes: 6, writtenBytes: 6 },
    ],
  ] as const)('%s %s %j', (controller, name, text, found) => {
    expect(parser(controller, name)(bytes(text))).toEqual(found);
  });
});

describe('where jobs are', () => {
  const matrix = (name: string): unknown => {
    const root = join(openFixture(name).roots.sys, 'fs', 'cgroup');
    const { cgroups } = walkPlaces(findPlaces(root), 100);
    return [...cgroups.values()].map(({ slurmd, job, step, folders }) => [
      slurmd,
      job,
      step,
      [...folders.keys()].join(),
    ]);
  };

  test('version 1', () => {
    expect(matrix('written-slurm-v1')).toEqual([
      [null, '4242', null, 'cpuacct,cpu,memory,blkio'],
      [null, '4242', '0', 'cpuacct,cpu,memory'],
      [null, '4242', 'batch', 'cpuacct,cpu,memory'],
      [null, '4242', 'extern', 'cpuacct,cpu,memory'],
      [null, '4243', null, 'cpuacct,cpu,memory'],
    ]);
  });

  test('hybrid, with several slurmds', () => {
    expect(matrix('written-slurm-hybrid')).toEqual([
      ['node1', '77', null, 'cpuacct,cpu,memory'],
      ['node1', '77', '0', 'cpuacct,cpu,memory'],
      ['node2', '77', null, 'cpuacct,cpu,memory'],
      ['node2', '77', '0', 'cpuacct,cpu,memory'],
      ['node2', '78', null, 'cpuacct,cpu,memory'],
      ['node2', '78', '0', 'cpuacct,cpu,memory'],
    ]);
  });

  test('version 2', () => {
    expect(matrix('written-slurm-v2')).toEqual([
      [null, '1001', null, 'unified'],
      [null, '1001', 'batch', 'unified'],
      [null, '1001', 'extern', 'unified'],
      [null, '1002', null, 'unified'],
      [null, '1002', '0', 'unified'],
      [null, '1002', 'batch', 'unified'],
    ]);
  });

  test('version 2, several slurmds, one of them in a container', () => {
    expect(matrix('written-slurm-v2-shared')).toEqual([
      ['c1', '501', null, 'unified'],
      ['n1', '500', null, 'unified'],
      ['n1', '500', '0+1', 'unified'],
      ['n2.example', '500', null, 'unified'],
      ['n2.example', '500', '0+1', 'unified'],
    ]);
  });

  test('names that are not of Slurm are no jobs', () => {
    const { tree, instance, out } = open('written-slurm-v2');
    for (const name of [
      'job_',
      'job_a"b',
      `job_${'9'.repeat(33)}`,
      'xjob_1',
      'job_5/step_',
      'job_5/step_a b',
      'system',
    ]) {
      tree.write(`${SCOPE}/${name}/cpu.stat`, 'usage_usec 5\n');
    }
    instance.sample(out, 0);
    expect(out.value('proxy_slurm_jobs')).toBe(3);
    expect(out.value('proxy_slurm_steps')).toBe(4);
  });

  test('a machine without Slurm has none', () => {
    for (const name of ['written-gpu-node', 'recorded-debian12'])
      expect(slurm.open(openFixture(name).roots)).toBeNull();
    const empty = mkdtempSync(join(tmpdir(), 'vigie-sources-'));
    cleanups.push(() => rmSync(empty, { recursive: true }));
    expect(slurm.open({ proc: empty, sys: empty })).toBeNull();
  });
});

describe('jobs over time', () => {
  const cpu = (job: string): string => `proxy_slurm_job_cpu_seconds_total{job="${job}"}`;
  const memory = (job: string): string => `proxy_slurm_job_memory_used_bytes{job="${job}"}`;
  const start = (tree: Tree, job: string, seconds: number): void => {
    tree.write(`${SCOPE}/job_${job}/cpu.stat`, `usage_usec ${seconds * 1e6}\n`);
    tree.write(`${SCOPE}/job_${job}/memory.current`, '4096\n');
  };

  test('one that starts is there at the next tick, one that ends leaves its counters only', () => {
    const { tree, instance, out } = open('written-slurm-v2');
    instance.sample(out, 0);
    expect(out.value('proxy_slurm_jobs')).toBe(2);
    start(tree, '2000', 3);
    instance.sample(out, 1);
    expect([out.value(cpu('2000')), out.value(memory('2000'))]).toEqual([3, 4096]);
    tree.drop(`${SCOPE}/job_2000`);
    instance.sample(out, 1);
    expect([out.value(cpu('2000')), out.value(memory('2000'))]).toEqual([3, null]);
    expect(out.value('proxy_slurm_jobs')).toBe(2);
  });

  test('one that ends while another starts: the folders are as many as before', () => {
    const { tree, instance, out } = open('written-slurm-v2');
    instance.sample(out, 0);
    instance.sample(out, 1);
    tree.drop(`${SCOPE}/job_1001`);
    start(tree, '2001', 1);
    for (let i = 0; i < 10; i++) instance.sample(out, 1);
    expect(out.value(memory('1001'))).toBeNull();
    expect(out.value(cpu('2001'))).toBe(1);
  });

  test('a job that is put back in the queue and starts again has its new numbers', () => {
    const { tree, instance, out } = open('written-slurm-v2');
    start(tree, '2002', 50);
    instance.sample(out, 0);
    tree.drop(`${SCOPE}/job_2002`);
    instance.sample(out, 1);
    start(tree, '2002', 2);
    instance.sample(out, 1);
    expect([out.value(cpu('2002')), out.value(memory('2002'))]).toEqual([2, 4096]);
  });

  test('a limit that is lifted is no limit', () => {
    const { tree, instance, out } = open('written-slurm-v2');
    instance.sample(out, 0);
    const limit = 'proxy_slurm_job_memory_limit_bytes{job="1001"}';
    expect(out.value(limit)).toBe(4 * 2 ** 30);
    tree.write(`${SCOPE}/job_1001/memory.max`, 'max\n');
    instance.sample(out, 10);
    expect(out.value(limit)).toBeNull();
  });

  test('the controllers of version 1 get their folders one after another', () => {
    const { tree, instance, out } = open('written-slurm-v1');
    instance.sample(out, 0);
    tree.write('sys/fs/cgroup/memory/slurm/uid_7/job_9/memory.usage_in_bytes', '8192\n');
    instance.sample(out, 1);
    expect([out.value(memory('9')), out.value(cpu('9'))]).toEqual([8192, undefined]);
    tree.write('sys/fs/cgroup/cpu,cpuacct/slurm/uid_7/job_9/cpuacct.usage', '4000000000\n');
    instance.sample(out, 1);
    expect([out.value(memory('9')), out.value(cpu('9'))]).toEqual([8192, 4]);
  });

  test('a scope that comes later, of a second slurmd, is found', () => {
    const { tree, instance, out } = open('written-slurm-v2');
    instance.sample(out, 0);
    tree.write('sys/fs/cgroup/system.slice/b_slurmstepd.scope/job_1/cpu.stat', 'usage_usec 1000000\n');
    instance.sample(out, 60);
    expect(out.value('proxy_slurm_job_cpu_seconds_total{job="1",slurmd="b"}')).toBe(1);
  });

  test('a job of a great many steps does not make a great many series', () => {
    const { tree, instance, out } = open('written-slurm-v2');
    for (let i = 0; i < 400; i++) tree.write(`${SCOPE}/job_3000/step_${i}/cpu.stat`, 'usage_usec 1000000\n');
    instance.sample(out, 0);
    expect(Number(out.value('proxy_slurm_jobs')) + Number(out.value('proxy_slurm_steps'))).toBe(256);
  });
});
