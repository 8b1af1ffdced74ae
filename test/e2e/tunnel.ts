/** A way to the engine that can break while the engine goes on, as an SSH tunnel does. */

import { once } from 'node:events';
import { type Server, type Socket, connect, createServer } from 'node:net';

export class Tunnel {
  readonly port: number;
  readonly #target: number;
  readonly #open = new Set<Socket>();
  #server: Server;

  private constructor(server: Server, port: number, target: number) {
    this.#server = server;
    this.port = port;
    this.#target = target;
    this.#serve();
  }

  /** To a port on loopback. The caller cuts it at the end. */
  static async open(target: number): Promise<Tunnel> {
    const server = createServer();
    const port = await listen(server, 0);
    return new Tunnel(server, port, target);
  }

  #serve(): void {
    this.#server.on('connection', (near) => {
      const far = connect(this.#target, '127.0.0.1');
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#open.add(socket);
        socket.on('error', () => socket.destroy());
        socket.on('close', () => {
          this.#open.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
  }

  /** Breaks every connection off and takes no new ones. */
  async cut(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
    await closed;
  }

  /** The same port again. */
  async mend(): Promise<void> {
    this.#server = createServer();
    await listen(this.#server, this.port);
    this.#serve();
  }
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
