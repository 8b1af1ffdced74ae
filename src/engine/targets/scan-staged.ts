/** What a scanner holds while an answer comes in. Handed from one target to the next, since few are read at once. */

import { growFloat64, growInt32, NO_DOUBLES, NO_INTS } from '../live/columns.ts';

const MIB = 1024 * 1024;
/** Idle ones are kept up to so many. */
const KEPT = 16;
/** One that grew beyond this many samples is not kept. */
const KEPT_SAMPLES = 100_000;

const idle: Staged[] = [];

/** The beginning of a line whose rest is still to come. */
class Carry {
  bytes: Buffer = Buffer.allocUnsafeSlow(256);
  length = 0;

  append(more: Uint8Array): void {
    const need = this.length + more.length;
    // One byte more than what is there may be looked at.
    if (need + 1 > this.bytes.length) {
      const next = Buffer.allocUnsafeSlow(2 * need + 1);
      next.set(this.bytes.subarray(0, this.length));
      this.bytes = next;
    }
    this.bytes.set(more, this.length);
    this.length = need;
  }
}

export class Staged {
  count = 0;
  /** 2 × entry of the scanner's names, + 1 for a gauge. */
  codes = NO_INTS;
  values = NO_DOUBLES;
  /** Milliseconds since the epoch; NaN: none was given. */
  times = NO_DOUBLES;
  readonly carry = new Carry();

  static take(): Staged {
    return idle.pop() ?? new Staged();
  }

  giveBack(): void {
    if (idle.length < KEPT && this.codes.length <= KEPT_SAMPLES && this.carry.bytes.length <= MIB) idle.push(this);
  }

  clear(): void {
    this.count = this.carry.length = 0;
  }

  add(code: number, value: number, time: number): void {
    const i = this.count++;
    if (i >= this.codes.length) {
      this.codes = growInt32(this.codes, i + 1);
      this.values = growFloat64(this.values, i + 1);
      this.times = growFloat64(this.times, i + 1);
    }
    this.codes[i] = code;
    this.values[i] = value;
    this.times[i] = time;
  }
}
