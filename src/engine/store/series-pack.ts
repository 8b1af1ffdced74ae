/**
 * Definitions of series as bytes, for the way to the store's thread: a burst of a hundred thousand series would else be
 * as many objects there, kept until its garbage is collected much later.
 *
 * Each: kind (u8: 1 a gauge), index (u32), lengths in bytes of name and doc (u32 each), both as UTF-8; little endian.
 */

import type { SeriesDef } from '../../shared/model/series.ts';
import type { SeriesList } from './store.ts';

const HEAD = 13;

/** One buffer for all that is packed: thousands of small ones would leave the heap full of holes. */
export class SeriesPacker {
  #out: Buffer<ArrayBuffer> | null = null;
  #used = 0;

  /** Packs after what was packed before; returns how many bytes it takes. */
  add(list: SeriesList): number {
    const start = this.#used;
    if (list.length === 0) return 0;
    let out = (this.#out ??= Buffer.allocUnsafeSlow(Math.max(256, 96 * list.length)));
    let at = start;
    for (const { kind, index, name, doc } of list) {
      const need = at + HEAD + 3 * (name.length + doc.length);
      if (need > out.length) {
        const next = Buffer.allocUnsafeSlow(Math.max(need, 2 * out.length));
        next.set(out.subarray(0, at));
        out.buffer.transfer(0);
        this.#out = out = next;
      }
      const nameBytes = out.write(name, at + HEAD, 'utf8');
      const docBytes = out.write(doc, at + HEAD + nameBytes, 'utf8');
      out[at] = kind === 'gauge' ? 1 : 0;
      out.writeUInt32LE(index, at + 1);
      out.writeUInt32LE(nameBytes, at + 5);
      out.writeUInt32LE(docBytes, at + 9);
      at += HEAD + nameBytes + docBytes;
    }
    this.#used = at;
    return at - start;
  }

  /** All of it; null when nothing was packed. */
  get packed(): Uint8Array<ArrayBuffer> | null {
    return this.#out && this.#out.subarray(0, this.#used);
  }
}

/** Packed definitions, read anew at each walk. */
export class PackedSeries implements SeriesList {
  readonly length: number;
  readonly #bytes: Buffer;

  constructor(bytes: Uint8Array, length: number) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.length = length;
  }

  *[Symbol.iterator](): Generator<SeriesDef, void> {
    const bytes = this.#bytes;
    let at = 0;
    for (let i = 0; i < this.length; i++) {
      const nameEnd = at + HEAD + bytes.readUInt32LE(at + 5);
      const end = nameEnd + bytes.readUInt32LE(at + 9);
      yield {
        kind: bytes[at] === 1 ? 'gauge' : 'counter',
        index: bytes.readUInt32LE(at + 1),
        name: bytes.toString('utf8', at + HEAD, nameEnd),
        doc: bytes.toString('utf8', nameEnd, end),
      };
      at = end;
    }
  }
}
