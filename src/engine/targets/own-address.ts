/** Recognises the addresses that this engine itself answers at. */

import { parseTargetUrl } from './url.ts';

export interface OwnAddress {
  /** Where it listens: a URL, `unix:PATH`, or null. */
  readonly url: string | null;
  readonly sockets: readonly string[];
  readonly hostname: string;
}

const LOOPBACK = /^(localhost|127(?:\.\d{1,3}){3}|::1)$/;
const ANY = /^(0\.0\.0\.0|::)$/;

export function isOwnAddress(href: string, { url, sockets, hostname }: OwnAddress): boolean {
  const target = parseTargetUrl(href);
  // In the eyes of another host: should it be this engine after all, its id tells.
  if (target.ssh !== null) return false;
  if (target.socketPath !== null) return sockets.includes(target.socketPath) || url === `unix:${target.socketPath}`;
  if (url === null || !url.startsWith('http')) return false;
  const own = new URL(url);
  if (target.port !== Number(own.port || 80)) return false;
  const listens = own.hostname.replace(/^\[(.*)\]$/, '$1');
  const isName = target.hostname === hostname || target.hostname === hostname.split('.')[0];
  if (target.hostname === listens) return true;
  if (ANY.test(listens)) return isName || LOOPBACK.test(target.hostname) || ANY.test(target.hostname);
  // At another address of this machine another server may listen on the same port.
  return LOOPBACK.test(listens) ? LOOPBACK.test(target.hostname) || ANY.test(target.hostname) : isName;
}
