/**
 * What counting system calls and I/O costs programs: plain, `-e io`, `-e strace`, `-e ptrace`, `strace -c -f`, side by side.
 *
 *     npm run bench -- syscalls [--quick] [--rounds N] [--count N]
 *
 * CPU and wall time of `dd bs=1` and of `find /usr`, and what a call of an instrumented function costs. What stops at each call makes a tenth of dd's calls, and its overhead
 * is multiplied; --quick: a tenth of all. Budgets are held against CPU time, of the program and its tracer, which another
 * load on the machine changes least; for `-e ptrace`, whose tracer is nobody's child, there is only wall time.
 */

import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';

import { findProgram } from '../scripts/lib/components.mjs';
import { startEngine, temporaryFolder } from './support/engine.ts';
import { buildNative } from './support/native.ts';
import { median, printResult, printTable, verdict } from './support/report.ts';

/** `functions`: ns of a call and its return, beyond the compiler's hook. */
const BUDGET = { io: 1.3, ofStrace: 1 / 8, find: 4, functions: 60 };
const TOOLS = ['plain', 'io', 'strace', 'ptrace', 'strace -c -f'] as const;
type Tool = (typeof TOOLS)[number];
/** Those whose every call waits for another process. */
const SLOW: readonly Tool[] = ['ptrace', 'strace -c -f'];
const SHARE = 10;

const { values: flags } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string' }, count: { type: 'string' } },
});
const rounds = Number(flags.rounds ?? 3);
const count = Number(flags.count ?? (flags.quick ? 200_000 : 2_000_000));
if (!(rounds >= 1) || !(count >= SHARE)) throw new Error('--rounds and --count take positive numbers');

interface Cost {
  readonly wall: number;
  readonly cpu: number;
}

