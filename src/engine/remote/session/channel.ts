/**
 * A channel as a stream that behaves like a socket: `destroy` ends it at once and tells so, a write that the other side
 * no longer takes ends with it, and what `node:http` calls on sockets is there.
 */

import { Duplex } from 'node:stream';

import type { ClientChannel } from 'ssh2';

import type { Drained } from './batch.ts';
import type { Counts } from './link.ts';

/** What may wait to be sent, bytes: with less, each piece would wait for the one before to be on its way. */
const WRITES_AHEAD = 256 * 1024;

export class ChannelStream extends Duplex {
  readonly #channel: ClientChannel;
  readonly #counts: Counts;
  readonly #drained: Drained;
  #idle: NodeJS.Timeout | undefined;
  #idleAfter = 0;

  constructor(channel: ClientChannel, counts: Counts, drained: Drained) {
    super({ allowHalfOpen: true, writableHighWaterMark: WRITES_AHEAD });
    this.#channel = channel;
    this.#counts = counts;
    this.#drained = drained;
    counts.channels++;
    channel.on('data', (chunk: Buffer) => {
      counts.in += chunk.length;
      this.#touch();
      // Its window is not opened again while nobody reads: the other side stops sending.
      if (!this.push(chunk)) channel.pause();
    });
    channel.on('end', () => this.push(null));
    channel.on('close', () => {
      if (this.readableEnded && this.writableFinished) this.destroy();
      else {
        this.push(null);
        // Read to its end first, then gone: what was sent before the close counts.
        if (this.readableEnded || this.readableLength === 0) this.destroy();
        else this.once('end', () => this.destroy());
      }
    });
    channel.on('error', (error: Error) => this.destroy(error));
    channel.stderr.resume();
  }

  override _read(): void {
    this.#channel.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#send(chunk, done);
  }

  /** What came together goes as few packets. */
  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#send(Buffer.concat(chunks.map(({ chunk }) => chunk)), done);
  }

  #send(bytes: Buffer, done: (error?: Error | null) => void): void {
    this.#counts.out += bytes.length;
    this.#touch();
    // The window is what the other side says that it takes; what the way there takes is less.
    this.#channel.write(bytes, (error) => (error ? done(error) : this.#drained(done)));
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#channel.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    clearTimeout(this.#idle);
    this.#counts.channels--;
    this.#channel.removeAllListeners('data');
    this.#channel.resume();
    this.#channel.destroy();
    done(error);
  }

  /** As of a socket: 'timeout' when nothing came or went for so long, ms; 0 ends it. */
  setTimeout(ms: number, listener?: () => void): this {
    this.#idleAfter = ms;
    if (listener !== undefined) this.once('timeout', listener);
    this.#touch();
    return this;
  }

  #touch(): void {
    clearTimeout(this.#idle);
    if (this.#idleAfter > 0) this.#idle = setTimeout(() => this.emit('timeout'), this.#idleAfter).unref();
  }

  // The connection under all channels has these; a channel has none of its own.
  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}
