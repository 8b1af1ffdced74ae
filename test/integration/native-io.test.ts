/** I/O through libc, as `vigie-run` counts it by itself. */

import { mkdirSync } from 'node:fs';
import path from 'node:path';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { startEngine } from '../support/engine.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { type Bench, hits, prepare } from './syscalls/build.ts';

const folder = temporaryFolder();
let bench: Bench;

beforeAll(async () => {
  bench = await prepare(folder);
}, 600_000);

afterAll(async () => void (await (bench as Bench | undefined)?.engine.stop()));

/** What vigie-test-io does, by its source. */
const CALLS = {
  access: 1,
  aio_return: 1,
  aio_write: 1,
  chdir: 1,
  close: 35,
  closedir: 1,
  copy_file_range: 1,
  fclose: 3,
  fdatasync: 1,
  fflush: 1,
  fgetc: 3,
  fgets: 1,
  fopen: 2,
  fprintf: 1,
  fputc: 1,
  fputs: 1,
  fread: 2,
  fseek: 1,
  fsync: 1,
  ftruncate: 1,
  fwrite: 100,
  getc: 302,
  lseek: 3,
  lstat: 1,
  mkdir: 1,
  mmap: 1,
  open: 28,
  openat: 1,
  opendir: 1,
  pread: 2602,
  preadv: 1,
  putc: 300,
  pwrite: 2,
  read: 4,
  readdir: 4,
  readv: 1,
  recv: 1,
  rename: 1,
  rmdir: 1,
  send: 1,
  sendfile: 1,
  socketpair: 1,
  stat: 2,
  unlink: 1,
  write: 10,
  writev: 1,
};

const BYTES = {
  aio_write: 250,
  copy_file_range: 200,
  fgetc: 3,
  fgets: 6,
  fprintf: 6,
  fputc: 1,
  fputs: 4,
  fread: 5000,
  fwrite: 5000,
  getc: 301,
  pread: 26_200,
  preadv: 30,
  putc: 300,
  pwrite: 1000,
  read: 5700,
  readv: 30,
  recv: 100,
  send: 700,
  sendfile: 300,
  write: 10_000,
  writev: 30,
};

test('every call once, its bytes, in threads and children of forks', { timeout: 120_000 }, async () => {
  const place = path.join(folder, 'disk');
  mkdirSync(place);
  expect(await bench.run('io', [], [bench.io, place])).toMatchObject({ code: 0, stdout: '', stderr: '' });
  const counters = await bench.counters('io');
  expect(hits(counters, 'io')).toMatchObject(CALLS);
  for (const [name, bytes] of Object.entries(BYTES)) {
    expect([name, counters.get(`io___size___${name}`)]).toEqual([name, bytes]);
  }
  // Where libc's own calls would be: a write for each buffer of a stream.
  expect(counters.get('total___io___size___write')).toBe(17_791);
  expect(counters.get('total___io___size___read')).toBe(37_874);
  const all = Object.values(hits(counters, 'io')).reduce((sum, one) => sum + one, 0);
  expect(counters.get('total___io___hits___total')).toBe(all);
  expect(counters.get('total___io___time___total')).toBeGreaterThan(0);
  expect(counters.get('io_sizes_total{kind="write",below="512"}')).toBe(407);
  expect(counters.get('io_sizes_total{kind="read",below="65536"}')).toBe(2);
});

test('waiting is counted apart from I/O', { timeout: 120_000 }, async () => {
  const place = path.join(folder, 'waits');
  mkdirSync(place);
  expect(await bench.run('waits', [], [bench.io, place])).toMatchObject({ code: 0, stderr: '' });
  const counters = await bench.counters('waits');
  const waits = (what: string) =>
    Object.fromEntries(
      ['poll', 'ppoll', 'select', 'pselect', 'epoll_wait', 'epoll_pwait'].map((call) => [
        call,
        counters.get(`io_wait_${what}_total{call="${call}"}`),
      ]),
    );
  expect(waits('calls')).toEqual({ poll: 2, ppoll: 1, select: 1, pselect: 1, epoll_wait: 1, epoll_pwait: 1 });
  const { poll, ppoll, epoll_wait: epoll } = waits('seconds');
  for (const seconds of [poll, ppoll, epoll]) expect(seconds).toBeGreaterThan(0.019);
  expect(Object.keys(hits(counters, 'io')).filter((call) => call.includes('poll') || call.includes('select'))).toEqual(
    [],
  );
});

