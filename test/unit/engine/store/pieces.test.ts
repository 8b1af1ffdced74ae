import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { networkFileSystem } from '../../../../src/engine/store/network-fs.ts';
import { Replay } from '../../../../src/engine/store/replay.ts';
import { formatCursor, parseCursor } from '../../../../src/engine/store/run-list.ts';
import { ScopeTrack } from '../../../../src/engine/store/scope-track.ts';
import { T0, Teller } from './support.ts';

test('network file systems are known by number, also when it comes signed', () => {
  expect(networkFileSystem(0x6969)).toBe('NFS');
  expect(networkFileSystem(0xff534d42)).toBe('CIFS');
  expect(networkFileSystem(0xff534d42 | 0)).toBe('CIFS');
  expect(networkFileSystem(0xef53)).toBeNull();
});

test('cursors: read what is written, null for anything else', () => {
  const number = fc.nat({ max: 1e15 - 1 });
  fc.assert(
    fc.property(number, number, (start, n) => {
      expect(parseCursor(formatCursor({ start, number: n }))).toEqual({ start, number: n });
    }),
  );
  for (const text of ['', '1', '1_', '_1', '-1_1', '1_1_1', '1e9_1', '1_2 ', 'NaN_1', `${'9'.repeat(300)}_1`]) {
    expect(parseCursor(text)).toBeNull();
  }
});

describe('a scope that is tracked', () => {
  const frames = (n: number): Uint8Array[] => {
    const teller = new Teller('node/a');
    return Array.from({ length: n }, (_, i) => teller.at(T0 + i, i === 0 ? { a: 0, b: 9 } : { a: i }).frame);
  };
  const numbers = (replay: Replay): number[] => [...replay.state.counters.subarray(0, 2)];

  test('has a full frame at least every so often, and after a loss', () => {
    const track = new ScopeTrack(10);
    const taken = frames(40).map((bytes, i) => {
      if (i === 15) track.lost();
      return track.take(bytes);
    });
    expect(taken.flatMap(({ full }, i) => (full ? [i] : []))).toEqual([0, 10, 15, 25, 35]);
    for (const [i, { full, bytes, time }] of taken.entries()) {
      expect(time).toBe(T0 + i);
      if (!full) continue;
      const replay = new Replay();
      expect(replay.apply(bytes)).toMatchObject({ full: true, sequence: i, gap: false });
      expect(numbers(replay)).toEqual([i, 9]);
    }
  });

  test('a clock that is set back shows as a gap', () => {
    const track = new ScopeTrack(10);
    const teller = new Teller('node/a');
    track.take(teller.at(T0, { a: 1 }).frame);
    const back = track.take(teller.at(T0 - 5, { a: 2 }).frame);
    expect(back).toMatchObject({ full: true, setBack: true });
    expect(new Replay().apply(back.bytes)).toMatchObject({ gap: true, time: T0 - 5 });
  });

  test('a replay goes round bytes that are no frame, to the next full one', () => {
    const track = new ScopeTrack(10);
    const taken = frames(15).map((bytes) => track.take(bytes));
    const replay = new Replay();
    const used = taken.map(({ bytes }, i) => replay.apply(i === 4 ? bytes.subarray(1) : bytes) !== null);
    expect(used.flatMap((ok, i) => (ok ? [] : [i]))).toEqual([4, 5, 6, 7, 8, 9]);
    expect(numbers(replay)).toEqual([14, 9]);
  });
});
