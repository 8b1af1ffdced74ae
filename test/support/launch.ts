/**
 * Starting `bin/vigie serve` as a user does: a child whose stdout carries the one ready line. Nothing here needs a test
 * runner, so that benchmarks can use it; tests take `startEngine` of engine.ts, which also stops what they leave running.
 */

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

import { z } from 'zod';

const root = path.join(import.meta.dirname, '..', '..');

/** The line on stdout that says that an engine is ready. What is off is null. */
export const Ready = z.object({
  event: z.literal('ready'),
  url: z.string().nullable(),
  socket: z.string().nullable(),
  legacy_socket: z.string().nullable(),
  token_file: z.string().nullable(),
  data: z.string().nullable(),
  pid: z.number().int(),
});
export type Ready = z.infer<typeof Ready>;

export interface Exit {
  /** Exit status, null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface LaunchOptions {
  /** A folder of its own for data, sockets and HOME. The caller removes it. */
  readonly folder: string;
  /** Flags of `serve`. Where they do not say otherwise: a free port on loopback, sockets and data in `folder`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Also builds the page, for tests that open it in a browser. */
  readonly page?: boolean;
  /** Milliseconds until it must be ready. Default 60 s. */
  readonly timeout?: number;
}

export interface Engine {
  readonly ready: Ready;
  /** Base URL, without a slash at the end. Throws when it listens nowhere. */
  readonly url: string;
  readonly child: ChildProcess;
  /** All that it has written on stderr. */
  stderr(): string;
  /** Lines on stdout after the ready line; there should be none. */
  stdout(): readonly string[];
  readonly exited: Promise<Exit>;
  /** Sends a signal (default SIGTERM) and waits for the end; SIGKILL follows after 30 s. Harmless when it has ended. */
  stop(signal?: NodeJS.Signals): Promise<Exit>;
}

const built = new Map<string, Promise<unknown>>();

/**
 * Builds what is stale, once in this process; also when several ask at the same time.
 *
 * @throws {Error} With the output of the build.
 */
export async function ensureBuilt(part: 'engine' | 'renderer' | 'desktop'): Promise<void> {
  let work = built.get(part);
  if (work === undefined) {
    work = promisify(execFile)(process.execPath, [path.join(root, 'scripts', 'build.mjs'), part]);
    built.set(part, work);
  }
  await work;
}

/** The flags that keep engines of tests apart from each other and from the user's own. */
function isolated(folder: string, args: readonly string[]): string[] {
  const has = (...names: string[]) =>
    names.some((name) => args.some((arg) => arg === name || arg.startsWith(`${name}=`)));
  return [
    ...(has('--listen') ? [] : ['--listen', '127.0.0.1:0']),
    ...(has('--socket') ? [] : ['--socket', path.join(folder, 'engine.socket')]),
    ...(has('--legacy-socket') ? [] : ['--legacy-socket', path.join(folder, 'legacy.socket')]),
    ...(has('--data', '--memory') ? [] : ['--data', path.join(folder, 'data')]),
    ...args,
  ];
}

/** The environment without what a developer's own Vigie has in it. */
function cleanEnv(folder: string, env: LaunchOptions['env']): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(VIGIE_|XDG_|NODE_OPTIONS$|VITEST)/.test(name));
  return { ...Object.fromEntries(inherited), HOME: folder, VIGIE_SKIP_BUILD: '1', ...env };
}

/**
 * Runs `bin/vigie` with the given words to its end.
 *
 * @returns Its exit and both streams.
 */
export async function runVigie(
  args: readonly string[],
  options: Pick<LaunchOptions, 'folder' | 'env'>,
): Promise<Exit & { stdout: string; stderr: string }> {
  await ensureBuilt('engine');
  const child = spawn(path.join(root, 'bin', 'vigie'), args, {
    cwd: options.folder,
    env: cleanEnv(options.folder, options.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, stdout, stderr };
}

/**
 * Starts an engine and waits until it is ready.
 *
 * @throws {Error} With its stderr, when it ends before or takes too long.
 */
export async function launchEngine(options: LaunchOptions): Promise<Engine> {
  const { folder, args = [], env, page = false, timeout = 60_000 } = options;
  await ensureBuilt('engine');
  if (page) await ensureBuilt('renderer');

  const child = spawn(path.join(root, 'bin', 'vigie'), ['serve', ...isolated(folder, args)], {
    cwd: folder,
    env: cleanEnv(folder, env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const exited = new Promise<Exit>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  const lines: string[] = [];
  const first = new Promise<string>((resolve) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (lines.push(line) === 1) resolve(line);
    });
  });

  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the engine was not ready after ${timeout} ms:\n${stderr}`)), timeout);
  });
  const gone = exited.then(({ code, signal }) => {
    throw new Error(`the engine ended (${signal ?? code}) before it was ready:\n${stderr}`);
  });
  try {
    const ready = Ready.parse(JSON.parse(await Promise.race([first, late, gone])));
    return {
      ready,
      get url() {
        if (ready.url === null) throw new Error('this engine listens nowhere');
        return ready.url.replace(/\/$/, '');
      },
      child,
      stderr: () => stderr,
      stdout: () => lines.slice(1),
      exited,
      stop: (signal) => stop(child, exited, signal),
    };
  } catch (error) {
    await stop(child, exited, 'SIGKILL');
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function stop(child: ChildProcess, exited: Promise<Exit>, signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
  try {
    return await exited;
  } finally {
    clearTimeout(timer);
  }
}

/** A TCP port on loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
