import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compare,
  finish,
  INACTIVE,
  RESOLVED_FOR,
  step,
  type Condition,
  type RuleState,
} from '../../../../src/engine/alarms/rule.ts';

const condition = (change: Partial<Condition> = {}): Condition => ({
  ...{
    op: '>',
    raise: 90,
    clear: 90,
    for: 0,
    keepFiringFor: 0,
    noData: 'keep',
    noDataAfter: 60_000,
    absentAfter: null,
  },
  ...change,
});

/** One sample per second; NaN tells nothing. */
function play(c: Condition, values: readonly number[], from: RuleState = INACTIVE): RuleState[] {
  let [state, silent] = [from, 0];
  return values.map((value, i) => {
    silent = Number.isNaN(value) ? silent + 1000 : 0;
    state = step(c, state, value, silent, 1000 * i, 1e12 + 1000 * i);
    return state;
  });
}
const states = (c: Condition, values: readonly number[]): string[] => play(c, values).map(({ state }) => state);

describe('the state of a series under a rule', () => {
  test('fires at once without a wait, and is resolved at once', () => {
    expect(states(condition(), [1, 91, 90, 1])).toEqual(['inactive', 'firing', 'resolved', 'resolved']);
  });

  test('waits for as long as the rule says, and a moment below begins the wait anew', () => {
    const c = condition({ for: 3000 });
    expect(states(c, [95, 95, 95, 95, 95])).toEqual(['pending', 'pending', 'pending', 'firing', 'firing']);
    expect(states(c, [95, 95, 1, 95, 95, 95, 95])).toEqual([
      ...['pending', 'pending', 'inactive', 'pending', 'pending', 'pending', 'firing'],
    ]);
  });

  test('a value that swings over the threshold flaps without hysteresis, and fires once with it', () => {
    const swing = [91, 89, 91, 89, 91, 89, 79];
    const changes = (c: Condition): number =>
      states(c, swing).filter((state, i, all) => i === 0 || state !== all[i - 1]).length;
    expect(changes(condition())).toBe(6);
    expect(states(condition({ clear: 80 }), swing)).toEqual([...Array<string>(6).fill('firing'), 'resolved']);
    expect(states(condition({ keepFiringFor: 2000 }), swing)).toEqual(Array<string>(7).fill('firing'));
  });

  test('keeps firing for as long as the rule says', () => {
    const c = condition({ keepFiringFor: 2000 });
    expect(states(c, [91, 1, 1, 1])).toEqual(['firing', 'firing', 'firing', 'resolved']);
    expect(states(c, [91, 1, 91, 1, 1, 1])).toEqual(['firing', 'firing', 'firing', 'firing', 'firing', 'resolved']);
  });

  test('silence: keep, state, fire, ok', () => {
    const silence = Array<number>(4).fill(NaN);
    const after = (change: Partial<Condition>, first: number): string =>
      states(condition({ noDataAfter: 3000, ...change }), [first, ...silence]).at(-1)!;
    expect(after({ noData: 'keep' }, 91)).toBe('firing');
    expect(after({ noData: 'keep' }, 1)).toBe('inactive');
    expect(after({ noData: 'state' }, 91)).toBe('no_data');
    expect(after({ noData: 'state' }, 1)).toBe('no_data');
    expect(after({ noData: 'fire' }, 1)).toBe('firing');
    expect(after({ noData: 'ok' }, 91)).toBe('resolved');
    // Not yet.
    expect(states(condition({ noDataAfter: 3000, noData: 'state' }), [91, NaN, NaN])).toEqual(Array(3).fill('firing'));
  });

  test('what fired before a silence is the same alarm after it', () => {
    const c = condition({ noDataAfter: 1000, noData: 'state', clear: 80 });
    const all = play(c, [91, NaN, 85, 70]);
    expect(all.map(({ state }) => state)).toEqual(['firing', 'no_data', 'firing', 'resolved']);
    expect(new Set(all.map(({ fired }) => fired)).size).toBe(1);
    expect(states(c, [1, NaN, 1])).toEqual(['inactive', 'no_data', 'inactive']);
  });

  test('no timer goes on in a silence of which nobody knows what was', () => {
    const c = condition({ for: 5000, noDataAfter: 2000 });
    expect(states(c, [95, NaN, NaN, NaN, NaN, NaN, NaN, NaN, 95, 95]).slice(-2)).toEqual(['pending', 'pending']);
  });

  test('absent: fires on silence and ends with the first word', () => {
    const c = condition({ absentAfter: 3000 });
    expect(states(c, [1, NaN, NaN, NaN, NaN, 5])).toEqual([
      ...['inactive', 'inactive', 'inactive', 'firing', 'firing', 'resolved'],
    ]);
  });

  test('what is resolved is shown for a quarter of an hour', () => {
    const [, resolved] = play(condition(), [91, 1]) as [RuleState, RuleState];
    const at = (ms: number): string => step(condition(), resolved, 1, 0, 1000 + ms, 1e12 + ms).state;
    expect(at(RESOLVED_FOR - 1)).toBe('resolved');
    expect(at(RESOLVED_FOR)).toBe('inactive');
  });

  test('a series that is no more', () => {
    const [firing] = play(condition(), [91]) as [RuleState];
    const [pending] = play(condition({ for: 1000 }), [91]) as [RuleState];
    expect(finish(firing, 0, 1).state).toBe('resolved');
    expect(finish(pending, 0, 1).state).toBe('inactive');
    expect(finish(INACTIVE, 0, 1)).toBe(INACTIVE);
  });

  test('NaN meets no condition', () => {
    for (const op of ['>', '>=', '<', '<=', '=', '!='] as const) expect(compare(op, NaN, 1)).toBe(false);
  });
});

