/**
 * What a format writes into: pieces of 256 KiB, of which only so many are on their way as their reader has room for. So an
 * export takes no more memory than these, however large it is and however slow its reader.
 */

import { PIECE } from './shared-pieces.ts';

/** The one who asked is gone, or said so. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}

export class Out {
  readonly #send: (bytes: Uint8Array<ArrayBuffer>) => void;
  readonly #encoder = new TextEncoder();
  #bytes = new Uint8Array(PIECE);
  #room: number;
  #waiting: (() => void) | null = null;
  #stopped = false;
  /** In the piece; whoever uses {@link reserve} moves it. */
  at = 0;
  /** Bytes that were sent. */
  sent = 0;

  /** `send`: the piece is written over as soon as it returns. `room`: pieces that may be on their way. */
  constructor(send: (bytes: Uint8Array<ArrayBuffer>) => void, room: number) {
    this.#send = send;
    this.#room = room;
  }

  /** The piece, with room for at least so many bytes from `at` on. */
  reserve(bytes: number): Uint8Array<ArrayBuffer> {
    if (this.#bytes.length - this.at < bytes) {
      this.flush();
      if (this.#bytes.length < bytes) this.#bytes = new Uint8Array(bytes);
    }
    return this.#bytes;
  }

  text(text: string): void {
    for (let at = 0; at < text.length;) {
      // Three bytes at most for each UTF-16 code unit; a pair is not torn.
      let end = Math.min(text.length, at + PIECE / 4);
      if (end < text.length && /[\uD800-\uDBFF]/.test(text[end - 1]!)) end--;
      const part = at === 0 && end === text.length ? text : text.slice(at, end);
      const bytes = this.reserve(3 * part.length);
      this.at += this.#encoder.encodeInto(part, bytes.subarray(this.at)).written;
      at = end;
    }
  }

  put(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const piece = this.reserve(1);
      const part = bytes.subarray(done, done + piece.length - this.at);
      piece.set(part, this.at);
      this.at += part.length;
      done += part.length;
    }
  }

  flush(): void {
    // One that was made for a single long line is filled again, too: no more than its reader expects of a piece at a time.
    for (let from = 0; from < this.at; from += PIECE) {
      const piece = this.#bytes.subarray(from, Math.min(this.at, from + PIECE));
      this.#room--;
      this.sent += piece.length;
      this.#send(piece);
    }
    this.at = 0;
  }

  /** More is written than there is room for: {@link drained} before anything else. */
  get full(): boolean {
    return this.#room <= 0;
  }

  /** There is room again. Rejects with Stopped. */
  async drained(): Promise<void> {
    while (this.#room <= 0 && !this.#stopped) await new Promise<void>((resolve) => (this.#waiting = resolve));
    this.check();
  }

  check(): void {
    if (this.#stopped) throw new Stopped('the export was ended');
  }

  more(pieces: number): void {
    this.#room += pieces;
    this.#wake();
  }

  stop(): void {
    this.#stopped = true;
    this.#wake();
  }

  #wake(): void {
    const wake = this.#waiting;
    this.#waiting = null;
    wake?.();
  }
}
