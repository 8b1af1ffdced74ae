/**
 * Numbers as Go's `ParseFloat` reads them, which is what both text formats mean: decimal, with an exponent, `Inf`,
 * `Infinity` and `NaN` in any case; neither hexadecimal nor underscores; and nothing finite that is too large for a double.
 */

const [PLUS, MINUS, DOT, ZERO, NINE] = [0x2b, 0x2d, 0x2e, 0x30, 0x39];
/** Makes ASCII letters lower case. */
const LOWER = 0x20;
const E = 0x65;

/** Powers of ten that are doubles exactly. */
const POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));
/** Below this each integer is a double. */
const EXACT = 2 ** 53;

export class NumberReader {
  /** Where the number that was read last ended; -1: there was none. */
  end = -1;

  /**
   * Reads the number that begins at `at`. What follows it is the caller's business. Without a number, `end` is -1.
   * `limit`: where the bytes end that may be looked at.
   */
  read(bytes: Uint8Array, at: number, limit: number): number {
    let i = at;
    let c = bytes[i]!;
    const negative = c === MINUS;
    if (negative || c === PLUS) c = bytes[++i]!;
    const digitsFrom = i;
    let mantissa = 0;
    let scale = 0;
    // A comparison with a number that is not there (behind the end) is false.
    while (c >= ZERO && c <= NINE) {
      mantissa = 10 * mantissa + (c - ZERO);
      c = bytes[++i]!;
    }
    let digits = i - digitsFrom;
    if (c === DOT) {
      const from = ++i;
      c = bytes[i]!;
      while (c >= ZERO && c <= NINE) {
        mantissa = 10 * mantissa + (c - ZERO);
        c = bytes[++i]!;
      }
      scale = from - i;
      digits -= scale;
    }
    if (digits === 0) return this.#word(bytes, at, digitsFrom, limit, negative);
    if ((c | LOWER) === E) {
      let j = i + 1;
      let d = bytes[j]!;
      const small = d === MINUS;
      if (small || d === PLUS) d = bytes[++j]!;
      const exponentFrom = j;
      let exponent = 0;
      while (d >= ZERO && d <= NINE) {
        if (exponent < 100_000) exponent = 10 * exponent + (d - ZERO);
        d = bytes[++j]!;
      }
      if (j === exponentFrom) {
        this.end = -1;
        return NaN;
      }
      scale += small ? -exponent : exponent;
      i = j;
    }
    if (i > limit) {
      this.end = -1;
      return NaN;
    }
    this.end = i;
    // Both are exact then, and so their product or quotient is the double next to what is written.
    if (mantissa < EXACT && scale >= -22 && scale <= 22) {
      const value = scale < 0 ? mantissa / POWERS[-scale]! : mantissa * POWERS[scale]!;
      return negative ? -value : value;
    }
    const value = Number(Buffer.from(bytes.buffer, bytes.byteOffset + at, i - at).toString('latin1'));
    if (!Number.isFinite(value)) this.end = -1;
    return value;
  }

  /** `inf`, `infinity` with a sign or `nan` without. */
  #word(bytes: Uint8Array, at: number, from: number, limit: number, negative: boolean): number {
    if (stands(bytes, from, 'inf', limit)) {
      this.end = from + (stands(bytes, from, 'infinity', limit) ? 8 : 3);
      return negative ? -Infinity : Infinity;
    }
    this.end = from === at && stands(bytes, from, 'nan', limit) ? from + 3 : -1;
    return NaN;
  }
}

/** A word in lower case stands here, in any case. */
function stands(bytes: Uint8Array, at: number, word: string, limit: number): boolean {
  if (at + word.length > limit) return false;
  for (let i = 0; i < word.length; i++) if ((bytes[at + i]! | LOWER) !== word.charCodeAt(i)) return false;
  return true;
}
