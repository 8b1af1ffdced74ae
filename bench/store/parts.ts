/** The parts of the benchmark, and its tables. */

import { existsSync, rmSync, statfsSync, statSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { parseMetric } from '../../src/shared/model/metric.ts';
import { recorded } from '../../test/support/recorded.ts';
import { temporaryFolder } from '../support/engine.ts';
import { megabytes, printResult, printTable, verdict } from '../support/report.ts';
import { askStore, feedStore, measureLate } from './children.ts';
import { nodeName, SERIES_PER_NODE, SUMMED } from './fleet.ts';
import { grow } from './grow.ts';
import { prometheusBlocks, prometheusVersion, type PrometheusBlocks } from './prometheus.ts';
import { recordedAt, type RecordingOptions } from './recordings.ts';
import { emptyBytes, sizesOf, type Sizes } from './sizes.ts';
import { sourceOf, type Fed, type SourceSpec } from './spec.ts';

const BUDGET = {
  samplesPerCpuSecond: 1e6,
  residentBytes: 300e6,
  nodeMs: 50,
  sumMs: 1000,
  hourColdMs: 100,
  hourWarmMs: 30,
  startMs: 1000,
  lateMs: 50,
};
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** A whole number of Prometheus' longest blocks, so that no border of them lies in what is stored. */
const BEGIN = Math.floor(1_795_200_000_000 / (54 * HOUR)) * 54 * HOUR + HOUR;
const PARTS = ['recorded', 'fleet', 'hour', 'start', 'late'] as const;
type PartName = (typeof PARTS)[number];

const two = (value: number): string => value.toFixed(value < 10 ? 3 : 1);
const ms = (value: number): string => value.toFixed(value < 10 ? 1 : 0);

interface Context {
  readonly folder: string;
  readonly quick: boolean;
  readonly gigabytes: number;
  readonly prometheus: string | null;
  readonly empty: number;
}

interface Compared {
  readonly fed: Fed;
  readonly sizes: Sizes;
  readonly theirs: PrometheusBlocks | null;
}

async function compare(context: Context, name: string, source: SourceSpec, theirSource = source): Promise<Compared> {
  const data = join(context.folder, name);
  const fed = await feedStore({ data, source });
  const sizes = sizesOf(data, context.empty);
  const there = context.prometheus !== null;
  const theirs = there ? prometheusBlocks(sourceOf(theirSource), join(context.folder, `${name}-prometheus`)) : null;
  process.stderr.write(`${name}: done\n`);
  return { fed, sizes, theirs };
}

const NODE = { names: ['node-0', 'node-1'], begin: BEGIN, times: 1, asRuns: false } as const;
/** Begins so long after the node's, as it was. */
const others = (['mpi', 'find'] as const).map((name): RecordingOptions => ({
  ...{ names: [name], times: 1, asRuns: false },
  begin: BEGIN + Math.round(recordedAt(name) - recordedAt('node-0')),
}));
const [MPI, FIND] = others as [RecordingOptions, RecordingOptions];

const RECORDINGS: readonly (readonly [title: string, of: readonly RecordingOptions[]])[] = [
  ['all as recorded, 30 min', [NODE, MPI, FIND]],
  ['node, 30 min', [NODE]],
  ['MPI program, 10 min', [MPI]],
  ['find, 3 min', [FIND]],
  ['node, 6 h', [{ ...NODE, times: 13 }]],
  ['MPI program, 6 h', [{ ...MPI, times: 37 }]],
  ['find, 110 runs', [{ ...FIND, times: 110, asRuns: true }]],
];

async function recordedPart(context: Context): Promise<Record<string, unknown>> {
  const all = new Map<string, Compared>();
  for (const [i, [title, of]] of RECORDINGS.entries()) {
    all.set(title, await compare(context, `recorded-${i}`, { kind: 'recordings', of }));
  }
  console.log('\nRecorded data, everything on disk, bytes per sample (beside Prometheus’ compacted blocks):\n');
  printTable(
    [
      'recording',
      'samples',
      'changed',
      'Prometheus',
      'this',
      'ratio',
      '≤ 1',
      'less what is fixed',
      'changed: Pr.',
      'this',
    ],
    [...all].map(([title, { fed, sizes, theirs }]) => [
      ...[title, String(fed.samples), String(fed.changed)],
      theirs ? two(theirs.bytes / fed.samples) : '-',
      two(sizes.all / fed.samples),
      theirs ? two(sizes.all / theirs.bytes) : '-',
      theirs ? verdict(sizes.all <= theirs.bytes) : '-',
      theirs ? two((sizes.all - sizes.empty) / theirs.bytes) : '-',
      theirs ? two(theirs.bytes / fed.changed) : '-',
      two(sizes.all / fed.changed),
    ]),
  );
  console.log('\nWhat this takes, in kB:\n');
  printTable(
    ['recording', 'Prometheus', 'this', 'samples', 'minutes', 'hours', 'names', 'an empty store', 'as left'],
    [...all].map(([title, { sizes, theirs }]) => [
      title,
      ...[theirs?.bytes ?? NaN, sizes.all, ...sizes.tiers, sizes.names, sizes.empty, sizes.left].map((bytes) =>
        (bytes / 1000).toFixed(1),
      ),
    ]),
  );
  return Object.fromEntries(all.entries());
}

async function fleetPart(context: Context): Promise<Record<string, unknown>> {
  const [nodes, ticks] = context.quick ? [100, 720] : [1000, 2880];
  const of = { nodes, ticks, interval: MINUTE, begin: BEGIN };
  const few = { ...of, nodes: Math.min(nodes, 100) };
  const all = await compare(context, 'fleet', { kind: 'fleet', of }, { kind: 'fleet', of: few });
  const { fed, sizes, theirs } = all;
  const scopes = Array.from({ length: nodes }, (_, i) => nodeName(i));
  const to = BEGIN + (ticks - 1) * MINUTE;
  const span = { from: BEGIN, to, maxPoints: 1000 };
  const { answers } = await askStore({
    data: join(context.folder, 'fleet'),
    questions: [
      { name: 'one node, 20 series', scopes: [scopes[7]!], series: [], ...span, again: 20 },
      { name: `one metric of ${nodes} nodes`, scopes, series: [SUMMED], ...span, again: 3 },
    ],
  });
  const hours = ticks / 60;
  console.log(
    `\n${nodes} nodes × ${SERIES_PER_NODE} metrics × 60 s × ${hours} h = ${(fed.samples / 1e6).toFixed(1)} M samples:\n`,
  );
  const perCpu = fed.samples / fed.cpuSeconds;
  const size = sizes.all / fed.samples;
  const their = theirs ? theirs.bytes / theirs.samples : NaN;
  const [one, sum] = answers as [(typeof answers)[0], (typeof answers)[0]];
  printTable(
    ['', 'measured', 'goal', ''],
    [
      ['file', megabytes(sizes.all), '', ''],
      ['as left, before a vacuum', megabytes(sizes.left), '', ''],
      ['bytes per sample', two(size), `≤ Prometheus (${few.nodes} nodes): ${two(their)}`, verdict(size <= their)],
      ['samples, minutes, hours, names', sizes.tiers.map(megabytes).concat(megabytes(sizes.names)).join(', '), '', ''],
      [
        'samples per CPU second',
        `${(perCpu / 1e6).toFixed(2)} M`,
        '≥ 1 M',
        verdict(perCpu >= BUDGET.samplesPerCpuSecond),
      ],
      ['writing process, before it has the store', megabytes(fed.residentBytes), '', ''],
      [
        'writing process, most',
        megabytes(fed.peakResidentBytes),
        '≤ 300 MB',
        verdict(fed.peakResidentBytes <= BUDGET.residentBytes),
      ],
      [`${one.name}, ${hours} h, cold`, `${ms(one.coldMs)} ms`, '', ''],
      [`${one.name}, ${hours} h, warm`, `${ms(one.warmMs)} ms`, '≤ 50 ms', verdict(one.warmMs <= BUDGET.nodeMs)],
      [`${sum.name}, cold`, `${ms(sum.coldMs)} ms`, '', ''],
      [`${sum.name}, warm`, `${ms(sum.warmMs)} ms`, '≤ 1 s', verdict(sum.warmMs <= BUDGET.sumMs)],
    ],
  );
  if (theirs)
    console.log(
      `\npromtool: ${(theirs.samples / theirs.cpuSeconds / 1e6).toFixed(2)} M samples per CPU second, out of text`,
    );
  return { ...all, answers };
}

/** Two hours of a node, out of which an hour is asked for. */
async function feedHours(context: Context): Promise<string> {
  const data = join(context.folder, 'hours');
  if (!existsSync(data)) await feedStore({ data, source: { kind: 'recordings', of: [{ ...NODE, times: 4 }] } });
  return data;
}

async function hourPart(context: Context): Promise<Record<string, unknown>> {
  const data = await feedHours(context);
  const { scope, series } = recorded('node-0');
  const from = BEGIN + 1_234_567;
  const span = { scopes: [scope], from, to: from + HOUR, maxPoints: 1000, again: 20 };
  const keys = series.slice(0, 100).map(({ name }) => parseMetric(name).key);
  const first = await askStore({ data, questions: [{ name: '100 series', series: keys, ...span }] });
  const second = await askStore({ data, questions: [{ name: 'one series', series: keys.slice(7, 8), ...span }] });
  console.log(
    '\nOne hour of a node at 1 s to 1,000 points (cold: a new process, its first question, nothing cached):\n',
  );
  const answers = [...first.answers, ...second.answers];
  printTable(
    ['', 'series', 'points', 'cold ms', 'goal', '', 'warm ms', 'goal', '', 'CPU ms'],
    answers.map((each) => [
      ...[each.name, String(each.series), String(each.points)],
      ...[ms(each.coldMs), `≤ ${BUDGET.hourColdMs}`, verdict(each.coldMs <= BUDGET.hourColdMs)],
      ...[ms(each.warmMs), `≤ ${BUDGET.hourWarmMs}`, verdict(each.warmMs <= BUDGET.hourWarmMs), ms(each.warmCpuMs)],
    ]),
  );
  return { answers };
}

/** What the disk must have beside the store that is made. */
const ROOM = 5e9;

async function startPart(context: Context): Promise<Record<string, unknown>> {
  const data = await feedHours(context);
  const path = join(data, 'vigie.sqlite');
  const disk = statfsSync(context.folder);
  const room = disk.bavail * disk.bsize - ROOM;
  const wanted = Math.min(context.gigabytes * 1e9, room);
  const { scopes, blocks } = grow(path, wanted);
  const { size } = statSync(path);
  const { scope } = recorded('node-0');
  const question = {
    name: 'one hour',
    scopes: [scope],
    series: [],
    from: BEGIN,
    to: BEGIN + HOUR,
    maxPoints: 1000,
    again: 0,
  };
  const asked = await askStore({ data, questions: [question] });
  const again = await askStore({ data, questions: [question] });
  const least = Math.max(asked.openMs, again.openMs);
  const told = wanted < context.gigabytes * 1e9 ? ' (the disk has no room for more)' : '';
  console.log(`\nStart on ${(size / 1e9).toFixed(1)} GB${told}: ${scopes} scopes, ${blocks} blocks, nothing cached:\n`);
  printTable(
    ['', 'ms', 'goal', ''],
    [
      ['from asking for the store to having it', ms(least), `≤ ${BUDGET.startMs}`, verdict(least <= BUDGET.startMs)],
      ['first answer after that: an hour of a node', ms(asked.answers[0]!.coldMs), '', ''],
    ],
  );
  rmSync(data, { recursive: true });
  return { bytes: size, scopes, blocks, openMs: [asked.openMs, again.openMs], answers: asked.answers };
}

async function latePart(context: Context): Promise<Record<string, unknown>> {
  const [ticks, seconds] = context.quick ? [20_000, 10] : [500_000, 60];
  const all = await measureLate({ data: join(context.folder, 'late'), ticks, seconds });
  console.log('\nTicks and questions at once, in ms (late: a timer of 100 ms on the thread that takes the ticks):\n');
  printTable(
    [
      '',
      'ticks',
      'a second',
      'samples/s',
      'late p99',
      'worst',
      'goal',
      '',
      'on disk p99',
      'worst',
      'lost',
      'questions',
    ],
    all.map((each) => [
      ...[each.name, String(each.ticks), (each.ticks / each.seconds).toFixed(0)],
      (each.samples / each.seconds).toFixed(0),
      ...[ms(each.timerMs.p99), ms(each.timerMs.worst), `≤ ${BUDGET.lateMs}`],
      verdict(each.timerMs.worst <= BUDGET.lateMs && each.dropped === 0),
      ...[ms(each.durableMs.p99), ms(each.durableMs.worst), String(each.dropped), String(each.queries)],
    ]),
  );
  return { loads: all };
}

const RUN: Readonly<Record<PartName, (context: Context) => Promise<Record<string, unknown>>>> = {
  recorded: recordedPart,
  fleet: fleetPart,
  hour: hourPart,
  start: startPart,
  late: latePart,
};

export async function main(): Promise<void> {
  const { values: flags } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      gigabytes: { type: 'string' },
    },
  });
  const gigabytes = Number(flags.gigabytes ?? (flags.quick ? 1 : 10));
  if (!(gigabytes > 0)) throw new Error('--gigabytes takes a number');
  const names = flags.only === undefined ? PARTS : flags.only.split(',');
  const parts = names.map((name) => {
    const known = PARTS.find((part) => part === name);
    if (!known) throw new Error(`--only: there is no part ${name}; there are ${PARTS.join(', ')}`);
    return known;
  });
  const { path: folder, remove } = temporaryFolder('store');
  try {
    const empty = await emptyBytes(join(folder, 'empty'));
    const prometheus = prometheusVersion();
    const context = { folder, quick: flags.quick, gigabytes, prometheus, empty };
    const loads = (): string =>
      loadavg()
        .map((load) => load.toFixed(1))
        .join(' ');
    const before = loads();
    console.log(`Prometheus: ${prometheus ?? 'not installed'}; load average ${before}`);
    const results: Record<string, unknown> = {};
    for (const part of parts) results[part] = await RUN[part](context);
    console.log(`\nload average ${before} before, ${loads()} after\n`);
    printResult({ bench: 'store', node: process.version, quick: flags.quick, prometheus, ...results });
    const wrong = wrongIn(results);
    if (wrong > 0) throw new Error(`${wrong} scopes were not stored as they were told`);
  } finally {
    remove();
  }
}

/** Scopes that did not hold what they were told, wherever a feed says so. Speed and size never fail a run; this does. */
function wrongIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let wrong = 'wrong' in value && typeof value.wrong === 'number' ? value.wrong : 0;
  for (const each of Object.values(value)) wrong += wrongIn(each);
  return wrong;
}
