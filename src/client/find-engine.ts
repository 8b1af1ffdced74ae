/** Finds the engine that a command is about: at a socket that was named, at the one its data directory tells of, or at the usual one. */

import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { Status } from '../shared/api/status.ts';
import { ENGINE_FILE, EngineFile } from '../shared/engine-file.ts';
import { EngineClient, EngineError } from './http.ts';

/** An engine that is stopped or swamped does not answer; in ms. */
const ANSWER_WITHIN = 5000;

export interface Wanted {
  /** The socket to look at and no other; null: none was named. */
  readonly socket: string | null;
  /** The directory that the engine must have; null: any. */
  readonly data: string | null;
  /** Where to look otherwise. */
  readonly usualData: string | null;
  readonly usualSocket: string;
}

export interface FoundEngine {
  readonly socket: string;
  readonly client: EngineClient;
  readonly status: Status;
  /** The status as it came: a newer engine says more. */
  readonly answer: unknown;
  /** Its address for browsers, where it is known. */
  readonly url: string | null;
  /** This clock minus the engine's, in ms. */
  readonly clockOffset: number;
}

export interface Attempt {
  readonly socket: string;
  /** Why it is not the one. */
  readonly why: string;
}

export type Search = { readonly found: FoundEngine } | { readonly found: null; readonly tried: readonly Attempt[] };

function engineFile(data: string | null): EngineFile | null {
  if (data === null) return null;
  try {
    return EngineFile.parse(JSON.parse(readFileSync(join(data, ENGINE_FILE), 'utf8')));
  } catch {
    // There is none, or it is being written: the usual socket is looked at.
    return null;
  }
}

export async function findEngine({ socket, data, usualData, usualSocket }: Wanted): Promise<Search> {
  const file = socket === null ? engineFile(data ?? usualData) : null;
  const sockets = socket === null ? [...(file ? [file.socket] : []), usualSocket] : [socket];
  const tried: Attempt[] = [];
  for (const path of new Set(sockets)) {
    const answer = await ask(path);
    if ('why' in answer) {
      tried.push(answer);
    } else if (data !== null && socket === null && !has(answer.status, data, path === file?.socket ? file.pid : 0)) {
      tried.push({ socket: path, why: `the engine there has its data in ${answer.status.engine.data ?? 'memory'}` });
    } else {
      return { found: { ...answer, url: path === file?.socket ? file.url : null } };
    }
  }
  return { found: null, tried };
}

/** The engine has this directory: it says so, or it is the one that wrote there who it is. */
const has = ({ engine }: Status, data: string, pid: number): boolean =>
  engine.pid === pid || (engine.data !== null && resolve(engine.data) === resolve(data));

async function ask(socket: string): Promise<Omit<FoundEngine, 'url'> | Attempt> {
  const client = new EngineClient({ socket }, { timeout: ANSWER_WITHIN });
  try {
    const before = Date.now();
    const answer = await client.json('/status');
    const after = Date.now();
    const status = Status.parse(answer);
    return { socket, client, status, answer, clockOffset: (before + after) / 2 - status.time };
  } catch (error) {
    return { socket, why: whyNot(error) };
  }
}

function whyNot(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such socket';
  if (code === 'ECONNREFUSED') return 'nobody listens there any more';
  if (code === 'EACCES' || code === 'EPERM') return 'you may not use it';
  if (code === 'ETIMEDOUT') return (error as Error).message;
  if (error instanceof EngineError) return error.message;
  if (error instanceof z.ZodError) return 'what answers is of another version';
  return `what listens there is no Vigie engine (${error instanceof Error ? error.message : String(error)})`;
}

/** What to say when no engine was found, and what to do. */
export function notFound(tried: readonly Attempt[]): string {
  const where = tried.map(({ socket, why }) => `${socket}: ${why}`).join('; ');
  return `no engine answers (${where}). Start one with \`vigie serve\`, or name its socket with --socket or $VIGIE_SOCKET`;
}
