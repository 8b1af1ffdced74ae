/**
 * The sockets programs push to. The legacy socket speaks the legacy protocol only; the engine's own socket also serves
 * HTTP and takes shared tables, told apart by the first byte.
 */

import { createServer, type Server, type Socket } from 'node:net';
import { freeArray } from '../live/columns.ts';
import type { Refusals } from '../refusals.ts';
import { ANNOUNCE, serveAnnounce } from './announce.ts';
import { Client, type ClientHost } from './client.ts';
import { listenPrivately } from './socket-path.ts';
import { rest, SMALL_READ } from './rest.ts';
import type { Tables } from './tables.ts';
import { WireDecoder } from './wire.ts';

/** First byte of every legacy message. */
const BRACE = 0x7b;
/** A message may always get as long as this, in bytes, whatever others have unfinished. */
const SHORT = 4096;

export interface IngestSocket {
  readonly path: string;
  /** Stops listening and ends all connections. Resolves when both are done. */
  close(): Promise<void>;
}

export interface IngestOptions {
  readonly host: ClientHost;
  readonly refusals: Refusals;
  /** Called between what connections have to say, also when there is no end of that. Must be quick. */
  readonly pulse?: () => void;
  /** Takes connections that begin like an HTTP request; absent: they are refused like any other garbage. */
  readonly http?: (socket: Socket) => void;
  /** Takes connections that announce a shared table; absent: they are refused like garbage. */
  readonly tables?: Tables;
}

const noPulse = (): void => undefined;

export async function openIngestSocket(path: string, options: IngestOptions): Promise<IngestSocket> {
  const sockets = new Set<Socket>();
  const { stats, budget } = options.host;
  const server = createServer((socket) => {
    options.pulse?.();
    // Without this a reset connection would be an uncaught error.
    socket.on('error', () => socket.destroy());
    if (stats.sockets >= budget.limits.connections) {
      options.refusals.add('too_many_connections');
      socket.destroy();
      return;
    }
    stats.sockets++;
    sockets.add(socket);
    socket.once('close', () => {
      stats.sockets--;
      sockets.delete(socket);
    });
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
  const { http, host, refusals, tables } = options;
  let spoken = false;
  const silent = (): void =>
    // An engine that stood still looks at its timers before it looks at what came meanwhile.
    void setImmediate(() => {
      if (spoken || socket.destroyed) return;
      refusals.add('silent_connection');
      socket.destroy();
    });
  // Only the first word is waited for: a program between two sends, or one that is stopped, may be silent for days.
  socket.setTimeout(host.budget.limits.first_message, silent);
  socket.once('data', (first: Buffer) => {
    spoken = true;
    socket.setTimeout(0);
    socket.off('timeout', silent);
    if (tables && first[0] === ANNOUNCE) {
      // Not for ever in the middle of it: nothing else is due from this client before its answer.
      socket.setTimeout(host.budget.limits.first_message, () => socket.destroy());
      return serveAnnounce(socket, tables, first, (after) => serveLegacy(socket, options, after));
    }
    if (!http || first[0] === BRACE) return serveLegacy(socket, options, first);
    socket.pause();
    socket.unshift(first);
    http(socket);
    socket.resume();
  });
}

function serveLegacy(socket: Socket, { host, refusals, pulse = noPulse }: IngestOptions, first: Buffer): void {
  const { stats, budget } = host;
  const client = new Client(host);
  const decoder = new WireDecoder(client, budget.limits.message_size);
  stats.connections++;
  let before = false;
  let unfinished = 0;
  const take = (bytes: Buffer): void => {
    stats.bytes += bytes.length;
    pulse();
    // Not after the first read: many programs that start at once would wait for one another's rests.
    if (before && bytes.length < SMALL_READ) rest();
    before = true;
    const readable = decoder.push(bytes);
    const pending = decoder.pendingBytes;
    // Thousands of programs that start at once would leave as many reads to the collector, between what is kept of them.
    if (bytes.length >= SMALL_READ && bytes.length === bytes.buffer.byteLength) freeArray(bytes);
    stats.unfinished += pending - unfinished;
    unfinished = pending;
    if (!readable || client.hopeless) socket.destroy();
    else if (pending > SHORT && stats.unfinished > budget.limits.unfinished_messages) {
      refusals.add('unfinished_message');
      socket.destroy();
    }
  };
  // Values sent before the other side went away are still read: 'close' comes after the last 'data'.
  socket.once('close', () => {
    pulse();
    stats.connections--;
    stats.unfinished -= unfinished;
    host.launches.left(client);
  });
  take(first);
  socket.on('data', take);
}
