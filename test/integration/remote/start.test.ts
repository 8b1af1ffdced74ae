/** An engine is put on a host behind real sshd, started, stopped, brought up to date and removed; nothing is left half. */

import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Connection } from '../../../src/shared/api/connections.ts';
import { RunList } from '../../../src/shared/api/runs.ts';
import { Status } from '../../../src/shared/api/status.ts';
import { VERSION } from '../../../src/engine/version.ts';
import { changedPackage, makeEnginePackage } from '../../support/engine-package.ts';
import { alive } from '../../support/processes.ts';
import { lacksSshd } from '../../support/sshd.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { Far, begin, done, ended, failure, steps } from './far.ts';
import { connectionOf, isUp, until } from './support.ts';
import { send } from '../targets/support.ts';

const LONG = { timeout: 300_000 };

describe.skipIf(lacksSshd())('an engine over there', () => {
  let archive: string;
  beforeAll(async () => {
    archive = await makeEnginePackage();
  }, 600_000);
  beforeEach(() => void vi.stubEnv('VIGIE_PACKAGES', dirname(archive)));

  test('is started through two hops, answers, is stopped, started again and removed', LONG, async () => {
    const far = new Far();
    far.configure(await far.sshd(), await far.sshd());
    const { here, id } = await far.near();
    const started = await done(here, id, 'start');
    expect([failure(started.work), started.work.state]).toEqual(['', 'done']);
    expect(new Set(Object.values(steps(started.work)))).toEqual(new Set(['done']));
    expect(started.work.steps.every(({ ms }) => ms !== null)).toBe(true);
    expect(started.placed).toMatchObject({ host: hostname(), folder: far.folder, version: VERSION });

    const up = await until(here, id, isUp);
    const base = `/engines/${up.engine?.id}/api/v1`;
    const { engine } = Status.parse((await send(here, 'GET', `${base}/status`)).json());
    expect([engine.socket, engine.data]).toEqual([
      `/tmp/vigie-${far.uid}/engine.socket`,
      join(far.home, '.local/share/vigie', hostname()),
    ]);
    expect(RunList.parse((await send(here, 'GET', `${base}/runs`)).json()).runs).toEqual([]);
    // No port of it is open, and nobody else gets at its files.
    const pid = far.pid()!;
    const inodes = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`)));
    const ports = ['tcp', 'tcp6'].flatMap((name) =>
      readFileSync(`/proc/net/${name}`, 'utf8')
        .split('\n')
        .flatMap((line) => (inodes.has(`socket:[${line.trim().split(/\s+/)[9]}]`) ? [line] : [])),
    );
    expect(ports).toEqual([]);
    expect(lstatSync(far.folder).mode & 0o777).toBe(0o700);

    // It does not belong to the login.
    await send(here, 'POST', `/connections/${id}/disconnect`);
    await eventually(async () => (await connectionOf(here, id)).state === 'idle');
    expect(alive(pid)).toBe(true);
    const again = await done(here, id, 'start');
    expect([again.work.state, again.work.reason]).toEqual(['done', expect.stringContaining('answers there already')]);
    expect(far.pid()).toBe(pid);

    const stopped = await done(here, id, 'stop');
    expect([stopped.work.state, steps(stopped.work)['stop']]).toEqual(['done', 'done']);
    expect(alive(pid)).toBe(false);
    const gone = await until(here, id, (one) => one.engine?.state === 'absent');
    expect(gone.engine?.reason).toContain('start it again');

    const second = await done(here, id, 'start');
    expect([failure(second.work), steps(second.work)]).toEqual(['', expect.objectContaining({ send: 'skipped' })]);
    await until(here, id, isUp);

    const removed = await done(here, id, 'remove');
    expect([failure(removed.work), removed.work.state, removed.placed]).toEqual(['', 'done', null]);
    expect(far.left()).toEqual([]);
    // What it recorded is the user's.
    expect(existsSync(engine.data ?? '')).toBe(true);
  });

  test('a transfer that is broken off goes on where it was, also after it was given up', LONG, async () => {
    const far = new Far();
    const login = await far.sshd();
    far.configure(login);
    const { here, id } = await far.near();
    await begin(here, id, 'start');
    const size = statSync(archive).size;
    const isUnderWay = ({ work }: Connection): boolean => {
      const sent = work?.steps.find(({ name }) => name === 'send')?.progress?.done ?? 0;
      return sent > 0 && sent < size;
    };
    await until(here, id, isUnderWay);
    login.signal('SIGKILL');
    await login.stop();
    await login.start();
    const started = await ended(here, id);
    expect([failure(started.work), started.work.state]).toEqual(['', 'done']);
    await done(here, id, 'remove');
    expect(far.left()).toEqual([]);

    // The half of it is there from a login of before.
    const half = readFileSync(archive).subarray(0, Math.floor(size / 2));
    mkdirSync(far.folder, { mode: 0o700 });
    writeFileSync(join(far.folder, 'vigie-remote'), '');
    const engine = Status.parse((await send(here, 'GET', '/status')).json()).engine.id.slice(0, 8);
    const sum = createHash('sha256').update(readFileSync(archive)).digest('hex').slice(0, 16);
    const part = join(far.folder, `part-${sum}-${engine}`);
    const broughtHalf = (content: Buffer): void => {
      writeFileSync(part, content);
      for (const path of [far.folder, join(far.folder, 'vigie-remote'), part]) far.own(path);
    };
    broughtHalf(half);
    const resumed = await done(here, id, 'start');
    expect(failure(resumed.work)).toBe('');
    expect(resumed.work.steps.find(({ name }) => name === 'send')?.reason).toContain('from before');
    await done(here, id, 'remove');

    // A half of something else is not gone on with.
    mkdirSync(far.folder, { mode: 0o700 });
    writeFileSync(join(far.folder, 'vigie-remote'), '');
    broughtHalf(randomBytes(100_000));
    const anew = await done(here, id, 'start');
    expect([failure(anew.work), anew.work.state]).toEqual(['', 'done']);
    await done(here, id, 'remove');
    expect(far.left()).toEqual([]);
  });

  test('what arrives damaged is removed again', LONG, async () => {
    const far = new Far();
    far.configure(await far.sshd());
    // Something over there changes what is written.
    const { here, id } = await far.near();
    for (const [change, words] of [
      ['/bin/cat; echo more', 'send: more arrived there than was sent'],
      ['/usr/bin/tr a b', 'check: what arrived is not what was sent'],
    ] as const) {
      far.fake('cat', `[ $# -gt 0 ] && exec /bin/cat "$@"; ${change}`);
      const { work, placed, engine } = await done(here, id, 'start');
      expect([failure(work), placed]).toEqual([expect.stringContaining(words), null]);
      expect(engine?.state).not.toBe('up');
      expect(far.left()).toEqual([]);
    }
  });

  test('cancelled in any step, nothing is left, and it can be begun again', LONG, async () => {
    const far = new Far();
    far.configure(await far.sshd());
    const { here, id } = await far.near();
    for (const name of ['connect', 'host', 'folder', 'send', 'check', 'unpack', 'run', 'reach'] as const) {
      await begin(here, id, 'start');
      await until(here, id, ({ work }) => work?.steps.find((step) => step.name === name)?.state !== 'waiting');
      await begin(here, id, 'cancel');
      const { work, placed } = await ended(here, id);
      expect([name, work.state, placed]).toEqual([name, 'cancelled', null]);
      expect([name, work.reason]).toEqual([name, 'cancelled']);
      const left = (): string[] => far.left().filter((path) => path !== `/tmp/vigie-${far.uid}`);
      expect([name, left()]).toEqual([name, []]);
    }
    const { work } = await done(here, id, 'start');
    expect([failure(work), work.state]).toEqual(['', 'done']);
    await done(here, id, 'remove');
    expect(far.left()).toEqual([]);
  });

  test.each([
    ['another architecture', { uname: 'case $1 in -m) echo riscv64;; *) exec /bin/uname "$@";; esac' }, /riscv64/],
    ['another system', { uname: 'case $1 in -s) echo FreeBSD;; *) exec /bin/uname "$@";; esac' }, /FreeBSD/],
    ['an old glibc', { getconf: 'echo glibc 2.17' }, /has glibc 2\.17, and the engine needs 2\.\d+ or newer/],
    ['an old glibc by ldd', { getconf: 'exit 1', ldd: 'echo "ldd (GNU libc) 2.12"' }, /glibc 2\.12/],
    ['musl', { getconf: 'exit 1', ldd: 'echo "musl libc (x86_64)" >&2; exit 1' }, /musl/],
  ])('refused in words: %s', LONG, async (_what, fakes, words) => {
    const far = new Far();
    for (const [name, script] of Object.entries(fakes)) far.fake(name, script);
    far.configure(await far.sshd());
    const { here, id } = await far.near();
    const { work } = await done(here, id, 'start');
    expect([work.state, failure(work)]).toEqual(['failed', expect.stringMatching(words)]);
    expect(far.left()).toEqual([]);
  });

  test('refused in words: no shell, no tar, no package here', LONG, async () => {
    const far = new Far();
    far.only(
      'uname',
      'getconf',
      'head',
      'tr',
      'cut',
      'id',
      'grep',
      'ls',
      'cat',
      'wc',
      'df',
      'mkdir',
      'mv',
      'rm',
      'tail',
    );
    far.configure(await far.sshd(true));
    const { here, id } = await far.near();
    const shell = await done(here, id, 'start');
    expect([shell.work.state, failure(shell.work)]).toEqual(['failed', expect.stringContaining('no ordinary shell')]);
    far.only('sh');
    const tar = await done(here, id, 'start');
    expect(failure(tar.work)).toContain('lacks tar, gzip');
    far.only('tar', 'gzip');
    vi.stubEnv('VIGIE_PACKAGES', '/nonexistent');
    vi.stubEnv('XDG_DATA_HOME', far.home);
    const none = await done(here, id, 'start');
    expect(failure(none.work)).toMatch(/npm run package:engine/);
    expect(far.left()).toEqual([]);
  });

  test('a folder of somebody else, a link, or one with other things in it is not used', LONG, async () => {
    const far = new Far();
    far.configure(await far.sshd());
    const { here, id } = await far.near();
    const parent = far.site.file('disk');
    mkdirSync(parent);
    far.own(parent);
    const folder = join(parent, `vigie-remote-${far.uid}`);
    const refused = async (): Promise<string> => {
      const { work } = await done(here, id, 'start', { folder: parent });
      expect(work.state).toBe('failed');
      return failure(work);
    };
    mkdirSync(folder, { mode: 0o700 });
    expect(await refused()).toContain('belongs to somebody else');
    far.own(folder);
    writeFileSync(join(folder, 'thesis.tex'), 'x');
    expect(await refused()).toContain('has other things in it');
    rmSync(join(folder, 'thesis.tex'));
    chmodSync(folder, 0o755);
    expect(await refused()).toContain('can be read by others');
    rmSync(folder, { recursive: true });
    symlinkSync(far.home, folder);
    expect(await refused()).toContain('is a link');
    expect(readdirSync(far.home)).toEqual([]);
    rmSync(folder);
    chmodSync(parent, 0o777);
    expect(await refused()).toContain('can be replaced by somebody else');
    chmodSync(parent, 0o755);
    const { work } = await done(here, id, 'start', { folder: parent });
    expect(failure(work)).toBe('');
    await done(here, id, 'remove');
    expect(readdirSync(parent)).toEqual([]);
    expect(far.left()).toEqual([]);
  });

  test('refused in words: a disk that is full, or becomes full, and one that lets no programs run', LONG, async () => {
    const far = new Far();
    far.configure(await far.sshd());
    const { here, id } = await far.near();
    const tried = async (options: string): Promise<string> => {
      const disk = far.site.file();
      mkdirSync(disk);
      execFileSync('mount', ['-t', 'tmpfs', '-o', `uid=${far.uid},mode=755,${options}`, 'tmpfs', disk]);
      try {
        const { work } = await done(here, id, 'start', { folder: disk });
        expect(work.state).toBe('failed');
        expect(readdirSync(disk)).toEqual([]);
        return failure(work);
      } finally {
        execFileSync('umount', [disk]);
      }
    };
    expect(await tried('size=16m')).toMatch(/^folder: .* has 16 MiB free, and \d+ MiB are needed/);
    expect(await tried('size=1g,noexec')).toContain('noexec');
    // There is room, but not for so many files.
    expect(await tried('size=1g,nr_inodes=40')).toMatch(/^unpack: .*the disk there is full/);
    // Full while it is sent, whatever was said before.
    far.fake('df', 'echo x; echo tmpfs 9 9 99999999 1% /');
    expect(await tried('size=16m')).toMatch(/^send: the disk there is full/);
  });

  test(
    'a newer one takes the place of the old one; one that does not start leaves the old one running',
    LONG,
    async () => {
      const far = new Far();
      far.configure(await far.sshd());
      const { here, id } = await far.near();
      expect((await send(here, 'POST', `/connections/${id}/engine/upgrade`, {})).status).toBe(400);
      await done(here, id, 'start');
      const first = far.pid()!;
      const unpacked = (): string[] =>
        readdirSync(far.folder).filter((name) => name !== 'run' && name !== 'vigie-remote');
      const old = unpacked();
      const same = await done(here, id, 'upgrade');
      expect([failure(same.work), steps(same.work)['send'], far.pid()]).toEqual(['', 'skipped', first]);

      const broken = await changedPackage(archive, (prefix) => {
        const file = join(prefix, 'libexec/vigie/bin/vigie');
        const text = readFileSync(file, 'utf8').replace(
          'set -eu',
          'set -eu\n[ "$1" != serve ] || { echo no luck >&2; exit 3; }',
        );
        writeFileSync(file, text);
      });
      vi.stubEnv('VIGIE_PACKAGES', dirname(broken));
      const failed = await done(here, id, 'upgrade');
      expect([failed.work.state, failure(failed.work)]).toEqual(['failed', expect.stringContaining('no luck')]);
      expect(unpacked()).toEqual(old);
      const second = far.pid()!;
      expect([second === first, alive(second)]).toEqual([false, true]);
      await until(here, id, isUp);

      const newer = await changedPackage(archive, (prefix) => writeFileSync(join(prefix, 'NEWS'), 'new'));
      vi.stubEnv('VIGIE_PACKAGES', dirname(newer));
      const upgraded = await done(here, id, 'upgrade');
      expect([failure(upgraded.work), upgraded.work.state]).toEqual(['', 'done']);
      expect(unpacked()).not.toEqual(old);
      expect(unpacked()).toHaveLength(1);
      expect([alive(second), alive(far.pid()!)]).toEqual([false, true]);
      await until(here, id, isUp);
      await done(here, id, 'remove');
      expect(far.left()).toEqual([]);
    },
  );

  test('behind a round-robin name it is known which host has it; only its own process is ended', LONG, async () => {
    const far = new Far();
    far.configure(await far.sshd());
    const name = (host: string): void => far.fake('uname', `[ "$1" = -n ] && echo ${host} || exec /bin/uname "$@"`);
    name('login1');
    // What would end it with the login is told.
    far.fake('cat', 'case "$*" in */logind.conf*) echo KillUserProcesses=yes;; *) exec /bin/cat "$@";; esac');
    const data = join(temporaryFolder(), 'data');
    const { here, id } = await far.near(data);
    const started = await done(here, id, 'start');
    expect([failure(started.work), started.placed?.host]).toEqual(['', 'login1']);
    expect(started.work.reason).toContain('KillUserProcesses');
    const pid = far.pid()!;
    name('login2');
    for (const action of ['stop', 'remove', 'upgrade', 'start'] as const) {
      const { work } = await done(here, id, action);
      expect([action, work.state, failure(work)]).toEqual([
        ...[action, 'failed', expect.stringContaining('login2 answered, and the engine was put on login1')],
      ]);
    }
    expect(alive(pid)).toBe(true);
    await here.engine.close();

    // Known after a restart of this engine too.
    const again = await far.near(data);
    expect((await connectionOf(again.here, again.id)).placed).toMatchObject({ host: 'login1', folder: far.folder });
    process.kill(pid, 'SIGKILL');
    await send(again.here, 'POST', `/connections/${again.id}/connect`);
    const absent = await until(again.here, again.id, (one) => one.engine?.state === 'absent');
    expect(absent.engine?.reason).toContain('connect to login1 by its own name');
    name('login1');
    // Its number is somebody else's by now.
    const other = spawn('sleep', ['600'], { uid: far.uid, gid: far.gid });
    onTestFinished(() => void other.kill());
    writeFileSync(join(far.folder, 'run', 'pid'), `${other.pid} ${beganOf(other.pid!)}\n`);
    const stopped = await done(again.here, again.id, 'stop');
    expect([failure(stopped.work), steps(stopped.work)['stop'], alive(other.pid!)]).toEqual(['', 'skipped', true]);
    // A process of the right program that is not the one: another began with that number.
    const back = await done(again.here, again.id, 'start');
    expect(failure(back.work)).toBe('');
    const running = far.pid()!;
    writeFileSync(join(far.folder, 'run', 'pid'), `${running} 1\n`);
    expect(steps((await done(again.here, again.id, 'stop')).work)['stop']).toBe('skipped');
    expect(alive(running)).toBe(true);
    writeFileSync(join(far.folder, 'run', 'pid'), `${running} ${beganOf(running)}\n`);
    await done(again.here, again.id, 'remove');
    expect([alive(running), far.left()]).toEqual([false, []]);
  });
});

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** Of a process, in the system's ticks. */
function beganOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
