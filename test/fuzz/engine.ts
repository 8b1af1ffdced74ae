/** An engine for targets that are reached over sockets: in memory, without limits that only they would meet. */

import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { resolveConfig } from '../../src/engine/config.ts';
import { startEngine, type Engine } from '../../src/engine/engine.ts';

export interface FuzzAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

export class FuzzEngine {
  readonly #folder = mkdtempSync(join(tmpdir(), 'vigie-fuzz-'));
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  /** Lines of the log that tell of errors. */
  readonly errors: string[] = [];
  #engine: Promise<Engine> | null = null;
  #program: Promise<Socket> | null = null;

  async #start(): Promise<Engine> {
    const config = await resolveConfig(
      {
        listen: 'off',
        socket: join(this.#folder, 'engine.socket'),
        legacy_socket: 'off',
        memory: true,
        node: false,
        period: '100ms',
        grace: '100ms',
        limits: { series_per_run: 100_000, series_per_node: 100_000 },
      },
      {},
      null,
    );
    const stream = {
      write: (line: string): void => {
        if ((JSON.parse(line) as { level: number }).level >= 50) this.errors.push(line);
      },
    };
    return startEngine(config, { log: pino({ level: 'error' }, stream) });
  }

  engine(): Promise<Engine> {
    this.#engine ??= this.#start();
    return this.#engine;
  }

  /** A connection that pushes; a new one when the last was cut off. */
  async program(): Promise<Socket> {
    const { ready } = await this.engine();
    const open = async (): Promise<Socket> => {
      const socket = createConnection(ready.socket);
      socket.on('error', () => undefined);
      socket.once('close', () => (this.#program = null));
      await once(socket, 'connect');
      return socket.resume();
    };
    this.#program ??= open();
    return this.#program;
  }

  async ask(
    path: string,
    more: { method?: string; headers?: Record<string, string>; body?: string } = {},
  ): Promise<FuzzAnswer> {
    const { ready } = await this.engine();
    const { body, ...options } = more;
    return new Promise((resolve, reject) => {
      const outgoing = request({ socketPath: ready.socket, path, agent: this.#agent, ...options }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject);
        answer.on('end', () =>
          resolve({
            status: answer.statusCode ?? 0,
            type: answer.headers['content-type'] ?? '',
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  async close(): Promise<void> {
    this.#agent.destroy();
    (await this.#program)?.destroy();
    await (await this.#engine)?.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
