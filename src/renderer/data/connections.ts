import type { Connection, ConnectionState, NewForward, Prompt } from '../../shared/api/connections.ts';
import type { ConnectionsEvent } from './live.ts';

export const CONNECTION_STATES: readonly ConnectionState[] = [
  'up',
  'asking',
  'connecting',
  'reconnecting',
  'down',
  'refused',
  'idle',
];

/** A message of the `connections` topic. Rows keep the order in which connections were added. */
export function mergeConnections(
  rows: ReadonlyMap<string, Connection>,
  event: Pick<ConnectionsEvent, 'all' | 'connections' | 'removed'>,
): Map<string, Connection> {
  if (event.all) return new Map(event.connections.map((connection) => [connection.id, connection]));
  const next = new Map(rows);
  for (const id of event.removed) next.delete(id);
  for (const connection of event.connections) next.set(connection.id, connection);
  return next;
}

export interface ConnectionQuery {
  readonly search: string;
  readonly state: ConnectionState | 'all';
}

/** A row of the list: the head of a group, or one connection of it. */
export type ConnectionRow =
  | { readonly kind: 'group'; readonly id: string; readonly title: string; readonly connections: readonly Connection[] }
  | { readonly kind: 'connection'; readonly id: string; readonly connection: Connection };

/** Hosts with numbers in their names in the order of the numbers: login9 before login10. */
const byName = new Intl.Collator('en', { numeric: true });

function matches(connection: Connection, words: readonly string[]): boolean {
  if (words.length === 0) return true;
  const { name, host, group, reason, problem, hops, engine } = connection;
  const far = engine === null ? [] : [engine.host, engine.version, engine.reason];
  const text = [name, host, group, reason, problem, ...hops.map((hop) => `${hop.name} ${hop.host}`), ...far];
  const all = text.join('\n').toLowerCase();
  return words.every((word) => all.includes(word));
}

/** Connections that match, by name. */
export function selectConnections(all: Iterable<Connection>, { search, state }: ConnectionQuery): Connection[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return [...all]
    .filter((connection) => (state === 'all' || connection.state === state) && matches(connection, words))
    .sort((a, b) => byName.compare(a.name, b.name) || byName.compare(a.host, b.host));
}

/** Groups by name, then what is in none. Without any group there are no heads. */
export function groupConnections(shown: readonly Connection[], closed: ReadonlySet<string>): ConnectionRow[] {
  const row = (connection: Connection): ConnectionRow => ({ kind: 'connection', id: connection.id, connection });
  const groups = new Map<string, Connection[]>();
  for (const connection of shown) {
    const list = groups.get(connection.group);
    if (list) list.push(connection);
    else groups.set(connection.group, [connection]);
  }
  if (groups.size === 0 || (groups.size === 1 && groups.has(''))) return shown.map(row);
  return [...groups]
    .sort(([a], [b]) => (a === '' ? 1 : b === '' ? -1 : byName.compare(a, b)))
    .flatMap(([group, connections]) => {
      const id = `group ${group}`;
      const head: ConnectionRow = { kind: 'group', id, title: group === '' ? 'In no group' : group, connections };
      return closed.has(id) ? [head] : [head, ...connections.map(row)];
    });
}

export function countConnections(all: Iterable<Connection>): Record<ConnectionState | 'all', number> {
  const counts = { all: 0, idle: 0, connecting: 0, asking: 0, up: 0, reconnecting: 0, down: 0, refused: 0 };
  for (const { state } of all) {
    counts.all++;
    counts[state]++;
  }
  return counts;
}

/** Names of groups that there are, for whoever adds one more to them. */
export const groupsOf = (all: Iterable<Connection>): string[] =>
  [...new Set(Array.from(all, ({ group }) => group))].filter((group) => group !== '').sort(byName.compare);

/** Bytes that a connection had carried when this page heard of it, ms since the epoch of this machine. */
export interface TrafficPoint {
  readonly time: number;
  readonly in: number;
  readonly out: number;
}

