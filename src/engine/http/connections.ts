/**
 * The connections to the address that the engine listens on. When there are too many, the oldest one that has never
 * shown a token goes: somebody who only opens connections cannot keep out those who may come in.
 */

import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Refusals } from '../refusals.ts';

export class Connections {
  readonly #server: Server;
  readonly #most: number;
  readonly #refusals: Refusals;
  readonly #open = new Set<Socket>();
  /** Those on which nothing was let in yet, oldest first. */
  readonly #unproven = new Set<Socket>();

  constructor(server: Server, most: number, refusals: Refusals) {
    this.#server = server;
    this.#most = most;
    this.#refusals = refusals;
  }

  get open(): number {
    return this.#open.size;
  }

  /** Counts the connections that the server accepts, not those that it is handed by another listener. */
  watch(isOthers: (socket: Socket) => boolean): void {
    this.#server.on('connection', (socket: Socket) => {
      if (isOthers(socket)) return;
      this.#open.add(socket);
      this.#unproven.add(socket);
      socket.once('close', () => {
        this.#open.delete(socket);
        this.#unproven.delete(socket);
      });
      if (this.#open.size <= this.#most) return;
      this.#refusals.add('too_many_http_connections');
      for (const oldest of this.#unproven) {
        oldest.destroy();
        break;
      }
    });
  }

  /** A request on this connection was let in. */
  prove(socket: Socket): void {
    this.#unproven.delete(socket);
  }
}
