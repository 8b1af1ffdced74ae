/**
 * The few places where ssh2's public interface is not enough; nothing else touches what it keeps for itself.
 * All do nothing, rather than fail, should a later version have it otherwise: tests notice.
 */

import { createSecretKey } from 'node:crypto';

import type { Client } from 'ssh2';

/* oxlint-disable no-underscore-dangle -- that is how ssh2 marks what is its own */

interface KeyExchange {
  setDHParams?(prime: Buffer, generator: Buffer): void;
}

interface Inside {
  readonly _callbacks?: ((failed: unknown) => void)[];
  readonly _chanMgr?: { get(id: unknown): unknown };
  readonly _protocol?: {
    readonly _handlers?: Record<string, ((...args: unknown[]) => void) | undefined>;
    ping?(): void;
    _kex?: KeyExchange | undefined;
    readonly _cipher?: { _encKey?: unknown };
    readonly _decipher?: { _decipherKey?: unknown };
  };
}

const inside = (client: Client): Inside => client as unknown as Inside;

/**
 * Tells what each refusal says can go on, and whether what was refused counts as a part of the way in. ssh2 keeps it to
 * itself after a key of an agent, and just there it matters: key first, one-time code second.
 */
export function onRefusal(client: Client, hear: (left: readonly string[], partial: boolean) => void): void {
  const handlers = inside(client)._protocol?._handlers;
  const original = handlers?.['USERAUTH_FAILURE'];
  if (handlers === undefined || original === undefined) return;
  handlers['USERAUTH_FAILURE'] = (...args: unknown[]): void => {
    const [, left, partial] = args;
    if (Array.isArray(left)) hear(left.map(String), partial === true);
    original(...args);
  };
}

/** Asks the other side for any answer: it counts as one that it does not know the question. False: cannot be asked. */
export function ping(client: Client, answered: () => void): boolean {
  const { _callbacks: callbacks, _protocol: protocol } = inside(client);
  if (callbacks === undefined || protocol?.ping === undefined) return false;
  // Answers come in the order of the questions: this is the place in the row.
  callbacks.push(answered);
  protocol.ping();
  return true;
}

/**
 * Of AES-GCM ssh2 begins anew with each packet, and Node takes ten times as long to begin with bytes as with a key: a third
 * of all that a tunnel costs. To be called after each exchange of keys.
 */
export function prepareKeys(client: Client): void {
  const { _cipher: cipher, _decipher: decipher } = inside(client)._protocol ?? {};
  if (cipher && Buffer.isBuffer(cipher._encKey)) cipher._encKey = createSecretKey(cipher._encKey);
  if (decipher && Buffer.isBuffer(decipher._decipherKey))
    decipher._decipherKey = createSecretKey(decipher._decipherKey);
}

/** As OpenSSH: so much more than it was let send, bytes, is overlooked. */
const OVERRUN = 200 * 1024;
/** Packets for us smaller than this, bytes, would be more head than contents; without any contents they would have no end. */
const LEAST_PACKET = 256;

/**
 * Holds the other side to what ssh2 takes on trust: that it sends no more than it was let send (what nobody reads would
 * pile up in memory without an end), and takes packets of some size (of none ssh2 would write for ever).
 * The client's 'error' tells; whoever listens ends the connection. Lists of further host keys, each of which ssh2 would keep
 * until the other side proves it, are passed over: nothing here learns keys from them.
 */
export function guardChannels(client: Client): void {
  const { _protocol: protocol, _chanMgr: channels } = inside(client);
  const handlers = protocol?._handlers;
  if (handlers === undefined || channels === undefined) return;
  const guard = (name: string, wrong: (...args: unknown[]) => string | null): void => {
    const original = handlers[name];
    if (original === undefined) return;
    handlers[name] = (...args: unknown[]): void => {
      const why = wrong(...args);
      if (why === null) original(...args);
      else client.emit('error', Object.assign(new Error(why), { level: 'protocol' }));
    };
  };
  const tooMuch = (_protocol: unknown, recipient: unknown, data: unknown): string | null => {
    const channel = channels.get(recipient) as { readonly incoming?: { readonly window?: number } } | undefined | null;
    const window = typeof channel === 'object' ? channel?.incoming?.window : undefined;
    if (window === undefined || !Buffer.isBuffer(data) || data.length <= window + OVERRUN) return null;
    return 'it sends more on a channel than it may';
  };
  const globalRequest = handlers['GLOBAL_REQUEST'];
  if (globalRequest !== undefined) {
    handlers['GLOBAL_REQUEST'] = (...args: unknown[]): void => {
      const [, name] = args;
      // Another name, which nobody knows: ssh2 says so where an answer is wanted.
      if (name === 'hostkeys-00@openssh.com') globalRequest(args[0], 'not-wanted', ...args.slice(2));
      else globalRequest(...args);
    };
  }
  guard('CHANNEL_DATA', tooMuch);
  guard('CHANNEL_EXTENDED_DATA', tooMuch);
  guard('CHANNEL_OPEN_CONFIRMATION', (_protocol, info) => {
    const { packetSize } = info as { readonly packetSize?: unknown };
    const isTooSmall = typeof packetSize === 'number' && packetSize < LEAST_PACKET;
    return isTooSmall ? `it takes packets of ${packetSize} bytes only` : null;
  });
}

/** As was asked for, and as OpenSSH takes it, bits: with a larger one all else here would stand still for seconds. */
const LARGEST_PRIME = 8192;

/** Of a group exchange the host names the prime. A throw here ends the connection, and says why. */
export function guardPrimes(client: Client): void {
  const { _protocol: protocol } = inside(client);
  if (protocol === undefined) return;
  let current = protocol._kex;
  Object.defineProperty(protocol, '_kex', {
    ...{ configurable: true, enumerable: true, get: () => current },
    set(next: KeyExchange | undefined) {
      current = next;
      const original = next?.setDHParams?.bind(next);
      if (next === undefined || original === undefined) return;
      next.setDHParams = (prime, generator) => {
        // It may begin with a zero, which keeps it positive.
        if (prime.length > LARGEST_PRIME / 8 + 1) {
          throw new Error(`its key exchange wants numbers of more than ${LARGEST_PRIME} bits`);
        }
        original(prime, generator);
      };
    },
  });
}
