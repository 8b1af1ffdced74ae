/** A file in pieces whose memory is used again: whoever reads it has to say when a piece is written. */

import { Readable } from 'node:stream';
import type { SharedPiece } from './shared-pieces.ts';

/** For `pipe`: its target says so for each piece. Anybody else who reads gets copies. */
export class PieceStream extends Readable {
  readonly #free: (piece: SharedPiece) => void;
  readonly #stop: () => void;
  readonly #waiting: SharedPiece[] = [];
  /** Given to the target, which has not written them. */
  #inTarget = 0;
  #target: NodeJS.WritableStream | null = null;
  #isWanted = false;
  /** Set when there are no more pieces: what is called when all are taken. */
  #onTaken: (() => void) | null = null;
  #endTarget = true;

  /** `free`: nobody reads the piece any more. `stop`: the stream was destroyed, or ended. */
  constructor(free: (piece: SharedPiece) => void, stop: () => void) {
    super({ highWaterMark: 1 });
    this.#free = free;
    this.#stop = stop;
  }

  add(piece: SharedPiece): void {
    this.#waiting.push(piece);
    this.#pass();
  }

  /** That was all. `onTaken`: the reader has it, or what is on its way to it. */
  whole(onTaken: () => void): void {
    this.#onTaken = onTaken;
    this.#pass();
  }

  /** Whoever makes the pieces waits until earlier ones are free: never more of them wait in the target than there are. */
  override pipe<T extends NodeJS.WritableStream>(target: T, { end = true }: { end?: boolean | undefined } = {}): T {
    this.#target = target;
    this.#endTarget = end;
    target.emit('pipe', this);
    this.#pass();
    return target;
  }

  override _read(): void {
    this.#isWanted = true;
    this.#pass();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#waiting.length = 0;
    this.#stop();
    done(error);
  }

  #pass(): void {
    const target = this.#target;
    for (;;) {
      const piece = target || this.#isWanted ? this.#waiting.shift() : undefined;
      if (!piece) break;
      if (target) {
        this.#inTarget++;
        target.write(piece.bytes, (error) => this.#written(piece, error));
        continue;
      }
      this.#isWanted = this.push(piece.bytes.slice());
      this.#free(piece);
    }
    if (this.#waiting.length + this.#inTarget > 0 || !this.#onTaken) return;
    this.#onTaken();
    this.#onTaken = null;
    this.push(null);
    if (!target) return;
    if (this.#endTarget) target.end();
    // There is nothing to read, but what waits for its end.
    this.resume();
  }

  #written(piece: SharedPiece, error: Error | null | undefined): void {
    // It is destroyed, and this stream will be with it.
    if (error || this.destroyed) return;
    this.#inTarget--;
    this.#free(piece);
    this.#pass();
  }
}
