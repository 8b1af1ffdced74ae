/** A destination that does what a test wants, on loopback; what it has taken is read with the schema's own reader. */

import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { onTestFinished } from 'vitest';
import { readRequest, type ReadSample } from '../../unit/engine/remote-write/schema.ts';

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What is answered to the request of this number, from 0; null: nothing, ever. */
type Behaviour = (request: number, headers: IncomingHttpHeaders, body: Buffer) => Reply | null;

export class Fake {
  requests: { headers: IncomingHttpHeaders; url: string; time: number }[] = [];
  readonly taken: ReadSample[] = [];
  behave: Behaviour = () => ({ status: 204 });
  readonly server: Server;
  readonly #scheme: string;

  constructor(tls?: { key: Buffer; cert: Buffer }) {
    const handle = (request: IncomingMessage, response: ServerResponse): void => void this.#handle(request, response);
    this.server = tls ? createTlsServer(tls, handle) : createServer(handle);
    this.#scheme = tls ? 'https' : 'http';
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    try {
      for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    } catch {
      return;
    }
    const body = Buffer.concat(parts);
    const number =
      this.requests.push({ headers: request.headers, url: request.url ?? '', time: performance.now() }) - 1;
    const reply = this.behave(number, request.headers, body);
    if (reply === null) return;
    if (reply.status === 204) this.taken.push(...readRequest(body));
    response.writeHead(reply.status, reply.headers).end(reply.body ?? '');
  }

  /** Values of the series of this family, in the order in which they came. */
  values(family: string): number[] {
    return this.taken
      .filter(({ series, stale }) => series.startsWith(`${family}{`) && !stale)
      .map(({ value }) => value);
  }

  async listen(port = 0): Promise<this> {
    this.server.listen(port, '127.0.0.1');
    await once(this.server, 'listening');
    return this;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${(this.server.address() as AddressInfo).port}/api/v1/write`;
  }

  async close(): Promise<void> {
    (this.server as ReturnType<typeof createServer>).closeAllConnections();
    if (this.server.listening) await new Promise((resolve) => this.server.close(resolve));
  }
}

export async function startFake(tls?: { key: Buffer; cert: Buffer }): Promise<Fake> {
  const fake = await new Fake(tls).listen();
  onTestFinished(() => fake.close());
  return fake;
}

/** Sent often, in small requests, and soon again. */
export const FAST = {
  ...{ interval: '50ms', batch_wait: '20ms', timeout: '500ms', min_backoff: '20ms', max_backoff: '100ms' },
  metrics: { keep: ['steps*', 'temp*'] },
};
