/** Options of the commands that look at an engine, and where they look for it. */

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { findEngine, notFound, type FoundEngine, type Search } from '../client/find-engine.ts';
import { resolveConfig, type Config } from '../engine/config.ts';

export interface SearchFlags {
  readonly socket?: string;
  readonly data?: string;
  readonly config?: string;
}

export function addSearchOptions(command: Command): Command {
  return command
    .option('--socket <path>', "the engine's socket (default $VIGIE_SOCKET, then what its data directory tells)")
    .option('--data <dir>', 'the data directory of the engine that is meant')
    .option('--config <path>', 'the configuration file that it was started with');
}

/** Flags count more than the environment: --data is not overruled by $VIGIE_SOCKET. */
export async function searchEngine(flags: SearchFlags): Promise<{ config: Config; search: Search }> {
  const { socket, data } = flags;
  const settings = { ...(socket === undefined ? {} : { socket }), ...(data === undefined ? {} : { data }) };
  const env = data === undefined ? process.env : { ...process.env, VIGIE_SOCKET: '' };
  const config = await resolveConfig(settings, env, flags.config ?? null);
  const search = await findEngine({
    socket: socket ?? (env['VIGIE_SOCKET'] || null),
    data: data === undefined ? null : resolve(data),
    usualData: config.data,
    usualSocket: config.socket,
  });
  return { config, search };
}

/** Throws with what to do when no engine answers. */
export async function requireEngine(flags: SearchFlags): Promise<FoundEngine> {
  const { search } = await searchEngine(flags);
  if (search.found === null) throw new Error(notFound(search.tried));
  return search.found;
}
