import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, hostname, loadavg, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { cpu } from '../../../../src/engine/sources/cpu.ts';
import { SOURCES } from '../../../../src/engine/sources/index.ts';
import { load } from '../../../../src/engine/sources/load.ts';
import { memory } from '../../../../src/engine/sources/memory.ts';
import { network } from '../../../../src/engine/sources/network.ts';
import { openTickFile } from '../../../../src/engine/sources/read.ts';
import { scrape } from '../../../../src/engine/sources/scrape.ts';
import type { Source, SourceInstance } from '../../../../src/engine/sources/source.ts';
import { parseMetric } from '../../../../src/shared/model/metric.ts';
import { Recorder, openTree } from './recorder.ts';
import type { Tree } from './recorder.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const clean of cleanups.splice(0)) clean();
});

function open(source: Source, name = 'written-arm64'): { tree: Tree; instance: SourceInstance; out: Recorder } {
  const tree = openTree(name);
  cleanups.push(tree.remove);
  const instance = source.open(tree.roots);
  if (instance === null) throw new Error(`${name} has no ${source.name}`);
  cleanups.push(() => void instance.close());
  return { tree, instance, out: new Recorder() };
}

describe('cpu', () => {
  const stat = (total: string, ...cores: string[]): string =>
    `cpu  ${total}\n${cores.map((c) => `cpu${c}\n`).join('')}`;
  const core = (id: number): string => `proxy_cpu_usage_percent{name="cpu${id}"}`;

  test('no use at the first sample, and none over an interval of no length', () => {
    const { tree, instance, out } = open(cpu);
    instance.sample(out, 0);
    expect(out.value('proxy_cpu_load_average_percent')).toBeNull();
    tree.advance();
    instance.sample(out, 0);
    expect(out.value('proxy_cpu_load_average_percent')).toBeNull();
    expect(out.value(core(0))).toBeNull();
  });

  test('a core that goes offline loses its value, and has none at its return until a tick has passed', () => {
    const { tree, instance, out } = open(cpu);
    const at = (busy: number, ...ids: number[]): void => {
      tree.write('proc/stat', stat(`${busy * 2} 0 0 ${busy * 2}`, ...ids.map((id) => `${id} ${busy} 0 0 ${busy}`)));
      instance.sample(out, 1);
    };
    at(100, 0, 1);
    at(200, 0, 1);
    expect(out.value(core(1))).toBe(50);
    at(300, 0);
    expect(out.value(core(0))).toBe(50);
    expect(out.value(core(1))).toBeNull();
    expect(out.value('proxy_cpu_total')).toBe(1);
    at(400, 0, 1);
    expect(out.value(core(1))).toBeNull();
    at(500, 0, 1);
    expect(out.value(core(1))).toBe(50);
  });

  test('a core that appears later gets the labels that cpuinfo has then', () => {
    const { tree, instance, out } = open(cpu);
    instance.sample(out, 0);
    tree.write('proc/cpuinfo', 'processor : 9\nvendor_id : "V"\nmodel name : M\\\n');
    tree.write('proc/stat', stat('1 1 1 1', '9 1 1 1 1'));
    instance.sample(out, 1);
    expect(out.names()).toContain('proxy_cpu_usage_percent{name="cpu9",vendor="\\"V\\"",model="M\\\\"}');
  });

  test('a correction of idle downwards does not make its counter fall; a restart does', () => {
    const { tree, instance, out } = open(cpu);
    const idle = 'proxy_cpu_seconds_total{mode="idle"}';
    for (const [ticks, seconds] of [
      [1000, 10],
      [990, 10],
      [1005, 10.05],
      [20, 0.2],
    ]) {
      tree.write('proc/stat', stat(`1 1 1 ${ticks}`));
      instance.sample(out, 1);
      expect(out.value(idle)).toBe(seconds);
    }
  });

  test('each core counts its modes, over corrections and restarts', () => {
    const { tree, instance, out } = open(cpu);
    const idle = 'proxy_cpu_core_seconds_total{cpu="7",mode="idle"}';
    for (const [ticks, seconds] of [
      [1000, 10],
      [990, 10],
      [20, 0.2],
    ]) {
      tree.write('proc/stat', stat(`1 1 1 1`, `7 5 0 0 ${ticks}`));
      instance.sample(out, 1);
      expect(out.value(idle)).toBe(seconds);
      expect(out.value('proxy_cpu_core_seconds_total{cpu="7",mode="user"}')).toBe(0.05);
    }
  });

  test('what the kernel does besides: lines that are missing or cut off leave no value', () => {
    const { tree, instance, out } = open(cpu);
    const rest =
      'intr 500 1 2 3\nctxt 77\nbtime 1790000000\nprocesses 9\nprocs_running 3\nprocs_blocked 1\nsoftirq 8 1';
    tree.write('proc/stat', stat('1 1 1 1', '0 1 1 1 1') + rest);
    instance.sample(out, 0);
    expect(out.value('proxy_intr_total')).toBe(500);
    expect(out.value('proxy_context_switches_total')).toBe(77);
    expect(out.value('proxy_forks_total')).toBe(9);
    expect(out.value('proxy_procs_running')).toBe(3);
    expect(out.value('proxy_softirqs_total')).toBeUndefined();
    tree.write('proc/stat', stat('2 1 1 1', '0 2 1 1 1') + 'ctxt x\n');
    instance.sample(out, 1);
    expect(out.value('proxy_context_switches_total')).toBe(77);
    expect(out.value('proxy_procs_running')).toBeNull();
  });

  test('a file without the line of all CPUs is an error, and the next sample is good again', () => {
    const { tree, instance, out } = open(cpu);
    tree.write('proc/stat', '');
    expect(() => instance.sample(out, 0)).toThrow('no line of all CPUs');
    tree.write('proc/stat', stat('1 1 1 1'));
    instance.sample(out, 1);
    tree.write('proc/stat', stat('2 1 1 2'));
    instance.sample(out, 1);
    expect(out.value('proxy_cpu_load_average_percent')).toBe(50);
  });
});

