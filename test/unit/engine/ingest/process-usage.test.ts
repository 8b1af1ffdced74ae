/** Which rank has how much CPU time and memory, by what the kernel tells of processes and what becomes of tables. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Client } from '../../../../src/engine/ingest/client.ts';
import { Launches } from '../../../../src/engine/ingest/launch.ts';
import {
  MOST_AT_ONCE,
  ProcessUsage,
  type Counting,
  type Measured,
  type UsageMark,
} from '../../../../src/engine/ingest/process-usage.ts';
import type { ProcessStat } from '../../../../src/engine/ingest/process-stat.ts';
import { harness, HOST, jobDesc, valuesOf, type HarnessLimits } from './harness.ts';

const CPU = 'process_cpu_seconds_total';
const MEMORY = 'process_resident_memory_bytes';
type Who = { rank?: number; launch?: string };
const LAUNCH = '0123456789abcdef-1-1';

/** A machine whose processes are what the test says. */
function machine(limits: HarnessLimits = {}) {
  const parts = harness({}, limits);
  const host = { ...parts, nodeScope: parts.node, host: HOST, launches: new Launches() };
  const processes = new Map<number, ProcessStat>();
  const looked: number[] = [];
  const usage = new ProcessUsage(parts.stats, (pid, startTime) => {
    looked.push(Number(pid));
    const stat = processes.get(Number(pid));
    return stat?.startTime === String(startTime) ? stat : null;
  });
  let time = 0;
  return {
    ...parts,
    usage,
    looked,
    set(pid: number, cpuSeconds: number, residentBytes = 0, { ended = false, start = 1 } = {}) {
      processes.set(pid, { cpuSeconds, residentBytes, ended, startTime: String(start) });
    },
    gone: (pid: number) => void processes.delete(pid),
    table(who: Who = {}): Counting {
      const client = new Client(host);
      client.begin({ ...jobDesc({ jobid: 'j' }), ...who }, null);
      return { client, sink: { owns: new Set<string>(), changed: false } };
    },
    add: (table: Counting, pid: number, since: 'start' | 'now' | UsageMark = 'start', start = 1): Measured =>
      usage.add(table, { pid, startTime: BigInt(start) }, since)!,
    tick: () => usage.sample((time += 1000)),
    end: (measured: Measured, last: { cpuSeconds: number; peakBytes: number } | null = null) => {
      usage.end(measured, last, time);
      measured.table.client.close();
    },
    pass: (ms: number) => void (time += ms),
    values: () => valuesOf(parts.run('j').scope),
    rows: (name = CPU) => {
      const { scope } = parts.run('j');
      const place = scope.find(name)!;
      return [...parts.run('j').rankList()].map((rank) =>
        place.kind === 'counter'
          ? (rank.counterOf(place.index)?.value ?? null)
          : rank.gaugeOf(place.index)?.gauge.total,
      );
    },
  };
}

const gauge = (value: number, min = value, max = value) => ({ min, max, hits: 1, total: value });

test('CPU time only grows, by what was used since the last look', () => {
  const { set, add, table, tick, values, end } = machine();
  const measured = add(table(), 5);
  for (const seconds of [0, 0.25, 0.25, 3, 2, 3.5]) {
    set(5, seconds, 100);
    tick();
  }
  expect(values()).toEqual({ [CPU]: 3.5, [MEMORY]: gauge(100) });
  set(5, 4, 0, { ended: true });
  end(measured);
  expect(values()).toEqual({ [CPU]: 4, [MEMORY]: gauge(100) });
});

test('a pid that another process has is not looked at', () => {
  const { set, add, table, tick, values, end } = machine();
  const measured = add(table(), 5);
  set(5, 1, 10);
  tick();
  set(5, 1000, 1e9, { start: 2 });
  tick();
  end(measured);
  expect(values()).toMatchObject({ [CPU]: 1, [MEMORY]: gauge(10) });
});

