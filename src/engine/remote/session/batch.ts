/** The pieces of a packet leave together; and what waits to leave is known, and not without an end. */

import type { Duplex } from 'node:stream';

/**
 * What waits to be sent is no more than this, bytes. Channels wait for what they sent before to be on its way; but answers
 * that the other side asks for, and does not read, would pile up.
 */
const MOST_WAITING = 128 << 20;

/** Calls back when what was written before is on its way: at once, unless a lot waits. */
export type Drained = (then: () => void) => void;

/**
 * What is written in one turn goes out as one: ssh2 writes length, content and checksum of each packet apart, which would be
 * three system calls, three segments, and, behind a hop, three packets of the one before.
 */
export function batchWrites(stream: Duplex, most: number = MOST_WAITING): Drained {
  const write = stream.write.bind(stream) as (chunk: Buffer) => boolean;
  let waiting: (() => void)[] = [];
  let corked = false;
  const wake = (): void => {
    const all = waiting;
    waiting = [];
    for (const then of all) then();
  };
  const uncork = (): void => {
    corked = false;
    stream.uncork();
  };
  stream.on('drain', wake);
  stream.on('close', wake);
  stream.write = ((chunk: Buffer): boolean => {
    if (!corked && !stream.destroyed) {
      corked = true;
      stream.cork();
      process.nextTick(uncork);
    }
    const hasRoom = write(chunk);
    if (stream.writableLength > most) stream.destroy(new Error('it does not read what is sent to it'));
    return hasRoom;
  }) as Duplex['write'];
  return (then) => {
    if (stream.writableNeedDrain && !stream.destroyed) waiting.push(then);
    else then();
  };
}
