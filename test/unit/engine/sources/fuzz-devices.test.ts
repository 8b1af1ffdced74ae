import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { amdgpu } from '../../../../src/engine/sources/amdgpu.ts';
import { CGROUP_FILES } from '../../../../src/engine/sources/cgroup.ts';
import { infiniband } from '../../../../src/engine/sources/infiniband.ts';
import { lustre, parseLustreStats } from '../../../../src/engine/sources/lustre.ts';
import { nfsMounts, parseMountstats } from '../../../../src/engine/sources/nfs-mounts.ts';
import { nfs, parseNfsClient } from '../../../../src/engine/sources/nfs.ts';
import { parseNvidiaLine } from '../../../../src/engine/sources/nvidia-line.ts';
import { rapl } from '../../../../src/engine/sources/rapl.ts';
import { slurm } from '../../../../src/engine/sources/slurm.ts';
import type { Source } from '../../../../src/engine/sources/source.ts';
import { formatMetric, refuseMetricName } from '../../../../src/shared/model/metric.ts';
import { hostileOf } from './hostile.ts';
import { Recorder, openTree, packed } from './recorder.ts';

const NODE = 'written-gpu-node';
const JOB = 'sys/fs/cgroup/system.slice/slurmstepd.scope/job_1002';
const JOB1 = 'slurm/uid_1000/job_4242';
const runs = { numRuns: 500 };

function expectNumbers(...values: readonly (number | null | undefined)[]): void {
  for (const value of values) {
    if (value !== null && value !== undefined && !(value >= 0 && value < Infinity)) expect.fail(`${value}`);
  }
}

describe('whatever the bytes are, the numbers are finite and not negative', () => {
  test('rpc/nfs and mountstats', () => {
    const client = hostileOf([packed(NODE, 't0', 'proc/net/rpc/nfs')]);
    const mounts = hostileOf([packed(NODE, 't0', 'proc/self/mountstats')]);
    fc.assert(
      fc.property(client, mounts, (first, second) => {
        const { rpc, version3, version4 } = parseNfsClient(first);
        expectNumbers(...(rpc ?? []), ...version3, ...version4);
        for (const mount of parseMountstats(second)) {
          expectNumbers(...mount.bytes, ...Object.values(mount.operations).flatMap((sums) => Object.values(sums)));
          expect(refuseMetricName(formatMetric('x', [['m', mount.mount]]))).toBeNull();
          expect(refuseMetricName(formatMetric('x', [['e', mount.export]]))).toBeNull();
        }
      }),
      runs,
    );
  });

  test('statistics of Lustre', () => {
    const file = 'sys/kernel/debug/lustre/llite/scratch-ffff9d2ac3f5c000/stats';
    fc.assert(
      fc.property(hostileOf([packed(NODE, 't0', file)]), (bytes) => {
        for (const [operation, { samples, sum }] of parseLustreStats(bytes)) {
          expect(operation).toMatch(/^[a-z][a-z0-9_]*$/);
          expectNumbers(samples, sum);
        }
      }),
      runs,
    );
  });

  test('files of a cgroup', () => {
    const samples = [
      ...['cpu.stat', 'memory.current', 'memory.stat', 'memory.events', 'io.stat'].map((name) =>
        packed('written-slurm-v2', 't0', `${JOB}/${name}`),
      ),
      packed('written-slurm-v1', 't0', `sys/fs/cgroup/memory/${JOB1}/memory.stat`),
      packed('written-slurm-v1', 't0', `sys/fs/cgroup/blkio/${JOB1}/blkio.throttle.io_service_bytes_recursive`),
    ];
    const files = Object.values(CGROUP_FILES).flat();
    fc.assert(
      fc.property(hostileOf(samples), (bytes) => {
        for (const { parse } of files) expectNumbers(...Object.values(parse(bytes)));
      }),
      runs,
    );
  });

  test('lines of nvidia-smi', () => {
    const line = Buffer.from('0, 97, 12, 40536, 81920, 54, 312.55, 1410, 1593, NVIDIA A100-SXM4-80GB');
    fc.assert(
      fc.property(hostileOf([line]), (bytes) => {
        const gpu = parseNvidiaLine(Buffer.from(bytes).toString('latin1'));
        if (gpu === null) return;
        const { model, ...numbers } = gpu;
        expectNumbers(...Object.values(numbers));
        for (const percent of [gpu.usage, gpu.memoryBusy])
          if (percent !== null) expect(percent).toBeLessThanOrEqual(100);
        if (model !== null) expect(refuseMetricName(formatMetric('x', [['model', model]]))).toBeNull();
      }),
      runs,
    );
  });
});

describe('a whole tree', () => {
  const CASES: readonly (readonly [tree: string, sources: readonly Source[], files: readonly string[]])[] = [
    [
      NODE,
      [nfs, nfsMounts, lustre, infiniband, rapl, amdgpu],
      [
        'proc/net/rpc/nfs',
        'proc/self/mountstats',
        'sys/kernel/debug/lustre/llite/scratch-ffff9d2ac3f5c000/stats',
        'sys/class/infiniband/mlx5_0/ports/1/counters/port_rcv_data',
        'sys/class/infiniband/mlx5_0/ports/1/rate',
        'sys/class/powercap/intel-rapl:0/energy_uj',
        'sys/class/drm/card1/device/gpu_busy_percent',
        'sys/class/drm/card1/device/hwmon/hwmon3/temp1_input',
      ],
    ],
    [
      'written-slurm-v2',
      [slurm],
      ['cpu.stat', 'memory.current', 'memory.max', 'io.stat'].map((name) => `${JOB}/${name}`),
    ],
  ];

  test.each(CASES)('%s: sampled over hostile content, writes nothing invalid', (name, sources, files) => {
    const tree = openTree(name);
    try {
      const moment = fc.tuple(...files.map((file) => hostileOf([packed(name, 't0', file)])));
      fc.assert(
        fc.property(fc.array(moment, { minLength: 2, maxLength: 4 }), (moments) => {
          const out = new Recorder();
          const instances = sources.flatMap((source) => source.open(tree.roots) ?? []);
          for (const [i, contents] of moments.entries()) {
            for (const [k, content] of contents.entries()) tree.write(files[k]!, content);
            for (const instance of instances) {
              try {
                instance.sample(out, 10 * i);
              } catch (error) {
                expect(String(error)).toMatch(/how many calls/);
              }
            }
          }
          for (const instance of instances) void instance.close();
        }),
        { numRuns: 60 },
      );
    } finally {
      tree.remove();
    }
  });
});
