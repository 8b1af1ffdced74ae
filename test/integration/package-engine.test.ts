/** The package of the engine, as somebody has it who unpacks it on a cluster: no npm, no Node, no HOME, no rights. */

import { type SpawnOptions, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';

import { EngineClient } from '../../src/client/http.ts';
import { findProgram } from '../../scripts/lib/components.mjs';
import { requireComponent } from '../support/components.ts';
import { makeEnginePackage } from '../support/engine-package.ts';
import { Ready } from '../support/launch.ts';
import { temporaryFolder } from '../support/tmp.ts';
import { eventually } from '../support/wait.ts';

const root = path.join(import.meta.dirname, '..', '..');
const call = promisify(execFile);

const folder = temporaryFolder();
const unpacked = path.join(folder, 'a folder');
const home = path.join(folder, 'home');
const tools = path.join(folder, 'tools');
/** The one place that the user may write to. */
const own = path.join(folder, 'own');
let archive: string;
let prefix: string;

const script = (...args: string[]) => call(process.execPath, [path.join(root, 'scripts/package-engine.mjs'), ...args]);
const inside = (...names: string[]) => path.join(prefix, ...names);

/** Somebody without rights, when the tests have them. */
const user: SpawnOptions = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
const as = (env: NodeJS.ProcessEnv = {}) => ({ ...user, cwd: own, env: { HOME: home, PATH: tools, ...env } });

beforeAll(async () => {
  archive = await makeEnginePackage();
  prefix = path.join(unpacked, path.basename(archive, '.tar.gz'));
  for (const each of [unpacked, home, tools, own]) mkdirSync(each);
  await call('tar', ['-xzf', archive, '-C', unpacked]);
  // All that it needs of a system's programs; there is no `node` among them.
  for (const tool of ['sh', 'dirname', 'readlink', 'true']) symlinkSync(findProgram(tool)!, path.join(tools, tool));
  await call('chmod', ['-R', 'a-w', unpacked, home]);
  chmodSync(folder, 0o755);
  if (user.uid !== undefined) chownSync(own, user.uid, user.uid);
}, 600_000);

// So that somebody without rights can remove them.
afterAll(async () => void (await call('chmod', ['-R', 'u+w', unpacked, home])));

/** An engine of the package with its store, until it is ready. */
async function serve() {
  const name = `s${Math.random().toString(36).slice(2)}`;
  const socket = path.join(own, name);
  const places = ['--socket', socket, '--legacy-socket', 'off', '--data', path.join(own, `${name}.data`)];
  const child = spawn(inside('bin/vigie'), ['serve', '--listen', '127.0.0.1:0', '--grace', '200ms', ...places], {
    ...as(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ready = await new Promise<Ready>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', (line) => resolve(Ready.parse(JSON.parse(line))));
    child.once('close', () => reject(new Error(stderr)));
  });
  return { child, ready, socket, client: new EngineClient({ socket }) };
}

test('the archive and all files in it are what their checksums say', async () => {
  await call('sha256sum', ['-c', `${path.basename(archive)}.sha256`], { cwd: path.dirname(archive) });
  await call('sha256sum', ['-c', '--quiet', 'SHA256SUMS'], { cwd: prefix });
  const summed = readFileSync(inside('SHA256SUMS'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.slice(66));
  const { stdout } = await call('find', ['.', '-type', 'f', '-printf', '%P\\n'], { cwd: prefix });
  expect([...summed, 'SHA256SUMS'].sort()).toEqual(stdout.trim().split('\n').sort());
});

test('packing again gives the same bytes', async () => {
  const again = (await script('--out', path.join(folder, 'again'))).stdout.trim();
  // Tells which file differs.
  const sums = await call('tar', ['-xzOf', again, `${path.basename(prefix)}/SHA256SUMS`]);
  expect(sums.stdout).toBe(readFileSync(inside('SHA256SUMS'), 'utf8'));
  expect(readFileSync(`${again}.sha256`, 'utf8')).toBe(readFileSync(`${archive}.sha256`, 'utf8'));
}, 600_000);

test('no path of the machine that packed is in the native parts', async () => {
  const files = ['bin/vigie-run', ...readdirSync(inside('lib')).map((name) => `lib/${name}`)];
  const { stdout } = await call('grep', ['-rlF', root, ...files], { cwd: prefix }).catch(
    (error: { stdout: string }) => error,
  );
  expect(stdout).toBe('');
});

test('another architecture is refused with what is missing', async () => {
  const other = process.arch === 'x64' ? 'arm64' : 'x64';
  const failure = await script('--arch', other, '--out', path.join(folder, 'other')).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 1, stdout: '' });
  expect(String(failure)).toContain(`a Node for linux-${other}`);
  expect(String(await script('--arch', 'vax').catch((error: unknown) => error))).toContain(
    'there is no Node for "vax"',
  );
});

test('the README says which system it needs', async () => {
  const text = readFileSync(inside('README.md'), 'utf8');
  expect(text).not.toMatch(/@[A-Z_]+@/);
  const { stdout } = await call('readelf', ['-V', inside('bin/vigie-run'), inside('lib/libvigie.so')]);
  const versions = [...stdout.matchAll(/GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
  const said = Number(/libraries glibc 2\.(\d+)/.exec(text)?.[1]);
  expect(said).toBeGreaterThanOrEqual(Math.max(...versions));
  expect(said).toBeLessThanOrEqual(36);
});

describe('an engine of the package', () => {
  test('serves its page, shows what vigie-run starts, and ends in order', async () => {
    const { child, ready, socket, client } = await serve();
    expect(await (await fetch(ready.url!)).text()).toContain('<title>Vigie');
    await call(inside('bin/vigie-run'), ['-u', socket, '-j', 'demo', '--', 'sh', '-c', 'true'], as());
    await call(inside('bin/proxy_run'), ['-u', socket, '-j', 'links', '--', 'true'], as());
    const ended = await eventually(async () => {
      const { runs } = await client.runs({ state: 'ended' });
      return runs.length === 2 ? runs : undefined;
    });
    expect(ended.map((run) => run.jobid).sort()).toEqual(['demo', 'links']);
    // Counted at the end by the library that was loaded into it: it was found in a folder with a blank.
    expect(ended).toEqual(ended.map((run) => ({ ...run, state: 'finished' })));
    const { stdout } = await call(
      inside('bin/tau_metric_client'),
      ['-g', 'has_finished', '-f', 'json', '-u', socket],
      as(),
    );
    expect(JSON.parse(stdout)).toMatchObject([{ name: 'has_finished', value: 2 }]);
    child.kill();
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(readdirSync(home)).toEqual([]);
  });

  test('counts for a program built with the package’s library', async () => {
    const { socket, client } = await serve();
    const source = path.join(folder, 'count.c');
    writeFileSync(
      source,
      `#include <vigie.h>
       int main(void) {
         vigie_counter *counter = 0;
         return vigie_counter_new(&counter, "packaged_total", "") || vigie_counter_add(counter, 42) || vigie_flush();
       }`,
    );
    const program = path.join(folder, 'count');
    // As a Makefile would have it. No LD_LIBRARY_PATH afterwards.
    const compile = 'eval cc -o "$1" "$2" "$(pkg-config --cflags --libs vigie)"';
    await call('sh', ['-ec', compile, 'sh', program, source], {
      env: { ...process.env, PKG_CONFIG_PATH: inside('lib/pkgconfig') },
    });
    await call(program, [], as({ VIGIE_SOCKET: socket, PROXY_JOB_ID: 'library' }));
    const run = await eventually(async () => (await client.runs({ state: 'ended' })).runs[0]);
    expect(run.jobid).toBe('library');
    const { series } = await client.profile(run.id);
    expect(series.find(({ name }) => name === 'packaged_total')).toMatchObject({ value: 42 });
  });

  test('without a place to write says so', async () => {
    const args = ['serve', '--listen', '127.0.0.1:0', '--socket', path.join(own, 'none'), '--legacy-socket', 'off'];
    const failure = await call(inside('bin/vigie'), args, as()).catch((error: unknown) => error);
    if (user.uid !== undefined || process.getuid?.() !== 0) {
      expect(failure).toMatchObject({ code: 1, stdout: '' });
      expect(String(failure)).toContain('use another --data, or --memory');
    }
  });
});

describe('samples', () => {
  test('the module file finds its folder, also through a link', async (context) => {
    requireComponent('tclsh', context);
    const linked = path.join(folder, 'vigie-module');
    symlinkSync(inside('share/modulefiles/vigie'), linked);
    // The commands of Environment Modules that a module file may use, printing what they are given.
    const host = `
      proc module-whatis {text} {}
      proc conflict {name} { puts "conflict $name" }
      proc prepend-path {name value} { puts "$name=$value" }
      set ModulesCurrentModulefile [lindex $argv 0]
      source $ModulesCurrentModulefile
      ModulesHelp`;
    const interpreter = path.join(folder, 'modules.tcl');
    writeFileSync(interpreter, host);
    const { stdout, stderr } = await call('tclsh', [interpreter, linked]);
    expect(stdout.trim().split('\n')).toEqual([
      'conflict vigie',
      `PATH=${inside('bin')}`,
      `CPATH=${inside('include')}`,
      `LIBRARY_PATH=${inside('lib')}`,
      `LD_RUN_PATH=${inside('lib')}`,
      `PKG_CONFIG_PATH=${inside('lib/pkgconfig')}`,
    ]);
    expect(stderr).toContain('vigie-run');
  });

  test('the module file has its version and no other folder than its own', () => {
    const text = readFileSync(inside('share/modulefiles/vigie'), 'utf8');
    expect(text.startsWith('#%Module1.0\n')).toBe(true);
    expect(text).not.toMatch(/@[A-Z_]+@/);
    expect([...text.matchAll(/^prepend-path \w+ (\S+)$/gm)].every(([, place]) => place?.startsWith('$root/'))).toBe(
      true,
    );
  });

  test('the unit is one that systemd accepts, for a path with a blank', async (context) => {
    requireComponent('systemd-analyze', context);
    const unit = path.join(own, 'vigie.service');
    const text = readFileSync(inside('share/vigie/vigie.service'), 'utf8');
    writeFileSync(unit, text.replaceAll('/opt/vigie', prefix));
    // It fails when the program is not there.
    const verify = (file: string) =>
      call('systemd-analyze', ['--user', 'verify', file], { env: { ...process.env, XDG_RUNTIME_DIR: own } });
    const { stderr } = await verify(unit);
    expect(stderr).not.toContain('vigie.service');
    writeFileSync(unit, text.replaceAll('/opt/vigie', path.join(folder, 'nowhere')));
    await expect(verify(unit)).rejects.toThrow('nowhere');
  });
});
