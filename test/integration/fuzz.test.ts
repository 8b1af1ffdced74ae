/** Some seconds of each fuzzer, and all inputs that were ever kept. `npm run fuzz` goes on for hours. */

import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { corpusOf } from '../fuzz/corpus.ts';
import { targets } from '../fuzz/index.ts';
import { inputsOf, mutate, randomOf } from '../fuzz/target.ts';

/** Each, in ms; and so many inputs, however long they take. */
const FREELY = 1200;
const CHANGED = 1000;
const LEAST = 20;

async function tried(property: fc.IAsyncProperty<unknown>, ms: number): Promise<void> {
  await fc.assert(property, { numRuns: LEAST });
  await fc.assert(property, { numRuns: 1_000_000, interruptAfterTimeLimit: ms, markInterruptAsFailure: false });
}

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
    const property = fc.asyncProperty(inputsOf(target), async (input) => void (await target.check(input)));
    await tried(property, FREELY);
  });

  test('nor those that are made of the ones that were kept', async () => {
    const property = fc.asyncProperty(fc.integer(), async (seed) => {
      const random = randomOf(seed);
      const one = (): Uint8Array => corpus[Math.floor(random() * corpus.length)]!.bytes;
      await target.check(mutate(one(), one(), target.words, random));
    });
    await tried(property, CHANGED);
  });
});
