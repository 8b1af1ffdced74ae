import { mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parseActivity } from '../../../../src/engine/sources/kernel.ts';
import { parsePressure, pressure } from '../../../../src/engine/sources/pressure.ts';
import { parseState, processes } from '../../../../src/engine/sources/processes.ts';
import type { Source, SourceInstance } from '../../../../src/engine/sources/source.ts';
import { parseVmstat, swap } from '../../../../src/engine/sources/swap.ts';
import { parseMillidegrees, temperature } from '../../../../src/engine/sources/temperature.ts';
import { parseUptime, uptime } from '../../../../src/engine/sources/uptime.ts';
import { Recorder, openTree } from './recorder.ts';
import type { Tree } from './recorder.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

function open(source: Source, name = 'written-256-cores'): { tree: Tree; instance: SourceInstance; out: Recorder } {
  const tree = openTree(name);
  onTestFinished(tree.remove);
  const instance = source.open(tree.roots);
  if (instance === null) throw new Error(`${name} has no ${source.name}`);
  onTestFinished(() => void instance.close());
  return { tree, instance, out: new Recorder() };
}

test.each([
  [bytes('86400.25 1.50\n'), { seconds: 86400.25 }],
  [bytes('86400.25 1.50'), null],
  [bytes('-1.00 1.00\n'), null],
  [bytes(''), null],
])('uptime %#', (content, wanted) => {
  expect(parseUptime(content)).toEqual(wanted);
});

describe('pressure', () => {
  const some = 'some avg10=12.34 avg60=1.00 avg300=0.50 total=2500000\n';

  test('both lines, in either order', () => {
    expect(parsePressure(bytes(some))).toEqual({ some: { percent: 12.34, seconds: 2.5 }, full: null });
    const full = 'full avg10=0.05 avg60=0.00 avg300=0.00 total=1\n';
    expect(parsePressure(bytes(full + some)).full).toEqual({ percent: 0.05, seconds: 1e-6 });
  });

  test.each([
    ['cut off', some.trimEnd()],
    ['no point', some.replace('12.34', '12')],
    ['three digits', some.replace('12.34', '12.345')],
    ['no total', some.replace(' total=2500000', '')],
    ['no number', some.replace('2500000', 'x')],
    ['more behind', some.replace('\n', ' x\n')],
  ])('%s: no line', (_, text) => {
    expect(parsePressure(bytes(text))).toEqual({ some: null, full: null });
  });

  test('a kernel that has the files and was told not to count does not have it', () => {
    const { instance, out, tree } = open(pressure);
    instance.sample(out, 0);
    expect(out.value('proxy_pressure_cpu_waiting_percent')).toBe(71.02);
    // Of cores, a stall of all tasks does not exist for a whole node: the line is there and always 0.
    expect(out.names().some((name) => name.includes('cpu_stalled'))).toBe(false);
    tree.write('proc/pressure/io', 'garbage');
    expect(() => instance.sample(out, 1)).toThrow('pressure/io is not in the known form');
  });
});

test('vmstat: lines in any order, those that are cut off or malformed are not told', () => {
  const values = parseVmstat(bytes('pswpinx 3\npswpout 8\nnr_dirty 1\npswpin 7\npgfault x\npgmajfault 12'));
  expect([...values]).toEqual([7, 8, -1, -1, -1]);
  const { tree, instance, out } = open(swap);
  tree.write('proc/vmstat', 'nr_dirty 1\n');
  expect(() => instance.sample(out, 0)).toThrow('known form');
});

test('the rest of stat: sums only, also behind lines of any length', () => {
  const long = `intr 123${' 0'.repeat(50_000)}\n`;
  expect([...parseActivity(bytes(`${long}foo 9\nctxt 5\nprocs_running 99`))]).toEqual([123, 5, -1, -1, -1, -1, -1]);
});

test('whatever the bytes are, numbers are finite and not negative, or missing', () => {
  const part = fc.constantFrom(
    ...[
      '\n',
      ' ',
      'some avg10=',
      '1.25',
      ' avg60=',
      ' total=',
      '99999999999999999999999',
      'ctxt ',
      'pswpin ',
      '(',
      ')',
    ],
    ...['intr 5 ', '-1', '\0', 'full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n', ' R ', 'NaN'],
  );
  const good = (value: number): boolean => value >= 0 && value < Infinity;
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
      const content = bytes(parts.join(''));
      const { some, full } = parsePressure(content);
      for (const stall of [some, full]) if (stall) expect(good(stall.percent) && good(stall.seconds)).toBe(true);
      for (const value of [...parseActivity(content), ...parseVmstat(content)]) {
        expect(value === -1 || good(value)).toBe(true);
      }
      expect(parseState(content)).toBeGreaterThanOrEqual(-1);
    }),
    { numRuns: 500 },
  );
});

