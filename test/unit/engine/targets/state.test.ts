import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  fresh,
  nextCondition,
  SLOW_AFTER,
  type Condition,
  type Outcome,
} from '../../../../src/engine/targets/state.ts';

const good = fc.record({
  kind: fc.constant('good' as const),
  duration: fc.integer({ min: 0, max: 2000 }),
  timeout: fc.constant(1000),
});
const bad = fc.record({
  kind: fc.constantFrom('down' as const, 'refused' as const),
  reason: fc.string({ minLength: 1 }),
});
const outcomes = fc.array(fc.oneof(good, bad), { maxLength: 40 });

const run = (list: readonly Outcome[]): Condition[] => {
  const conditions = [fresh(0)];
  for (const [i, outcome] of list.entries()) conditions.push(nextCondition(conditions.at(-1)!, outcome, i + 1));
  return conditions;
};

describe('the state of a target', () => {
  test('is what its last scrapes say, whatever was before', () => {
    fc.assert(
      fc.property(outcomes, (list) => {
        const conditions = run(list);
        for (const [i, condition] of conditions.entries()) {
          if (i === 0) {
            expect(condition.state).toBe('new');
            continue;
          }
          const outcome = list[i - 1]!;
          const last = list.slice(Math.max(0, i - SLOW_AFTER), i);
          const allSlow =
            last.length === SLOW_AFTER && last.every((one) => one.kind === 'good' && one.duration > one.timeout / 2);
          expect(condition.state).toBe(outcome.kind !== 'good' ? outcome.kind : allSlow ? 'slow' : 'up');
        }
      }),
    );
  });

  test('has a reason exactly when something is wrong, and it is the last one', () => {
    fc.assert(
      fc.property(outcomes, (list) => {
        for (const [i, { state, reason }] of run(list).entries()) {
          expect(reason === null).toBe(state === 'new' || state === 'up');
          const outcome = list[i - 1];
          if (outcome && outcome.kind !== 'good') expect(reason).toBe(outcome.reason);
        }
      }),
    );
  });

  test('says since when: the time of the last change, not of the last scrape', () => {
    fc.assert(
      fc.property(outcomes, (list) => {
        const conditions = run(list);
        for (const [i, condition] of conditions.entries()) {
          let first = i;
          while (first > 0 && conditions[first - 1]!.state === condition.state) first--;
          expect(condition.since).toBe(first);
        }
      }),
    );
  });

  test('failures are counted in a row', () => {
    const conditions = run([
      { kind: 'down', reason: 'x' },
      { kind: 'refused', reason: 'y' },
      { kind: 'good', duration: 1, timeout: 10 },
    ]);
    expect(conditions.map(({ failures }) => failures)).toEqual([0, 1, 2, 0]);
  });

  test('slow is said in words', () => {
    const slow: Outcome = { kind: 'good', duration: 3120, timeout: 5000 };
    expect(run([slow, slow, slow]).at(-1)!.reason).toBe(
      'its last 3 scrapes took over half the timeout (the last one 3.1 s of 5 s)',
    );
  });
});
