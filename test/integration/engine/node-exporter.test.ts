/**
 * What our sources say beside what Debian's node exporter says of the same machine. Totals are read before and after
 * the exporter reads them: its numbers lie between ours.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { SOURCES } from '../../../src/engine/sources/index.ts';
import { parseMetric } from '../../../src/shared/model/metric.ts';
import { requireComponent } from '../../support/components.ts';
import { eventually } from '../../support/wait.ts';
import { Recorder } from '../../unit/engine/sources/recorder.ts';

type Values = Map<string, number>;

/** Labels in any order, under one key. */
const key = (family: string, labels: Readonly<Record<string, string>>): string =>
  `${family}{${Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join(',')}}`;

function read(text: string): Values {
  const values: Values = new Map();
  for (const line of text.split('\n')) {
    const found = /^(node_\w+(?:\{.*\})?) (\S+)$/.exec(line);
    if (!found) continue;
    const { family, labels } = parseMetric(found[1]!);
    values.set(key(family, Object.fromEntries(labels)), Number(found[2]));
  }
  return values;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function startExporter(program: string): Promise<string> {
  const address = `127.0.0.1:${await freePort()}`;
  const child = spawn(program, [`--web.listen-address=${address}`, '--collector.processes', '--log.level=error'], {
    stdio: 'ignore',
  });
  onTestFinished(async () => {
    child.kill();
    if (child.exitCode === null) await once(child, 'exit');
  });
  const url = `http://${address}/metrics`;
  await eventually(async () => (await fetch(url)).ok, { timeout: 50_000 });
  return url;
}

/** Our families and theirs, where the quantity is the same; the labels as theirs. */
const SUFFIXES: readonly (readonly [ours: string, theirs: string])[] = [
  ...['context_switches_total', 'intr_total', 'forks_total'],
  ...['pgfault', 'pgmajfault', 'pswpin', 'pswpout', 'oom_kill'].map((name) => `vmstat_${name}`),
  ...['cpu_waiting', 'io_waiting', 'io_stalled', 'memory_waiting', 'memory_stalled'].map(
    (name) => `pressure_${name}_seconds_total`,
  ),
  ...[
    'reads_completed',
    'read_bytes',
    'read_time_seconds',
    'writes_completed',
    'written_bytes',
    'write_time_seconds',
  ].map((name) => `disk_${name}_total`),
  ...['io_time_seconds', 'io_time_weighted_seconds', 'flush_requests', 'flush_requests_time_seconds'].map(
    (name) => `disk_${name}_total`,
  ),
].map((name) => [`proxy_${name}`, `node_${name}`]);
const TOTALS = new Map<string, string>([
  ...SUFFIXES,
  ['proxy_cpu_core_seconds_total', 'node_cpu_seconds_total'],
  ...['receive', 'transmit'].flatMap((way): [string, string][] => [
    [`proxy_network_${way}_bytes_total`, `node_network_${way}_bytes_total`],
    [`proxy_network_${way}_packets_total`, `node_network_${way}_packets_total`],
    [`proxy_network_${way}_packets_error_total`, `node_network_${way}_errs_total`],
    [`proxy_network_${way}_drop_total`, `node_network_${way}_drop_total`],
  ]),
]);

/** The same at every moment, or nearly. */
const STEADY = new Map<string, string>([
  ['proxy_memory_total_bytes', 'node_memory_MemTotal_bytes'],
  ['proxy_swap_total_bytes', 'node_memory_SwapTotal_bytes'],
  ['proxy_boot_time_seconds', 'node_boot_time_seconds'],
  ['proxy_disk_size_bytes', 'node_filesystem_size_bytes'],
  ['proxy_filesystem_files', 'node_filesystem_files'],
  ['proxy_filesystem_readonly', 'node_filesystem_readonly'],
]);

/** Labels of ours that they call otherwise, and those that they do not have. */
const LABELS: Readonly<Record<string, string | null>> = { interface: 'device', fs: 'fstype', kind: null };

/** Their key for a series of ours; null when it is not compared. */
function theirKey(name: string, families: ReadonlyMap<string, string>): string | null {
  const { family, labels } = parseMetric(name);
  const theirs = families.get(family);
  if (theirs === undefined) return null;
  const renamed = labels.flatMap(([label, value]) => {
    const to = label in LABELS ? LABELS[label]! : label;
    return to === null ? [] : [[to, value]];
  });
  return key(theirs, Object.fromEntries(renamed) as Record<string, string>);
}

const valuesOf = (out: Recorder): Values => new Map(out.names().map((name) => [name, out.value(name) ?? NaN]));

test('the numbers of this machine are those of the node exporter', { timeout: 120_000 }, async (context) => {
  const url = await startExporter(requireComponent('prometheus-node-exporter', context));
  const instances = SOURCES.flatMap((source) => source.open({ proc: '/proc', sys: '/sys' }) ?? []);
  onTestFinished(async () => {
    for (const instance of instances) await instance.close();
  });
  const out = new Recorder();
  const sample = async (): Promise<Values> => {
    for (const instance of instances) instance.sample(out, 10);
    for (const instance of instances) await instance.settled?.();
    for (const instance of instances) if (instance.settled) instance.sample(out, 0);
    return valuesOf(out);
  };
  // A round over all processes takes some ticks.
  await eventually(async () => (await sample()).has('proxy_processes_pids'), { interval: 1 });
  const before = await sample();
  const theirs = read(await (await fetch(url)).text());
  const after = await sample();

  const seen = new Set<string>();
  for (const [name, value] of after) {
    const total = theirKey(name, TOTALS);
    const told = total === null ? undefined : theirs.get(total);
    if (told === undefined || !before.has(name)) continue;
    seen.add(parseMetric(name).family);
    // The exporter prints fewer digits, and idle time is corrected backwards now and then.
    const slack = 0.02 + told * 1e-9;
    expect(
      [name, told >= before.get(name)! - slack, told <= value + slack],
      `${told} of ${before.get(name)} to ${value}`,
    ).toEqual([name, true, true]);
  }
  // This machine has them all but those that some kernels leave out.
  const optional = [...TOTALS.keys()].filter((family) => /pressure|flush|oom_kill|disk/.test(family));
  for (const family of TOTALS.keys()) if (!optional.includes(family)) expect(seen).toContain(family);

  const steady = new Set<string>();
  for (const [name, value] of after) {
    const told = theirs.get(theirKey(name, STEADY) ?? '');
    if (told === undefined) continue;
    steady.add(parseMetric(name).family);
    expect([name, Math.abs(value - told) <= 1 + 1e-9 * told], `${told}, ours ${value}`).toEqual([name, true]);
  }
  expect(steady).toContain('proxy_memory_total_bytes');
  expect(steady).toContain('proxy_disk_size_bytes');

  // Counted at different moments, while programs come and go.
  const pids = theirs.get('node_processes_pids{}')!;
  expect(Math.abs(after.get('proxy_processes_pids')! - pids)).toBeLessThan(20 + pids / 2);
  const load = theirs.get('node_load1{}')!;
  expect(Math.abs(after.get('proxy_load1')! - load)).toBeLessThan(0.5 + load / 2);
  const available = theirs.get('node_memory_MemAvailable_bytes{}')!;
  expect(Math.abs(after.get('proxy_memory_available_bytes')! - available)).toBeLessThan(available / 4);
});
