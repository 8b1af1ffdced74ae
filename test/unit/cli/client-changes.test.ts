import { describe, expect, test } from 'vitest';
import { Changes, timedValues } from '../../../src/cli/client-changes.ts';
import type { Metric } from '../../../src/cli/client-reading.ts';

const metric = (name: string, value: number, changed = 0): Metric => ({
  name,
  key: name,
  doc: '',
  kind: changed > 0 ? 'counter' : 'gauge',
  value,
  changed,
});

/** A reading that is answered at once. */
const at = (time: number) => ({ asked: time, answered: time });

test('the time of the last change is the latest that anybody told, in seconds', () => {
  const told = new Map([
    ['a', 2500],
    ['b', 1000],
  ]);
  expect(timedValues([metric('a', 1, 2000), metric('b', 2, 3000), metric('c', 3)], told)).toEqual([
    { name: 'a', ts: 2.5, value: 1 },
    { name: 'b', ts: 3, value: 2 },
    { name: 'c', ts: 0, value: 3 },
  ]);
});

describe('changes between readings', () => {
  test('of the first reading all but zeros, with the times that are known', () => {
    const changes = new Changes(false);
    expect(changes.take([metric('a', 1, 4000), metric('b', 0, 4000)], at(5000), new Map([['a', 4500]]))).toEqual([
      { name: 'a', ts: 4.5, value: 1 },
    ]);
    expect(changes.take([metric('a', 1, 5500), metric('b', 0)], at(6000))).toEqual([]);
    // From zero, and back to it.
    expect(changes.take([metric('b', 2)], at(7000))).toEqual([{ name: 'b', ts: 7, value: 2 }]);
    expect(changes.take([metric('b', 0)], at(8000))).toEqual([{ name: 'b', ts: 8, value: 0 }]);
    expect(changes.take([metric('b', 0)], at(9000))).toEqual([]);
  });

  test('zeros, too, of what was named', () => {
    const changes = new Changes(true);
    expect(changes.take([metric('a', 0)], at(1000))).toEqual([{ name: 'a', ts: 0, value: 0 }]);
    expect(changes.take([metric('a', 0)], at(2000))).toEqual([]);
  });

  test('a change that the engine has noted has its time, one after its tick that of the reading', () => {
    const changes = new Changes(false);
    changes.take([metric('a', 1, 900)], at(1000));
    expect(changes.take([metric('a', 2, 1900)], at(2000))).toEqual([{ name: 'a', ts: 1.9, value: 2 }]);
    expect(changes.take([metric('a', 3, 1900)], at(2100))).toEqual([{ name: 'a', ts: 2.1, value: 3 }]);
    // A tick without a change is none.
    expect(changes.take([metric('a', 3, 2900)], at(3000))).toEqual([]);
    // Its tick came while the answer was on its way: it was asked for before.
    expect(changes.take([metric('a', 3, 2900)], { asked: 3100, answered: 3120 })).toEqual([]);
    expect(changes.take([metric('a', 4, 3110)], at(3200))).toEqual([{ name: 'a', ts: 3.11, value: 4 }]);
    // The engine's times may run ahead a little: nothing changes later than it is read.
    expect(changes.take([metric('a', 5, 4001)], at(4000))).toEqual([{ name: 'a', ts: 4, value: 5 }]);
  });

  test('a metric that was away is no change, its new value is', () => {
    const changes = new Changes(false);
    changes.take([metric('a', 1)], at(1000));
    expect(changes.take([], at(2000))).toEqual([]);
    expect(changes.take([metric('a', 1)], at(3000))).toEqual([]);
    expect(changes.take([metric('a', 5)], at(4000))).toEqual([{ name: 'a', ts: 4, value: 5 }]);
  });
});
