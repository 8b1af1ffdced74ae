import { afterEach, describe, expect, test } from 'vitest';
import { lustre, parseLustreStats } from '../../../../src/engine/sources/lustre.ts';
import { nfsMounts, parseMountstats } from '../../../../src/engine/sources/nfs-mounts.ts';
import { NFS3_OPERATIONS, NFS4_OPERATIONS } from '../../../../src/engine/sources/nfs-operations.ts';
import { nfs, parseNfsClient } from '../../../../src/engine/sources/nfs.ts';
import { Recorder, openTree, packed } from './recorder.ts';
import type { Tree } from './recorder.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean();
});

function tree(name: string): Tree {
  const opened = openTree(name);
  cleanups.push(opened.remove);
  return opened;
}

describe('rpc/nfs', () => {
  test('calls by operation', () => {
    const client = parseNfsClient(packed('written-gpu-node', 't0', 'proc/net/rpc/nfs'));
    expect(client.rpc).toEqual([1218785, 374, 1218787]);
    expect(client.version3[NFS3_OPERATIONS.indexOf('read')]).toBe(98812);
    expect(client.version4[NFS4_OPERATIONS.indexOf('getattr')]).toBe(226);
  });

  // From the RFC and from the kernel's header: the places are what the numbers mean.
  test('operations stand at their places', () => {
    expect(NFS3_OPERATIONS).toHaveLength(22);
    expect(NFS3_OPERATIONS[21]).toBe('commit');
    expect([1, 9, 18, 31, 41, 56].map((i) => NFS4_OPERATIONS[i])).toEqual([
      'read',
      'setattr',
      'getattr',
      'delegreturn',
      'sequence',
      'deallocate',
    ]);
    expect(new Set(NFS4_OPERATIONS).size).toBe(NFS4_OPERATIONS.length);
  });

  test.each([
    ['nothing', ''],
    ['cut off', 'rpc 1 2 3'],
    ['two numbers', 'rpc 1 2\n'],
    ['no numbers', 'rpc 1 2 x\n'],
    ['negative ones', 'rpc 1 -2 3\n'],
  ])('%s: no calls', (_, text) => {
    expect(parseNfsClient(bytes(text)).rpc).toBeNull();
  });

  test('a line with fewer or more numbers than it says is left out', () => {
    const client = parseNfsClient(bytes('rpc 1 2 3\nproc3 3 1 2\nproc4 1 5 6\n'));
    expect(client).toEqual({ rpc: [1, 2, 3], version3: [], version4: [] });
  });

  test('without the line of calls a sample fails, and the next one is good again', () => {
    const here = tree('written-gpu-node');
    const instance = nfs.open(here.roots)!;
    cleanups.push(() => void instance.close());
    const out = new Recorder();
    here.write('proc/net/rpc/nfs', 'net 0 0 0 0\n');
    expect(() => instance.sample(out, 0)).toThrow('how many calls');
    here.write('proc/net/rpc/nfs', 'rpc 7 0 0\nproc3 2 0 4\n');
    instance.sample(out, 1);
    expect(out.value('proxy_nfs_rpc_calls_total')).toBe(7);
    expect(out.value('proxy_nfs_requests_total{version="3",operation="getattr"}')).toBe(4);
    // Operations that were never used make no series.
    expect(out.names()).toHaveLength(4);
    const later = Array.from({ length: 61 }, (_, i) => (i < 57 ? 0 : i));
    here.write('proc/net/rpc/nfs', `rpc 7 0 0\nproc4 61 ${later.join(' ')}\n`);
    instance.sample(out, 1);
    expect(out.value('proxy_nfs_requests_total{version="4",operation="other"}')).toBe(57 + 58 + 59 + 60);
  });
});

