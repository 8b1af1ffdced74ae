/** Some seconds of each fuzzer, and all inputs that were ever kept. `npm run fuzz` goes on for hours. */

import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { corpusOf } from '../fuzz/corpus.ts';
import { targets } from '../fuzz/index.ts';
import { inputsOf, mutate, randomOf } from '../fuzz/target.ts';

/** Each, in ms. */
const FREELY = 2500;
const CHANGED = 2000;

afterAll(async () => {
  for (const target of targets) await target.close?.();
});

describe.each(targets)('$name', (target) => {
  const corpus = corpusOf(target);

  test('inputs that were kept do no harm', async () => {
    expect(corpus.length).toBeGreaterThan(0);
    for (const { file, bytes } of corpus) {
      await expect(
        Promise.resolve().then(() => target.check(bytes)),
        file,
      ).resolves.toEqual(expect.any(String));
    }
  });

  test('neither do new ones', async () => {
    let runs = 0;
    const property = fc.asyncProperty(inputsOf(target), async (input) => {
      runs++;
      await target.check(input);
    });
    await fc.assert(property, { numRuns: 1_000_000, interruptAfterTimeLimit: FREELY, markInterruptAsFailure: false });
    expect(runs).toBeGreaterThan(10);
  });

  test('nor those that are made of the ones that were kept', async () => {
    let runs = 0;
    const property = fc.asyncProperty(fc.integer(), async (seed) => {
      const random = randomOf(seed);
      const one = (): Uint8Array => corpus[Math.floor(random() * corpus.length)]!.bytes;
      runs++;
      await target.check(mutate(one(), one(), target.words, random));
    });
    await fc.assert(property, { numRuns: 1_000_000, interruptAfterTimeLimit: CHANGED, markInterruptAsFailure: false });
    expect(runs).toBeGreaterThan(10);
  });
});
