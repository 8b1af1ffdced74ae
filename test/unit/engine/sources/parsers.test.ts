import { describe, expect, test } from 'vitest';
import { parseCpuinfo } from '../../../../src/engine/sources/cpuinfo.ts';
import { parseStat, usagePercent } from '../../../../src/engine/sources/cpu.ts';
import { labelOf, labelValue } from '../../../../src/engine/sources/label.ts';
import { parseLoadavg } from '../../../../src/engine/sources/load.ts';
import { memoryValues, parseMeminfo } from '../../../../src/engine/sources/memory.ts';
import { parseNetDev } from '../../../../src/engine/sources/network.ts';
import { parseOsRelease } from '../../../../src/engine/sources/scrape.ts';
import { fixture } from './recorder.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('stat', () => {
  test('a recording', () => {
    const stat = parseStat(fixture('recorded-debian12/t0/proc/stat'));
    expect([...stat.total!]).toEqual([12737, 0, 4597, 327092, 512, 0, 86, 16]);
    expect(stat.count).toBe(2);
    expect([...stat.ids.subarray(0, 2)]).toEqual([0, 1]);
    expect([...stat.ticks.subarray(8, 16)]).toEqual([9870, 0, 2764, 159354, 472, 0, 69, 11]);
  });

  test('256 cores, and the same arrays used again for fewer', () => {
    const stat = parseStat(fixture('written-256-cores/t0/proc/stat'));
    expect(stat.count).toBe(256);
    expect(stat.ids[255]).toBe(255);
    const again = parseStat(bytes('cpu  1 2 3 4\ncpu7 1 2 3 4\n'), stat);
    expect(again).toBe(stat);
    expect(again.count).toBe(1);
    expect(again.ids[0]).toBe(7);
    expect([...again.ticks.subarray(0, 8)]).toEqual([1, 2, 3, 4, 0, 0, 0, 0]);
  });

  test.each([
    ['empty', ''],
    ['cut off in a number', 'cpu  1 2 3 4 5 6 7'],
    ['too few columns', 'cpu  1 2 3\n'],
    ['no number', 'cpu  1 2 x 4 5 6 7 8\n'],
    ['a negative number', 'cpu  1 2 -3 4 5 6 7 8\n'],
    ['a number of 21 digits', 'cpu  1 2 3 400000000000000000000 5 6 7 8\n'],
    ['another file', 'MemTotal: 5 kB\n'],
  ])('%s: no total', (_, text) => {
    expect(parseStat(bytes(text)).total).toBeNull();
  });

  test('malformed cores are left out, the others stay', () => {
    const text = 'cpu  9 9 9 9\ncpu0 1 2\ncpufreq 1 2 3 4\ncpu99999 1 2 3 4\ncpu2 5 6 7 8\ncpu3 1 2 3 4 5';
    const stat = parseStat(bytes(text));
    expect(stat.count).toBe(1);
    expect(stat.ids[0]).toBe(2);
    expect([...stat.ticks.subarray(0, 4)]).toEqual([5, 6, 7, 8]);
  });

  test('use is what is neither idle, nor waiting, nor stolen', () => {
    const before = new Float64Array(8);
    expect(usagePercent(Float64Array.of(10, 5, 5, 40, 20, 5, 5, 10), 0, before, 0)).toBe(30);
    expect(usagePercent(before, 0, before, 0)).toBe(-1);
    // iowait went back by 7: it counts as nothing, not as negative time.
    expect(usagePercent(Float64Array.of(50, 0, 0, 50, 0, 0, 0, 0), 0, Float64Array.of(0, 0, 0, 0, 7, 0, 0, 0), 0)).toBe(
      50,
    );
  });
});

describe('cpuinfo', () => {
  test('maker and model of each core', () => {
    const cores = parseCpuinfo(fixture('written-256-cores/t0/proc/cpuinfo'));
    expect(cores.size).toBe(256);
    expect(cores.get(255)).toEqual({ vendor: 'AuthenticAMD', model: 'AMD EPYC 7763 64-Core Processor' });
  });

  test('ARM says neither', () => {
    const cores = parseCpuinfo(fixture('written-arm64/t0/proc/cpuinfo'));
    expect([...cores]).toEqual([0, 1, 2, 3].map((id) => [id, { vendor: null, model: null }]));
  });

  test('fields before any core, and strange core numbers, belong to nobody', () => {
    const text =
      'vendor_id : A\nprocessor : -1\nvendor_id : B\nprocessor : 1e3\nmodel name : C\nprocessor:2\nmodel name:D';
    expect([...parseCpuinfo(bytes(text))]).toEqual([[2, { vendor: null, model: 'D' }]]);
  });
});

describe('meminfo', () => {
  test('a recording', () => {
    expect(parseMeminfo(fixture('recorded-debian12/t0/proc/meminfo'))).toEqual({
      total: 24684096 * 1024,
      free: 24208656 * 1024,
      available: 24305328 * 1024,
      buffers: 3452 * 1024,
      cached: 265648 * 1024,
      swapTotal: 0,
      swapFree: 0,
    });
  });

  test('what is missing, malformed or cut off stays unknown', () => {
    const info = parseMeminfo(bytes('MemTotal: x kB\nMemFree:\nCached: 12 kB\nXCached: 9 kB\nSwapTotal: 77'));
    expect(info).toEqual({
      total: null,
      free: null,
      available: null,
      buffers: null,
      cached: 12288,
      swapTotal: null,
      swapFree: null,
    });
  });

  test('a value is not kept from the reading before', () => {
    const info = parseMeminfo(bytes('MemTotal: 5 kB\nMemFree: 2 kB\n'));
    expect(parseMeminfo(bytes('MemTotal: 6 kB\n'), info).free).toBeNull();
  });

  test('more available than there is means nothing is used', () => {
    const info = parseMeminfo(bytes('MemTotal: 5 kB\nMemAvailable: 9 kB\nSwapTotal: 1 kB\nSwapFree: 2 kB\n'));
    expect(memoryValues(info)).toEqual({ available: 9216, used: 0, swapUsed: 0 });
  });
});