describe('processes', () => {
  test.each([
    ['1 (init) S 0 1', 1],
    ['7 (a) R (b)) D 1 7', 2],
    ['7 (x) X 1', 6],
    ['7 (x', -1],
    ['7 (x) RR 1', -1],
    ['', -1],
  ])('%s', (line, state) => {
    expect(parseState(bytes(line))).toBe(state);
  });

  const writeMany = (tree: Tree, count: number): void => {
    for (let pid = 1000; pid < 1000 + count; pid++) tree.write(`proc/${pid}/stat`, `${pid} (p) S 1\n`);
  };
  const all = 'proxy_processes_pids';

  test('a round over very many takes several ticks; until it ends the values are those of the round before', () => {
    const { tree, instance, out } = open(processes);
    instance.sample(out, 0);
    expect(out.value(all)).toBe(3);
    expect(out.value('proxy_processes_state{state="D"}')).toBe(1);
    writeMany(tree, 3000);
    // Not due: nothing is looked at.
    instance.sample(out, 9);
    expect(out.value(all)).toBe(3);
    let ticks = 0;
    for (; out.value(all) === 3 && ticks < 3000; ticks++) instance.sample(out, 1);
    expect(out.value(all)).toBe(3003);
    expect(ticks).toBeGreaterThan(1);
  });

  test('those that end meanwhile are none', () => {
    const { tree, instance, out } = open(processes);
    rmSync(join(tree.path, 'proc/800'), { recursive: true });
    mkdirSync(join(tree.path, 'proc/800'));
    instance.sample(out, 0);
    expect(out.value(all)).toBe(2);
  });
});

describe('temperature', () => {
  test.each([
    ['45250\n', 45.25],
    ['0\n', 0],
    ['-40000\n', null],
    ['999999\n', null],
    ['', null],
    ['nan\n', null],
  ])('%j', (text, degrees) => {
    expect(parseMillidegrees(text)).toBe(degrees);
  });

  test('equal chips are told apart by where they are, and a sensor that stops answering loses its value', async () => {
    const tree = openTree('written-container');
    onTestFinished(tree.remove);
    for (const i of [0, 1]) {
      const folder = join(tree.path, `sys/class/hwmon/hwmon${i}`);
      tree.write(`sys/class/hwmon/hwmon${i}/name`, 'coretemp\n');
      tree.write(`sys/class/hwmon/hwmon${i}/temp1_input`, `${40 + i}000\n`);
      mkdirSync(join(tree.path, `sys/devices/platform/coretemp.${i}`), { recursive: true });
      mkdirSync(join(tree.path, 'sys/bus/platform'), { recursive: true });
      symlinkSync('../../../bus/platform', join(tree.path, `sys/devices/platform/coretemp.${i}/subsystem`));
      symlinkSync(`../../../devices/platform/coretemp.${i}`, join(folder, 'device'));
    }
    const instance = temperature.open(tree.roots)!;
    onTestFinished(() => void instance.close());
    const out = new Recorder();
    const name = (i: number): string =>
      `proxy_component_temperature_celsius{component="coretemp temp1",chip="platform_coretemp_${i}"}`;
    instance.sample(out, 0);
    expect(out.names()).toEqual([]);
    await instance.settled!();
    instance.sample(out, 1);
    expect([out.value(name(0)), out.value(name(1))]).toEqual([40, 41]);
  });

  test.runIf(process.platform === 'linux')('closing while sensors are read leaves no file open', async () => {
    const tree = openTree('written-256-cores');
    onTestFinished(tree.remove);
    const openFiles = (): number =>
      readdirSync('/proc/self/fd').filter((fd) => {
        try {
          return readlinkSync(`/proc/self/fd/${fd}`).includes(tree.path);
        } catch {
          return false;
        }
      }).length;
    const instance = temperature.open(tree.roots)!;
    instance.sample(new Recorder(), 0);
    expect(openFiles()).toBe(3);
    void instance.close();
    await instance.settled!();
    expect(openFiles()).toBe(0);
  });

  test('folders without a sensor are none', () => {
    const tree = openTree('written-container');
    onTestFinished(tree.remove);
    expect(temperature.open(tree.roots)).toBeNull();
    expect(uptime.open(tree.roots)).not.toBeNull();
  });
});
