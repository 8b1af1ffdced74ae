/** How a column is written: the numbers that its writer and its reader have in common. */

/** Low three bits of a column's first byte. */
export const MODE = {
  /** No row has a value. */
  absent: 0,
  /** Every value is the same. */
  constant: 1,
  /** Whole numbers once multiplied by a scale: base, then differences. */
  integers: 2,
  /** Each value's bits XOR those before it. */
  xor: 3,
  /** What a later part of the series has, but for a few runs of rows. */
  same: 4,
  /** What a later part of the series grew by since its last value, but for a few runs of rows. */
  growth: 5,
  /** One later part of the series divided by another one, but for a few runs of rows. */
  quotient: 6,
} as const;
export const MODE_BITS = 7;

/** Not every row has a value: runs of present and absent rows follow. Not where the column follows from others. */
export const FLAG_RUNS = 8;

/** Of a constant: eight bytes follow, else a zigzag varint. */
export const FLAG_DOUBLE = 16;

/** Two bits of integers and XOR: how the differences are written. */
export const CODER_SHIFT = 4;
export const CODER = {
  /** One varint each (not with XOR). */
  varint: 0,
  /** Only those that are not 0, each after the number of zeros before it. */
  sparse: 1,
  /** All lowest bytes, then all second ones, and so on. */
  planes: 2,
} as const;

/** The two highest bits of integers: 0 above the smallest, 1 differences, 2 differences of differences. */
export const ORDER_SHIFT = 6;

export const TEN_POWERS = [1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12] as const;
/** Added to the power of ten: the whole number times 10^-power, not divided by 10^power, which is rounded otherwise. */
export const FLAG_TIMES = 128;
/** Binary exponents of a scale: -64 to 63. */
export const TWO_MIN = -64;
export const TWO_MAX = 63;

/** 2^TWO_MIN and on: exact, which `**` need not be. */
const TWO_POWERS = new Float64Array(TWO_MAX - TWO_MIN + 1);
for (let i = 0, power = 1 / 2 ** 30 / 2 ** 30 / 2 ** 4; i < TWO_POWERS.length; i++, power *= 2) TWO_POWERS[i] = power;
export const twoPower = (power: number): number => TWO_POWERS[power - TWO_MIN]!;

/** What a scaled whole number is divided by: exact, since ten's powers have few bits. */
export const divisorOf = (ten: number, two: number): number => TEN_POWERS[ten]! * twoPower(two);

/** 0, -1, 1, -2 … as 0, 1, 2, 3 … */
export const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);
export const unzigzag = (code: number): number => (code % 2 === 0 ? code / 2 : -(code + 1) / 2);
