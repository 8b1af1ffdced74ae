/**
 * The three places where ssh2's public interface is not enough; nothing else touches what it keeps for itself.
 * All do nothing, rather than fail, should a later version have it otherwise: tests notice.
 */

import { createSecretKey } from 'node:crypto';

import type { Client } from 'ssh2';

/* oxlint-disable no-underscore-dangle -- that is how ssh2 marks what is its own */

interface Inside {
  readonly _callbacks?: ((failed: unknown) => void)[];
  readonly _protocol?: {
    readonly _handlers?: Record<string, ((...args: unknown[]) => void) | undefined>;
    ping?(): void;
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
