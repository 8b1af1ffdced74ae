/** One authenticated connection to one host, whatever carries it. It does not come back by itself: `session.ts` does that. */

import type { Duplex } from 'node:stream';

import type { Executed } from '../types.ts';
import type { SshFailure } from './failure.ts';

export interface Link {
  readonly through: 'ssh2' | 'ssh';
  /** Channels that are open. */
  readonly channels: number;
  /** Round trip of the last keepalive, ms; null: not measured. */
  readonly latency: number | null;
  /** Bytes of all channels. */
  readonly traffic: { readonly in: number; readonly out: number };
  dialTcp(host: string, port: number, signal: AbortSignal): Promise<Duplex>;
  dialUnix(path: string, signal: AbortSignal): Promise<Duplex>;
  exec(command: string, signal: AbortSignal): Promise<Executed>;
  /** Asks for a sign of life now: after a sleep the other side may be long gone. */
  check(): void;
  /** Settles once, when it is over; null: it was closed by us. Never rejects. */
  readonly ended: Promise<SshFailure | null>;
  close(): void;
}

/** What a link counts. */
export interface Counts {
  channels: number;
  in: number;
  out: number;
}
