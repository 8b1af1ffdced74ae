/** What tests of the desktop's failures share: what an end leaves behind, and engines of the same user beside the window. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { ElectronApplication } from 'playwright-core';
import { expect, onTestFinished } from 'vitest';
import { type Desktop, root } from '../../support/desktop.ts';
import { alive, processTree } from '../../support/processes.ts';
import { asUser, hand } from '../../support/electron.ts';
import { ensureBuilt, Ready } from '../../support/launch.ts';
import { eventually } from '../../support/wait.ts';

/** For what has waits of its own, such as an engine that was killed several times. */
export const LATER = { timeout: 60_000 };

/** The files of a running engine: gone when it has ended in order. */
export function runtimeFiles(settings: Desktop['settings']): string[] {
  const data = String(settings['data']);
  return [
    String(settings['socket']),
    String(settings['legacy_socket']),
    path.join(data, 'lock.json'),
    path.join(data, 'engine.json'),
  ];
}

/** Does something that ends the program, and looks for everything that must be gone then, and for what must be kept. */
export async function expectNothingLeft(
  { pid, settings }: Pick<Desktop, 'pid' | 'settings'>,
  end: () => unknown,
): Promise<void> {
  const all = processTree(pid);
  expect(all.filter(({ command }) => command.includes('embedded.cjs'))).not.toEqual([]);
  expect(runtimeFiles(settings).filter((file) => !existsSync(file))).toEqual([]);
  await end();
  await eventually(() => expect(all.filter((one) => alive(one.pid))).toEqual([]), LATER);
  expect(runtimeFiles(settings).filter((file) => existsSync(file))).toEqual([]);
  expect(existsSync(path.join(String(settings['data']), 'token'))).toBe(true);
}

export interface Command {
  readonly pid: number;
  /** Both streams, as they came. */
  output(): string;
  /** A line that was written on stdout, when there is one. */
  line(pattern: RegExp): string | undefined;
  readonly exited: Promise<{ code: number | null; output: string }>;
}

export interface CommandOptions {
  readonly folder: string;
  readonly env?: Readonly<Record<string, string>>;
  /** As root where the tests are root; else as the user without rights. */
  readonly asRoot?: boolean;
}

/** Runs `bin/vigie` as a person does, in a process group of its own; it is killed after the test. */
export async function vigie(words: readonly string[], { folder, env, asRoot }: CommandOptions): Promise<Command> {
  for (const part of ['engine', 'renderer', 'desktop'] as const) await ensureBuilt(part);
  const program = path.join(root, 'bin', 'vigie');
  const [command, args] = asRoot ? [program, [...words]] : asUser(program, words);
  if (!asRoot) hand(folder);
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(VIGIE_|XDG_|NODE_|VITEST|ELECTRON_|DBUS_|SSH_|DISPLAY$|WAYLAND_DISPLAY$)/.test(name),
  );
  const child = spawn(command, args, {
    cwd: folder,
    env: { ...Object.fromEntries(inherited), HOME: folder, TMPDIR: folder, VIGIE_SKIP_BUILD: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const pid = child.pid!;
  onTestFinished(() => {
    for (const one of processTree(pid).reverse()) if (alive(one.pid)) process.kill(one.pid, 'SIGKILL');
  });
  let output = '';
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()));
  return {
    pid,
    output: () => output,
    line: (pattern) => lines.find((line) => pattern.test(line)),
    exited: once(child, 'close').then(([code]) => ({ code: code as number | null, output })),
  };
}

/** An engine of the same user, started with `vigie serve`. */
export async function serve(folder: string, args: readonly string[]): Promise<Command & { ready: Ready }> {
  const command = await vigie(['serve', ...args], { folder });
  const line = await eventually(() => command.line(/"event":"ready"/), LATER).catch(() => {
    throw new Error(`this engine did not start:\n${command.output()}`);
  });
  return { ...command, ready: Ready.parse(JSON.parse(line)) };
}

/**
 * Runs a script in the window's page by way of the program: also in one that a driver has lost with a crash. A page that
 * is just being loaded does not answer.
 */
export function inWindow<T>(app: ElectronApplication, script: string): Promise<T> {
  return app.evaluate(({ BrowserWindow }, code) => {
    const late = new Promise<never>((_, reject) => setTimeout(() => reject(new Error('no answer of the page')), 2000));
    const answer = BrowserWindow.getAllWindows()[0]!.webContents.executeJavaScript(code, true);
    return Promise.race([answer as Promise<T>, late]);
  }, script);
}

/** The text that the window shows. */
export const textOf = (app: ElectronApplication): Promise<string> => inWindow<string>(app, 'document.body.innerText');
