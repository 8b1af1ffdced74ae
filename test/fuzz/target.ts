/** What can be fuzzed, and how inputs are made: freely by fast-check, or by changing inputs that were kept. */

import fc from 'fast-check';

export interface FuzzTarget {
  readonly name: string;
  /** Pieces that mean something to what is fuzzed. Inputs are made of them and of anything. */
  readonly words: readonly string[];
  /**
   * Throws when the input does harm. Tells in a few words what was seen: an input with which something new is seen is
   * kept, and others are made of it.
   */
  check(input: Uint8Array): string | Promise<string>;
  close?(): Promise<void>;
}

/** Longest input in bytes: what needs more is found by tests of its own. */
export const MAX_INPUT = 8192;

/** Inputs for {@link FuzzTarget.check}, that shrink. */
export function inputsOf({ words }: FuzzTarget): fc.Arbitrary<Uint8Array> {
  const piece = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...words).map((word) => Buffer.from(word, 'utf8')) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 8 }).map((text) => Buffer.from(text, 'utf8')) },
    { weight: 1, arbitrary: fc.double().map((number) => Buffer.from(String(number))) },
  );
  return fc
    .array(piece, { maxLength: 60, size: 'max' })
    .map((pieces) => new Uint8Array(Buffer.concat(pieces).subarray(0, MAX_INPUT)));
}

type Random = () => number;

/** Numbers from 0 to below 1 that are the same for the same seed (mulberry32). */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Another input out of one or two that were kept. */
export function mutate(input: Uint8Array, other: Uint8Array, words: readonly string[], random: Random): Uint8Array {
  let bytes = Buffer.from(input);
  const below = (n: number): number => Math.floor(random() * n);
  for (let edits = 1 + below(4); edits > 0; edits--) {
    const at = below(bytes.length + 1);
    const cut = at + below(Math.min(32, bytes.length - at) + 1);
    const [head, tail] = [bytes.subarray(0, at), bytes.subarray(cut)];
    const from = below(other.length + 1);
    const middles = [
      () => Buffer.from(words[below(words.length)]!, 'utf8'),
      () => Buffer.alloc(0),
      () => Buffer.concat([bytes.subarray(at, cut), bytes.subarray(at, cut)]),
      () => Buffer.from(other.subarray(from, from + below(64))),
      () => Buffer.from(bytes.subarray(at, cut)).map((byte) => (random() < 0.3 ? byte ^ (1 << below(8)) : byte)),
      () => Buffer.from(String([0, -1, 1e308, 2 ** 53, 2 ** 32, 1e-320, 255][below(7)])),
    ];
    bytes = Buffer.concat([head, middles[below(middles.length)]!(), tail]).subarray(0, MAX_INPUT);
  }
  return new Uint8Array(bytes);
}
