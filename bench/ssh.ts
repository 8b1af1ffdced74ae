/**
 * What SSH costs here beside the user's own `ssh`, in the same run, against real sshd on loopback (root, openssh-server).
 *
 *     npm run bench -- ssh [--rounds N] [--megabytes N] [--targets N] [--seconds N]
 *
 * Each is measured in turn, ours and theirs: a login through two hops until a command has answered, as `ssh -J`; bytes
 * through a tunnel, as `ssh -L`; what a tunnel adds to a question and its answer. Then an engine with N targets behind one
 * login node that are asked each second, beside an engine that asks as many directly.
 */

import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { startEngine, type Engine } from './support/engine.ts';
import { Exporters } from './support/exporter.ts';
import { cpuSeconds } from './support/proc.ts';
import { median, megabytes, printResult, printTable, verdict } from './support/report.ts';
import {
  connectTo,
  download,
  openSession,
  Peer,
  pingPong,
  startForward,
  startSshBench,
  upload,
  type SshBench,
} from './support/ssh.ts';

const BUDGET = { connectRatio: 1.3, throughputRatio: 0.7, addedMs: 1, core: 0.15 };
const SERIES = 100;
const QUESTIONS = 2000;
const WARM_UP_SECONDS = 15;

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    megabytes: { type: 'string', default: '200' },
    targets: { type: 'string', default: '128' },
    seconds: { type: 'string', default: '30' },
  },
});
const [rounds, size, targets, seconds] = [flags.rounds, flags.megabytes, flags.targets, flags.seconds].map(Number) as [
  ...[number, number, number, number],
];
if (!(rounds > 0 && size > 0 && targets >= 0 && seconds > 0)) throw new Error('every option takes a number');
const bytes = size * 1e6;
const never = new AbortController().signal;

async function timed(work: () => Promise<unknown>): Promise<number> {
  const from = performance.now();
  await work();
  return performance.now() - from;
}

/** Milliseconds until a command behind two hops has answered. */
async function measureConnect(bench: SshBench): Promise<{ own: number[]; ssh: number[] }> {
  const [own, ssh]: [number[], number[]] = [[], []];
  const logIn = async (): Promise<void> => {
    const session = await openSession(bench, 'inner');
    const { stdout, stdin, code } = await session.exec('true', never);
    stdin.end();
    stdout.resume();
    if ((await code) !== 0) throw new Error('the command failed');
    await session.close();
  };
  const run = promisify(execFile);
  const { user } = bench.site;
  const jump = ['-J', `${user}@127.0.0.1:${bench.gate.port}`, '-p', String(bench.inner.port)];
  // What compiling the code costs once is left out: an engine runs for days.
  for (let i = 0; i < 3; i++) await logIn();
  for (let i = 0; i < rounds; i++) {
    own.push(await timed(logIn));
    ssh.push(await timed(() => run(bench.ssh, ['-F', bench.config, ...jump, 'direct', 'true'])));
  }
  return { own, ssh };
}

/** Bytes per second. */
async function measureThroughput(
  bench: SshBench,
  peer: Peer,
): Promise<Record<'down' | 'up', { own: number[]; ssh: number[] }>> {
  const result = {
    down: { own: [] as number[], ssh: [] as number[] },
    up: { own: [] as number[], ssh: [] as number[] },
  };
  const session = await openSession(bench, 'direct');
  for (const [way, port, move] of [
    ['down', peer.source, download],
    ['up', peer.sink, upload],
  ] as const) {
    const { port: local, child } = await startForward(bench, 'direct', port);
    try {
      await move(await session.dialTcp('127.0.0.1', port, never), bytes / 10);
      for (let i = 0; i < Math.min(rounds, 5); i++) {
        result[way].own.push(bytes / (await move(await session.dialTcp('127.0.0.1', port, never), bytes)));
        result[way].ssh.push(bytes / (await move(await connectTo(local), bytes)));
      }
    } finally {
      await child.stop();
    }
  }
  await session.close();
  return result;
}

/** Milliseconds of a question and its answer, p50. */
async function measureLatency(bench: SshBench, peer: Peer): Promise<{ direct: number; own: number; ssh: number }> {
  const session = await openSession(bench, 'direct');
  const { port, child } = await startForward(bench, 'direct', peer.echo);
  try {
    const ways = {
      direct: () => connectTo(peer.echo),
      own: () => session.dialTcp('127.0.0.1', peer.echo, never),
      ssh: () => connectTo(port),
    };
    const of = async (way: keyof typeof ways): Promise<number> => median(await pingPong(await ways[way](), QUESTIONS));
    for (const way of ['direct', 'own', 'ssh'] as const) await of(way);
    return { direct: await of('direct'), own: await of('own'), ssh: await of('ssh') };
  } finally {
    await child.stop();
    await session.close();
  }
}

