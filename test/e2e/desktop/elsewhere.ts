/** Servers of somebody else on this machine, which a safe window never speaks to. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

export interface Elsewhere {
  /** Host and port, on the loopback address that the engine has. */
  readonly host: string;
  /** The same on another address of this machine. */
  readonly otherHost: string;
  /** Port for datagrams, on the engine's address. */
  readonly udpPort: number;
  /** Everything that arrived since the last call: connections, datagrams, and the first bytes of what was said. */
  heard(): string[];
  close(): void;
}

/** What it answers to whatever it is asked over HTTP. */
const PAGE = '<!doctype html><title>elsewhere</title><body>elsewhere</body>';

export async function openElsewhere(): Promise<Elsewhere> {
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  const listen = async (address: string) => {
    const server = createServer((socket) => {
      heard.push('connection');
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        heard.push(data.toString('latin1').slice(0, 4096));
        socket.end(
          `HTTP/1.1 200 OK\r\ncontent-type: text/html\r\naccess-control-allow-origin: *\r\ncontent-length: ${PAGE.length}\r\n\r\n${PAGE}`,
        );
      });
    });
    server.listen(0, address);
    await once(server, 'listening');
    return { server, host: `${address}:${(server.address() as AddressInfo).port}` };
  };
  const near = await listen('127.0.0.1');
  const far = await listen('127.0.0.2');
  const datagrams = createSocket('udp4');
  datagrams.on('message', (data) => heard.push(`datagram of ${data.length}`));
  datagrams.bind(0, '127.0.0.1');
  await once(datagrams, 'listening');
  return {
    host: near.host,
    otherHost: far.host,
    udpPort: datagrams.address().port,
    heard: () => heard.splice(0),
    close() {
      for (const socket of sockets) socket.destroy();
      near.server.close();
      far.server.close();
      datagrams.close();
    },
  };
}
