/** A channel of an SSH connection where Node's HTTP expects a TCP socket. */

import type { Duplex } from 'node:stream';

/** What HTTP calls on a socket and a channel does not have: there is nothing to set on it. */
const SETTINGS = ['setKeepAlive', 'setNoDelay', 'setTimeout', 'ref', 'unref'] as const;

export function asSocket(channel: Duplex): Duplex {
  const settable = channel as Duplex & Partial<Record<(typeof SETTINGS)[number], unknown>>;
  for (const name of SETTINGS) {
    if (typeof settable[name] === 'function') continue;
    Object.defineProperty(channel, name, { value: () => channel, configurable: true, enumerable: false });
  }
  return channel;
}
