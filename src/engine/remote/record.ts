/**
 * What of connections outlives the engine: DATA/connections.json, 0600, put in its place whole. No secret is in it, and
 * no answer to any prompt.
 */

import { closeSync, fsyncSync, lstatSync, openSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import {
  EngineAddress,
  MAX_CONNECTIONS,
  MAX_FORWARDS,
  NewForward,
  PlacedEngine,
} from '../../shared/api/connections.ts';
import { makeDirectory } from '../directory.ts';
import { ENGINE_ID } from './engines/engine-id.ts';
import { MAX_BROUGHT, MAX_MARK } from './brought.ts';
import { connectionsFile } from './gate.ts';

/** The largest file that is read, in bytes; and what of it may be of engines that no connection leads to any more. */
const MAX_BYTES = 64 * 1024 * 1024;
const MAX_LEFT_BYTES = 8 * 1024 * 1024;

const SyncPosition = z.object({
  /** Runs that began before this time are all here, ms since the epoch; null: the first round is not over. */
  floor: z.number().nullable(),
  /** What `floor` will be when the present round is over. */
  next: z.number().nullable(),
  /** Where an unfinished round goes on; null: at its beginning. */
  cursor: z.string().max(256).nullable(),
  /** Time of the last round that was finished, ms since the epoch; null: none was. */
  complete: z.number().nullable(),
  profiles: z.number().int().nonnegative(),
  /** Bytes of their JSON, and of pinned history. */
  bytes: z.number().nonnegative(),
  /** Runs over there whose pinned history is here, or was. */
  pinned: z.array(z.string().max(128)).max(10_000).default([]),
  /** Marks of runs that a next round would look at again, and that are here, or were. */
  brought: z.array(z.string().max(MAX_MARK)).max(MAX_BROUGHT).default([]),
});
export type SyncPosition = z.infer<typeof SyncPosition>;

/** What is kept of an engine that was reached, so that its profiles can be looked at while it is not. */
const KnownEngine = z.object({
  id: z.string().regex(ENGINE_ID),
  host: z.string().max(256),
  version: z.string().max(64),
  sync: SyncPosition.nullable(),
});
export type KnownEngine = z.infer<typeof KnownEngine>;

/** How far an engine's profiles are here that no connection leads to any more. */
const LeftEngine = z.object({ id: KnownEngine.shape.id, sync: SyncPosition });
export type LeftEngine = z.infer<typeof LeftEngine>;

export const ForwardRecord = z.object({
  id: z.string().min(1).max(64),
  /** On 127.0.0.1. */
  port: z.number().int().min(1).max(65_535),
  to: NewForward.shape.to,
});
export type ForwardRecord = z.infer<typeof ForwardRecord>;

export const ConnectionRecord = z.object({
  id: z.string().min(1).max(64),
  name: z.string().max(128),
  host: z.string().min(1).max(255),
  group: z.string().max(128),
  auto: z.boolean(),
  sync: z.boolean(),
  address: EngineAddress,
  /** Milliseconds since the epoch. */
  added: z.number(),
  lastUp: z.number().nullable(),
  engine: KnownEngine.nullable(),
  /** What was put there and started; lists of before know of none. */
  placed: PlacedEngine.nullable().default(null),
  /** Ports that people asked for, the same after a restart. */
  forwards: z.array(ForwardRecord).max(MAX_FORWARDS).default([]),
});
export type ConnectionRecord = z.infer<typeof ConnectionRecord>;

export const MAX_LEFT = 32;

const Contents = z.object({
  version: z.literal(1),
  connections: z.array(ConnectionRecord).max(MAX_CONNECTIONS),
  /** Last left last. */
  left: z.array(LeftEngine).max(MAX_LEFT).default([]),
});
export type Contents = Omit<z.infer<typeof Contents>, 'version'>;

/**
 * What was kept. A file that cannot be used is put aside, never written over: `warn` says where. Nobody but its owner
 * may be able to write it, since it says where this engine logs in.
 */
export function readConnections(data: string, warn: (message: string) => void): Contents {
  const path = connectionsFile(data);
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (!found) return { connections: [], left: [] };
    if (!found.isFile() || found.uid !== (process.getuid?.() ?? found.uid) || (found.mode & 0o077) !== 0) {
      throw new Error('it must be a file that only you can read (chmod 600)');
    }
    if (found.size > MAX_BYTES) throw new Error('it is too large');
    return Contents.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    const reason = error instanceof z.ZodError ? 'it is no list of connections' : (error as Error).message;
    warn(`${path} cannot be used (${reason})${putAside(path)}`);
    return { connections: [], left: [] };
  }
}

function putAside(path: string): string {
  const aside = `${path}.unusable`;
  try {
    renameSync(path, aside);
    return `: it is now ${aside}, and the list begins anew`;
  } catch {
    return '';
  }
}

/** What would make the file too large to be read again is not written: an engine may take one name after the other. */
function newestOf(left: readonly LeftEngine[]): readonly LeftEngine[] {
  let bytes = 0;
  const first = left.findLastIndex((one) => (bytes += JSON.stringify(one, null, 1).length) > MAX_LEFT_BYTES);
  return left.slice(first + 1);
}

export function writeConnections(data: string, { connections, left }: Contents): void {
  const path = connectionsFile(data);
  makeDirectory(dirname(path));
  const temporary = `${path}.new`;
  rmSync(temporary, { force: true });
  const file = openSync(temporary, 'wx', 0o600);
  try {
    writeFileSync(file, `${JSON.stringify({ version: 1, connections, left: newestOf(left) }, null, 1)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}
