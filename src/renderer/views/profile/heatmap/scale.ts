/**
 * Colours of a heatmap: viridis, whose lightness rises evenly with the value. It reads the same to colour-blind people and
 * in grey, on dark and on light ground. What has no value has no colour.
 */

/** Nine stops, 1/8 apart, sRGB. */
const STOPS = [
  [0x44, 0x01, 0x54],
  [0x47, 0x2d, 0x7b],
  [0x3b, 0x52, 0x8b],
  [0x2c, 0x72, 0x8e],
  [0x21, 0x91, 0x8c],
  [0x28, 0xae, 0x80],
  [0x5e, 0xc9, 0x62],
  [0xad, 0xdc, 0x30],
  [0xfd, 0xe7, 0x25],
] as const;

const TONES = 256;

export type Rgb = readonly [red: number, green: number, blue: number];

/** @param share 0 to 1; what is outside has the colour of the end. */
export function colourAt(share: number): Rgb {
  const at = Math.min(1, Math.max(0, share)) * (STOPS.length - 1);
  const i = Math.min(STOPS.length - 2, Math.floor(at));
  const [a, b] = [STOPS[i]!, STOPS[i + 1]!];
  return [0, 1, 2].map((part) => Math.round(a[part]! + (at - i) * (b[part]! - a[part]!))) as unknown as Rgb;
}

/** The scale from left to right, for CSS. */
export const GRADIENT = `linear-gradient(to right, ${STOPS.map((stop) => `rgb(${stop.join(' ')})`).join(', ')})`;

/** Little-endian RGBA of each tone, as image data has it. */
const PALETTE = Uint8ClampedArray.from({ length: 4 * TONES }, (_, i) =>
  i % 4 === 3 ? 255 : colourAt(Math.floor(i / 4) / (TONES - 1))[i % 4]!,
);

/** What the ends of the colours stand for. */
export interface Limits {
  readonly low: number;
  readonly high: number;
  /** Some values are above `high` and have its colour: the largest one; null: none is. */
  readonly above: number | null;
}

/** One in a hundred cells may be above the scale, if they are more than twice as large as all others. */
const SHARE = 0.99;
const FAR = 2;
/** So many values are enough to tell. */
const LOOKED_AT = 20_000;

/**
 * The scale begins at 0 where nothing is below it, or with the least value, which shows small differences; a few lone
 * peaks do not flatten all the rest. Null: no value.
 */
export function limitsOf(values: Float32Array, fromLeast = false): Limits | null {
  let [min, max] = [Infinity, -Infinity];
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (min > max) return null;
  const low = fromLeast ? min : Math.min(0, min);
  // An odd step does not fall on the same few columns of each row.
  const every = Math.ceil(values.length / LOOKED_AT) | 1;
  const seen = values.filter((value, i) => i % every === 0 && Number.isFinite(value)).sort();
  const most = seen[Math.ceil(SHARE * seen.length) - 1] ?? max;
  if (min >= 0 && most > low && max - low > FAR * (most - low)) return { low, high: most, above: max };
  return { low, high: max, above: null };
}

/** Where a value stands between the ends, 0 to 1. */
export function shareOf(value: number, { low, high }: Pick<Limits, 'low' | 'high'>): number {
  return high > low ? Math.min(1, Math.max(0, (value - low) / (high - low))) : 0;
}

interface Paint {
  readonly values: Float32Array;
  readonly columns: number;
  /** Rows of the values from top to bottom. */
  readonly rows: readonly number[];
  readonly limits: Limits;
}

/** RGBA of every cell, a pixel each; cells without a value stay see-through. */
export function paintCells({ values, columns, rows, limits }: Paint): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(4 * rows.length * columns);
  const out = new Uint32Array(pixels.buffer);
  const tones = new Uint32Array(PALETTE.buffer);
  let at = 0;
  for (const row of rows) {
    const start = row * columns;
    for (let column = 0; column < columns; column++, at++) {
      const value = values[start + column]!;
      if (Number.isFinite(value)) out[at] = tones[Math.round(shareOf(value, limits) * (TONES - 1))]!;
    }
  }
  return pixels;
}