describe('mountstats', () => {
  const mount = (device: string, at: string, options: string, bytesRead: number): string =>
    `device ${device} mounted on ${at} with fstype nfs4 statvers=1.1\n\topts:\t${options}\n\tage:\t5\n` +
    `\tbytes:\t${bytesRead} 2 3 4 5 6 7 8\n\tper-op statistics\n\t        READ: 3 4 1 0 0 10 2000 3000 0\n\n`;

  test('each file system once, at the first place', () => {
    const mounts = parseMountstats(packed('written-gpu-node', 't0', 'proc/self/mountstats'));
    expect(mounts.map((m) => [m.mount, m.export])).toEqual([
      ['/scratch', 'nfs1:/scratch'],
      ['/home', 'nfs2:/export/home'],
    ]);
    expect(mounts[0]!.bytes).toEqual([1207640230 + 65536, 4096, 1210640230, 8192]);
    expect(mounts[0]!.operations.read).toEqual({
      ...{ operations: 1298, retransmissions: 2, timeouts: 1 },
      ...{ responseSeconds: 77.88, seconds: 90.86 },
    });
    expect(mounts[0]!.operations.other.operations).toBe(1 + 15 + 226);
  });

  test('the same export with other options is another file system', () => {
    const text = mount('s:/a', '/1', 'rw', 1) + mount('s:/a', '/2', 'ro', 2) + mount('s:/a', '/3', 'rw', 3);
    expect(parseMountstats(bytes(text)).map((m) => m.mount)).toEqual(['/1', '/2']);
    const apart = mount('s:/a', '/1', 'rw,nosharecache', 1) + mount('s:/a', '/2', 'rw,nosharecache', 2);
    expect(parseMountstats(bytes(apart))).toHaveLength(2);
  });

  test('blanks and quotes in paths', () => {
    const [found] = parseMountstats(bytes(mount('s:/my\\040files', '/with\\134and\\011"', 'rw', 1)));
    expect([found!.export, found!.mount]).toEqual(['s:/my files', '/with\\and\\x09"']);
  });

  test.each([
    ['cut off in its numbers', mount('s:/a', '/1', 'rw', 1).slice(0, -20)],
    ['of another kind', mount('s:/a', '/1', 'rw', 1).replace('nfs4', 'ext4')],
    ['without bytes', mount('s:/a', '/1', 'rw', 1).replace('bytes:', 'bites:')],
    ['with words for numbers', mount('s:/a', '/1', 'rw', 1).replace('2000', 'two')],
    ['with few numbers', mount('s:/a', '/1', 'rw', 1).replace(' 2000 3000 0', '')],
  ])('a mount %s is left out, the others stay', (_, text) => {
    const mounts = parseMountstats(bytes(`${mount('s:/b', '/2', 'rw', 9)}${text}`));
    expect(mounts.map((m) => m.mount)).toEqual(['/2']);
  });

  test('without any mount of NFS the file is read rarely', () => {
    const here = tree('written-gpu-node');
    here.write('proc/self/mountstats', 'device proc mounted on /proc with fstype proc\n');
    const instance = nfsMounts.open(here.roots)!;
    cleanups.push(() => void instance.close());
    const out = new Recorder();
    instance.sample(out, 0);
    here.write('proc/self/mountstats', mount('s:/a', '/1', 'rw', 1));
    for (let i = 0; i < 9; i++) instance.sample(out, 1);
    expect(out.names()).toEqual([]);
    instance.sample(out, 1);
    const read = 'proxy_nfs_mount_read_bytes_total{mount="/1",export="s:/a"}';
    expect(out.value(read)).toBe(4);
    here.write('proc/self/mountstats', mount('s:/a', '/1', 'rw', 100));
    instance.sample(out, 1);
    expect(out.value(read)).toBe(103);
  });

  test('ever new mounts do not make ever more series', () => {
    const here = tree('written-gpu-node');
    const instance = nfsMounts.open(here.roots)!;
    cleanups.push(() => void instance.close());
    const out = new Recorder();
    for (let i = 0; i < 300; i++) {
      here.write('proc/self/mountstats', mount('s:/a', `/home/user${i}`, 'rw', 1));
      instance.sample(out, 1);
    }
    expect(out.names()).toHaveLength(128 * 19);
  });

  test('where the NFS client is not loaded, both are absent', () => {
    const here = tree('written-slurm-v2');
    here.write('proc/self/mountstats', mount('s:/a', '/1', 'rw', 1));
    expect([nfs.open(here.roots), nfsMounts.open(here.roots)]).toEqual([null, null]);
  });
});

describe('lustre', () => {
  const read = 'proxy_lustre_read_bytes_total{fs="work"}';
  const stats = (total: number): string => `read_bytes 2 samples [bytes] 0 ${total} ${total}\nopen 3 samples [regs]\n`;
  const folder = 'proc/fs/lustre/llite';

  test('samples and sums, of old and new releases', () => {
    const old = parseLustreStats(packed('written-slurm-v1', 't0', `${folder}/work-ffff88101e84b800/stats`));
    expect(old.get('read_bytes')).toEqual({ samples: 1000, sum: 1048576000 });
    expect(old.get('open')).toEqual({ samples: 12, sum: 0 });
    const file = 'sys/kernel/debug/lustre/llite/scratch-ffff9d2ac3f5c000/stats';
    const now = parseLustreStats(packed('written-gpu-node', 't0', file));
    expect(now.get('open')).toEqual({ samples: 120, sum: 1213 });
    expect([...now.keys()]).not.toContain('snapshot_time');
  });

  test('malformed and cut off lines are left out', () => {
    const text =
      'a 1 samples\nb x samples [regs]\nc -1 samples [regs]\nD 1 samples [regs]\ne 2 samples [regs]\nf 3 samples [regs]';
    expect([...parseLustreStats(bytes(text))]).toEqual([['e', { samples: 2, sum: 0 }]]);
  });

  test('a file system mounted again goes on counting', () => {
    const here = tree('written-slurm-v1');
    here.write(`${folder}/work-ffff88101e84b800/stats`, stats(100));
    const instance = lustre.open(here.roots)!;
    cleanups.push(() => void instance.close());
    const out = new Recorder();
    instance.sample(out, 0);
    expect(out.value(read)).toBe(100);
    here.drop(`${folder}/work-ffff88101e84b800`);
    here.write(`${folder}/work-ffff88105b7a1000/stats`, stats(7));
    instance.sample(out, 1);
    expect(out.value(read)).toBe(100);
    instance.sample(out, 60);
    expect(out.value(read)).toBe(107);
    here.write(`${folder}/work-ffff88105b7a1000/stats`, stats(9));
    instance.sample(out, 1);
    expect(out.value(read)).toBe(109);
    // Somebody cleared the statistics.
    here.write(`${folder}/work-ffff88105b7a1000/stats`, stats(4));
    instance.sample(out, 1);
    expect(out.value(read)).toBe(113);
  });

  test('two mounts of one file system are one', () => {
    const here = tree('written-slurm-v1');
    here.write(`${folder}/work-ffff88101e84b800/stats`, stats(100));
    here.write(`${folder}/work-ffff88105b7a1000/stats`, stats(11));
    const instance = lustre.open(here.roots)!;
    cleanups.push(() => void instance.close());
    const out = new Recorder();
    instance.sample(out, 0);
    instance.sample(out, 1);
    expect(out.value(read)).toBe(111);
    expect(out.value('proxy_lustre_operations_total{fs="work",operation="open"}')).toBe(6);
  });
});
