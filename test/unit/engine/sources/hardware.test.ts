import { afterEach, describe, expect, test } from 'vitest';
import { amdgpu } from '../../../../src/engine/sources/amdgpu.ts';
import { Every } from '../../../../src/engine/sources/devices.ts';
import { infiniband, parseRate, parseState } from '../../../../src/engine/sources/infiniband.ts';
import { NVIDIA_QUERY, parseNvidiaLine } from '../../../../src/engine/sources/nvidia-line.ts';
import { energyBetween, rapl } from '../../../../src/engine/sources/rapl.ts';
import type { Source, SourceInstance } from '../../../../src/engine/sources/source.ts';
import { Recorder, openTree } from './recorder.ts';
import type { Tree } from './recorder.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean();
});

function open(source: Source): { tree: Tree; instance: SourceInstance; out: Recorder } {
  const tree = openTree('written-gpu-node');
  cleanups.push(tree.remove);
  const instance = source.open(tree.roots)!;
  cleanups.push(() => void instance.close());
  return { tree, instance, out: new Recorder() };
}

test('something due every ten seconds, however long ticks are', () => {
  const every = new Every(10);
  expect([0, 1, 8, 1, 1, 25, 1, 9].map((seconds) => every.due(seconds))).toEqual(
    [true, false, false, true, false, true, false, true], // prettier-ignore
  );
  every.hasten();
  expect(every.due(0)).toBe(true);
});

describe('energy', () => {
  test.each([
    ['grows', 10, 30, 100, 1, 20],
    ['stays', 10, 10, 100, 1, 0],
    ['wraps', 90, 20, 100, 1, 30],
    ['wraps at the very end', 100, 0, 100, 1, 0],
    ['has no range', 90, 20, 0, 1, null],
    ['falls in no time', 90, 20, 100, 0, null],
    ['is above its range', 190, 20, 100, 1, null],
  ])('%s', (_, before, now, range, seconds, used) => {
    expect(energyBetween(before, now, range, seconds)).toBe(used);
  });

  test('a fall that would be more than anything draws is a new beginning', () => {
    expect(energyBetween(1e9, 0, 262143328850, 1)).toBeNull();
    expect(energyBetween(262143328850 - 5e8, 0, 262143328850, 1)).toBe(5e8);
  });

  test('the total never falls: over a wrap it grows, over a new beginning it stays', () => {
    const { tree, instance, out } = open(rapl);
    const energy = 'proxy_rapl_energy_joules_total{zone="package-1"}';
    const power = 'proxy_rapl_power_watts{zone="package-1"}';
    const at = (microjoules: number): void => {
      tree.write('sys/class/powercap/intel-rapl:1/energy_uj', `${microjoules}\n`);
      instance.sample(out, 1);
    };
    at(262143000000);
    at(1_000_000);
    expect(out.value(energy)).toBeCloseTo(262144.32885, 6);
    expect(out.value(power)).toBeCloseTo(1.32885, 6);
    at(100_000_000_000);
    at(7);
    expect(out.value(power)).toBeNull();
    expect(out.value(energy)).toBeGreaterThan(262144 + 99_999);
    at(50_000_007);
    expect(out.value(power)).toBe(50);
  });

  test('a zone that goes away loses its power, and is followed again when it comes back', () => {
    const { tree, instance, out } = open(rapl);
    instance.sample(out, 0);
    instance.sample(out, 1);
    const power = 'proxy_rapl_power_watts{zone="package-0"}';
    expect(out.value(power)).toBe(0);
    tree.write('sys/class/powercap/intel-rapl:0/energy_uj', '');
    instance.sample(out, 1);
    expect(out.value(power)).toBeNull();
    tree.write('sys/class/powercap/intel-rapl:0/energy_uj', '5000000\n');
    instance.sample(out, 60);
    tree.write('sys/class/powercap/intel-rapl:0/energy_uj', '9000000\n');
    instance.sample(out, 2);
    expect(out.value(power)).toBe(2);
  });

  test('what memory tells is only used where the registers tell nothing', () => {
    const { tree, instance, out } = open(rapl);
    instance.sample(out, 0);
    expect(out.value('proxy_rapl_energy_joules_total{zone="package-0"}')).toBe(1);
    for (const zone of ['0', '0:0', '1', '1:0']) tree.drop(`sys/class/powercap/intel-rapl:${zone}`);
    const again = rapl.open(tree.roots)!;
    cleanups.push(() => void again.close());
    const other = new Recorder();
    again.sample(other, 0);
    expect(other.value('proxy_rapl_energy_joules_total{zone="package-0"}')).toBeCloseTo(77e-6, 9);
  });
});

