/**
 * Files of OpenSSH's client as anybody may have written them: reading one ends in words or in a host that can be
 * reached, and nothing that runs a program is overlooked.
 */

import { ConfigError } from '../../src/engine/remote/config/error.ts';
import { resolveFallback } from '../../src/engine/remote/config/fallback.ts';
import { readLines } from '../../src/engine/remote/config/line.ts';
import type { LoadedConfig } from '../../src/engine/remote/config/load.ts';
import { parsePrinted } from '../../src/engine/remote/config/openssh.ts';
import { toResolved } from '../../src/engine/remote/config/resolved.ts';
import { scanConfig } from '../../src/engine/remote/config/scan.ts';
import type { FuzzTarget } from './target.ts';

const local = {
  ...{ home: '/home/ada', localUser: 'ada', localHost: 'laptop.example.org', uid: 1000 },
  env: { HOME: '/home/ada', EMPTY: '', SSH_AUTH_SOCK: '/run/agent' },
};

/** What is said, without what it is said of. */
const PHRASES =
  /no keyword|cannot be|needs an? \w+|too many|quotes|an empty|itself|for nothing|environment|not known|list of hosts|missing|home of/;

function loadedOf(text: string): LoadedConfig {
  return { files: [{ path: '/c', lines: readLines('/c', text), included: new Map() }], problems: [] };
}

/** In words, or what the host is. */
function words(work: () => string): string {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    if (/\p{Cc}/u.test(error.message)) throw new Error('control characters in words', { cause: error });
    return `${error.name} ${PHRASES.exec(error.message)?.[0]}`;
  }
}

function resolve(loaded: LoadedConfig, name: string): string {
  const raw = resolveFallback(loaded, { host: name, ...local });
  const host = toResolved({ name, raw, baseline: new Map(), resolvedBy: 'fallback', ...local });
  if (!(host.port >= 1 && host.port <= 65_535)) throw new Error(`port ${host.port}`);
  if (host.proxyJump.some((jump) => jump.host === '')) throw new Error('a jump to nowhere');
  if (host.proxyCommand !== undefined && host.proxyJump.length > 0) throw new Error('a jump and a command');
  return `${Math.min(2, host.proxyJump.length)} ${host.proxyCommand === undefined} ${host.identityFilesGiven}`;
}

function scanned(loaded: LoadedConfig, text: string): string {
  const { asks } = scanConfig(loaded);
  for (const line of text.split('\n')) {
    const plain = /^[ \t]*(?:(match)[ \t=].*\bexec\b|(proxycommand|localcommand|knownhostscommand)[ \t]+\/)/i.exec(
      line.split('\0')[0]!,
    );
    if (plain !== null && asks.length === 0) throw new Error(`nothing is asked about ${JSON.stringify(line)}`);
  }
  return asks[0]?.what ?? 'nothing';
}

export const sshConfig: FuzzTarget = {
  name: 'ssh-config',
  words: [
    ...[
      '\n',
      '\n',
      '\n',
      ' ',
      '\t',
      '=',
      '"',
      "'",
      '\\',
      '#',
      ',',
      '!',
      '*',
      '?',
      '%h',
      '%%',
      '%',
      '${HOME}',
      '$',
      '~/',
    ],
    ...['\r\n', '\0', 'é', '\u{1f600}', 'none', 'yes', 'no', 'a', '::1', '[::1]:22', '22', '1h30m', '+ssh-rsa', '-*'],
    ...['Host a\n', 'Host *\n', 'Host !a *\n', 'Match all\n', 'Match host a\n', 'Match final\n', 'Match !user ada '],
    ...[
      'Match exec "true"\n',
      'Match exec=true\n',
      'User ',
      'HostName ',
      'Port ',
      'ProxyJump ',
      'ProxyCommand /bin/x\n',
    ],
    ...['IdentityFile ', 'UserKnownHostsFile ', 'IdentityAgent ', 'StrictHostKeyChecking ', 'ServerAliveInterval '],
    ...['HostKeyAlgorithms ', 'Ciphers ', 'AddKeysToAgent confirm ', 'IgnoreUnknown ', 'Nonsense ', 'Include /x\n'],
    ...['CanonicalizeHostname ', 'KnownHostsCommand /bin/x\n', 'PreferredAuthentications ', 'a@b:22,c', 'ssh://'],
  ],
  check(input) {
    const text = Buffer.from(input).toString('utf8');
    const loaded = loadedOf(text);
    const asked = scanned(loaded, text);
    const [first] = ['a', '::1'].map((name) => words(() => resolve(loaded, name)));
    const printed = words(() => {
      toResolved({
        name: 'a',
        raw: parsePrinted(text.toLowerCase()),
        baseline: new Map(),
        resolvedBy: 'openssh',
        ...local,
      });
      return 'read';
    });
    return `${asked} | ${first} | ${printed.slice(0, 5)}`;
  },
};
