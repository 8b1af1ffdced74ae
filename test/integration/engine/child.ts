/** `vigie`, as it is built, run as a program of its own: for signals, exits and what stands on its streams. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { EngineClient } from '../../../src/client/http.ts';
import { Pusher } from '../../../src/client/pusher.ts';
import { ensureBuilt, Ready, type Exit } from '../../support/launch.ts';
import { eventually } from '../../support/wait.ts';

await ensureBuilt('engine');

/** The program: its sources take four times as long to load. */
export const VIGIE = join(import.meta.dirname, '../../../dist/engine/vigie.cjs');

export interface Vigie {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  readonly exited: Promise<Exit>;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Starts it with these words in a clean environment; killed after the test if it still runs. */
export function vigie(args: readonly string[], { env = {}, cwd }: RunOptions = {}): Vigie {
  const child = spawn(process.execPath, [VIGIE, ...args], {
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd === undefined ? {} : { cwd }),
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const exited: Promise<Exit> = once(child, 'close').then(([code, signal]) => ({ code, signal }));
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  return { child, stdout: () => stdout, stderr: () => stderr, exited };
}

/** Runs it to its end. */
export async function run(
  args: readonly string[],
  options: RunOptions = {},
): Promise<Exit & { stdout: string; stderr: string }> {
  const started = vigie(args, options);
  const exit = await started.exited;
  return { ...exit, stdout: started.stdout(), stderr: started.stderr() };
}

export interface Served extends Vigie {
  readonly ready: Ready;
  readonly token: string;
  readonly client: EngineClient;
  pusher(): Promise<Pusher>;
  /** Sends a signal and waits for the end. */
  stop(signal: NodeJS.Signals): Promise<Exit>;
}

/** The flags that keep an engine within a folder, on a free port, with a fast clock. */
export const within = (folder: string): string[] => [
  'serve',
  '--listen=127.0.0.1:0',
  `--socket=${join(folder, 'engine.socket')}`,
  `--legacy-socket=${join(folder, 'legacy.socket')}`,
  '--period=50ms',
  '--grace=100ms',
];

/** Starts `vigie serve` and waits until it says that it is ready. */
export async function serve(args: readonly string[], options: RunOptions = {}): Promise<Served> {
  const started = vigie(args, options);
  const line = await eventually(
    () => {
      if (started.child.exitCode !== null) throw new Error(`it ended: ${started.stderr()}`);
      const end = started.stdout().indexOf('\n');
      return end >= 0 && started.stdout().slice(0, end);
    },
    { timeout: 40_000 },
  );
  const ready = Ready.strict().parse(JSON.parse(line));
  const token = readFileSync(ready.token_file!, 'utf8').trim();
  return {
    ...started,
    ready,
    token,
    client: new EngineClient(ready.url?.startsWith('http') ? { url: ready.url, token } : { socket: ready.socket! }),
    async pusher() {
      const pusher = await Pusher.connect(ready.socket!);
      onTestFinished(() => pusher.destroy());
      return pusher;
    },
    async stop(signal) {
      started.child.kill(signal);
      return started.exited;
    },
  };
}