async function send(engine: Engine, method: string, path: string, body?: unknown): Promise<unknown> {
  const answer = await fetch(new URL(`/api/v1${path}`, engine.url), {
    method,
    headers: { authorization: `Bearer ${engine.token}`, ...(body ? { 'content-type': 'application/json' } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? null : answer.json();
}

/** The host's key is taken once: nothing of this machine's own files is written. */
async function trust(engine: Engine): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const { prompts } = (await send(engine, 'GET', '/connections/prompts')) as {
      prompts: { id: string; kind: string }[];
    };
    const prompt = prompts.find(({ kind }) => kind === 'trust');
    if (prompt) {
      await send(engine, 'POST', `/connections/prompts/${prompt.id}`, { action: 'trust', keep: false });
      return;
    }
    await sleep(100);
  }
  throw new Error('nobody asked whether the key is the right one');
}

interface Asked {
  /** CPU seconds per second. */
  readonly core: number;
  readonly up: number;
}

async function measureTargets(bench: SshBench): Promise<{ ssh: Asked; direct: Asked }> {
  const exporters = await Exporters.start(targets, SERIES);
  process.env['SSH_AUTH_SOCK'] = await bench.site.agent(bench.key);
  const engines = [await startEngine([]), await startEngine([])] as const;
  try {
    const login = `ssh://${bench.site.user}@127.0.0.1:${bench.gate.port}/`;
    const lists = [login, 'http://'].map((before) =>
      exporters.ports.map((port) => `${before}127.0.0.1:${port}/metrics`),
    );
    for (const [i, engine] of engines.entries()) {
      const body = { action: 'add', targets: lists[i]!.join('\n'), type: 'prometheus', period: '1s', timeout: '1s' };
      await send(engine, 'POST', '/targets/bulk', body);
      if (i === 0) await trust(engine);
    }
    await sleep(1000 * WARM_UP_SECONDS);
    const before = engines.map(({ pid }) => cpuSeconds(pid));
    const from = performance.now();
    await sleep(1000 * seconds);
    const passed = (performance.now() - from) / 1000;
    const cores = engines.map(({ pid }, i) => (cpuSeconds(pid) - before[i]!) / passed);
    const ups: number[] = [];
    for (const engine of engines) {
      const path = '/api/v1/targets?limit=10000&type=prometheus&state=up';
      const found = (await engine.get(path)) as { targets: unknown[] };
      ups.push(found.targets.length);
    }
    return { ssh: { core: cores[0]!, up: ups[0]! }, direct: { core: cores[1]!, up: ups[1]! } };
  } finally {
    for (const engine of engines) await engine.stop();
    await exporters.stop();
  }
}

const bench = await startSshBench();
const peer = await Peer.start();
try {
  const connected = await measureConnect(bench);
  const [own, ssh] = [median(connected.own), median(connected.ssh)];
  const throughput = await measureThroughput(bench, peer);
  const [down, up] = (['down', 'up'] as const).map((way) => {
    const [ours, theirs] = [median(throughput[way].own), median(throughput[way].ssh)];
    return { ours, theirs, ratio: ours / theirs };
  }) as [...{ ours: number; theirs: number; ratio: number }[]] as [Rate, Rate];
  const latency = await measureLatency(bench, peer);
  const added = latency.own - latency.direct;
  const asked = targets > 0 ? await measureTargets(bench) : null;
  const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ms`;
  const rate = (value: number): string => `${megabytes(value)}/s`;
  const row = (what: string, mine: string, other: string, ratio: string, bound: string, met: boolean): string[] => [
    what,
    mine,
    other,
    ratio,
    bound,
    verdict(met),
  ];
  console.log('');
  printTable(
    ['', 'vigie', 'ssh', 'ratio', 'bound', ''],
    [
      row(
        'login through two hops',
        ms(own),
        ms(ssh),
        (own / ssh).toFixed(2),
        `≤ ${BUDGET.connectRatio}`,
        own / ssh <= BUDGET.connectRatio,
      ),
      row(
        'tunnel, to here',
        rate(down.ours),
        rate(down.theirs),
        down.ratio.toFixed(2),
        `≥ ${BUDGET.throughputRatio}`,
        down.ratio >= BUDGET.throughputRatio,
      ),
      row(
        'tunnel, to there',
        rate(up.ours),
        rate(up.theirs),
        up.ratio.toFixed(2),
        `≥ ${BUDGET.throughputRatio}`,
        up.ratio >= BUDGET.throughputRatio,
      ),
      row(
        'added to a question, p50',
        ms(added),
        ms(latency.ssh - latency.direct),
        (added / (latency.ssh - latency.direct)).toFixed(2),
        `≤ ${BUDGET.addedMs} ms`,
        added <= BUDGET.addedMs,
      ),
      ...(asked
        ? [
            row(
              ...([
                `${targets} targets × ${SERIES} series, 1 Hz`,
                percent(asked.ssh.core),
                `${percent(asked.direct.core)} directly`,
              ] as const),
              ...([
                (asked.ssh.core / asked.direct.core).toFixed(2),
                `≤ ${percent(BUDGET.core)}`,
                asked.ssh.core <= BUDGET.core,
              ] as const),
            ),
          ]
        : []),
    ],
  );
  console.log('');
  printResult({
    bench: 'ssh',
    node: process.version,
    budget: BUDGET,
    ...{ rounds, bytes, connectMs: { own, ssh }, throughput: { down, up }, latencyMs: latency },
    targets: asked && { count: targets, series: SERIES, ...asked },
  });
  // Speed never fails a run; targets that are not asked do.
  if (asked && asked.ssh.up < targets) process.exitCode = 1;
} finally {
  await peer.stop();
  await bench.close();
}

interface Rate {
  readonly ours: number;
  readonly theirs: number;
  readonly ratio: number;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} % of a core`;
}