test('processes of a rank add up; memory is that of those that live, with its extremes', () => {
  const { set, add, table, tick, values, rows, gone, end } = machine();
  const [first, second] = [add(table({ launch: LAUNCH }), 5), add(table({ launch: LAUNCH }), 6)];
  const other = add(table({ rank: 7 }), 7);
  set(5, 1, 100);
  set(6, 2, 1000);
  set(7, 4, 5);
  tick();
  expect([rows(), rows(MEMORY)]).toEqual([
    [3, 4],
    [1100, 5],
  ]);
  set(6, 2.5, 0, { ended: true });
  tick();
  end(second);
  set(5, 1.5, 300);
  tick();
  expect([rows(), rows(MEMORY)]).toEqual([
    [4, 4],
    [300, 5],
  ]);
  gone(5);
  tick();
  end(first);
  end(other);
  expect(values()[CPU]).toBe(8);
  expect(rows(MEMORY)).toEqual([300, 5]);
});

test('a process that executes another program counts once, whichever table ends first', () => {
  for (const gap of [false, true]) {
    const { set, add, table, tick, values, end, pass } = machine();
    const before = add(table({ launch: LAUNCH }), 5);
    set(5, 2, 10);
    tick();
    if (gap) {
      end(before);
      pass(30_000);
    }
    const after = add(table({ launch: LAUNCH }), 5);
    set(5, 3, 10);
    tick();
    if (!gap) end(before);
    end(after, { cpuSeconds: 3.25, peakBytes: 40 });
    expect(values()).toEqual({ [CPU]: 3.25, [MEMORY]: gauge(10, 10, 40) });
  }
});

test('a rank that comes back has memory again, be it as much as before', () => {
  const { set, add, table, tick, rows, end, run } = machine();
  add(table({ rank: 9 }), 9);
  const first = add(table({ launch: LAUNCH }), 5);
  set(5, 1, 100);
  tick();
  end(first);
  expect(run('j').clients).toBe(1);
  add(table({ launch: LAUNCH }), 6);
  set(6, 1, 100);
  tick();
  expect(rows(MEMORY)).toContain(100);
});

test('each table of a process tells the store how far it is', () => {
  const { set, add, table, tick } = machine();
  const both = [table({ launch: LAUNCH }), table({ launch: LAUNCH })];
  const measured = both.map((one) => add(one, 5));
  set(5, 2);
  tick();
  expect(both.map(({ sink }) => sink.changed)).toEqual([true, true]);
  expect(measured.map(({ mark }) => mark)).toEqual([
    { given: 0, counted: 2 },
    { given: 2, counted: 2 },
  ]);
});

test('last words of a process that was gone too soon; what no machine has is not believed', () => {
  const { add, table, values, end } = machine();
  end(add(table(), 5), { cpuSeconds: 0.001, peakBytes: 4096 });
  expect(values()).toEqual({ [CPU]: 0.001, [MEMORY]: gauge(4096) });
  end(add(table(), 6), { cpuSeconds: 1e18, peakBytes: 1e18 });
  end(add(table(), 7), { cpuSeconds: 0.002, peakBytes: 0 });
  expect(values()[CPU]).toBeCloseTo(0.003);
});

test('an attached process counts from then on', () => {
  const { set, add, table, tick, values } = machine();
  set(5, 100, 10);
  add(table(), 5, 'now');
  set(5, 101, 10);
  tick();
  expect(values()[CPU]).toBe(1);
});

test('after a restart the rank has what it gave, and goes on where the run is', () => {
  const { set, add, table, tick, values, rows, run } = machine();
  const resumed = table({ launch: LAUNCH });
  // As the store has it.
  resumed.client.message({ type: 'desc', name: CPU, doc: '', kind: 'counter' });
  run('j').scope.increase(0, 7);
  const fresh = table({ rank: 3 });
  const measured = add(fresh, 6, { given: 2, counted: 5 });
  set(6, 5.5, 0);
  tick();
  expect(values()[CPU]).toBe(7.5);
  expect(rows()[1]).toBe(2.5);
  expect(measured.mark).toEqual({ given: 2.5, counted: 5.5 });
});

