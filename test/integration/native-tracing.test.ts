/** Which engine counts system calls, and processes that run already: `vigie-run -v`, `-S PID`. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { requireComponent } from '../support/components.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { eventually } from '../support/wait.ts';
import { start } from './mpi/build.ts';
import { type Bench, hits, prepare } from './syscalls/build.ts';

const folder = temporaryFolder();
const file = (name: string) => path.join(folder, name);
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
const asRoot = process.getuid?.() === 0;
let bench: Bench;

beforeAll(async () => {
  bench = await prepare(folder);
  chmodSync(folder, 0o755);
}, 600_000);

afterAll(async () => void (await (bench as Bench | undefined)?.engine.stop()));

function compile(name: string, source: string, flags: readonly string[] = []): string {
  writeFileSync(file(`${name}.c`), source);
  execFileSync('cc', ['-O1', '-o', file(name), file(`${name}.c`), ...flags]);
  return file(name);
}

describe('the engine that fits', () => {
  test('within a dynamic program', async () => {
    const { stderr } = await bench.run('dynamic', ['-v', '-e', 'strace'], ['/bin/true']);
    expect(stderr).toContain('within the program (Syscall User Dispatch), from its constructors on');
  });

  test('by a tracer as asked for', async () => {
    const { stderr } = await bench.run('asked', ['-v', '-e', 'ptrace'], ['/bin/true']);
    expect(stderr).toContain('by a tracer (ptrace): as asked for');
    expect(hits(await bench.counters('asked'))).toMatchObject({ execve: 1, arch_prctl: 1 });
  });

  test('on a kernel without Syscall User Dispatch', async () => {
    const launch = [bench.vigieRun, '-j', 'old kernel', '-v', '-e', 'strace', '--', bench.calls, 'exits_seven'];
    const outcome = await bench.plain([bench.calls, 'without_dispatch', ...launch]);
    expect(outcome).toMatchObject({ code: 7, stdout: '' });
    expect(outcome.stderr).toContain('by a tracer (ptrace): this kernel has no Syscall User Dispatch');
    expect(hits(await bench.counters('old kernel'))['getppid']).toBe(1000);
  });

  test.runIf(process.arch === 'x64')('a program of 32 bits', async (context) => {
    // getpid twice, exit with 7.
    const source =
      '.globl _start\n_start: mov $20,%eax\nint $0x80\nmov $20,%eax\nint $0x80\nmov $1,%eax\nmov $7,%ebx\nint $0x80\n';
    writeFileSync(file('small.s'), source);
    execFileSync('as', ['--32', '-o', file('small.o'), file('small.s')]);
    execFileSync('ld', ['-m', 'elf_i386', '-o', file('small'), file('small.o')]);
    if ((await bench.plain([file('small')])).code !== 7) context.skip('this kernel runs no programs of 32 bits');
    const outcome = await bench.run('small', ['-v', '-e', 'strace'], [file('small')]);
    expect(outcome).toMatchObject({ code: 7 });
    expect(outcome.stderr).toContain('the program is of another architecture');
    expect(hits(await bench.counters('small'))).toEqual({ execve: 1, getpid: 2 });
  });

  test('Go', { timeout: 300_000 }, async (context) => {
    const go = requireComponent('go', context);
    const program = `package main
import ("fmt"; "os"; "os/exec"; "sync")
func main() {
  var all sync.WaitGroup
  for i := 0; i < 50; i++ { all.Add(1); go func() { os.Getppid(); all.Done() }() }
  all.Wait()
  out, _ := exec.Command("echo", "hi").Output()
  fmt.Print(string(out))
}`;
    writeFileSync(file('crowd.go'), program);
    const env = { ...process.env, HOME: folder, GOCACHE: file('go-cache'), GOFLAGS: '' };
    execFileSync(go, ['build', '-o', file('crowd'), file('crowd.go')], { env });
    execFileSync(go, ['build', '-buildmode=pie', '-o', file('crowd-dynamic'), file('crowd.go')], { env });
    for (const name of ['crowd', 'crowd-dynamic']) {
      const outcome = await bench.run(name, ['-v', '-e', 'strace'], [file(name)]);
      expect(outcome).toMatchObject({ code: 0, stdout: 'hi\n' });
      expect(outcome.stderr).toContain('by a tracer (ptrace)');
      expect(hits(await bench.counters(name))).toMatchObject({ getppid: 50 });
    }
  });

  describe('Java', () => {
    // Four threads: each writes a file of 100 × 1,000 bytes and reads it again, by streams and by channels.
    const source = `import java.io.*; import java.nio.*; import java.nio.channels.*; import java.nio.file.*;
public class Work {
  static void work(Path file) {
    byte[] part = new byte[1000];
    try {
      try (OutputStream out = new FileOutputStream(file.toFile())) { for (int i = 0; i < 100; i++) out.write(part); }
      int sum = 0;
      try (InputStream in = new FileInputStream(file.toFile())) { for (int n; (n = in.read(part)) > 0; ) sum += n; }
      try (FileChannel all = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
        for (int i = 0; i < 100; i++) all.write(ByteBuffer.wrap(part), 1000L * i);
        for (int i = 0; i < 100; i++) sum += all.read(ByteBuffer.wrap(part), 1000L * i);
        all.force(true);
      }
      synchronized (Work.class) { total += sum; }
      Files.delete(file);
    } catch (IOException error) { throw new UncheckedIOException(error); }
  }
  static long total;
  public static void main(String[] words) throws Exception {
    Thread[] threads = new Thread[4];
    for (int i = 0; i < 4; i++) { Path file = Path.of(words[0], "part" + i); threads[i] = new Thread(() -> work(file)); }
    for (Thread thread : threads) thread.start();
    for (Thread thread : threads) thread.join();
    System.out.println(total);
    System.exit(3);
  }
}`;

    test.for(['io', 'strace', 'ptrace'])('-e %s', { timeout: 300_000 }, async (engine, context) => {
      const java = requireComponent('java', context);
      if (!existsSync(file('Work.class'))) {
        writeFileSync(file('Work.java'), source);
        execFileSync(path.join(path.dirname(realpathSync(java)), 'javac'), [
          '-J-XX:TieredStopAtLevel=1',
          '-d',
          folder,
          file('Work.java'),
        ]);
      }
      const command = [java, '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData', '-cp', folder, 'Work', folder];
      const outcome = await bench.run(`java ${engine}`, ['-e', engine], command);
      expect(outcome).toEqual({ code: 3, signal: null, stdout: '800000\n', stderr: '' });
      const counters = await bench.counters(`java ${engine}`);
      const layer = engine === 'io' ? 'io' : 'strace';
      const [pread, pwrite] = engine === 'io' ? ['pread', 'pwrite'] : ['pread64', 'pwrite64'];
      expect(hits(counters, layer)).toMatchObject({ [pwrite]: 400, fsync: 4 });
      expect(counters.get(`${layer}___size___${pwrite}`)).toBe(400_000);
      // The JVM itself reads and writes, too.
      expect(counters.get(`${layer}___size___${pread}`)).toBeGreaterThanOrEqual(400_000);
      expect(counters.get(`${layer}___size___write`)).toBeGreaterThanOrEqual(400_000);
      expect(counters.get(`${layer}___size___read`)).toBeGreaterThanOrEqual(400_000);
    });
  });

  test('Python and its processes', { timeout: 120_000 }, async () => {
    const program = `
import os, subprocess, threading
print(subprocess.run(['sh', '-c', 'exit 3']).returncode, subprocess.check_output(['echo', 'hi']))
threads = [threading.Thread(target=lambda: [os.getsid(0) for i in range(100)]) for i in range(5)]
[one.start() for one in threads], [one.join() for one in threads]
child = os.fork()
if child == 0: [os.getsid(0) for i in range(100)], os._exit(4)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
`;
    for (const engine of ['strace', 'ptrace']) {
      const outcome = await bench.run(`python ${engine}`, ['-e', engine], ['python3', '-c', program]);
      expect(outcome).toEqual(await bench.plain(['python3', '-c', program]));
      expect(hits(await bench.counters(`python ${engine}`))['getsid']).toBe(600);
    }
  });
});

describe.runIf(asRoot)('rights', () => {
  test('set-id programs keep theirs and run unmonitored, with one notice', async () => {
    const program = compile('rights', '#include <unistd.h>\nint main(void) { return geteuid() == 0 ? 0 : 9; }');
    chmodSync(program, 0o4755);
    const env = { ...bench.env, VIGIE_SOCKET: '/nowhere', XDG_RUNTIME_DIR: '/nowhere' };
    for (const flags of [[], ['-e', 'strace'], ['-e', 'ptrace']]) {
      const outcome = await start([...NOBODY, bench.vigieRun, ...flags, '--', program], env, '/');
      expect(outcome).toMatchObject({ code: 0, stdout: '' });
      expect(outcome.stderr).toBe('vigie-run: the program has set-id rights: it runs unmonitored\n');
    }
    const shell = ['sh', '-c', `${program} && ${program}`];
    for (const [engine, notices] of [
      ['ptrace', 1],
      ['strace', 0],
    ] as const) {
      const outcome = await start([...NOBODY, bench.vigieRun, '-e', engine, '--', ...shell], env, '/');
      expect(outcome).toMatchObject({ code: 0, stdout: '' });
      expect(outcome.stderr.split('set-id rights').length - 1).toBe(notices);
    }
  });

  test('another user’s process', async () => {
    const sleeper = spawn('sleep', ['300']);
    onTestFinished(() => void sleeper.kill('SIGKILL'));
    const env = { ...bench.env, XDG_RUNTIME_DIR: '/nowhere' };
    const outcome = await start([...NOBODY, bench.vigieRun, '-S', String(sleeper.pid)], env, '/');
    expect(outcome).toMatchObject({ code: 127, stdout: '' });
    expect(outcome.stderr).toBe(
      `vigie-run: -S: process ${sleeper.pid} belongs to root: only they and root may attach to it\n`,
    );
  });
});

describe('a process that runs already', () => {
  const PROGRAM = `
import os, signal, sys, threading, time
def work():
    while True: os.getppid(), time.sleep(0.001)
for i in range(4): threading.Thread(target=work, daemon=True).start()
go = True
def leave(number, frame):
    global go
    go = False
signal.signal(signal.SIGUSR1, leave)
print('ready', flush=True)
while go:
    child = os.fork()
    if child == 0: os.getpgrp(), os._exit(0)
    os.waitpid(child, 0)
    time.sleep(0.02)
print('end')
`;

  async function running(): Promise<{ child: ChildProcess; text: () => string }> {
    const child = spawn('python3', ['-c', PROGRAM], { stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
    await eventually(() => text.includes('ready'));
    return { child, text: () => text };
  }

  const tracerOf = (pid: number) => Number(/TracerPid:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);

  async function endsByItself({ child, text }: Awaited<ReturnType<typeof running>>) {
    child.kill('SIGUSR1');
    if (child.exitCode === null) await once(child, 'close');
    expect([child.exitCode, child.signalCode, text()]).toEqual([0, null, 'ready\nend\n']);
  }

  function attach(job: string, pid: number): ChildProcess {
    const tracer = spawn(bench.vigieRun, ['-j', job, '-S', String(pid)], { env: bench.env, stdio: 'inherit' });
    onTestFinished(() => void tracer.kill('SIGKILL'));
    return tracer;
  }

  test.each(['SIGINT', 'SIGTERM'] as const)('%s lets it go', { timeout: 120_000 }, async (signal) => {
    const process = await running();
    const pid = process.child.pid!;
    const tracer = attach(`attached ${signal}`, pid);
    await eventually(() => readdirSync(`/proc/${pid}/task`).every((tid) => tracerOf(Number(tid)) === tracer.pid));
    await eventually(async () => {
      const run = (await bench.client.runs({ state: 'live' })).runs.find(({ jobid }) => jobid === `attached ${signal}`);
      // A child that came later has counted.
      const series = run === undefined ? [] : (await bench.client.profile(run.id)).series;
      return series.some(({ name, value }) => name === 'strace___hits___getpgrp' && (value ?? 0) > 0);
    });
    tracer.kill(signal);
    const [code] = (await once(tracer, 'close')) as [number];
    expect(code).toBe(0);
    expect(tracerOf(pid)).toBe(0);
    const counted = hits(await bench.counters(`attached ${signal}`));
    expect(counted['getppid']).toBeGreaterThan(4);
    // Of children that came later.
    expect(counted['getpgrp']).toBeGreaterThan(0);
    await endsByItself(process);
  });

  test('one that waits in a call that does not return is seen at once', { timeout: 120_000 }, async () => {
    const sleeper = spawn('sleep', ['300']);
    onTestFinished(() => void sleeper.kill('SIGKILL'));
    const tracer = attach('waits', sleeper.pid!);
    await eventually(async () => {
      const run = (await bench.client.runs({ state: 'live' })).runs.find(({ jobid }) => jobid === 'waits');
      const series = run === undefined ? [] : (await bench.client.profile(run.id)).series;
      return series.some(({ family, value }) => family.startsWith('strace___hits___') && value === 0);
    });
    tracer.kill('SIGINT');
    await once(tracer, 'close');
    expect(tracerOf(sleeper.pid!)).toBe(0);
  });

  test('it survives the tracer’s death', { timeout: 120_000 }, async () => {
    const process = await running();
    const tracer = attach('killed tracer', process.child.pid!);
    await eventually(() => tracerOf(process.child.pid!) === tracer.pid);
    await eventually(async () =>
      (await bench.client.runs({ state: 'live' })).runs.some(({ jobid }) => jobid === 'killed tracer'),
    );
    tracer.kill('SIGKILL');
    await once(tracer, 'close');
    await eventually(() => tracerOf(process.child.pid!) === 0);
    await endsByItself(process);
  });

  test('one that is traced already, and none', { timeout: 120_000 }, async () => {
    const process = await running();
    const pid = process.child.pid!;
    const tracer = attach('first', pid);
    await eventually(() => tracerOf(pid) === tracer.pid);
    const second = await bench.plain([bench.vigieRun, '-S', String(pid)]);
    expect(second).toMatchObject({
      code: 127,
      stderr: `vigie-run: -S: process ${pid} is traced already, by process ${tracer.pid}\n`,
    });
    for (const [word, code, says] of [
      ['4194305', 127, 'there is no process 4194305'],
      ['many', 2, "'many' is no process"],
      [`${pid}x`, 2, `'${pid}x' is no process`],
    ] as const)
      expect(await bench.plain([bench.vigieRun, '-S', word])).toMatchObject({
        code,
        stderr: `vigie-run: -S: ${says}\n`,
      });
  });
});
