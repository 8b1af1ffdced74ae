/** Asks the user's own `ssh` what a configuration means: `ssh -G`. */

import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { ConfigError, plainWords } from './error.ts';
import { keywords, type RawConfig } from './keywords.ts';

/** Longest that `ssh -G` may take, ms: names may be looked up, and a `Match exec` may run. */
const WITHIN = 20_000;
const MAX_OUTPUT = 1 << 20;

type Env = Readonly<Record<string, string | undefined>>;

/** Where PATH has it; relative folders do not count: they would be those of whoever started the engine. */
export async function findSsh(env: Env = process.env): Promise<string | undefined> {
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    if (!isAbsolute(folder)) continue;
    const file = join(folder, 'ssh');
    const found = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return file;
  }
  return undefined;
}

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** @throws {ConfigError} When it cannot be started, takes too long or says too much. */
function run(ssh: string, args: readonly string[], env: Env, signal?: AbortSignal): Promise<Ran> {
  return new Promise((resolve, reject) => {
    // A group of its own: what a `Match exec` started goes with it.
    const child = spawn(ssh, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env: { ...env } });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    let size = 0;
    const end = (error: Error): void => {
      finish();
      reject(error);
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const take = (into: Buffer[]) => (piece: Buffer) => {
      size += piece.length;
      if (size > MAX_OUTPUT) end(new ConfigError('ssh -G says more than a configuration'));
      else into.push(piece);
    };
    const late = setTimeout(() => end(new ConfigError(`ssh -G took longer than ${WITHIN / 1000} s`)), WITHIN);
    const aborted = (): void => end(signal!.reason instanceof Error ? signal!.reason : new Error('aborted'));
    function finish(): void {
      clearTimeout(late);
      signal?.removeEventListener('abort', aborted);
    }
    if (signal?.aborted === true) aborted();
    else signal?.addEventListener('abort', aborted, { once: true });
    child.stdout.on('data', take(out));
    child.stderr.on('data', take(err));
    child.on('error', (error) => end(new ConfigError(`ssh cannot be started: ${error.message}`)));
    child.on('close', (code) => {
      finish();
      resolve({ code, out: Buffer.concat(out).toString('utf8'), err: Buffer.concat(err).toString('utf8') });
    });
  });
}

/**
 * Words of a line: OpenSSH prints them without their quotes. A piece that cannot begin a path belongs to the one before.
 */
function pathsOf(text: string): string[] {
  const paths: string[] = [];
  for (const piece of text.split(' ')) {
    if (paths.length > 0 && !/^[/~%$]/.test(piece) && /^[/~%$]/.test(paths[0]!)) paths.push(`${paths.pop()!} ${piece}`);
    else paths.push(piece);
  }
  return paths;
}

/** Reads what `ssh -G` printed. Keywords that are not ours are left out. */
export function parsePrinted(text: string): RawConfig {
  const raw = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    if (space <= 0) continue;
    const keyword = line.slice(0, space);
    if (!Object.hasOwn(keywords, keyword) && keyword !== 'revokedhostkeys') continue;
    const value = line.slice(space + 1);
    const lines = raw.get(keyword) ?? [];
    lines.push(...(keywords[keyword]?.kind === 'line' ? pathsOf(value) : [value]));
    raw.set(keyword, lines);
  }
  return raw;
}

export interface OpenSshOptions {
  /** The program. */
  readonly ssh: string;
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
  /** `-F`; absent: the user's and the system's files. */
  readonly configFile?: string;
  readonly env: Env;
  readonly signal?: AbortSignal;
}

/** @throws {ConfigError} With what `ssh` says, when it refuses the configuration. */
export async function resolveOpenSsh(options: OpenSshOptions): Promise<RawConfig> {
  const { ssh, host, user, port, configFile, env, signal } = options;
  if (host === '' || host.startsWith('-')) throw new ConfigError('the name of a host cannot begin with -');
  if (user?.startsWith('-') === true || user === '') throw new ConfigError('the name of a user cannot begin with -');
  const args = ['-G', '-T'];
  if (configFile !== undefined) args.push('-F', configFile);
  if (user !== undefined) args.push('-l', user);
  if (port !== undefined) args.push('-p', String(port));
  const { code, out, err } = await run(ssh, [...args, '--', host], env, signal);
  if (code !== 0) throw new ConfigError(`ssh -G ${plainWords(host, 100)}: ${plainWords(err) || `status ${code}`}`);
  return parsePrinted(out);
}

const baselines = new Map<string, Promise<RawConfig>>();

/** What this `ssh` says with no configuration at all: what differs from it was given. */
export function baselineOf(ssh: string, env: Env): Promise<RawConfig> {
  let found = baselines.get(ssh);
  if (found === undefined) {
    found = resolveOpenSsh({ ssh, host: 'localhost', configFile: 'none', env });
    found.catch(() => baselines.delete(ssh));
    baselines.set(ssh, found);
  }
  return found;
}
