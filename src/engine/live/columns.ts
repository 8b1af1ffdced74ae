/**
 * Growing typed arrays and bitmaps. Capacity doubles, so that appending a series is cheap however many there are, and so
 * that what is left behind is no more than what is there. Room that is never written to is no memory yet.
 */

const FIRST = 8;

/** Elements to make room for. */
export const capacity = (have: number, need: number): number => Math.max(FIRST, need, 2 * have);

/** What everything begins with: shared, since an array of nothing takes 200 bytes, and a run has dozens. */
export const NO_DOUBLES: Float64Array = new Float64Array(0);
export const NO_INTS: Int32Array = new Int32Array(0);
export const NO_BITS: Uint8Array = new Uint8Array(0);

export function growFloat64(array: Float64Array, length: number, fill = 0): Float64Array {
  if (array.length >= length) return array;
  const next = new Float64Array(capacity(array.length, length));
  if (fill !== 0) next.fill(fill);
  next.set(array);
  return next;
}

export function growInt32(array: Int32Array, length: number): Int32Array {
  if (array.length >= length) return array;
  const next = new Int32Array(capacity(array.length, length));
  next.set(array);
  return next;
}

/** A bitmap with room for `count` bits. */
export function growBits(bits: Uint8Array, count: number): Uint8Array {
  const bytes = (count + 7) >>> 3;
  if (bits.length >= bytes) return bits;
  const next = new Uint8Array(capacity(bits.length, bytes));
  next.set(bits);
  return next;
}