describe('infiniband', () => {
  test.each([
    ['100 Gb/sec (4X EDR)', 12.5e9],
    ['2.5 Gb/sec (1X SDR)', 312.5e6],
    ['-1 Gb/sec', null],
    ['', null],
  ])('%j', (text, rate) => {
    expect(parseRate(text)).toBe(rate);
  });

  test.each([
    ['4: ACTIVE', true],
    ['1: DOWN', false],
    ['5: ACTIVE_DEFER', false],
    ['ACTIVE', null],
    ['', null],
  ])('%j', (text, up) => {
    expect(parseState(text)).toBe(up);
  });

  test('data is counted in words of four bytes; errors are read every ten seconds', () => {
    const { tree, instance, out } = open(infiniband);
    const at = 'sys/class/infiniband/mlx5_0/ports/1/counters';
    instance.sample(out, 0);
    tree.write(`${at}/port_xmit_data`, '4503599627370596\n');
    tree.write(`${at}/symbol_error`, '8\n');
    instance.sample(out, 2);
    expect(out.value('proxy_infiniband_transmit_bandwidth_bytes{device="mlx5_0",port="1"}')).toBe(200);
    const errors = 'proxy_infiniband_errors_total{device="mlx5_0",port="1",error="symbol_error"}';
    expect(out.value(errors)).toBe(0);
    instance.sample(out, 8);
    expect(out.value(errors)).toBe(8);
  });

  test('an adapter that is plugged in later is found', () => {
    const { tree, instance, out } = open(infiniband);
    instance.sample(out, 0);
    tree.write('sys/class/infiniband/new/ports/2/counters/port_rcv_data', '3\n');
    const name = 'proxy_infiniband_receive_bytes_total{device="new",port="2"}';
    instance.sample(out, 1);
    expect(out.value(name)).toBeUndefined();
    instance.sample(out, 60);
    expect(out.value(name)).toBe(12);
  });
});

describe('AMD', () => {
  const usage = 'proxy_gpu_usage_percent{gpu="card2",vendor="amd",model="AMD INSTINCT MI250 (MCM) OAM AC MBA"}';
  const busy = 'sys/class/drm/card2/device/gpu_busy_percent';

  test('a screen is no GPU, and more than all is no share', () => {
    const { tree, instance, out } = open(amdgpu);
    instance.sample(out, 0);
    expect(out.names().join()).not.toContain('card0');
    expect(out.value(usage)).toBe(97);
    for (const [content, value] of [
      ['101\n', null],
      ['-1\n', null],
      ['100\n', 100],
      ['', null],
      ['5\n', 5],
    ] as const) {
      tree.write(busy, content);
      instance.sample(out, 1);
      expect(out.value(usage)).toBe(value);
    }
  });

  test('a card that is gone loses all its values', () => {
    const { tree, instance, out } = open(amdgpu);
    instance.sample(out, 0);
    tree.drop('sys/class/drm/card2');
    instance.sample(out, 1);
    const left = out.names().filter((name) => name.includes('card2') && out.value(name) !== null);
    // Temperatures are not asked for at this tick, and leave with the card all the same.
    expect(left).toEqual([]);
    expect(out.value(usage.replace('card2', 'card1'))).toBe(0);
  });
});

describe('lines of nvidia-smi', () => {
  const line = (...fields: string[]): string => fields.join(', ');

  test('the columns that are asked for', () => {
    expect(NVIDIA_QUERY).toHaveLength(10);
    expect(
      parseNvidiaLine(line('3', '97', '12', '40536', '81920', '54', '312.55', '1410', '1593', 'NVIDIA A100')),
    ).toEqual({
      ...{ index: 3, usage: 97, memoryBusy: 12, memoryUsed: 40536 * 2 ** 20, memoryTotal: 80 * 2 ** 30 },
      ...{ temperature: 54, power: 312.55, clock: 1.41e9, memoryClock: 1.593e9, model: 'NVIDIA A100' },
    });
  });

  test('what it does not have', () => {
    const nothing = ['[N/A]', '[Not Supported]', '[Unknown Error]', '[GPU is lost]', '', 'x', '-5', '1e3'];
    expect(parseNvidiaLine(line('0', ...nothing, '[N/A]'))).toEqual({
      ...{ index: 0, usage: null, memoryBusy: null, memoryUsed: null, memoryTotal: null },
      ...{ temperature: null, power: null, clock: null, memoryClock: null, model: null },
    });
  });

  test.each([
    '',
    'No devices were found',
    'NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.',
    'Field "clocks.sm" is not a valid field to query.',
    '-1, 1, 1, 1, 1, 1, 1, 1, 1, x',
    '1234, 1, 1, 1, 1, 1, 1, 1, 1, x',
    '0, 1, 1, 1, 1, 1, 1, 1, 1',
  ])('%j is none', (text) => {
    expect(parseNvidiaLine(text)).toBeNull();
  });

  test('a name may hold anything', () => {
    expect(parseNvidiaLine(`0${', 1'.repeat(8)}, a, "b"\u0007`)?.model).toBe('a, "b"\\x07');
  });
});
