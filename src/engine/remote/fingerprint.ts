/** Public keys as they are on the wire: their type, and the fingerprint that `ssh-keygen -l` prints. */

import { createHash } from 'node:crypto';

/** Longest name of a type, in bytes. */
const MAX_TYPE = 64;
/** Longest key, in bytes: RSA of 16384 bits has 2 KiB. */
export const MAX_KEY = 16_384;

/** `SHA256:` and base64 without padding. */
export function fingerprint(key: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The type that stands in a key's first field, such as `ssh-ed25519`; undefined: this is no key. */
export function keyTypeOf(key: Uint8Array): string | undefined {
  if (key.length < 8 || key.length > MAX_KEY) return undefined;
  const length = new DataView(key.buffer, key.byteOffset, key.byteLength).getUint32(0);
  if (length === 0 || length > MAX_TYPE || 4 + length >= key.length) return undefined;
  const type = Buffer.from(key.subarray(4, 4 + length)).toString('latin1');
  return /^[A-Za-z0-9][A-Za-z0-9.@_-]*$/.test(type) ? type : undefined;
}
