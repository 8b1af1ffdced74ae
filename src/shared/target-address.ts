/**
 * Addresses of targets that are reached by SSH: `ssh://[USER@]HOST[:PORT]/ADDRESS`, where ADDRESS is what one would write
 * on that host: `node7:9100`, `localhost:1337/metrics`, `https://node7:9100`, `unix:/run/x.sock:/metrics`.
 */

import { HostName } from './api/connections.ts';

export interface SshAddress {
  /** As the list of connections has it: `login`, `me@login`, `me@login:2222`, `[fe80::1]:22`. */
  readonly host: string;
  /** Where it is in that host's eyes, as it was written. */
  readonly inner: string;
}

export interface SshHost {
  readonly name: string;
  readonly user?: string;
  readonly port?: number;
}

/** Never an option. Colons are those of an address of IPv6, with its zone. */
const NAME = /^(?:[^-:[\]][^:[\]]*|[0-9a-f]*:[0-9a-f:.]*(?:%[\w.-]+)?)$/i;

const EXAMPLE = 'ssh://login/node7:9100';

/** Null: it is no such address. Throws an Error in words for one that is wrong. */
export function readSshAddress(text: string): SshAddress | null {
  const given = /^ssh:\/\/(.*)$/is.exec(text.trim())?.[1];
  if (given === undefined) return null;
  const slash = given.indexOf('/');
  const [host, inner] = slash < 0 ? [given, ''] : [given.slice(0, slash), given.slice(slash + 1)];
  if (host === '') throw new Error(`behind ssh:// stands the host to log in to, as in ${EXAMPLE}`);
  if (inner === '') throw new Error(`behind ssh://${host}/ stands what is asked there, as in ${EXAMPLE}`);
  if (/^ssh:\/\//i.test(inner))
    throw new Error('one host stands behind ssh://: hops on the way to it are in ~/.ssh/config');
  const parsed = HostName.safeParse(host);
  if (!parsed.success) throw new Error(parsed.error.issues[0]?.message ?? 'this is not the name of a host');
  if (parsed.data !== host) throw new Error('there is a blank in the name of the host');
  const { name, user = '' } = readSshHost(host);
  if (user.includes(':')) throw new Error('an address has no password in it: the login asks for it');
  if (!NAME.test(name) || /[[\]]/.test(user)) throw new Error(`${host} is not the name of a host`);
  return { host: unbracketed(host), inner };
}

/** Brackets are for a port only: alone, an address of IPv6 stands on the list as in `ssh fe80::1`. */
const unbracketed = (host: string): string => host.replace(/\[([^\]@]*)\]$/, '$1');

/** `login`, `me@login`, `me@login:2222`, `fe80::1`, `[fe80::1]:22`. Throws an Error in words. */
export function readSshHost(host: string): SshHost {
  const at = host.lastIndexOf('@');
  const where = host.slice(at + 1);
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(where) ?? [null, null, where];
  if (port !== undefined && !(Number(port) >= 1 && Number(port) <= 65_535)) {
    throw new Error(`there is no port ${port}: ports are 1 to 65535`);
  }
  return {
    name: bracketed ?? plain ?? where,
    ...(at > 0 ? { user: host.slice(0, at) } : {}),
    ...(port === undefined ? {} : { port: Number(port) }),
  };
}

/** The address of something behind a host of the list of connections. */
export function sshAddress(host: string, inner: string): string {
  const at = host.lastIndexOf('@') + 1;
  const name = host.slice(at);
  return `ssh://${/^[^[]*:[^[]*:/.test(name) ? `${host.slice(0, at)}[${name}]` : host}/${inner}`;
}

/** The host of the list of connections that an address is reached through; null: none. Never throws. */
export function sshHostOf(url: string): string | null {
  try {
    return readSshAddress(url)?.host ?? null;
  } catch {
    return null;
  }
}
