import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { disks, parseDiskstats } from '../../../../src/engine/sources/disks.ts';
import { Recorder, openTree } from './recorder.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const WIDTH = 17;

function parse(text: string): unknown[] {
  const raw = bytes(text);
  const stats = parseDiskstats(raw);
  return Array.from({ length: stats.count }, (_, i) => [
    Buffer.from(raw.subarray(stats.nameFrom[i], stats.nameTo[i])).toString(),
    ...stats.columns.subarray(i * WIDTH, (i + 1) * WIDTH),
  ]);
}

describe('diskstats', () => {
  const good = ['sdb', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, -1, -1, -1, -1, -1, -1];
  const line = '   8      16 sdb 1 2 3 4 5 6 7 8 9 10 11\n';

  test('kernels have more columns over time', () => {
    expect(parse(line)).toEqual([good]);
    expect(parse('8 16 sdb 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19\n')).toEqual([
      ['sdb', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17],
    ]);
  });

  test.each([
    ['a partition of an old kernel', '8 1 sda1 1 2 3 4\n'],
    ['no name', '8 1\n'],
    ['no number', '8 1 sda 1 2 x 4 5 6 7 8 9 10 11\n'],
    ['nothing of the kind', 'MemTotal: 5 kB\n'],
    ['an empty line', '\n'],
  ])('%s: left out, and the next line is read', (_, text) => {
    expect(parse(text + line)).toEqual([good]);
  });

  test('a last line that is cut off is left out', () => {
    expect(parse(`${line}8 1 sda 1 2 3 4 5 6 7 8 9 10 11`)).toEqual([good]);
  });

  test('whatever the bytes are, columns are numbers of a disk or missing', () => {
    const part = fc.constantFrom(
      '\n',
      ' ',
      'sda',
      '8',
      '-',
      '99999999999999999999999',
      '\0',
      line,
      ' 1 2 3 4 5 6 7 8 9',
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
        const stats = parseDiskstats(bytes(parts.join('')));
        for (const value of stats.columns.subarray(0, stats.count * WIDTH)) {
          expect(value === -1 || (value >= 0 && value < Infinity)).toBe(true);
        }
      }),
    );
  });
});

describe('disks', () => {
  const disk = (name: string, reads: number, ms: number, busy = 0): string =>
    `8 0 ${name} ${reads} 0 ${reads * 8} ${ms} 0 0 0 0 0 ${busy} 0\n`;
  const rig = (): { at: (seconds: number, ...lines: string[]) => void; out: Recorder } => {
    const tree = openTree('written-arm64');
    onTestFinished(tree.remove);
    const instance = disks.open(tree.roots)!;
    onTestFinished(() => void instance.close());
    const out = new Recorder();
    return {
      at(seconds, ...lines) {
        tree.write('proc/diskstats', lines.join(''));
        instance.sample(out, seconds);
      },
      out,
    };
  };

  test('latency is the time of the requests that ended; without any there is none', () => {
    const { at, out } = rig();
    const latency = 'proxy_disk_read_latency_seconds{device="sda"}';
    at(0, disk('sda', 100, 500));
    expect(out.value(latency)).toBeNull();
    at(1, disk('sda', 104, 540, 30));
    expect(out.value(latency)).toBe(0.01);
    expect(out.value('proxy_disk_busy_percent{device="sda"}')).toBeCloseTo(3);
    expect(out.value('proxy_disk_read_bytes_total{device="sda"}')).toBe(104 * 8 * 512);
    at(1, disk('sda', 104, 540, 30));
    expect(out.value(latency)).toBeNull();
    // Made anew under its old name.
    at(1, disk('sda', 1, 1, 1));
    expect(out.value(latency)).toBeNull();
    expect(out.value('proxy_disk_busy_percent{device="sda"}')).toBeNull();
    expect(out.value('proxy_disk_reads_completed_total{device="sda"}')).toBe(1);
  });

  test('more busy than the interval is long is all of it', () => {
    const { at, out } = rig();
    at(0, disk('sda', 1, 1, 0));
    at(1, disk('sda', 1, 1, 1700));
    expect(out.value('proxy_disk_busy_percent{device="sda"}')).toBe(100);
  });

  test('the node counts each disk once: no partitions, no volumes made of disks, no memory', () => {
    const { at, out } = rig();
    const others = ['sda1', 'dm-0', 'md127', 'loop3', 'zram0', 'nvme0n1p2', 'mmcblk0p1', 'sr0'];
    at(0, disk('sda', 10, 0), disk('nvme0n1', 5, 0), ...others.map((name) => disk(name, 1000, 0)));
    expect(out.value('proxy_disk_node_reads_completed_total')).toBe(15);
    const followed = out.names().filter((name) => name.startsWith('proxy_disk_io_now'));
    expect(followed.map((name) => /"(.*)"/.exec(name)![1])).toEqual(['sda', 'nvme0n1', 'dm-0', 'md127']);
  });

  test('a disk that is taken out loses its gauges and does not make the sum fall', () => {
    const { at, out } = rig();
    at(0, disk('sda', 10, 0), disk('sdb', 1000, 0));
    at(1, disk('sda', 11, 0));
    expect(out.value('proxy_disk_io_now{device="sdb"}')).toBeNull();
    expect(out.value('proxy_disk_node_reads_completed_total')).toBe(1011);
    at(1, disk('sda', 11, 0), disk('sdb', 2000, 0));
    at(1, disk('sda', 11, 0), disk('sdb', 2001, 0));
    expect(out.value('proxy_disk_node_reads_completed_total')).toBe(1012);
  });
});
