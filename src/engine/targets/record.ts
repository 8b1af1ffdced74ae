/**
 * What of a target outlives the engine: DATA/targets.json, and its secrets apart in DATA/target-secrets.json, both 0600
 * and put in their places whole. What discovery found is not there: it is found again.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import {
  TargetAuth,
  TargetFilter,
  TargetMergeRule,
  TargetOrigin,
  TargetTls,
  TargetTypeName,
} from '../../shared/api/targets.ts';
import { putAside, readPrivateFile, writePrivateFile } from '../private-file.ts';

/** The largest file that is read, in bytes. */
const MAX_BYTES = 64 * 1024 * 1024;

export const TargetRecord = z.object({
  id: z.string().min(1).max(64),
  url: z.string().min(1).max(2048),
  /** Null: not known yet. */
  type: TargetTypeName.nullable(),
  /** Milliseconds. */
  period: z.number().positive(),
  timeout: z.number().positive(),
  labels: z.record(z.string(), z.string()),
  filter: TargetFilter,
  merge: z.record(z.string(), TargetMergeRule),
  paused: z.boolean(),
  origin: TargetOrigin,
  /** Milliseconds since the epoch. */
  added: z.number(),
  tls: TargetTls,
});
export type TargetRecord = z.infer<typeof TargetRecord>;

const Contents = z.object({
  version: z.literal(1),
  targets: z.array(TargetRecord),
  /** Targets that are not kept here and that somebody paused. */
  paused: z.array(z.string()).default([]),
});
const Secrets = z.object({ version: z.literal(1), secrets: z.record(z.string(), TargetAuth) });

export interface Kept {
  readonly targets: readonly TargetRecord[];
  readonly paused: readonly string[];
  readonly secrets: ReadonlyMap<string, TargetAuth>;
}

const NOTHING: Kept = { targets: [], paused: [], secrets: new Map() };

export const targetsFile = (data: string): string => join(data, 'targets.json');
export const secretsFile = (data: string): string => join(data, 'target-secrets.json');

/**
 * What was kept. A file that cannot be used is put aside, never written over: `warn` says where. Nobody but its owner
 * may be able to write it, since it says what this engine connects to.
 */
export function readKept(data: string, warn: (message: string) => void): Kept {
  const isThere = existsSync(targetsFile(data));
  const list = read(targetsFile(data), Contents, warn);
  if (!list) {
    // They belong to that list, and the next one's would be written over them.
    if (isThere) putAside(secretsFile(data));
    return NOTHING;
  }
  const secrets = read(secretsFile(data), Secrets, warn)?.secrets ?? {};
  return { targets: list.targets, paused: list.paused, secrets: new Map(Object.entries(secrets)) };
}

function read<T>(path: string, schema: z.ZodType<T>, warn: (message: string) => void): T | null {
  try {
    const contents = readPrivateFile(path, MAX_BYTES);
    return contents === undefined ? null : schema.parse(contents);
  } catch (error) {
    const reason = error instanceof z.ZodError ? 'it is no list of targets' : (error as Error).message;
    const aside = putAside(path);
    warn(
      aside === null
        ? `${path} cannot be used: ${reason}`
        : `${path} cannot be used (${reason}): it is now ${aside}, and the list begins anew`,
    );
    return null;
  }
}

/** Secrets first: a list whose secrets are missing would ask without them, and be refused. */
export function writeKept(data: string, kept: Kept): void {
  writePrivateFile(secretsFile(data), { version: 1, secrets: Object.fromEntries(kept.secrets) });
  writePrivateFile(targetsFile(data), { version: 1, targets: kept.targets, paused: kept.paused });
}