describe('net/dev', () => {
  const parse = (text: string): unknown[] => {
    const raw = bytes(text);
    const dev = parseNetDev(raw);
    return Array.from({ length: dev.count }, (_, i) => [
      Buffer.from(raw.subarray(dev.nameFrom[i], dev.nameTo[i])).toString(),
      ...dev.totals.subarray(i * 8, i * 8 + 8),
    ]);
  };

  test('header lines are none', () => {
    expect(parse(Buffer.from(fixture('recorded-debian12/t1/proc/net/dev')).toString())).toEqual([
      ['lo', 2791549351, 123055, 0, 0, 2791549351, 123055, 0, 0],
      ['ifb0', 0, 0, 0, 0, 0, 0, 0, 0],
      ['ifb1', 0, 0, 0, 0, 0, 0, 0, 0],
      ['eth0', 627318019, 17215, 0, 0, 1188010, 10910, 0, 0],
    ]);
  });

  test('numbers right behind the colon, as old kernels write them', () => {
    expect(parse('eth0:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n')).toEqual([['eth0', 1, 2, 3, 4, 9, 10, 11, 12]]);
  });

  test.each([
    ['too few columns', 'eth0: 1 2 3 4 5 6 7 8 9 10 11\n'],
    ['no name', ': 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n'],
    ['no number', 'eth0: 1 2 3 4 5 6 7 8 nine 10 11 12 13 14 15 16\n'],
    ['a second colon', 'a:b: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n'],
    ['a number of 21 digits', `eth0: ${'9'.repeat(21)} 2 3 4 5 6 7 8 9 10 11 12\n`],
  ])('%s: left out, and the next line is read', (_, text) => {
    expect(parse(`${text}eth1: 1 2 3 4 5 6 7 8 9 10 11 12\n`)).toEqual([['eth1', 1, 2, 3, 4, 9, 10, 11, 12]]);
  });

  test('a last line that is cut off is left out', () => {
    const line = 'eth0: 1 2 3 4 5 6 7 8 9 10 11 12\n';
    expect(parse(`${line}eth1: 1 2 3 4 5 6 7 8 9 10 11 12 13`)).toEqual([['eth0', 1, 2, 3, 4, 9, 10, 11, 12]]);
  });

  test('the largest number of a kernel', () => {
    expect(parse(`a: ${'18446744073709551615 '.repeat(12)}\n`)).toEqual([['a', ...Array(8).fill(2 ** 64)]]);
  });
});

describe('loadavg', () => {
  test('a recording', () => {
    expect(parseLoadavg(fixture('recorded-debian12/t0/proc/loadavg'))).toEqual({
      averages: [0.04, 0.01, 0.02],
      running: 2,
      tasks: 88,
    });
  });

  test.each(['', '0.1 0.2 0.3', '0.1 0.2 0.3 1/2 3', '-0.1 0.2 0.3 1/2 3\n', 'nan 0.2 0.3 1/2 3\n', '1e9 0 0 1/2 3\n'])(
    '%j is none',
    (text) => {
      expect(parseLoadavg(bytes(text))).toBeNull();
    },
  );
});

describe('os-release', () => {
  test.each([
    ['NAME="Debian GNU/Linux"\nVERSION_ID="12"\n', 'Debian GNU/Linux', '12'],
    ['NAME=\'Some "OS"\'\nVERSION_ID=24.04\n', 'Some "OS"', '24.04'],
    ['NAME="a \\"b\\" \\$c \\\\"\n', 'a "b" $c \\', null],
    ['# NAME=x\nPRETTY_NAME=y\nNAME=\n', null, null],
    ['NAME=first\nNAME=last', 'last', null],
    ['NAME="half\nVERSION_ID="', '"half', '"'],
    ['NAME=Über\n', 'Über', null],
  ])('%j', (text, name, version) => {
    expect(parseOsRelease(bytes(text))).toEqual({ name, version });
  });
});

describe('label values', () => {
  test.each([
    ['plain', [...Buffer.from('eth0')], 'eth0'],
    ['UTF-8', [...Buffer.from('réseau-網')], 'réseau-網'],
    ['not UTF-8', [0x65, 0xff, 0x30], 'e\\xff0'],
    ['control characters', [0x61, 0x01, 0x1b, 0x7f], 'a\\x01\\x1b\\x7f'],
    ['quotes and backslashes are left to formatMetric', [...Buffer.from('a"b\\c')], 'a"b\\c'],
    ['blanks around', [...Buffer.from('  x\t')], 'x'],
  ])('%s', (_, raw, text) => {
    expect(labelValue(Uint8Array.from(raw))).toBe(text);
  });

  test('long ones are cut, never inside a character', () => {
    const text = labelValue(Buffer.from(`${'x'.repeat(99)}😀${'y'.repeat(5000)}`));
    expect(text).toHaveLength(100);
    expect(text.isWellFormed()).toBe(true);
  });

  test('of a file of one line', () => {
    expect(labelOf(bytes('node1\nmore\n'))).toBe('node1');
    expect(labelOf(bytes('node1'))).toBe('node1');
    expect(labelOf(bytes('\n'))).toBeNull();
    expect(labelOf(null)).toBeNull();
  });
});
