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

/** Arrays up to this size, in bytes, are V8's own objects: asked for their buffer, they would first be given one. */
const OWN_OBJECT = 64;

/**
 * Frees what an array holds, at once; it has no elements after that. The collector would leave what thousands of growing
 * arrays leave behind for long, and what is used afterwards would lie scattered between it. Only for an array that is all
 * of its buffer, and that nobody else holds.
 */
export function freeArray(array: Float64Array | Int32Array | Uint8Array): void {
  if (array.byteLength > OWN_OBJECT) (array.buffer as ArrayBuffer).transfer(0);
}

// Growing ends the life of the array that is given: whoever holds a column asks its owner for it again.

export function growFloat64(array: Float64Array, length: number): Float64Array {
  if (array.length >= length) return array;
  const next = new Float64Array(capacity(array.length, length));
  next.set(array);
  freeArray(array);
  return next;
}

export function growInt32(array: Int32Array, length: number): Int32Array {
  if (array.length >= length) return array;
  const next = new Int32Array(capacity(array.length, length));
  next.set(array);
  freeArray(array);
  return next;
}

/** A bitmap with room for `count` bits. */
export function growBits(bits: Uint8Array, count: number): Uint8Array {
  const bytes = (count + 7) >>> 3;
  if (bits.length >= bytes) return bits;
  const next = new Uint8Array(capacity(bits.length, bytes));
  next.set(bits);
  freeArray(bits);
  return next;
}

/**
 * What many columns of integers hold: multiples of the place. A run's series come in one order, so that nearly all of its
 * columns say the same; one array serves all of them, and a column gets its own when it deviates.
 */
export class Multiples {
  readonly #step: number;
  /** By the length's power of two; never freed, since columns hold them. */
  readonly #arrays: Int32Array[] = [];

  constructor(step: number) {
    this.#step = step;
  }

  #owns(array: Int32Array): boolean {
    return array.length === 0 || array === this.#arrays[31 - Math.clz32(array.length)];
  }

  #atLeast(length: number): Int32Array {
    const power = Math.max(8, 32 - Math.clz32(length - 1));
    let array = this.#arrays[power];
    if (!array) {
      array = new Int32Array(2 ** power);
      if (this.#step !== 0) for (let i = 0; i < array.length; i++) array[i] = this.#step * i;
      this.#arrays[power] = array;
    }
    return array;
  }

  /** Appends `value` to a column of `count` elements; returns the column. Written to in this way only. */
  append(column: Int32Array, count: number, value: number): Int32Array {
    let own = column;
    if (this.#owns(column)) {
      if (value === this.#step * count) return column.length > count ? column : this.#atLeast(count + 1);
      own = new Int32Array(capacity(count, count + 1));
      own.set(column.subarray(0, count));
    } else own = growInt32(column, count + 1);
    own[count] = value;
    return own;
  }
}

export const ZEROS = new Multiples(0);
export const SAME = new Multiples(1);
export const TWICE = new Multiples(2);
