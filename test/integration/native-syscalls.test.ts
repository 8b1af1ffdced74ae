/** System calls, counted from within and by a tracer: programs behave as without it, and counts are strace's. */

import path from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { lacksComponent } from '../support/components.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { type Bench, hits, prepare, summary } from './syscalls/build.ts';

const folder = temporaryFolder();
let bench: Bench;

beforeAll(async () => {
  bench = await prepare(folder);
}, 600_000);

afterAll(async () => void (await (bench as Bench | undefined)?.engine.stop()));

/** Cases of vigie-test-calls, each with its 1,000 calls of getppid, and what else makes some. */
const CASES = [
  ['forks', 1000],
  ['vforks', 1005],
  ['spawns', 1000],
  ['clones', 1000],
  ['sigsys', 1000],
  ['longjumps', 1000],
  ['altstack', 1000],
  ['masks', 1000],
  ['threads', 1000],
  ['cancels', 1000],
  ['main_exits', 1000],
  ['seccomp_filter', 1000],
  ['seccomp_strict', 1000],
  ['exits_seven', 1000],
  ['executes', 1001],
  ['exits_in_malloc', 1000],
  ['errors', 1000],
  ['addresses', 1000],
  ['quits', 1000],
  ['exits_raw', 1000],
  ['aborts', 1000],
  ['kills_itself', 1000],
] as const;

describe.each(['strace', 'ptrace'])('%s', (engine) => {
  test.each(CASES)('%s', { timeout: 120_000 }, async (name, calls) => {
    const plain = await bench.plain([bench.calls, name]);
    expect(await bench.run(`${engine} ${name}`, ['-e', engine], [bench.calls, name])).toEqual(plain);
    const counted = hits(await bench.counters(`${engine} ${name}`))['getppid'];
    // A shell that posix_spawn starts without our environment is the tracer's only.
    expect(counted).toBe(name === 'spawns' && engine === 'ptrace' ? calls + 1 : calls);
  });

  test('killed by its own SIGSYS', { timeout: 120_000 }, async () => {
    const command = [bench.calls, 'killed_by_sigsys'];
    const outcome = await bench.run(`${engine} killed`, ['-e', engine], command);
    expect(outcome).toEqual(await bench.plain(command));
    expect(outcome.signal).toBe('SIGSYS');
  });

  test('a parent that ends before its child', { timeout: 120_000 }, async () => {
    const command = [bench.calls, 'daemonizes'];
    expect(await bench.run(`${engine} daemon`, ['-e', engine], command)).toEqual(await bench.plain(command));
    expect(hits(await bench.counters(`${engine} daemon`))['getppid']).toBeGreaterThanOrEqual(500);
  });
});

// By a tracer they would take minutes.
test('ten million calls', { timeout: 900_000 }, async () => {
  expect(await bench.run('many', ['-e', 'strace'], [bench.calls, 'many'])).toMatchObject({ code: 0, stdout: 'many\n' });
  expect(hits(await bench.counters('many'))['getppid']).toBe(10_000_000);
});

/** Calls of the loader and of memory's management, part of which come before the exporter or are libvigie's. */
const STARTUP =
  /^(access|arch_prctl|brk|close|execve|futex|getrandom|mmap|mprotect|munmap|newfstatat|openat|pread64|prlimit64|read|rseq|set_robust_list|set_tid_address|statfs)$/;

const CORPUS = [
  ['ls', ['ls', '-l', '/usr/bin']],
  ['find', ['find', '/etc']],
  ['tar', ['tar', 'cf', '/dev/null', '-C', '/', 'etc/ssl']],
  ['pipes', ['sh', '-c', 'cat /etc/passwd | wc -l; (echo a; echo b) | cat']],
  ['loop', ['bash', '-c', 'for i in 1 2 3; do /bin/true; done; x=$(echo hi); echo $x']],
  ['sort', ['sort', '-o', 'sorted', '/etc/services']],
] as const;

describe.skipIf(lacksComponent('strace'))('as many calls as `strace -c -f` says', () => {
  async function reference(name: string, command: readonly string[]) {
    const file = path.join(folder, `${name}.summary`);
    await bench.plain(['strace', '-c', '-f', '-o', file, ...command]);
    return summary(file);
  }

  test.each(CORPUS)('within the program: %s', { timeout: 120_000 }, async (name, command) => {
    const plain = await bench.plain(command);
    expect(await bench.run(`inside ${name}`, ['-e', 'strace'], command)).toEqual(plain);
    const counted = hits(await bench.counters(`inside ${name}`));
    const expected = await reference(name, command);
    const rest = (calls: Record<string, number>) =>
      // How many signals come one by one, and so how many handlers return, is chance.
      Object.entries(calls).filter(([call]) => !STARTUP.test(call) && call !== 'rt_sigreturn' && call !== 'wait4');
    expect(Object.fromEntries(rest(counted))).toEqual(Object.fromEntries(rest(expected)));
    for (const [call, number] of Object.entries(counted)) {
      if (STARTUP.test(call) && call !== 'futex') expect([call, number <= (expected[call] ?? 0)]).toEqual([call, true]);
    }
  });

  test.each(['forks', 'clones', 'masks', 'sigsys', 'exits_seven'])(
    'in full by a tracer: %s',
    { timeout: 120_000 },
    async (name) => {
      const command = [bench.staticCalls, name];
      const plain = await bench.plain(command);
      // Nobody asked for a tracer: the program is static.
      const outcome = await bench.run(`static ${name}`, ['-v', '-e', 'strace'], command);
      expect(outcome).toMatchObject({ code: plain.code, stdout: plain.stdout });
      expect(outcome.stderr).toContain('by a tracer (ptrace): the program is static');
      const expected = await reference(name, command);
      const counters = await bench.counters(`static ${name}`);
      expect(hits(counters)).toEqual(expected);
      // No library of ours tells how it ended.
      expect([counters.get('has_started'), counters.get('has_finished')]).toEqual([1, 1]);
      expect(counters.get(`vigie_exit_total{code="${plain.code}"}`)).toBe(1);
    },
  );
});
