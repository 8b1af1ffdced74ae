/** Opens what is reached by SSH, and wires it: loaded when it is needed, closed with the engine. */

import type { ConfigHostList } from '../../shared/api/connections.ts';
import type { Store } from '../store/store.ts';
import { sshHostOf } from '../../shared/target-address.ts';
import { Behind } from './behind.ts';
import { listHosts } from './config/hosts.ts';
import { Connections } from './connections.ts';
import { openSshSessions } from './session/sessions.ts';
import type { Keyring } from './secrets.ts';
import type { Sessions } from './types.ts';

export interface RemoteParts {
  /** Null: nothing is kept. */
  readonly data: string | null;
  /** The configuration's file; null: the user's and the system's. */
  readonly sshConfig: string | null;
  readonly engineId: string;
  readonly store: Store;
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
  readonly changed: () => void;
  readonly warn: (message: string) => void;
  readonly targets: {
    entries(): Iterable<{ readonly record: { readonly url: string } }>;
    /** Those behind a host are asked as soon as may be. */
    soonThrough(host: string): void;
  };
  /** Default: SSH. */
  readonly sessions?: Sessions;
  /** Milliseconds between two looks at an engine; default 10 s. */
  readonly lookEvery?: number;
  /** The desktop's, where there is one. */
  readonly keyring?: Keyring;
}

export interface Remote {
  readonly connections: Connections;
  readonly behind: Behind;
  /** Hosts of the user's ssh configuration. */
  hosts(): Promise<ConfigHostList>;
  close(): Promise<void>;
}

export async function openRemote({ targets, sessions, sshConfig, ...parts }: RemoteParts): Promise<Remote> {
  const config = sshConfig === null ? {} : { configFile: sshConfig };
  const connections = new Connections({
    ...parts,
    sessions: sessions ?? (await openSshSessions(config)),
    targetsOf: (host) => countOf(targets.entries(), host),
    up: (host) => targets.soonThrough(host),
  });
  await connections.start();
  return {
    connections,
    behind: new Behind(connections),
    async hosts() {
      const { hosts, problems } = await listHosts(config);
      const known = new Map(connections.list().map(({ id, host }) => [host, id]));
      return {
        hosts: hosts.map(({ name, file, line }) => ({ name, file, line, connection: known.get(name) ?? null })),
        notes: [...problems],
      };
    },
    close: () => connections.close(),
  };
}

function countOf(entries: Iterable<{ readonly record: { readonly url: string } }>, host: string): number {
  let count = 0;
  for (const { record } of entries) if (sshHostOf(record.url) === host) count++;
  return count;
}
