/** The first words of a client that has a shared table: one message, one answer. */

import type { Socket } from 'node:net';
import type { Tables } from './tables.ts';

/** First byte of an announce. */
export const ANNOUNCE = 0x01;
/** Longest announce, in bytes with its first and last one. */
const MAX_ANNOUNCE = 65_536;

const answer = (body: object): string => `${JSON.stringify(body)}\0`;

/**
 * Reads the announce that begins with `first`.
 * @param messages Takes over when the table is refused: what follows are legacy messages.
 */
export function serveAnnounce(socket: Socket, tables: Tables, first: Buffer, messages: (rest: Buffer) => void): void {
  const parts: Buffer[] = [];
  let length = 0;
  const take = (bytes: Buffer): void => {
    const end = bytes.indexOf(0);
    length += end < 0 ? bytes.length : end + 1;
    if (length > MAX_ANNOUNCE) {
      socket.destroy();
      return;
    }
    parts.push(end < 0 ? bytes : bytes.subarray(0, end));
    if (end < 0) return;
    socket.setTimeout(0);
    socket.off('data', take);
    const text = Buffer.concat(parts).toString('utf8', 1);
    const announced = tables.announce(text, socket);
    if (typeof announced === 'string') {
      socket.write(answer({ refused: announced }));
      messages(bytes.subarray(end + 1));
      return;
    }
    socket.once('close', announced);
    socket.write(answer({ accepted: true }));
    // Read and forgotten, so that the end of the connection is seen.
    socket.resume();
  };
  socket.on('data', take);
  take(first);
}
