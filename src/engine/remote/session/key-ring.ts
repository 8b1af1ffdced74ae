/**
 * Private keys that were opened, for as long as their connection is wanted: whoever has typed a passphrase is not asked
 * for it at each hop and each reconnect. In memory only, as key objects of OpenSSL; nothing reads them back out.
 */

import { createPrivateKey, sign, type KeyObject } from 'node:crypto';

import type { OpenedKey } from './key-file.ts';

const CURVE_HASH: Readonly<Record<string, string>> = {
  'ecdsa-sha2-nistp256': 'sha256',
  'ecdsa-sha2-nistp384': 'sha384',
  'ecdsa-sha2-nistp521': 'sha512',
};

export interface HeldKey {
  readonly blob: Buffer;
  readonly key: KeyObject;
}

export class KeyRing {
  readonly #keys = new Map<string, HeldKey>();

  get(file: string): HeldKey | undefined {
    return this.#keys.get(file);
  }

  add(file: string, { pem, blob }: OpenedKey): HeldKey {
    const held = { blob, key: createPrivateKey(pem) };
    this.#keys.set(file, held);
    return held;
  }

  clear(): void {
    this.#keys.clear();
  }
}

/** In a thread of Node's pool: an RSA key takes milliseconds. `hash` is for RSA only; others have theirs. */
export function signWithKey(held: HeldKey, type: string, data: Buffer, hash: string | undefined): Promise<Buffer> {
  const algorithm =
    type === 'ssh-ed25519' ? null : type === 'ssh-rsa' ? (hash ?? 'sha1') : (CURVE_HASH[type] ?? 'sha256');
  return new Promise((resolve, reject) => {
    sign(algorithm, data, held.key, (error, signature) => (error === null ? resolve(signature) : reject(error)));
  });
}
