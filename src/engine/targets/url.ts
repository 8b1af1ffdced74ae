/** Where a target is, as people write it: `http://node7:9100/metrics`, `node7:9100`, `node7`, `unix:/run/x.sock:/metrics`. */

import { TargetError, type TargetUrl } from './type.ts';

const PORTS = { 'http:': 80, 'https:': 443 } as const;
const MAX_URL = 2048;

const refuse = (message: string): TargetError => new TargetError('refused', message);

/** Throws {@link TargetError} in words. */
export function parseTargetUrl(text: string): TargetUrl {
  const given = text.trim();
  if (given === '') throw refuse('no address was given');
  if (given.length > MAX_URL) throw refuse(`an address has ${MAX_URL} characters at most`);
  if (given.startsWith('unix:')) return parseUnix(given.slice('unix:'.length));
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(given)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') {
    throw refuse(`${scheme}:// is not known here: write http://, https:// or unix:PATH`);
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
  };
}

/** `/run/x.sock` or `/run/x.sock:/metrics`. */
function parseUnix(text: string): TargetUrl {
  const [, socketPath = '', path = '/'] = /^(.*?)(?::(\/.*))?$/.exec(text) ?? [];
  if (!socketPath.startsWith('/') || socketPath.includes('\0')) {
    throw refuse('a unix socket is written as unix:/PATH or unix:/PATH:/metrics, with the whole path');
  }
  // Longer ones the system does not take.
  if (Buffer.byteLength(socketPath) > 107) throw refuse("a unix socket's path has 107 bytes at most");
  const url = new URL(path, 'http://localhost');
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
  };
}

/** The same place with another path. */
export function withPath(url: TargetUrl, path: string): TargetUrl {
  if (url.socketPath !== null) return parseUnix(`${url.socketPath}:${path}`);
  const parsed = parseTargetUrl(`${url.protocol}//${new URL(url.href).host}${path}`);
  return { ...parsed, portGiven: url.portGiven };
}

/** A host as it stands in an address. */
export const bracketed = (hostname: string): string => (hostname.includes(':') ? `[${hostname}]` : hostname);
