/** One connection of the list: its record, and what of it lives while it is connected. */

import type { Connection, ConnectionState, Hop, RemoteEngine, SyncStatus } from '../../shared/api/connections.ts';
import type { EngineLink } from './engines/link.ts';
import type { Forwards } from './forwards.ts';
import type { ConnectionRecord } from './record.ts';
import { whyElsewhere } from './start/elsewhere.ts';
import type { Work } from './start/work.ts';
import type { ProfileSync } from './sync.ts';
import type { HopStatus, Session } from './types.ts';
import { plainText } from './words.ts';

export interface Entry {
  record: ConnectionRecord;
  /** Null: not connected. */
  session: Session | null;
  link: EngineLink | null;
  sync: ProfileSync | null;
  /** What is done with the engine over there, or was last; null: nothing since this engine started. */
  work: Work | null;
  readonly forwards: Forwards;
  /** Bytes of sessions before this one. */
  traffic: { in: number; out: number };
  /** The log of the last session that was closed. */
  log: readonly { readonly time: number; readonly text: string }[];
  /** A person ended it: what is reached through it does not open it again. */
  givenUp: boolean;
  /** Why no session could be made; null: nothing went wrong. */
  failure: string | null;
  /** When it was disconnected, or added, ms since the epoch. */
  idleSince: number;
}

export function stateOf({ session, failure }: Entry, isAsking: boolean): ConnectionState {
  if (!session) return failure === null ? 'idle' : 'refused';
  if (session.state === 'closed') return 'idle';
  const isOpening = session.state === 'connecting' || session.state === 'reconnecting';
  return isOpening && isAsking ? 'asking' : session.state;
}

const hopOf = ({ name, host, state, reason, latency, fingerprint, through }: HopStatus): Hop => ({
  name: plainText(name, 255),
  host: plainText(host, 512),
  state: state === 'closed' ? 'idle' : state,
  reason: reason === null ? null : plainText(reason, 1000),
  latency_ms: latency,
  fingerprint,
  through,
});

const OFF: SyncStatus = { state: 'off', profiles: 0, complete: null, reason: null };

function syncOf({ record, sync }: Entry): SyncStatus {
  if (sync) return sync.status();
  const kept = record.engine?.sync;
  return { ...OFF, profiles: kept?.profiles ?? 0, complete: kept?.complete ?? null };
}

/** What was started there and is not found; null: nothing to say of that. */
function absentOf({ placed }: ConnectionRecord, { state, answered }: EngineLink): string | null {
  if (state !== 'absent' || placed === null || answered === null) return null;
  if (answered !== placed.host) return whyElsewhere(answered, placed);
  return `the engine that was put on ${placed.host} does not run: start it again (the host was restarted, it was stopped, or programs end there with their login)`;
}

function engineOf(entry: Entry): RemoteEngine | null {
  const { record, link } = entry;
  if (record.address.kind === 'none') return null;
  const known = link?.known ?? record.engine;
  // What is not there has no version, whatever it had when it was.
  const isAbsent = link?.state === 'absent';
  return {
    id: known?.id ?? null,
    version: isAbsent ? null : (known?.version ?? null),
    api: isAbsent ? null : (link?.known?.api ?? null),
    state: link?.state ?? 'down',
    reason: link ? (absentOf(record, link) ?? link.reason) : 'the host is not connected',
    host: known?.host ?? null,
    skew: isAbsent ? null : (link?.skew ?? null),
    sync: syncOf(entry),
  };
}

export function describe(entry: Entry, isAsking: boolean, more: { targets: number; kept: number }): Connection {
  const { record, session, forwards, traffic, failure, work } = entry;
  const now = session?.traffic() ?? { in: 0, out: 0 };
  const reason = session ? session.reason : failure;
  return {
    ...{ id: record.id, name: record.name || record.host, host: record.host, group: record.group },
    ...{ auto: record.auto, sync: record.sync, address: record.address },
    state: stateOf(entry, isAsking),
    reason: reason === null ? null : plainText(reason, 2000),
    since: session?.since ?? entry.idleSince,
    last_up: record.lastUp,
    hops: session ? session.hops().map(hopOf) : [],
    traffic: { in: traffic.in + now.in, out: traffic.out + now.out },
    channels: session?.channels ?? 0,
    engine: engineOf(entry),
    placed: record.placed,
    work: work?.status() ?? null,
    targets: more.targets,
    forwards: forwards.list(),
    kept: more.kept,
    problem: session?.problem ?? null,
  };
}