/** Seconds. The shell says what its children used: `0m1.234s` for user and system. */
function cost(command: readonly string[], env: NodeJS.ProcessEnv): Cost {
  const start = performance.now();
  const script = '"$@" >/dev/null 2>&1 </dev/null || exit 1; times';
  const { status, stdout, error } = spawnSync('bash', ['-c', script, 'bash', ...command], { env, encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${command.join(' ')} failed`);
  const wall = (performance.now() - start) / 1000;
  const parts = [...(stdout.trim().split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g)];
  return { wall, cpu: parts.reduce((sum, [, minutes, rest]) => sum + 60 * Number(minutes) + Number(rest), 0) };
}

/** CPU ns of a call of an empty function, by the program itself. */
function pair(command: readonly string[], env: NodeJS.ProcessEnv): number {
  const { stdout, status } = spawnSync(command[0]!, command.slice(1), { env, encoding: 'utf8' });
  const ns = Number(stdout);
  if (status !== 0 || !(ns >= 0)) throw new Error(`${command.join(' ')} failed`);
  return ns;
}

const PAIRS = join(import.meta.dirname, '../native/exporters/functions/test/pairs.c');

const folder = temporaryFolder('syscalls');
const engine = await startEngine(['--memory', '--no-node']);
try {
  const vigieRun = buildNative(folder.path)('run/vigie-run');
  const env = { ...process.env, VIGIE_SOCKET: join(dirname(engine.legacySocket), 'vigie.socket') };
  const tools = TOOLS.filter((tool) => tool !== 'strace -c -f' || findProgram('strace') !== undefined);
  const under = (tool: Tool, command: readonly string[]): readonly string[] => {
    if (tool === 'plain') return command;
    if (tool === 'strace -c -f') return ['strace', '-c', '-f', '-o', '/dev/null', ...command];
    return [vigieRun, '-e', tool, '--', ...command];
  };
  const dd = (tool: Tool): readonly string[] => {
    const times = SLOW.includes(tool) ? Math.round(count / SHARE) : count;
    return ['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=1', `count=${times}`];
  };
  const find = ['find', '/usr'];

  // In turn, so that what else the machine does meets all of them.
  const costs = new Map<string, Cost[]>();
  const add = (key: string, value: Cost): void => void costs.set(key, [...(costs.get(key) ?? []), value]);
  cost(find, env);
  for (let round = 0; round < rounds; round++) {
    for (const tool of tools) {
      add(`dd ${tool}`, cost(under(tool, dd(tool)), env));
      add(`find ${tool}`, cost(under(tool, find), env));
    }
  }
  const of = (program: string, tool: Tool, what: keyof Cost): number =>
    median((costs.get(`${program} ${tool}`) ?? []).map((one) => one[what]));
  /** Seconds that all of dd's calls take longer. */
  const overhead = (tool: Tool, what: keyof Cost): number => {
    const plain = of('dd', 'plain', what);
    return SLOW.includes(tool) ? (of('dd', tool, what) - plain / SHARE) * SHARE : of('dd', tool, what) - plain;
  };
  const times = (tool: Tool, what: keyof Cost): number => 1 + overhead(tool, what) / of('dd', 'plain', what);
  const findTimes = (tool: Tool, what: keyof Cost): number => of('find', tool, what) / of('find', 'plain', what);

  console.log(`dd bs=1 count=${count} and find /usr, seconds, medians of ${rounds}:\n`);
  const shown = (tool: Tool, value: (what: keyof Cost) => string): string[] => [
    tool === 'ptrace' ? '' : value('cpu'),
    value('wall'),
  ];
  printTable(
    ['', 'dd CPU', 'wall', 'times', 'wall', 'µs a call', 'wall', 'find CPU', 'wall', 'times', 'wall'],
    tools.map((tool) => [
      tool === 'plain' || tool === 'strace -c -f' ? tool : `-e ${tool}`,
      ...shown(tool, (what) => (of('dd', 'plain', what) + overhead(tool, what)).toFixed(2)),
      ...shown(tool, (what) => times(tool, what).toFixed(2)),
      ...shown(tool, (what) => ((overhead(tool, what) / (2 * count)) * 1e6).toFixed(3)),
      ...shown(tool, (what) => of('find', tool, what).toFixed(2)),
      ...shown(tool, (what) => findTimes(tool, what).toFixed(2)),
    ]),
  );
  // The hooks alone call functions of libc that do nothing.
  const [plain, hooks] = [join(folder.path, 'pairs-plain'), join(folder.path, 'pairs')];
  for (const [to, flag] of [
    [plain, '-O2'],
    [hooks, '-finstrument-functions'],
  ] as const) {
    const { status, stderr } = spawnSync('cc', ['-O2', flag, PAIRS, '-o', to], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`cc failed: ${stderr}`);
  }
  const pairs: Record<'plain' | 'hooks' | 'counted', number[]> = { plain: [], hooks: [], counted: [] };
  for (let round = 0; round < rounds; round++) {
    pairs.plain.push(pair([plain], env));
    pairs.hooks.push(pair([hooks], env));
    pairs.counted.push(pair([vigieRun, '-e', 'functions', '--', hooks], env));
  }
  const [plainNs, hooksNs, countedNs] = [median(pairs.plain), median(pairs.hooks), median(pairs.counted)];
  console.log('\nA call of an empty function and its return, ns of CPU time:\n');
  printTable(
    ['plain', '-finstrument-functions', '-e functions', 'times plain'],
    [[plainNs.toFixed(1), hooksNs.toFixed(1), countedNs.toFixed(1), (countedNs / plainNs).toFixed(1)]],
  );
  const results = {
    functions: countedNs - hooksNs,
    io: times('io', 'cpu'),
    ofStrace: tools.includes('strace -c -f') ? overhead('strace', 'cpu') / overhead('strace -c -f', 'cpu') : null,
    find: findTimes('strace', 'cpu'),
  };
  console.log('');
  printTable(
    ['', 'measured', 'budget', ''],
    [
      ['dd, -e io, times plain', results.io.toFixed(2), `≤ ${BUDGET.io}`, verdict(results.io <= BUDGET.io)],
      [
        'dd, -e strace, overhead of that of strace -c -f',
        results.ofStrace === null ? 'no strace' : `1/${(1 / results.ofStrace).toFixed(1)}`,
        '≤ 1/8',
        results.ofStrace === null ? '' : verdict(results.ofStrace <= BUDGET.ofStrace),
      ],
      [
        'find, -e strace, times plain',
        results.find.toFixed(2),
        `≤ ${BUDGET.find}`,
        verdict(results.find <= BUDGET.find),
      ],
      [
        '-e functions, ns beyond the compiler’s hook',
        results.functions.toFixed(1),
        `≤ ${BUDGET.functions}`,
        verdict(results.functions <= BUDGET.functions),
      ],
    ],
  );
  printResult({
    bench: 'syscalls',
    rounds,
    count,
    node: process.version,
    cpu: cpus()[0]?.model,
    load: loadavg(),
    budget: BUDGET,
    seconds: Object.fromEntries(costs),
    results,
  });
} finally {
  await engine.stop();
  folder.remove();
}
