/** Processes of this benchmark: each measures itself, and answers with one line. */

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { startChild } from '../support/child.ts';
import { ask } from './ask.ts';
import { feed } from './feed.ts';
import { late } from './late.ts';
import type { AskSpec, Asked, Fed, FeedSpec, Late, LateSpec } from './spec.ts';

const MAIN = join(import.meta.dirname, '../store.ts');
const PRELOAD = { clock: './clock.mjs', threads: './threads.mjs' } as const;
const DEADLINE_MS = 1_800_000;

/** In such a process. */
export async function runChild(what: string | undefined, text: string | undefined): Promise<void> {
  const spec: unknown = JSON.parse(text ?? 'null');
  if (what === 'feed') await feed(spec as FeedSpec);
  else if (what === 'ask') await ask(spec as AskSpec);
  else if (what === 'late') await late(spec as LateSpec);
  else throw new Error(`there is no process "${what}"`);
}

async function run(what: string, spec: object, preload: readonly (keyof typeof PRELOAD)[]): Promise<unknown> {
  const imports = preload.flatMap((name) => ['--import', new URL(PRELOAD[name], import.meta.url).href]);
  const child = startChild(process.execPath, ['--expose-gc', ...imports, MAIN, 'child', what, JSON.stringify(spec)]);
  try {
    return JSON.parse(await child.line(DEADLINE_MS)) as unknown;
  } finally {
    await child.stop();
  }
}

export const feedStore = async (spec: FeedSpec): Promise<Fed> => (await run('feed', spec, ['threads', 'clock'])) as Fed;
export const measureLate = async (spec: LateSpec): Promise<readonly Late[]> =>
  (await run('late', spec, ['threads'])) as Late[];

/** A new process asks, and nothing of the store is in memory before. */
export async function askStore(spec: AskSpec): Promise<Asked> {
  for (const name of ['vigie.sqlite', 'vigie.sqlite-wal']) {
    const path = join(spec.data, name);
    // Of this file only; nothing is read.
    if (existsSync(path)) execFileSync('dd', [`if=${path}`, 'iflag=nocache', 'count=0', 'status=none']);
  }
  return (await run('ask', spec, ['threads'])) as Asked;
}
