/** The mapping `alarm_channels:` of the configuration file: where messages may go is the owner's word alone. */

import { BlockList, isIP } from 'node:net';
import { z } from 'zod';

const NETWORK = /^([^/]*)(?:\/(\d{1,3}))?$/;

function isNetwork(text: string): boolean {
  const [, address = '', bits] = NETWORK.exec(text) ?? [];
  const family = isIP(address);
  return family !== 0 && Number(bits ?? 0) <= (family === 4 ? 32 : 128);
}

export const AlarmChannelSettings = z.strictObject({
  /** Loopback, private and link-local addresses: all of them, none, or only those in these networks. */
  private: z
    .union([z.boolean(), z.array(z.string().refine(isNetwork, 'expected a network such as 10.1.0.0/16')).max(1000)])
    .default(true),
  /** Mail without TLS, and secrets over http, also to other machines. */
  plaintext: z.boolean().default(false),
});
export type AlarmChannelSettings = Readonly<z.output<typeof AlarmChannelSettings>>;

/** Networks as a list that addresses are looked up in. */
export function networkList(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of networks) {
    const [, address = '', bits] = NETWORK.exec(text) ?? [];
    const family = isIP(address);
    list.addSubnet(address, Number(bits ?? (family === 4 ? 32 : 128)), family === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}