test('a rank that is said takes its part along', () => {
  const { set, add, table, tick, values, rows, usage, run } = machine();
  const parent = table({ launch: LAUNCH });
  const child = table({ launch: LAUNCH });
  add(parent, 5);
  const measured = add(child, 6);
  set(5, 1, 100);
  set(6, 2, 1000);
  tick();
  const next = table({ rank: 2, launch: LAUNCH });
  usage.move(measured, next);
  child.client.replaceBy(next.client);
  Object.assign(child, next);
  tick();
  set(6, 2.5, 1000);
  tick();
  expect([rows(), rows(MEMORY), values()[CPU]]).toEqual([[1, 2.5], [100, 1000], 3.5]);
  expect(run('j').ranks).toBe(2);
});

test('series that a program gives itself are its own, for the whole rank', () => {
  const { set, add, table, tick, values, end } = machine();
  const program: Counting = { ...table({ launch: LAUNCH }), sink: { owns: new Set([CPU, MEMORY]), changed: false } };
  for (const [name, kind] of [[CPU, 'counter'] as const, [MEMORY, 'gauge'] as const]) {
    program.client.message({ type: 'desc', name, doc: '', kind });
  }
  program.client.counter(program.client.described(CPU), 1000);
  const measured = [add(program, 5), add(table({ launch: LAUNCH }), 6)];
  set(5, 1, 10);
  set(6, 2, 20);
  tick();
  for (const one of measured) end(one, { cpuSeconds: 3, peakBytes: 1000 });
  expect(values()).toMatchObject({ [CPU]: 1000, [MEMORY]: { hits: 0 } });
});

test('where no series may be added it is said once', () => {
  const { set, add, table, tick, stats } = machine({ series_per_run: 0 });
  add(table(), 5);
  for (let i = 1; i < 5; i++) {
    set(5, i, i);
    tick();
  }
  expect([...stats.rejected]).toEqual([['too_many_series', 2]]);
});

test('of many processes some are looked at each time, each in its turn, and none without processes', () => {
  const { set, add, table, tick, values, looked, usage } = machine();
  tick();
  expect(looked).toEqual([]);
  const all = Array.from({ length: 3 * MOST_AT_ONCE }, (_, i) => i + 1);
  for (const pid of all) {
    add(table(), pid);
    set(pid, 1);
  }
  for (const turn of [1, 2, 3]) {
    tick();
    expect([looked.length, values()[CPU]]).toEqual([turn * MOST_AT_ONCE, turn * MOST_AT_ONCE]);
  }
  expect(new Set(looked).size).toBe(all.length);
  // Ticks that follow each other faster look no more often.
  usage.sample(3001);
  expect(looked).toHaveLength(all.length);
});

test('whatever processes, tables and looks come in whatever order: nothing is lost, and nothing counts twice', () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant('burn' as const),
      pid: fc.integer({ min: 1, max: 3 }),
      by: fc.integer({ min: 1, max: 9 }),
    }),
    fc.record({
      do: fc.constantFrom('exec' as const, 'end' as const),
      pid: fc.integer({ min: 1, max: 3 }),
      by: fc.nat(0),
    }),
    fc.record({ do: fc.constant('tick' as const), pid: fc.constant(1), by: fc.nat(0) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { set, add, table, tick, values, end } = machine();
      const used = new Map<number, number>([1, 2, 3].map((pid) => [pid, 0]));
      const tables = new Map<number, Measured[]>([1, 2, 3].map((pid) => [pid, [add(table({ launch: LAUNCH }), pid)]]));
      for (const { do: what, pid, by } of steps) {
        if (what === 'burn') used.set(pid, used.get(pid)! + by);
        set(pid, used.get(pid)!, 100 * pid);
        if (what === 'tick') tick();
        if (what === 'exec') tables.get(pid)!.push(add(table({ launch: LAUNCH }), pid));
        const ended = what === 'end' ? tables.get(pid)!.shift() : undefined;
        if (ended) end(ended, { cpuSeconds: used.get(pid)!, peakBytes: 0 });
        if (ended && tables.get(pid)!.length === 0) tables.get(pid)!.push(add(table({ launch: LAUNCH }), pid));
      }
      for (const [pid, left] of tables) for (const one of left) end(one, { cpuSeconds: used.get(pid)!, peakBytes: 0 });
      expect(values()[CPU] ?? 0).toBe([...used.values()].reduce((a, b) => a + b, 0));
    }),
  );
});
