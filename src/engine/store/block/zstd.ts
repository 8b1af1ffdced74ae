/** Compression of a part of a block, and its way back from bytes that nobody vouches for. */

import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { BlockError, MAX_UNPACKED } from './format.ts';

/** 1 % smaller than level 3 for a fifth more time on recorded nodes and programs; higher ones gain nothing more. */
const LEVEL = 6;
/** Memory that is asked for at once when unpacking: more only as it is filled. */
const STEP_BYTES = 1 << 18;

/** Room for more than the output spares a second buffer. */
const SPARE_BYTES = 64;

/** The bytes by zstd, or themselves where that is not shorter: their length tells which. Throws RangeError. */
export function pack(bytes: Uint8Array<ArrayBuffer>): Uint8Array {
  if (bytes.length > MAX_UNPACKED) throw new RangeError('the rows are more than a block can have');
  const packed = zstdCompressSync(bytes, {
    params: { [constants.ZSTD_c_compressionLevel]: LEVEL },
    pledgedSrcSize: bytes.length,
  });
  return packed.length < bytes.length ? packed : bytes.slice();
}

/** The `size` bytes that became `packed`. Not a copy where they were not compressed. */
export function unpack(packed: Uint8Array, size: number): Uint8Array {
  if (size > MAX_UNPACKED) throw new BlockError('limit', 'a part of the block is too large');
  if (packed.length === size) return packed;
  let bytes;
  try {
    bytes = zstdDecompressSync(packed, { maxOutputLength: size, chunkSize: Math.min(size, STEP_BYTES) + SPARE_BYTES });
  } catch {
    throw new BlockError('content', 'a part of the block cannot be unpacked');
  }
  if (bytes.length !== size) throw new BlockError('content', 'a part of the block has another size than it says');
  return bytes;
}
