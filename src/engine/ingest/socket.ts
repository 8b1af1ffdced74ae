/**
 * The sockets programs push to. The legacy socket speaks the legacy protocol only; the engine's own socket also serves
 * HTTP, told apart by the first byte.
 */

import { createServer, type Server, type Socket } from 'node:net';
import { Client, type ClientHost } from './client.ts';
import { listenPrivately } from './socket-path.ts';
import { rest, SMALL_READ } from './rest.ts';
import { WireDecoder } from './wire.ts';

/** First byte of every legacy message. */
const BRACE = 0x7b;

export interface IngestSocket {
  readonly path: string;
  /** Stops listening and ends all connections. Resolves when both are done. */
  close(): Promise<void>;
}

export interface IngestOptions {
  readonly host: ClientHost;
  /** Takes connections that begin like an HTTP request; absent: they are refused like any other garbage. */
  readonly http?: (socket: Socket) => void;
}

export async function openIngestSocket(path: string, options: IngestOptions): Promise<IngestSocket> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    accept(socket, options);
  });
  await listenPrivately(server, path);
  return { path, close: () => closeServer(server, sockets) };
}

function closeServer(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });
}

/** Looks at the first byte. */
function accept(socket: Socket, options: IngestOptions): void {
  // Without this a reset connection would be an uncaught error.
  socket.on('error', () => socket.destroy());
  const http = options.http;
  if (!http) return serveLegacy(socket, options.host, null);
  socket.once('data', (first: Buffer) => {
    if (first[0] === BRACE) return serveLegacy(socket, options.host, first);
    socket.pause();
    socket.unshift(first);
    http(socket);
    socket.resume();
  });
}

function serveLegacy(socket: Socket, host: ClientHost, first: Buffer | null): void {
  const { stats } = host;
  const client = new Client(host);
  const decoder = new WireDecoder(client);
  stats.connections++;
  let before = false;
  const take = (bytes: Buffer): void => {
    stats.bytes += bytes.length;
    // Not after the first read: many programs that start at once would wait for one another's rests.
    if (before && bytes.length < SMALL_READ) rest();
    before = true;
    if (!decoder.push(bytes) || client.hopeless) socket.destroy();
  };
  // Values sent before the other side went away are still read: 'close' comes after the last 'data'.
  socket.once('close', () => {
    stats.connections--;
    client.close();
  });
  if (first) take(first);
  socket.on('data', take);
}
