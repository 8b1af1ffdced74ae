/** The pieces of a packet leave together. */

import type { Duplex } from 'node:stream';

/**
 * What is written in one turn goes out as one: ssh2 writes length, content and checksum of each packet apart, which would be
 * three system calls, three segments, and, behind a hop, three packets of the one before.
 */
export function batchWrites(stream: Duplex): void {
  const write = stream.write.bind(stream) as (chunk: Buffer) => boolean;
  let corked = false;
  const uncork = (): void => {
    corked = false;
    stream.uncork();
  };
  stream.write = ((chunk: Buffer): boolean => {
    if (!corked && !stream.destroyed) {
      corked = true;
      stream.cork();
      process.nextTick(uncork);
    }
    return write(chunk);
  }) as Duplex['write'];
}