describe('network', () => {
  const line = (name: string, n: number): string => `${name}: ${n} ${n} ${n} 0 0 0 0 0 ${n} ${n} ${n} 0 0 0 0 0\n`;
  const rate = (name: string): string => `proxy_network_receive_bandwidth_bytes{interface="${name}"}`;
  const total = (name: string): string => `proxy_network_receive_bytes_total{interface="${name}"}`;

  test('interfaces come, go, return and change places', () => {
    const { tree, instance, out } = open(network);
    const at = (...lines: string[]): void => {
      tree.write('proc/net/dev', lines.join(''));
      instance.sample(out, 2);
    };
    at(line('a', 10), line('b', 10));
    expect(out.value(rate('a'))).toBeNull();
    expect(out.value(total('a'))).toBe(10);
    at(line('b', 14), line('a', 20));
    expect(out.value(rate('a'))).toBe(5);
    expect(out.value(rate('b'))).toBe(2);
    at(line('b', 16), line('c', 1));
    expect(out.value(rate('a'))).toBeNull();
    expect(out.value(rate('b'))).toBe(1);
    expect(out.value(rate('c'))).toBeNull();
    at(line('a', 90), line('b', 16));
    expect(out.value(rate('a'))).toBeNull();
    expect(out.value(total('a'))).toBe(90);
    expect(out.value(rate('b'))).toBe(0);
    at(line('a', 96), line('b', 16));
    expect(out.value(rate('a'))).toBe(3);
  });

  test('an interface made anew has no rate at that tick, and its new total', () => {
    const { tree, instance, out } = open(network);
    for (const n of [1000, 2000, 30, 40]) {
      tree.write('proc/net/dev', line('tap', n));
      instance.sample(out, 1);
      expect(out.value(total('tap'))).toBe(n);
      if (n === 30) expect(out.value(rate('tap'))).toBeNull();
    }
    expect(out.value(rate('tap'))).toBe(10);
  });

  test('an interface may have any name: it stays a label', () => {
    const { tree, instance, out } = open(network);
    const names = ['q"uote', 'back\\', '}{=,', '<script>', 'réseau', 'a\u0007b', '\u202egnp'];
    tree.write('proc/net/dev', names.map((name) => line(name, 1)).join(''));
    instance.sample(out, 0);
    const labelled = out.names().filter((name) => name.includes('{'));
    const seen = new Set(labelled.map((name) => parseMetric(name).labels[0]?.[1]));
    expect(seen).toEqual(new Set(names.map((name) => (name === 'a\u0007b' ? 'a\\x07b' : name))));
  });

  test('the node counts its cards only, keeps what a card that went away brought, and not what a new one had', () => {
    const { tree, instance, out } = open(network);
    for (const card of ['a', 'b', 'c']) tree.write(`sys/class/net/${card}/device/uevent`, '');
    const node = 'proxy_network_node_receive_bytes_total';
    const at = (...lines: string[]): number | null | undefined => {
      tree.write('proc/net/dev', lines.join(''));
      instance.sample(out, 1);
      return out.value(node);
    };
    expect(at(line('lo', 1000), line('br0', 500), line('a', 10), line('b', 20))).toBe(30);
    expect(at(line('lo', 2000), line('br0', 900), line('a', 15), line('b', 20))).toBe(35);
    expect(at(line('lo', 2000), line('a', 16))).toBe(36);
    expect(at(line('a', 16), line('c', 5000))).toBe(36);
    expect(at(line('a', 17), line('c', 5003))).toBe(40);
    // Made anew.
    expect(at(line('a', 2), line('c', 5003))).toBe(40);
  });

  test('where no interface is a card, as in a container, all but the loopback count', () => {
    const { tree, instance, out } = open(network);
    tree.write('proc/net/dev', line('lo', 1000) + line('eth0', 7));
    instance.sample(out, 0);
    expect(out.value('proxy_network_node_receive_bytes_total')).toBe(7);
  });

  test('the same name twice counts once', () => {
    const { tree, instance, out } = open(network);
    for (const n of [10, 20]) {
      tree.write('proc/net/dev', line('a', n) + line('a', 1));
      instance.sample(out, 1);
    }
    expect(out.value(total('a'))).toBe(20);
    expect(out.value(rate('a'))).toBe(10);
  });

  test('ever new names do not make ever more series', () => {
    const { tree, instance, out } = open(network);
    for (let i = 0; i < 30; i++) {
      tree.write('proc/net/dev', Array.from({ length: 100 }, (_, k) => line(`veth${i}x${k}`, 1)).join(''));
      instance.sample(out, 1);
    }
    expect(out.names().filter((name) => name.includes('{'))).toHaveLength(1024 * 12);
  });
});

