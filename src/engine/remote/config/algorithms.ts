/** Names of algorithms: what OpenSSH 9.2 offers when nothing is configured, and what it knows besides. */

import { ConfigError, UnclaimedError, plainWords } from './error.ts';
import { matchesList } from './pattern.ts';

const KEY_TYPES = [
  'ssh-ed25519-cert-v01@openssh.com',
  'ecdsa-sha2-nistp256-cert-v01@openssh.com',
  'ecdsa-sha2-nistp384-cert-v01@openssh.com',
  'ecdsa-sha2-nistp521-cert-v01@openssh.com',
  'sk-ssh-ed25519-cert-v01@openssh.com',
  'sk-ecdsa-sha2-nistp256-cert-v01@openssh.com',
  'rsa-sha2-512-cert-v01@openssh.com',
  'rsa-sha2-256-cert-v01@openssh.com',
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'sk-ssh-ed25519@openssh.com',
  'sk-ecdsa-sha2-nistp256@openssh.com',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

const OTHER_KEY_TYPES = [
  'webauthn-sk-ecdsa-sha2-nistp256@openssh.com',
  'ssh-dss',
  'ssh-dss-cert-v01@openssh.com',
  'ssh-rsa',
  'ssh-rsa-cert-v01@openssh.com',
];

const defaults: Readonly<Record<string, readonly string[]>> = {
  hostkeyalgorithms: KEY_TYPES,
  pubkeyacceptedalgorithms: KEY_TYPES,
  kexalgorithms: [
    'sntrup761x25519-sha512',
    'sntrup761x25519-sha512@openssh.com',
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group-exchange-sha256',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group18-sha512',
    'diffie-hellman-group14-sha256',
  ],
  ciphers: [
    'chacha20-poly1305@openssh.com',
    'aes128-ctr',
    'aes192-ctr',
    'aes256-ctr',
    'aes128-gcm@openssh.com',
    'aes256-gcm@openssh.com',
  ],
  macs: [
    'umac-64-etm@openssh.com',
    'umac-128-etm@openssh.com',
    'hmac-sha2-256-etm@openssh.com',
    'hmac-sha2-512-etm@openssh.com',
    'hmac-sha1-etm@openssh.com',
    'umac-64@openssh.com',
    'umac-128@openssh.com',
    'hmac-sha2-256',
    'hmac-sha2-512',
    'hmac-sha1',
  ],
};

/** Besides those of the defaults. */
const others: Readonly<Record<string, readonly string[]>> = {
  hostkeyalgorithms: OTHER_KEY_TYPES,
  pubkeyacceptedalgorithms: OTHER_KEY_TYPES,
  kexalgorithms: ['diffie-hellman-group1-sha1', 'diffie-hellman-group14-sha1', 'diffie-hellman-group-exchange-sha1'],
  ciphers: ['3des-cbc', 'aes128-cbc', 'aes192-cbc', 'aes256-cbc'],
  macs: [
    'hmac-sha1-96',
    'hmac-md5',
    'hmac-md5-96',
    'hmac-sha1-96-etm@openssh.com',
    'hmac-md5-etm@openssh.com',
    'hmac-md5-96-etm@openssh.com',
  ],
};

/**
 * What a list means: names as they are, or changes to the defaults. Each name once.
 *
 * @throws {ConfigError} When it cannot be a list.
 * @throws {UnclaimedError} When it has names that are not known here.
 */
export function assembleList(keyword: string, text: string): readonly string[] {
  const initial = defaults[keyword]!;
  const sign = /^[-+^]/.exec(text)?.[0];
  const names = text.slice(sign === undefined ? 0 : 1).split(',');
  if (names.includes('')) throw new ConfigError(`${keyword} ${plainWords(text, 100)}: a name is missing`);
  if (sign === '-') return initial.filter((name) => !matchesList(name, names.join(',')));
  const known = new Set([...initial, ...others[keyword]!]);
  for (const name of names) {
    if (!known.has(name)) throw new UnclaimedError(`${keyword}: ${plainWords(name, 100)} is not known here`);
  }
  if (sign === '+') return [...new Set([...initial, ...names])];
  return sign === '^' ? [...new Set([...names, ...initial])] : [...new Set(names)];
}

export function defaultList(keyword: string): readonly string[] {
  return defaults[keyword]!;
}
