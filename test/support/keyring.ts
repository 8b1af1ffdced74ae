/** A keyring of a desktop for tests: a bus and a GNOME Keyring of their own, unlocked, as the user that runs the window. */

import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { asUser, hand } from './electron.ts';
import { eventually } from './wait.ts';

/** `folder` is the window's: its home. Ended after the test. Gives what the window's environment needs to find it. */
export async function startKeyring(folder: string): Promise<Readonly<Record<string, string>>> {
  const runtime = path.join(folder, 'run');
  mkdirSync(runtime, { mode: 0o700 });
  hand(folder);
  const bus = path.join(runtime, 'bus');
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    XDG_RUNTIME_DIR: runtime,
    DBUS_SESSION_BUS_ADDRESS: `unix:path=${bus}`,
  };
  const start = (command: string, args: readonly string[]): ChildProcess => {
    const [program, words] = asUser(command, args);
    const child = spawn(program, words, { cwd: folder, env, stdio: ['pipe', 'ignore', 'ignore'] });
    onTestFinished(async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((resolve) => void child.once('exit', resolve));
      child.kill('SIGKILL');
      await gone;
    });
    return child;
  };
  start('dbus-daemon', ['--session', '--nofork', '--nopidfile', '--address', env.DBUS_SESSION_BUS_ADDRESS]);
  await eventually(() => existsSync(bus));
  const daemon = start('gnome-keyring-daemon', ['--unlock', '--components=secrets', '--foreground']);
  daemon.stdin?.end('of the test');
  await eventually(() => existsSync(path.join(runtime, 'keyring', 'control')));
  const { XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS } = env;
  // By this Electron knows which keyring to ask.
  return { XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS, XDG_CURRENT_DESKTOP: 'GNOME' };
}
