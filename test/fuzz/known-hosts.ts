/** Lines of known_hosts files: each is a key of its own type, or is passed over, and a name stands for itself only. */

import { isAbout, parseKnownHostsLine } from '../../src/engine/remote/known-hosts-line.ts';
import { fingerprint, keyTypeOf } from '../../src/engine/remote/fingerprint.ts';
import { matchesList, matchesPattern } from '../../src/engine/remote/config/pattern.ts';
import type { FuzzTarget } from './target.ts';

const KEY = 'AAAAC3NzaC1lZDI1NTE5AAAAIDvRJ+Kz4zX0oX4ZC0wmxOyp0sCzGqJQmKnJpL0DZyWw';
const HASHED = '|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg=';

function check(line: string): string {
  const entry = parseKnownHostsLine(line);
  if (entry === undefined) return 'nothing';
  if (typeof entry === 'string') return entry;
  if (keyTypeOf(entry.key) !== entry.keyType) throw new Error(`${entry.keyType} is not what the key is`);
  if (!/^SHA256:[A-Za-z0-9+/]{43}$/.test(fingerprint(entry.key))) throw new Error('not a fingerprint');
  const about = ['a', '[a]:22', 'b.example.org', '192.168.1.61'].filter((name) => isAbout(entry, name));
  // One that is hashed is one name, never a pattern.
  if (entry.hosts.startsWith('|') && about.length > 1) throw new Error('a hash of several names');
  if (!entry.hosts.includes('*') && about.some((name) => entry.hosts.length < name.length)) {
    throw new Error(`${entry.hosts} is too short for ${about.join()}`);
  }
  return `${entry.marker} ${about.length} ${entry.hosts.startsWith('|')}`;
}

export const knownHosts: FuzzTarget = {
  name: 'known-hosts',
  words: [
    ...['\n', ' ', ' ', '\t', '\r', '#', '@', '|', '!', '*', '?', ',', 'a', '[a]:22', '*.example.org', '\0', 'é'],
    ...[
      `a ssh-ed25519 ${KEY}\n`,
      `ssh-ed25519 ${KEY}`,
      ` ssh-rsa ${KEY}`,
      KEY,
      HASHED,
      '@revoked ',
      '@cert-authority ',
    ],
    ...['|1|', 'AAAA', '=', 'ssh-ed25519', '192.168.1.61', 'ecdsa-sha2-nistp256'],
  ],
  check(input) {
    const text = Buffer.from(input).toString('latin1');
    const [pattern = '', name = ''] = text.split('\n');
    // Linear: many stars are no way to keep the engine busy.
    if (matchesPattern(name, pattern) && !matchesPattern(name.toLowerCase(), pattern.toLowerCase())) {
      throw new Error(`${pattern} matches ${name} by its case`);
    }
    if (matchesList('a', `!*,${pattern}`)) throw new Error(`${pattern} takes back what was excluded`);
    const kinds = new Set(text.split('\n').map(check));
    return [...kinds].find((kind) => /^(?:none|revoked|cert)/.test(kind)) ?? [...kinds][0]!;
  },
};
