/** Which addresses messages may go to. A name is looked up where it is connected to: it may change in between. */

import { lookup as resolve } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { isPrivateAddress } from '../../targets/fetch-address.ts';
import { SendError } from './channel.ts';
import { networkList, type AlarmChannelSettings } from './settings.ts';

const LOOPBACK = /^(localhost|127(?:\.\d{1,3}){3}|::1)$/;

/** The name of a host as it stands in an address, without brackets. */
export const bareHost = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, '$1');

/** This machine: nothing that is sent there crosses a network. */
export const isLoopback = (hostname: string): boolean => LOOPBACK.test(bareHost(hostname));

export class AddressPolicy {
  /** Secrets may cross a network unencrypted. */
  readonly plaintext: boolean;
  readonly #allows: (address: string) => boolean;

  constructor(settings: AlarmChannelSettings) {
    this.plaintext = settings.plaintext;
    if (typeof settings.private === 'boolean') {
      const all = settings.private;
      this.#allows = (address) => all || !isPrivateAddress(address);
    } else {
      const list = networkList(settings.private);
      this.#allows = (address) =>
        !isPrivateAddress(address) || list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
    }
  }

  /** Why nothing is sent to this host; null: names are looked at when they are looked up. */
  refuses(hostname: string): string | null {
    const host = bareHost(hostname);
    return isIP(host) !== 0 && !this.#allows(host) ? refusal(host) : null;
  }

  /** For sockets: refuses a name of which any address is forbidden. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, []);
      const forbidden = addresses.find(({ address }) => !this.#allows(address));
      if (forbidden) return callback(new SendError(refusal(`${hostname} (${forbidden.address})`)), []);
      if (options.all === true) return callback(null, addresses);
      const [first] = addresses;
      if (first) callback(null, first.address, first.family);
      else callback(Object.assign(new Error(`no address for ${hostname}`), { code: 'ENOTFOUND' }), []);
    });
  };
}

const refusal = (host: string): string =>
  `${host} is a private address, which this engine's settings forbid (alarm_channels.private)`;
