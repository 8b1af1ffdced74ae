import fc from 'fast-check';

interface Edit {
  readonly at: number;
  readonly drop: number;
  readonly insert: Uint8Array;
}

const nasty = fc.constantFrom(
  '\n',
  ' ',
  ':',
  '-1',
  '1e999',
  '.',
  'NaN',
  '\0',
  '\t',
  '9'.repeat(400),
  '\u00e9',
  '/',
  'cpu',
  'cpu1',
);
const edit: fc.Arbitrary<Edit> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  drop: fc.oneof(fc.nat(3), fc.nat(2000)),
  insert: fc.oneof(
    fc.uint8Array({ maxLength: 4 }),
    nasty.map((text) => Uint8Array.from(Buffer.from(text))),
  ),
});

/** Random bytes, or one of the samples with pieces cut out and put in. */
export function hostileOf(samples: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const mutated = fc
    .tuple(fc.constantFrom(...samples), fc.array(edit, { minLength: 1, maxLength: 6 }))
    .map(([sample, edits]) =>
      edits.reduce((bytes: Uint8Array, { at, drop, insert }) => {
        const place = Math.floor(at * bytes.length);
        return Uint8Array.from(Buffer.concat([bytes.subarray(0, place), insert, bytes.subarray(place + drop)]));
      }, sample),
    );
  return fc.oneof({ weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) }, { weight: 4, arbitrary: mutated });
}
