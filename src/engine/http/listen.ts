/** Makes the application listen where the configuration says. */

import type { AddressInfo, Socket } from 'node:net';
import { hostname } from 'node:os';
import { listenPrivately } from '../ingest/socket-path.ts';
import type { Listen } from '../config.ts';
import type { App } from './app.ts';

export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/**
 * Returns the address as a URL, or null when only the engine's socket serves HTTP. A taken *default* port is not worth
 * failing over: any free one does; a port that was asked for by number is.
 */
export async function listen(app: App, where: Listen): Promise<string | null> {
  await app.ready();
  if (where.kind === 'off') return null;
  if (where.kind === 'unix') {
    await listenPrivately(app.server, where.path);
    return `unix:${where.path}`;
  }
  try {
    await listenTcp(app, where.host, where.port);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE' && where.isDefault) await listenTcp(app, where.host, 0);
    else throw new ListenError(explain(code, where, error));
  }
  const { port } = app.server.address() as AddressInfo;
  return `http://${urlHost(where.host)}:${port}`;
}

/** A host as URLs and Host headers have it. Nobody can connect to the address that stands for all: then this host's name. */
export function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return hostname();
  return host.includes(':') ? `[${host}]` : host;
}

function explain(code: string | undefined, where: { host: string; port: number }, error: unknown): string {
  const address = `${where.host}:${where.port}`;
  if (code === 'EADDRINUSE')
    return `port ${where.port} is taken on ${where.host}; choose another one, or --listen 127.0.0.1:0 for any`;
  if (code === 'EACCES') return `no permission to listen on ${address}; ports from 1024 on need none`;
  if (code === 'EADDRNOTAVAIL') return `${where.host} is not an address of this machine`;
  return `cannot listen on ${address}: ${String(error)}`;
}

function listenTcp(app: App, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    app.server.once('error', reject);
    app.server.listen({ host, port }, () => {
      app.server.off('error', reject);
      resolve();
    });
  });
}

/** Serves HTTP on a connection that another listener accepted. */
export function serveConnection(app: App, socket: Socket): void {
  app.server.emit('connection', socket);
}
