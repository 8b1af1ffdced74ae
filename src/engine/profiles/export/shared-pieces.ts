/**
 * Pieces of a file on their way from the thread that makes them to the one that writes them to its reader. They lie in
 * memory that both threads see: it never changes hands, so that neither a reader that still looks at a piece nor a thread
 * that has ended can meet memory that is gone. Each piece is used again once its reader says so: to ask the system for
 * memory anew each time would cost as much as to fill it.
 */

export const PIECE = 256 * 1024;
/** One text may become more pieces at once than are usually on their way. What is above that is copied for its reader. */
const MOST = 10;

export interface SharedPiece {
  readonly bytes: Uint8Array;
  /** Which memory it lies in, to be told when it is written; null: the reader's own. */
  readonly memory: number | null;
}

export class SharedPieces {
  readonly #all: Uint8Array<SharedArrayBuffer>[] = [];
  readonly #free: number[] = [];

  /** The same bytes where the other thread sees them; those given may be written over at once, if they are posted now. */
  share(bytes: Uint8Array<ArrayBuffer>): SharedPiece {
    if (bytes.length > PIECE) return { bytes, memory: null };
    let memory = this.#free.pop();
    if (memory === undefined) {
      if (this.#all.length === MOST) return { bytes, memory: null };
      memory = this.#all.push(new Uint8Array(new SharedArrayBuffer(PIECE))) - 1;
    }
    const piece = this.#all[memory]!.subarray(0, bytes.length);
    // Not `set`: into shared memory that goes word by word, in case somebody looks meanwhile, and takes six times as long.
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).copy(piece);
    return { bytes: piece, memory };
  }

  /** Nobody reads this piece any more. */
  release(memory: number): void {
    this.#free.push(memory);
  }
}
