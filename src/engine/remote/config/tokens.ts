/** `%h` and its like, `${NAME}` and `~` in values. */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { ConfigError, UnclaimedError, plainWords } from './error.ts';

/** What the tokens stand for on this machine, for this host. */
export interface TokenValues {
  /** The local host's name, whole. */
  readonly localHost: string;
  readonly localUser: string;
  readonly home: string;
  readonly uid: number;
  /** As the user wrote it. */
  readonly originalHost: string;
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  readonly hostKeyAlias: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

function tokenOf(letter: string, values: TokenValues): string | undefined {
  const { localHost, hostname, port, user } = values;
  switch (letter) {
    case '%':
      return '%';
    case 'C':
      return createHash('sha1').update(`${localHost}${hostname}${port}${user}`).digest('hex');
    case 'd':
      return values.home;
    case 'h':
      return hostname;
    case 'i':
      return String(values.uid);
    case 'j':
      return '';
    case 'k':
      return values.hostKeyAlias ?? values.originalHost;
    case 'L':
      return localHost.split('.', 1)[0]!;
    case 'l':
      return localHost;
    case 'n':
      return values.originalHost;
    case 'p':
      return String(port);
    case 'r':
      return user;
    case 'u':
      return values.localUser;
    default:
      return undefined;
  }
}

/** @throws {ConfigError} For a token or a variable that is not there. */
export function expandTokens(text: string, values: TokenValues, only?: string): string {
  return text.replaceAll(/%(.|$)/gsu, (_, letter: string) => {
    const value = only === undefined || letter === '%' || only.includes(letter) ? tokenOf(letter, values) : undefined;
    if (value === undefined)
      throw new ConfigError(`${plainWords(text, 100)}: %${plainWords(letter)} stands for nothing`);
    return value;
  });
}

/** With `${NAME}` of the environment. What a variable or a token brings is not looked into again. */
export function expandAll(text: string, values: TokenValues): string {
  return text.replaceAll(/\$\{([^}]*)\}|%(?:.|$)|\$\{/gsu, (found, name: string | undefined) => {
    if (found.startsWith('%')) return expandTokens(found, values);
    const value = name === undefined || name === '' ? undefined : values.env[name];
    if (value === undefined) {
      throw new ConfigError(`${plainWords(text, 100)}: the environment has no ${plainWords(name ?? '', 100)}`);
    }
    return value;
  });
}

/** @throws {UnclaimedError} For the home of somebody else. */
export function expandHome(path: string, home: string): string {
  if (!path.startsWith('~')) return path;
  if (path === '~') return home;
  if (path.startsWith('~/')) return join(home, path.slice(2));
  throw new UnclaimedError(`${plainWords(path, 100)}: the home of another user`);
}
