/**
 * Fuzzes for as long as asked.
 *
 *     npm run fuzz -- [--minutes N] [--seed N] [TARGET…]
 *
 * Inputs with which something new was seen are kept in test/fixtures/fuzz/TARGET/, and further ones are made of them. One
 * that does harm is written there as well, as harm-….bin, and ends the run: `npm test` then fails with it until it is
 * mended, and it stays as a regression test.
 */

import { parseArgs } from 'node:util';
import { corpusOf, keep } from './corpus.ts';
import { targets } from './index.ts';
import { MAX_INPUT, mutate, randomOf, type FuzzTarget } from './target.ts';

const { values, positionals } = parseArgs({
  options: { minutes: { type: 'string', default: '60' }, seed: { type: 'string' } },
  allowPositionals: true,
});
const seed = Number(values.seed ?? Date.now() % 2 ** 31);
const minutes = Number(values.minutes);
const chosen = positionals.length === 0 ? targets : targets.filter(({ name }) => positionals.includes(name));
if (!(minutes > 0) || !Number.isInteger(seed) || chosen.length < positionals.length) {
  throw new Error('usage: fuzz [--minutes N] [--seed N] [TARGET…]');
}
/** Inputs of one target before the next one has its turn. */
const TURN_MS = 5000;

interface State {
  readonly target: FuzzTarget;
  readonly inputs: Uint8Array[];
  readonly seen: Set<string>;
  runs: number;
}

async function tryOne(state: State, input: Uint8Array, isNew: boolean): Promise<void> {
  let seen: string;
  try {
    seen = await state.target.check(input);
  } catch (error) {
    console.error(`${state.target.name}: ${keep(state.target, input, 'harm')}`);
    throw error;
  }
  state.runs++;
  if (state.seen.has(seen)) return;
  state.seen.add(seen);
  if (!isNew) return;
  state.inputs.push(input);
  keep(state.target, input, 'seen');
}

const random = randomOf(seed);
const one = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
const states = chosen.map((target): State => ({ target, inputs: [], seen: new Set(), runs: 0 }));
console.log(`seed ${seed}, ${minutes} min: ${chosen.map(({ name }) => name).join(', ')}`);
try {
  for (const state of states) {
    for (const { bytes } of corpusOf(state.target)) {
      state.inputs.push(bytes);
      await tryOne(state, bytes, false);
    }
    state.inputs.push(new Uint8Array(0), Buffer.from(state.target.words.join('')).subarray(0, MAX_INPUT));
  }
  const end = performance.now() + minutes * 60_000;
  while (performance.now() < end) {
    for (const state of states) {
      const turn = Math.min(end, performance.now() + TURN_MS);
      while (performance.now() < turn) {
        await tryOne(state, mutate(one(state.inputs), one(state.inputs), state.target.words, random), true);
        // Timers of what is fuzzed have their turn, too.
        if (state.runs % 64 === 0) await new Promise(setImmediate);
      }
      console.log(
        `${state.target.name}: ${state.runs} inputs, ${state.seen.size} kinds of outcome, ${state.inputs.length} kept`,
      );
    }
  }
} finally {
  for (const { target } of states) await target.close?.();
}
process.exit();
