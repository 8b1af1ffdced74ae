const NEWLINE = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;
const ZERO = 0x30;
const NINE = 0x39;

/** Digits of the largest 64-bit number. More is no number of a kernel, and would one day be Infinity. */
const MAX_DIGITS = 20;

/**
 * Walks over the bytes of a /proc file without making strings: with 256 cores, or as many interfaces, strings would cost
 * more than all the rest.
 */
export class Cursor {
  at = 0;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  skipBlanks(): void {
    const { bytes } = this;
    let { at } = this;
    while (bytes[at] === SPACE || bytes[at] === TAB) at++;
    this.at = at;
  }

  /** Blanks, then decimal digits. -1 when there is no such number, or one that is too long; it never reads past the line. */
  unsigned(): number {
    this.skipBlanks();
    const { bytes } = this;
    const start = this.at;
    let { at } = this;
    let value = 0;
    for (;;) {
      const c = bytes[at];
      if (c === undefined || c < ZERO || c > NINE) break;
      value = value * 10 + (c - ZERO);
      at++;
    }
    this.at = at;
    const digits = at - start;
    return digits > 0 && digits <= MAX_DIGITS ? value : -1;
  }

  /** Whether the text stands here; moves behind it if so. */
  skip(text: Uint8Array): boolean {
    const { bytes, at } = this;
    for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
    this.at = at + text.length;
    return true;
  }

  atNewline(): boolean {
    return this.bytes[this.at] === NEWLINE;
  }

  /** Moves to the next line. False when the bytes end before a newline: such a line is cut off, its numbers are wrong. */
  nextLine(): boolean {
    const { bytes } = this;
    let { at } = this;
    while (at < bytes.length && bytes[at] !== NEWLINE) at++;
    const whole = at < bytes.length;
    this.at = whole ? at + 1 : at;
    return whole;
  }
}

/** For comparing with {@link Cursor.skip}. */
export const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
