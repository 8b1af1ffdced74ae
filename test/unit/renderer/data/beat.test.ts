import { expect, test } from 'vitest';
import { Beat } from '../../../../src/renderer/data/beat.ts';

test('one frame per tick: the same work once, in order, and what comes during it waits for the next', () => {
  const frames: (() => void)[] = [];
  const beat = new Beat((call) => frames.push(call));
  const done: string[] = [];
  const draw = (): void => void done.push('draw');
  const status = (): void => {
    done.push('status');
    beat.add(draw);
  };
  beat.add(draw);
  beat.add(status);
  beat.add(draw);
  expect(frames).toHaveLength(1);
  frames.shift()!();
  expect(done).toEqual(['draw', 'status']);
  frames.shift()!();
  expect(done).toEqual(['draw', 'status', 'draw']);
  expect(frames).toHaveLength(0);
});
