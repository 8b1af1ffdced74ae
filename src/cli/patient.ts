/** What `vigie doctor` and `vigie bundle` examine: the engine that was found, or where one would be. */

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Search } from '../client/find-engine.ts';
import type { Config } from '../engine/config.ts';
import type { Patient } from '../engine/diagnosis/patient.ts';
import { pageDirectory } from '../engine/page-directory.ts';

/** Native code: what it says when it does not load is what the doctor tells. */
async function sqliteVersion(): Promise<string> {
  const { default: Database } = await import('better-sqlite3');
  const db = new Database(':memory:');
  try {
    return (db.prepare('SELECT sqlite_version() AS version').get() as { version: string }).version;
  } finally {
    db.close();
  }
}

/** A running engine may have been told another file: then it is not known which. */
function tokenFile(config: Config, search: Search): string | null {
  if (search.found === null) return config.tokenFile;
  const { data, socket, ...more } = search.found.status.engine;
  const told = 'token_file' in more && typeof more.token_file === 'string' ? more.token_file : null;
  if (told !== null) return told;
  const usual = join(data ?? dirname(socket), 'token');
  return existsSync(usual) ? usual : null;
}

export function patientOf(config: Config, search: Search): Patient {
  const { found } = search;
  return {
    config,
    status: found?.status ?? null,
    data: found ? found.status.engine.data : config.data,
    tokenFile: tokenFile(config, search),
    page: pageDirectory(),
    inside: false,
    tried: search.found === null ? search.tried.map(({ socket, why }) => `${socket}: ${why}`) : [],
    clockOffset: found?.clockOffset ?? null,
    sqlite: sqliteVersion,
  };
}