describe('expected absence and failure', () => {
  test('a machine without the files has none of the sources but scrape', () => {
    const root = mkdtempSync(join(tmpdir(), 'vigie-sources-'));
    cleanups.push(() => rmSync(root, { recursive: true }));
    const roots = { proc: join(root, 'proc'), sys: join(root, 'sys') };
    expect(SOURCES.filter((source) => source.open(roots) !== null)).toEqual([scrape]);
    // A file where a folder should be is absence too.
    writeFileSync(roots.proc, '');
    expect(network.open(roots)).toBeNull();
  });

  test('what scrape does not know is left out', () => {
    const root = mkdtempSync(join(tmpdir(), 'vigie-sources-'));
    cleanups.push(() => rmSync(root, { recursive: true }));
    const out = new Recorder();
    const instance = scrape.open({ proc: join(root, 'proc'), sys: join(root, 'sys') });
    for (let i = 0; i < 3; i++) instance?.sample(out, i);
    expect(out.value('proxy_scrape_total')).toBe(3);
  });

  test.each([
    [memory, 'proc/meminfo', 'how much memory'],
    [load, 'proc/loadavg', 'known form'],
  ])('$name: an unreadable content is an error', (source, file, message) => {
    const { tree, instance, out } = open(source);
    tree.write(file, 'nothing of use\n');
    expect(() => instance.sample(out, 0)).toThrow(message);
    expect(out.sets).toBe(0);
  });

  test('memory that is no longer told loses its value', () => {
    const { tree, instance, out } = open(memory);
    instance.sample(out, 0);
    expect(out.value('proxy_swap_total_bytes')).toBe(2147479552);
    tree.write('proc/meminfo', 'MemTotal: 4 kB\nMemFree: 1 kB\n');
    instance.sample(out, 1);
    expect(out.value('proxy_swap_total_bytes')).toBeNull();
    expect(out.value('proxy_memory_used_bytes')).toBe(3072);
  });
});

