import { describe, expect, test } from 'vitest';
import { holdAt, holdNext, indexOfHeld, NOWHERE } from '../../../../src/renderer/views/alarms/list/cursor.ts';

const rows = (text: string) => text.split('').map((id) => ({ id, kind: id === id.toUpperCase() ? 'group' : 'alarm' }));

describe('the row under the cursor', () => {
  test('is the same one when others come above it, or go', () => {
    const held = holdAt(rows('GabHc'), 2);
    expect(indexOfHeld(rows('NnGabHc'), held)).toBe(4);
    expect(indexOfHeld(rows('Gb'), held)).toBe(1);
    expect(indexOfHeld(rows('GaHcb'), held)).toBe(4);
  });

  test('that is gone leaves the cursor where it was, within the list', () => {
    const held = holdAt(rows('Gabc'), 3);
    expect(indexOfHeld(rows('Gab'), held)).toBe(2);
    expect(indexOfHeld([], held)).toBe(-1);
    expect(indexOfHeld(rows('Gab'), NOWHERE)).toBe(-1);
  });

  test('after it is acknowledged is the next alarm, not the head of a group', () => {
    const list = rows('GabHcd');
    expect(holdNext(list, holdAt(list, 2), new Set('b'))).toEqual({ id: 'c', at: 4 });
    expect(holdNext(list, holdAt(list, 0), new Set('ab'))).toEqual({ id: 'c', at: 4 });
    expect(holdNext(list, holdAt(list, 5), new Set('d'))).toEqual({ id: 'd', at: 5 });
  });
});