test('mounts are told apart', { timeout: 120_000 }, async () => {
  const script = 'head -c 5000 /dev/zero > /dev/shm/$0; cat /dev/shm/$0 > on-disk; rm /dev/shm/$0 on-disk';
  const name = `vigie-io-${process.pid}`;
  expect(await bench.run('mounts', ['-e', 'io'], ['sh', '-c', script, name])).toMatchObject({ code: 0, stderr: '' });
  const counters = await bench.counters('mounts');
  const bytes = (mount: string, kind: string) =>
    [...counters]
      .filter(([series]) => series.startsWith('io_mount_bytes_total{'))
      .filter(([series]) => series.includes(`mount="${mount}"`) && series.includes(`kind="${kind}"`))
      .reduce((sum, [, value]) => sum + value, 0);
  expect(bytes('/dev/shm', 'write')).toBe(5000);
  expect(bytes('/dev/shm', 'read')).toBe(5000);
  expect(bytes('/dev', 'read')).toBeGreaterThanOrEqual(5000);
});

test.each([
  ['ends with its last thread, after main', 'main_exits'],
  ['jumps out of handlers', 'longjumps'],
  ['leaves by a handler that came within malloc', 'exits_in_malloc'],
  ['gives libc what is no address', 'errors'],
  ['is told of bad addresses by the kernel', 'addresses'],
  ['cancels threads', 'cancels'],
  ['runs children on stacks of their own', 'clones'],
  ['runs a thousand threads', 'threads'],
  ['has a filter of system calls', 'seccomp_filter'],
  ['gives up all but four system calls', 'seccomp_strict'],
])('a program that %s does so', { timeout: 120_000 }, async (_what, name) => {
  const plain = await bench.plain([bench.calls, name]);
  expect(await bench.run(`io ${name}`, [], [bench.calls, name])).toEqual(plain);
});

const libc = (call: string) => `import ctypes; ctypes.CDLL(None).${call}`;
test.each([
  ['quick_exit', libc('quick_exit(3)')],
  ['a raw exit_group', `${libc('syscall')}(${process.arch === 'arm64' ? 94 : 231}, 3)`],
  ['abort', 'os.abort()'],
  ['a signal to itself', 'os.kill(os.getpid(), 15)'],
  ['exec', 'os.execv("/bin/true", ["true"])'],
])('what was counted just before the end: %s', { timeout: 120_000 }, async (name, end) => {
  const program = `import os\nfd = os.open('/dev/zero', os.O_RDONLY)\nfor i in range(100): os.pread(fd, 10, 0)\n${end}`;
  const plain = await bench.plain(['python3', '-c', program]);
  expect(await bench.run(name, ['-e', 'io'], ['python3', '-c', program])).toEqual(plain);
  expect((await bench.counters(name)).get('io___hits___pread')).toBe(100);
});

test('descriptors of a child that shares its parent’s memory are not taken for the parent’s', async () => {
  const program = `
import os, subprocess
subprocess.run(['true'], stdout=subprocess.PIPE, check=True)
for i in range(10): os.write(1, b'x' * 100)
`;
  const command = [
    'sh',
    '-c',
    `python3 -c "$0" > /dev/shm/$1; cat /dev/shm/$1; rm /dev/shm/$1`,
    program,
    `vigie-${process.pid}`,
  ];
  expect(await bench.run('vfork', ['-e', 'io'], command)).toMatchObject({ code: 0, stdout: 'x'.repeat(1000) });
  const counters = await bench.counters('vfork');
  const written = (mount: string) => counters.get(`io_mount_bytes_total{mount="${mount}",type="tmpfs",kind="write"}`);
  expect(written('/dev/shm')).toBe(1000);
});

test.each([
  // The kernel lets a process of several threads have no user namespace of its own.
  ['makes namespaces', 'unshare -r id -u'],
  ['may only write small files', 'ulimit -f 1; cat /etc/hostname | wc -l; ls / > /dev/null'],
])('a program that %s does so', { timeout: 120_000 }, async (name, script) => {
  const command = ['sh', '-c', `${script}; echo $?`];
  const plain = await bench.plain(command);
  for (const engine of ['io', 'strace']) {
    expect(await bench.run(`${name} ${engine}`, ['-e', engine], command)).toEqual(plain);
  }
});

test('a child that outlives its parent gives away what both counted', { timeout: 120_000 }, async () => {
  const program = `
import os, time
fd = os.open('/dev/zero', os.O_RDONLY)
for i in range(100): os.pread(fd, 10, 0)
if os.fork() == 0:
    os.close(1), os.close(2)
    for i in range(30):
        os.pread(fd, 10, 0)
        time.sleep(0.1)
    os._exit(0)
`;
  // The child sees only after a while that it is the last.
  const engine = await startEngine({ args: ['--memory', '--grace', '3s'] });
  const patient = bench.with(engine);
  expect(await patient.run('outlived', [], ['python3', '-c', program])).toMatchObject({ code: 0 });
  expect((await patient.counters('outlived')).get('io___hits___pread')).toBe(130);
});
