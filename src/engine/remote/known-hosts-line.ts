/** One line of a known_hosts file: whom it is about, and which key. */

import { createHmac, timingSafeEqual } from 'node:crypto';
import { lowerCase, matchesHost } from './config/pattern.ts';
import { keyTypeOf } from './fingerprint.ts';

export interface KnownHostsEntry {
  readonly marker: 'none' | 'revoked' | 'cert-authority';
  /** Patterns, or one hashed name. */
  readonly hosts: string;
  readonly keyType: string;
  /** As it is on the wire. */
  readonly key: Buffer;
}

/** Longest line that is read, in characters. */
const MAX_LINE = 65_536;
const HASHED = /^\|1\|([A-Za-z0-9+/=]{1,64})\|([A-Za-z0-9+/=]{1,64})$/;
const SHA1_BYTES = 20;

/** Undefined: a comment or an empty line; a text: why the line is passed over. */
export function parseKnownHostsLine(raw: string): KnownHostsEntry | string | undefined {
  if (raw.length > MAX_LINE) return 'too long';
  let end = raw.length;
  while (end > 0 && '\r\n'.includes(raw[end - 1]!)) end--;
  const line = raw.slice(0, end).replace(/^[ \t]+/, '');
  if (line === '' || line.startsWith('#') || line.startsWith('\0')) return undefined;
  const words = line.split(/[ \t]+/);
  const marker = words[0]!.startsWith('@') ? words.shift()! : '';
  if (marker !== '' && marker !== '@revoked' && marker !== '@cert-authority') return 'a marker that is not known';
  const [hosts, keyType, text] = words;
  if (hosts === undefined || keyType === undefined || text === undefined) return 'not a name, a type and a key';
  if (!/^[A-Za-z0-9+/]+={0,3}$/.test(text)) return 'a key that is not base64';
  const key = Buffer.from(text, 'base64');
  if (keyTypeOf(key) !== keyType) return 'a key that is not of its type';
  const kind = marker === '' ? 'none' : marker === '@revoked' ? 'revoked' : 'cert-authority';
  return { marker: kind, hosts, keyType, key };
}

function digest(salt: Buffer, name: string): Buffer {
  return createHmac('sha1', salt).update(name).digest();
}

/** A name as it is written with `HashKnownHosts`. `salt` has 20 bytes. */
export function hashName(name: string, salt: Buffer): string {
  return `|1|${salt.toString('base64')}|${digest(salt, lowerCase(name)).toString('base64')}`;
}

/** Whether an entry is about a host, given as `host` or `[host]:port`. */
export function isAbout({ hosts }: KnownHostsEntry, name: string): boolean {
  if (!hosts.startsWith('|')) return matchesHost(name, hosts);
  const [, salt, hash] = HASHED.exec(hosts) ?? [];
  if (salt === undefined || hash === undefined) return false;
  const [given, key] = [Buffer.from(hash, 'base64'), Buffer.from(salt, 'base64')];
  if (given.length !== SHA1_BYTES || key.length !== SHA1_BYTES) return false;
  return timingSafeEqual(given, digest(key, lowerCase(name)));
}
