/**
 * Where a target is, as people write it: `http://node7:9100/metrics`, `node7:9100`, `node7`, `unix:/run/x.sock:/metrics`,
 * and each of them behind a host: `ssh://login/node7:9100`.
 */

import { readSshAddress, sshAddress, type SshAddress } from '../../shared/target-address.ts';
import { TargetError, type TargetUrl } from './type.ts';

const PORTS = { 'http:': 80, 'https:': 443 } as const;
const MAX_URL = 2048;

const refuse = (message: string): TargetError => new TargetError('refused', message);

/** Throws {@link TargetError} in words. */
export function parseTargetUrl(text: string): TargetUrl {
  const given = text.trim();
  if (given === '') throw refuse('no address was given');
  if (given.length > MAX_URL) throw refuse(`an address has ${MAX_URL} characters at most`);
  const behind = behindSsh(given);
  if (behind) return throughSsh(behind);
  if (given.startsWith('unix:')) return parseUnix(given.slice('unix:'.length));
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(given)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') {
    throw refuse(`${scheme}:// is not known here: write http://, https://, unix:PATH or ssh://HOST/ADDRESS`);
  }
  // Without a scheme, a bare IPv6 address is an address: in brackets it may have a port.
  const bare = /^[0-9a-f]*:[0-9a-f]*:[0-9a-f:.]*$/i.test(given) ? `[${given}]` : given;
  let url: URL;
  try {
    url = new URL(scheme === undefined ? `http://${bare}` : bare);
  } catch {
    throw refuse(`${JSON.stringify(given)} is not an address such as http://node7:9100/metrics`);
  }
  if (url.username !== '' || url.password !== '') {
    throw refuse('an address has no user and password in it: give them apart from it');
  }
  const protocol = url.protocol as keyof typeof PORTS;
  // The URL leaves out a port that is its scheme's own.
  const authority = /^(?:[a-z]+:\/\/)?([^/?#]*)/i.exec(bare)![1]!;
  const path = `${url.pathname}${url.search}`;
  return {
    href: `${protocol}//${url.host}${path === '/' ? '' : path}`,
    protocol,
    hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? PORTS[protocol] : Number(url.port),
    portGiven: /:\d+$/.test(authority),
    path,
    pathGiven: path !== '/',
    socketPath: null,
    ssh: null,
  };
}

function behindSsh(given: string): SshAddress | null {
  try {
    return readSshAddress(given);
  } catch (error) {
    throw refuse(error instanceof Error ? error.message : String(error));
  }
}

/** The port is always shown: what a bare name stands for is looked for where that is the question. */
function throughSsh({ host, inner }: SshAddress): TargetUrl {
  const there = parseTargetUrl(inner);
  const { protocol, hostname, port, socketPath, path, pathGiven } = there;
  if (port === 0) throw refuse(`there is no port 0 to connect to: ${inner}`);
  // A host of that name is no socket.
  const scheme = protocol === 'https:' ? 'https://' : hostname === 'unix' ? 'http://' : '';
  const place = `${scheme}${bracketed(hostname)}:${port}${pathGiven ? path : ''}`;
  return { ...there, href: sshAddress(host, socketPath === null ? place : there.href), ssh: host };
}

/** `/run/x.sock` or `/run/x.sock:/metrics`. */
function parseUnix(text: string): TargetUrl {
  const [, socketPath = '', path = '/'] = /^(.*?)(?::(\/.*))?$/.exec(text) ?? [];
  if (!socketPath.startsWith('/') || socketPath.includes('\0')) {
    throw refuse('a unix socket is written as unix:/PATH or unix:/PATH:/metrics, with the whole path');
  }
  // Longer ones the system does not take.
  if (Buffer.byteLength(socketPath) > 107) throw refuse("a unix socket's path has 107 bytes at most");
  // Not as relative to a place: two slashes would begin another host.
  const url = new URL(`http://localhost${path}`);
  const asked = `${url.pathname}${url.search}`;
  return {
    href: `unix:${socketPath}${asked === '/' ? '' : `:${asked}`}`,
    protocol: 'http:',
    hostname: 'localhost',
    port: 80,
    portGiven: true,
    path: asked,
    pathGiven: asked !== '/',
    socketPath,
    ssh: null,
  };
}

/** The same place with another path. */
export function withPath(url: TargetUrl, path: string): TargetUrl {
  const { ssh, socketPath, protocol, hostname, port, portGiven } = url;
  const there =
    socketPath === null ? `${protocol}//${bracketed(hostname)}:${port}${path}` : `unix:${socketPath}:${path}`;
  const parsed = parseTargetUrl(ssh === null ? there : sshAddress(ssh, there));
  return { ...parsed, portGiven };
}

/** A host as it stands in an address. */
export const bracketed = (hostname: string): string => (hostname.includes(':') ? `[${hostname}]` : hostname);
