/** What is offered in the key exchange: what the configuration allows and the built-in SSH can do, in the user's order. */

import type { Algorithms, CipherAlgorithm, KexAlgorithm, MacAlgorithm, ServerHostKeyAlgorithm } from 'ssh2';

import type { ResolvedHost } from '../types.ts';
import { SshFailure } from './failure.ts';

const KEX: readonly KexAlgorithm[] = [
  'curve25519-sha256',
  'curve25519-sha256@libssh.org',
  'ecdh-sha2-nistp256',
  'ecdh-sha2-nistp384',
  'ecdh-sha2-nistp521',
  'diffie-hellman-group-exchange-sha256',
  'diffie-hellman-group14-sha256',
  'diffie-hellman-group16-sha512',
  'diffie-hellman-group18-sha512',
  // Only where the configuration names them: they are not among anybody's defaults any more.
  'diffie-hellman-group-exchange-sha1',
  'diffie-hellman-group14-sha1',
  'diffie-hellman-group1-sha1',
];
const HOST_KEYS: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
  'ssh-rsa',
];
const CIPHERS: readonly CipherAlgorithm[] = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'chacha20-poly1305@openssh.com',
  'aes128-ctr',
  'aes192-ctr',
  'aes256-ctr',
  'aes256-cbc',
  'aes192-cbc',
  'aes128-cbc',
  '3des-cbc',
];
const MACS: readonly MacAlgorithm[] = [
  'hmac-sha2-256-etm@openssh.com',
  'hmac-sha2-512-etm@openssh.com',
  'hmac-sha1-etm@openssh.com',
  'hmac-sha2-256',
  'hmac-sha2-512',
  'hmac-sha1',
  'hmac-md5',
];

function common<T extends string>(host: ResolvedHost, what: string, named: readonly string[], able: readonly T[]): T[] {
  const both = named.map((name) => able.find((one) => one === name)).filter((one) => one !== undefined);
  if (both.length > 0) return [...new Set(both)];
  const words = `${host.name}: of its ${what} (${named.join(', ')}) the built-in SSH can do none`;
  throw new SshFailure('unsupported', 'key-exchange', host.name, words);
}

/** Types of known keys first, so that a host with several shows one that is known. A key type is not its algorithm. */
function hostKeyOrder(host: ResolvedHost, known: readonly string[]): ServerHostKeyAlgorithm[] {
  const able = common(host, 'host key algorithms', host.hostKeyAlgorithms, HOST_KEYS);
  if (host.hostKeyAlgorithmsGiven) return able;
  const types = new Set(known);
  const isKnown = (algorithm: string): boolean => types.has(algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm);
  return [...able.filter(isKnown), ...able.filter((algorithm) => !isKnown(algorithm))];
}

/** @throws {SshFailure} `unsupported` when nothing is left of one of them. */
export function algorithmsFor(host: ResolvedHost, knownTypes: readonly string[]): Algorithms {
  const ciphers = common(host, 'ciphers', host.ciphers, CIPHERS);
  // Among what is allowed anyway: Node does AES-GCM in hardware, the others in several steps of JavaScript.
  const gcm = ciphers.filter((cipher) => cipher.includes('-gcm@'));
  return {
    kex: common(host, 'key exchanges', host.kexAlgorithms, KEX),
    serverHostKey: hostKeyOrder(host, knownTypes),
    cipher: [...gcm, ...ciphers.filter((cipher) => !gcm.includes(cipher))],
    hmac: common(host, 'MACs', host.macs, MACS),
    compress: host.compression ? ['zlib@openssh.com', 'none'] : ['none'],
  };
}
