/** The engine that `vigie client` reads from: over its socket, or at an address with a token. */

import { readFileSync } from 'node:fs';
import { EngineClient } from '../client/http.ts';
import { requireEngine, type SearchFlags } from './engine-search.ts';

export interface ClientEngineFlags extends SearchFlags {
  /** Another name of --socket. */
  readonly unix?: string;
  readonly url?: string;
  readonly tokenFile?: string;
}

export interface ReadEngine {
  readonly client: EngineClient;
  /** This clock minus the engine's, in ms. */
  readonly clockOffset: number;
}

/** For an engine that is stopped or swamped, in ms. */
const ANSWER_WITHIN = 5000;

/** Only what was named for this address: the user's own token is for the user's own engine. */
function tokenFor(url: string, file: string | undefined): string {
  const token = file === undefined ? process.env['VIGIE_TOKEN'] : readFileSync(file, 'utf8');
  if (!token?.trim()) throw new Error(`${url} needs a token: name its file with --token-file, or set $VIGIE_TOKEN`);
  return token.trim();
}

async function atAddress(text: string, tokenFile: string | undefined): Promise<ReadEngine> {
  const url = URL.parse(text);
  if (url?.protocol !== 'http:') throw new Error(`${text} is no address of an engine, such as http://127.0.0.1:1337`);
  const client = new EngineClient(
    { url: url.origin, token: tokenFor(url.origin, tokenFile) },
    { timeout: ANSWER_WITHIN },
  );
  const before = Date.now();
  try {
    const { time } = await client.status();
    return { client, clockOffset: (before + Date.now()) / 2 - time };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`no engine can be read at ${url.origin}: ${why}`, { cause: error });
  }
}

/** Throws with what to do when there is none. */
export async function clientEngine(flags: ClientEngineFlags): Promise<ReadEngine> {
  const socket = flags.socket ?? flags.unix;
  if (flags.url !== undefined) return atAddress(flags.url, flags.tokenFile);
  const { client } = await requireEngine({ ...flags, ...(socket === undefined ? {} : { socket }) });
  // A socket is on this machine, whose one clock both read.
  return { client, clockOffset: 0 };
}
