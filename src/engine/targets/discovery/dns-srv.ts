/** SRV records: `_metrics._tcp.example.org` names hosts and ports. */

import { Resolver } from 'node:dns/promises';
import type { Discovery, Found } from './discovery.ts';
import { targetsOf } from './groups.ts';

const EVERY = 30_000;

/** `HOST:PORT` of each record, in a fixed order. `servers`: whom to ask instead of the system's resolvers. */
export async function resolveSrv(name: string, signal: AbortSignal, servers?: readonly string[]): Promise<string[]> {
  const resolver = new Resolver({ timeout: 5000, tries: 2 });
  if (servers) resolver.setServers(servers);
  const cancel = (): void => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const records = await resolver.resolveSrv(name);
    return records.map(({ name: host, port }) => `${host}:${port}`).toSorted();
  } catch (error) {
    throw new Error(explain(name, error), { cause: error });
  } finally {
    signal.removeEventListener('abort', cancel);
  }
}

function explain(name: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ENOTFOUND' || code === 'ENODATA') return `DNS has no SRV records for ${name}`;
  if (code === 'ETIMEOUT' || code === 'ECONNREFUSED') return `no DNS server answers the question for ${name}`;
  return `DNS does not answer for ${name}: ${code || String(error)}`;
}

export function dnsSrv(name: string, settings: Omit<Found, 'url'> = {}, servers?: readonly string[]): Discovery {
  return {
    kind: 'dns_srv',
    name,
    every: EVERY,
    async look(signal) {
      const notes: string[] = [];
      const targets = await resolveSrv(name, signal, servers);
      return { targets: targetsOf({ targets, labels: {} }, { settings }, notes), notes };
    },
  };
}