/** How far back the page keeps what it heard. */
export const TRAIL_MS = 120_000;

/** With one more point, without those that are too old to matter; the last one before that stays as the beginning. */
export function withPoint(trail: readonly TrafficPoint[], point: TrafficPoint): TrafficPoint[] {
  const first = trail.findIndex(({ time }) => time >= point.time - TRAIL_MS);
  const kept = first < 0 ? trail.slice(-1) : trail.slice(Math.max(0, first - 1));
  return [...kept, point];
}

export interface TrafficRates {
  /** Bytes per second, oldest first; null: this page was not looking then. */
  readonly in: readonly (number | null)[];
  readonly out: readonly (number | null)[];
}

/** Rates of the last `steps` × `step` ms. What is not told did not move: the engine tells only what changed. */
export function ratesOf(trail: readonly TrafficPoint[], now: number, step = 2000, steps = 60): TrafficRates {
  const begin = now - step * steps;
  const since = trail[0]?.time ?? Infinity;
  const rates = (side: 'in' | 'out'): (number | null)[] => {
    const sums = Array.from({ length: steps }, (_, i): number | null => (begin + (i + 1) * step > since ? 0 : null));
    for (let i = 1; i < trail.length; i++) {
      const { time, [side]: total } = trail[i]!;
      const before = trail[i - 1]![side];
      const at = Math.floor((time - begin) / step);
      const sum = sums[Math.min(at, steps - 1)];
      // Less than before: the engine began anew.
      if (at >= 0 && sum !== undefined)
        sums[Math.min(at, steps - 1)] = (sum ?? 0) + (total < before ? total : total - before);
    }
    return sums.map((sum) => (sum === null ? null : (sum * 1000) / step));
  };
  return { in: rates('in'), out: rates('out') };
}

/** What a person wrote for the far end of a forward: `8080`, `HOST:PORT`, `[::1]:80`, a path or `unix:PATH`. */
export function readFar(text: string): NewForward['to'] | string {
  const given = text.trim();
  if (given === '') return 'write a port, HOST:PORT or the path of a socket';
  const path = /^(?:unix:)?(\/.*)$/u.exec(given)?.[1];
  if (path !== undefined) return path.length > 1024 ? 'a path has at most 1024 characters' : { socket: path };
  if (given.startsWith('unix:')) return 'the path of a socket begins with /';
  const match = /^(?:(?:\[([^\]\s]+)\]|([^\s:/]+)):)?(\d{1,6})$/u.exec(given);
  if (!match) return 'expected a port, HOST:PORT or the path of a socket';
  const port = Number(match[3]);
  if (port < 1 || port > 65_535) return `there is no port ${port}: ports are 1 to 65535`;
  return { host: match[1] ?? match[2] ?? 'localhost', port };
}

/** A local port as written; empty: any that is free. */
export function readPort(text: string): number | string {
  const given = text.trim();
  if (given === '') return 0;
  if (!/^\d{1,6}$/.test(given)) return 'a port is a number';
  const port = Number(given);
  if (port < 1 || port > 65_535) return `there is no port ${port}: ports are 1 to 65535`;
  return port;
}

/** The far end of a forward as it was asked for, so that it can be opened again. */
export function farOf(to: string): NewForward['to'] | null {
  const far = readFar(to);
  return typeof far === 'string' ? null : far;
}

/** Fingerprints as people paste them: with or without `SHA256:`, padding, what stands around. */
export function sameFingerprint(shown: string, pasted: string): boolean | null {
  const bare = (text: string): string => /(?:SHA256:)?([A-Za-z0-9+/]{43})=?(?![A-Za-z0-9+/])/.exec(text)?.[1] ?? '';
  const given = pasted.trim();
  if (given === '') return null;
  return bare(given) !== '' && bare(given) === bare(shown);
}

/** Prompts that were there and are not any more. */
export function goneOf(before: readonly Prompt[], now: readonly Prompt[]): Prompt[] {
  const left = new Set(now.map(({ id }) => id));
  return before.filter(({ id }) => !left.has(id));
}
