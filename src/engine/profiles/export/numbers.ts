/** Numbers as text, straight into bytes: the shortest text that is read back as the same number. */

const ZERO = 0x30;
const MINUS = 0x2d;
const DOT = 0x2e;
const MICRO = 1e6;
const GIGA = 1e9;
/** Of fewer digits than a double has, so that each is another number. */
const MOST = 1e15;

/** Room that a number takes at most. */
export const NUMBER_BYTES = 32;

/** Below 2^31: these are divided several times as fast. */
function writeSmall(into: Uint8Array, at: number, value: number): number {
  let rest = value | 0;
  let digits = 1;
  for (let power = 10; digits < 10 && rest >= power; power *= 10) digits++;
  for (let i = at + digits - 1; i >= at; i--) {
    const next = (rest / 10) | 0;
    into[i] = ZERO + (rest - next * 10);
    rest = next;
  }
  return at + digits;
}

/** With zeros before it. */
function writePadded(into: Uint8Array, at: number, value: number, digits: number): number {
  let rest = value | 0;
  for (let i = at + digits - 1; i >= at; i--) {
    const next = (rest / 10) | 0;
    into[i] = ZERO + (rest - next * 10);
    rest = next;
  }
  return at + digits;
}

function writeInteger(into: Uint8Array, at: number, value: number): number {
  if (value < GIGA) return writeSmall(into, at, value);
  const high = Math.floor(value / GIGA);
  return writePadded(into, writeSmall(into, at, high), value - high * GIGA, 9);
}

/** Finite ones only. Returns where it ends. */
export function writeNumber(into: Uint8Array, at: number, value: number): number {
  let to = at;
  let rest = value;
  if (rest < 0) {
    into[to++] = MINUS;
    rest = -rest;
  }
  if (rest < MOST) {
    const whole = Math.floor(rest);
    if (whole === rest) return writeInteger(into, to, whole);
    const micros = Math.round(rest * MICRO);
    if (micros < MOST && micros / MICRO === rest) {
      const units = Math.floor(micros / MICRO);
      to = writeInteger(into, to, units);
      into[to] = DOT;
      to = writePadded(into, to + 1, micros - units * MICRO, 6);
      while (into[to - 1] === ZERO) to--;
      return to;
    }
  }
  return writeAscii(into, at, String(value));
}

export function writeAscii(into: Uint8Array, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) into[at + i] = text.charCodeAt(i);
  return at + text.length;
}
