/** Which addresses may be asked. What a name stands for is looked at where it is connected to: it may change in between. */

import { BlockList, isIP, type LookupFunction } from 'node:net';
import { NAMES } from './fetch-names.ts';
import { TargetError } from './type.ts';

const PRIVATE = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const) {
  PRIVATE.addSubnet(network, bits, 'ipv4');
}
for (const [network, bits] of [
  ['::', 127],
  // Ways to write an IPv4 address that a network in between takes for it. The list knows ::ffff:… itself.
  ['64:ff9b::', 96],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  PRIVATE.addSubnet(network, bits, 'ipv6');
}

/** Loopback, link-local, in a private network, or nobody's. */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  return family === 0 || PRIVATE.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

export const privateRefused = (host: string): TargetError =>
  new TargetError('refused', `${host} is a private address, which this engine's settings forbid (allow_private)`);

/** How names are looked up. Without `allowPrivate` a name of which any address is private is refused. */
export const lookupFor =
  ({ allowPrivate }: { readonly allowPrivate: boolean }): LookupFunction =>
  (hostname, options, callback) => {
    NAMES.lookup(hostname, options, (error, addresses) => {
      if (error) return callback(error, []);
      const forbidden = allowPrivate ? undefined : addresses.find(({ address }) => isPrivateAddress(address));
      if (forbidden) return callback(privateRefused(`${hostname} (${forbidden.address})`), []);
      if (options.all === true) return callback(null, [...addresses]);
      const [first] = addresses;
      if (first) callback(null, first.address, first.family);
      else callback(Object.assign(new Error(`no address for ${hostname}`), { code: 'ENOTFOUND' }), []);
    });
  };
