/**
 * Small programs for the shell over there. They go in by its standard input, so that no login shell reads them before
 * `sh` does; what they tell stands between two marks, since login shells print things of their own.
 */

import type { Readable } from 'node:stream';
import type { Executed, Session } from '../types.ts';
import { plainText } from '../words.ts';

const MAX_OUTPUT = 64 * 1024;
/** A connection that goes meanwhile is waited for, and the script is run again: each may be run twice. */
const TRIES = 4;
/** One run of a script, ms: unpacking on a slow disk takes longest. */
const WITHIN = 300_000;

const BEGIN = 'vigie-begin';
const END = 'vigie-end';

/** Text as one word of `sh`. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** What a path over there may consist of, so that it means itself to whatever shell reads it. */
export const SAFE_PATH = /^(?:\/[A-Za-z0-9_@%+=:,.-]+)+$/;

/** The host cannot be talked to in this way, or says no: its words are for people. */
export class ScriptError extends Error {
  override readonly name = 'ScriptError';
}

/** What a script told: lines `KEY TEXT`, in their order. */
export class Told {
  readonly #lines: readonly (readonly [key: string, text: string])[];

  constructor(lines: readonly string[]) {
    this.#lines = lines.map((line) => {
      const [, key = line, text = ''] = /^(\S+) ?(.*)$/.exec(line) ?? [];
      return [key, text] as const;
    });
  }

  all(key: string): string[] {
    return this.#lines.filter(([name]) => name === key).map(([, text]) => text);
  }

  /** The last of this name; '': there is none. */
  get(key: string): string {
    return this.all(key).at(-1) ?? '';
  }

  has(key: string): boolean {
    return this.#lines.some(([name]) => name === key);
  }

  number(key: string): number | null {
    const text = this.get(key);
    return /^\d{1,15}$/.test(text) ? Number(text) : null;
  }
}

/** What comes before each: errors in English, private files, nothing from the environment that changes what `cd` does. */
const PREAMBLE = `
LC_ALL=C; export LC_ALL; umask 077; unset CDPATH; set -u
say() { printf '%s\\n' "$*"; }
one() { printf '%s ' "$1"; tr '\\n\\r' '  ' | cut -c 1-2000; echo; }
say ${BEGIN}
`;

function readOut(output: string): Told | null {
  const lines = output.split('\n').map((line) => line.trimEnd());
  const begin = lines.indexOf(BEGIN);
  const end = lines.indexOf(END, begin + 1);
  return begin < 0 || end < 0 ? null : new Told(lines.slice(begin + 1, end));
}

interface Ended {
  readonly out: string;
  readonly error: string;
  readonly code: number | null;
}

/** All that it says, at most so much. Throws the signal's reason. */
export async function collect(run: Executed, signal: AbortSignal): Promise<Ended> {
  const [out, error] = [run.stdout, run.stderr].map((stream) => textOf(stream));
  try {
    const code = await orAborted(run.code, signal);
    return { out: out!(), error: error!(), code };
  } finally {
    run.close();
  }
}

function textOf(stream: Readable): () => string {
  const parts: Buffer[] = [];
  let size = 0;
  stream.on('error', () => undefined);
  // Read to its end, whoever fills it: a channel that is not read stops the rest.
  stream.on('data', (part: Buffer) => {
    if (size >= MAX_OUTPUT) return;
    parts.push(part);
    size += part.length;
  });
  return () => Buffer.concat(parts).subarray(0, MAX_OUTPUT).toString('utf8');
}

export function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason as Error);
    if (signal.aborted) return leave();
    signal.addEventListener('abort', leave, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}

/**
 * Runs a script over there. Throws {@link ScriptError} in words, or the signal's reason.
 */
export async function runScript(session: Session, script: string, signal: AbortSignal): Promise<Told> {
  const either = AbortSignal.any([signal, AbortSignal.timeout(WITHIN)]);
  for (let tries = 1; ; tries++) {
    const run = await session.exec('exec sh -s', either);
    run.stdin.on('error', () => undefined).end(`${PREAMBLE}\n${script}\nsay ${END}\nexit 0\n`);
    const { out, error, code } = await collect(run, either).catch((reason: unknown) => {
      if (signal.aborted || !either.aborted) throw reason;
      throw new ScriptError(`the host did not get it done within ${WITHIN / 60_000} min`);
    });
    const told = readOut(out);
    if (told) return told;
    // No exit status: the connection went, or the shell was killed.
    if (code === null && tries < TRIES) continue;
    throw new ScriptError(whyNothing(out, error, code));
  }
}

function whyNothing(out: string, error: string, code: number | null): string {
  const said = plainText(error.trim().split('\n').at(-1) || out.trim().split('\n').at(-1) || '', 300);
  const words = said === '' ? '' : ` (it says: ${said})`;
  if (code === null) return `the connection went each time while the host was asked${words}`;
  return `the host runs no ordinary shell (sh) for you${words}`;
}

/** Reasons of a system's tools, the first that fits; null: another one. */
export function whyNoRoom(said: string): string | null {
  if (/quota/i.test(said)) return 'your quota there is used up';
  if (/no space left|file too large|cannot allocate/i.test(said)) return 'the disk there is full';
  if (/read-only file system/i.test(said)) return 'that file system there is read-only';
  return null;
}
