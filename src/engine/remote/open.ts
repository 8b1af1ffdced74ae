/** Opens what is reached by SSH, and wires it: loaded when it is needed, closed with the engine. */

import type { ConfigHostList } from '../../shared/api/connections.ts';
import type { Store } from '../store/store.ts';
import { listHosts } from './config/hosts.ts';
import { Connections } from './connections.ts';
import { openSshSessions } from './session/sessions.ts';
import type { Sessions } from './types.ts';

export interface RemoteParts {
  /** Null: nothing is kept. */
  readonly data: string | null;
  readonly engineId: string;
  readonly store: Store;
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
  readonly changed: () => void;
  readonly warn: (message: string) => void;
  readonly targets: { entries(): Iterable<{ readonly record: { readonly url: string } }> };
  /** Default: SSH. */
  readonly sessions?: Sessions;
}

export interface Remote {
  readonly connections: Connections;
  /** Hosts of the user's ssh configuration. */
  hosts(): Promise<ConfigHostList>;
  close(): Promise<void>;
}

export async function openRemote({ targets, sessions, ...parts }: RemoteParts): Promise<Remote> {
  const connections = new Connections({
    ...parts,
    sessions: sessions ?? (await openSshSessions()),
    targetsOf: (host) => countOf(targets.entries(), `ssh://${host}/`),
  });
  connections.start();
  return {
    connections,
    async hosts() {
      const { hosts, problems } = await listHosts();
      const known = new Map(connections.list().map(({ id, host }) => [host, id]));
      return {
        hosts: hosts.map(({ name, file, line }) => ({ name, file, line, connection: known.get(name) ?? null })),
        notes: [...problems],
      };
    },
    close: () => connections.close(),
  };
}

function countOf(entries: Iterable<{ readonly record: { readonly url: string } }>, prefix: string): number {
  let count = 0;
  for (const { record } of entries) if (record.url.startsWith(prefix)) count++;
  return count;
}