describe('reading', () => {
  test('a file larger than the buffer, then a smaller one, is read whole each time', () => {
    const root = mkdtempSync(join(tmpdir(), 'vigie-sources-'));
    cleanups.push(() => rmSync(root, { recursive: true }));
    const path = join(root, 'file');
    writeFileSync(path, '');
    const file = openTickFile(path)!;
    cleanups.push(() => file.close());
    for (const size of [0, 8192, 8193, 100_000, 5]) {
      const content = Buffer.alloc(size, String(size));
      writeFileSync(path, content);
      expect(Buffer.compare(file.read(), content)).toBe(0);
    }
  });

  test('closing gives the files back', async () => {
    const root = mkdtempSync(join(tmpdir(), 'vigie-sources-'));
    cleanups.push(() => rmSync(root, { recursive: true }));
    const before = openSync('/dev/null', 'r');
    closeSync(before);
    mkdirSync(join(root, 'proc'));
    const tree = openTree('written-256-cores');
    cleanups.push(tree.remove);
    const out = new Recorder();
    const instances = SOURCES.flatMap((source) => source.open(tree.roots) ?? []);
    expect(instances.length).toBeGreaterThan(8);
    for (const instance of instances) instance.sample(out, 0);
    for (const instance of instances) await instance.settled?.();
    for (const instance of instances) await instance.close();
    const after = openSync('/dev/null', 'r');
    closeSync(after);
    expect(after).toBe(before);
  });

  test('a file without end is refused', () => {
    const file = openTickFile('/dev/zero')!;
    cleanups.push(() => file.close());
    expect(() => file.read()).toThrow('larger than');
  });
});

// The sources are Linux's: elsewhere there is no such machine to compare with.
describe.runIf(process.platform === 'linux')('this machine', () => {
  test('values agree with what Node says of it', async () => {
    const roots = { proc: '/proc', sys: '/sys' };
    const instances = SOURCES.flatMap((source) => source.open(roots) ?? []);
    cleanups.push(() => {
      for (const instance of instances) void instance.close();
    });
    const out = new Recorder();
    const start = performance.now();
    for (const instance of instances) instance.sample(out, 0);
    const from = performance.now();
    // Half the time at work, so that there is some use to see.
    while (performance.now() < from + 200);
    await sleep(200);
    for (const instance of instances) instance.sample(out, (performance.now() - start) / 1000);

    expect(out.value('proxy_memory_total_bytes')).toBe(totalmem());
    expect(out.value('proxy_memory_used_percent')).toBeGreaterThan(0);
    expect(out.value('proxy_cpu_total')).toBe(cpus().length);
    expect(out.value('proxy_cpu_total')).toBeGreaterThanOrEqual(availableParallelism());
    expect(out.value('proxy_cpu_load_average_percent')).toBeGreaterThan(0);
    expect(out.value('proxy_process_tasks')).toBeGreaterThan(1);
    loadavg().forEach((average, i) => {
      const value = out.value(['proxy_load1', 'proxy_load5', 'proxy_load15'][i]!)!;
      expect(Math.abs(value - average)).toBeLessThan(0.5 + average / 2);
    });
    const user = cpus().reduce((sum, core) => sum + core.times.user, 0) / 1000;
    const counted = out.value('proxy_cpu_seconds_total{mode="user"}')!;
    expect(Math.abs(counted - user)).toBeLessThan(5 + user / 100);

    const labels = Object.fromEntries(
      parseMetric(out.names().find((name) => name.startsWith('proxy_scrape_total'))!).labels,
    );
    expect(labels).toMatchObject({ kernel: release(), hostname: hostname() });
    const model = cpus()[0]!.model;
    const usage = out.names().filter((name) => name.startsWith('proxy_cpu_usage_percent'));
    expect(usage).toHaveLength(cpus().length);
    const named = parseMetric(usage[0]!).labels.find(([name]) => name === 'model')?.[1];
    if (named !== undefined && model !== 'unknown') expect(model.trim()).toContain(named);
    expect(out.value('proxy_network_receive_bytes_total{interface="lo"}')).toBeGreaterThanOrEqual(0);
    for (const name of out.names()) {
      // Interfaces and jobs may come and go meanwhile, and a disk may have nothing to do.
      if (!/interface=|device=|job=/.test(name)) expect([name, out.value(name)]).not.toContain(null);
    }
  });
});