const value = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 70, max: 100 }) },
  { weight: 1, arbitrary: fc.constant(NaN) },
);
const conditions = fc
  .record({
    op: fc.constantFrom('>', '>=' as const),
    clear: fc.integer({ min: 75, max: 90 }),
    for: fc.integer({ min: 0, max: 5 }).map((n) => 1000 * n),
    keepFiringFor: fc.integer({ min: 0, max: 5 }).map((n) => 1000 * n),
    noData: fc.constantFrom('keep', 'state', 'fire', 'ok' as const),
    noDataAfter: fc.integer({ min: 1, max: 4 }).map((n) => 1000 * n),
  })
  .map((change) => condition(change as Partial<Condition>));
const samples = fc.array(value, { minLength: 1, maxLength: 60 });

describe('against a model', () => {
  test('never fires before the condition has held for as long as the rule says', () => {
    fc.assert(
      fc.property(conditions, samples, (c, values) => {
        // `fire` takes silence for the condition.
        fc.pre(c.noData !== 'fire');
        const all = play(c, values);
        for (const [i, { state }] of all.entries()) {
          if (state !== 'firing' || (i > 0 && ['firing', 'no_data'].includes(all[i - 1]!.state))) continue;
          const need = c.for / 1000;
          expect(i).toBeGreaterThanOrEqual(need);
          expect(compare(c.op, values[i]!, c.raise)).toBe(true);
          for (let k = i - need; k <= i; k++) {
            expect(Number.isNaN(values[k]!) || compare(c.op, values[k]!, c.raise)).toBe(true);
          }
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('never changes inside the band', () => {
    fc.assert(
      fc.property(
        conditions,
        fc.array(fc.integer({ min: 81, max: 90 }), { maxLength: 40 }),
        fc.boolean(),
        (c, band, fires) => {
          const within = { ...c, clear: 80 };
          const start = fires ? play({ ...within, for: 0 }, [95])[0]! : INACTIVE;
          // Above 90 only would raise it; at or below 80 only would end it.
          const values = within.op === '>=' ? band.filter((one) => one < 90) : band;
          for (const { state } of play(within, values, start)) expect(state).toBe(fires ? 'firing' : 'inactive');
        },
      ),
    );
  });

  test('every firing is followed by exactly one resolved', () => {
    fc.assert(
      fc.property(conditions, samples, (c, values) => {
        let open: number | null = null;
        let before = 'inactive';
        for (const { state, fired } of play(c, values)) {
          if (state === 'firing' && before !== 'firing') {
            // The same alarm again, or a new one after the last was resolved.
            if (open === null) open = fired;
            expect(fired).toBe(open);
          }
          if (state === 'resolved' && before !== 'resolved') {
            expect(open).not.toBeNull();
            expect(fired).toBe(open);
            open = null;
          }
          if (state === 'pending' || state === 'inactive') expect(open).toBeNull();
          before = state;
        }
      }),
      { numRuns: 2000 },
    );
  });
});
