/**
 * Definitions of series as bytes, for the way to the store's thread: a burst of a hundred thousand series would else be
 * as many objects there, kept until its garbage is collected much later.
 *
 * Each: kind (u8: 1 a gauge), index (u32), lengths in bytes of name and doc (u32 each), both as UTF-8; little endian.
 */

import type { SeriesDef } from '../../shared/model/series.ts';
import type { SeriesList } from './store.ts';

const HEAD = 13;

/** Null for an empty list. */
export function packSeries(list: SeriesList): Uint8Array<ArrayBuffer> | null {
  if (list.length === 0) return null;
  let out = Buffer.allocUnsafeSlow(Math.max(256, 96 * list.length));
  let at = 0;
  for (const { kind, index, name, doc } of list) {
    const need = at + HEAD + 3 * (name.length + doc.length);
    if (need > out.length) {
      const next = Buffer.allocUnsafeSlow(Math.max(need, out.length + (out.length >>> 1)));
      next.set(out.subarray(0, at));
      out = next;
    }
    const nameBytes = out.write(name, at + HEAD, 'utf8');
    const docBytes = out.write(doc, at + HEAD + nameBytes, 'utf8');
    out[at] = kind === 'gauge' ? 1 : 0;
    out.writeUInt32LE(index, at + 1);
    out.writeUInt32LE(nameBytes, at + 5);
    out.writeUInt32LE(docBytes, at + 9);
    at += HEAD + nameBytes + docBytes;
  }
  return out.subarray(0, at);
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
