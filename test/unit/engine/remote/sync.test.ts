/** What an engine over there says fills neither memory nor disk without an end. */

import { expect, test } from 'vitest';
import { NOTHING_YET, ProfileSync, type SyncOptions } from '../../../../src/engine/remote/sync.ts';
import { readConnections, writeConnections, type SyncPosition } from '../../../../src/engine/remote/record.ts';
import { temporaryFolder } from '../../../support/tmp.ts';

const ENGINE = 'c'.repeat(32);
const run = { id: 'r1', start_time: 1e12, end_time: 1e12 + 1, state: 'finished', command: 'x'.repeat(100_000) };

/** Answers are as a schema would let them through. */
function syncWith(answer: (path: string) => unknown): { sync: ProfileSync; position: () => SyncPosition } {
  let position = NOTHING_YET;
  const store = {
    ...{ run: () => Promise.resolve(null), flush: () => Promise.resolve(), putProfile: () => undefined },
    ...{ keeps: () => Promise.resolve({ keeps: [], next: null }), kept: null },
  };
  const sync = new ProfileSync({
    ...{ engine: ENGINE, store: store as unknown as SyncOptions['store'], position, pages: 5 },
    ...{ changed: () => undefined, now: () => 1e12, save: (kept) => void (position = kept) },
    link: { state: 'up', json: (path) => Promise.resolve(answer(path) as never) },
  });
  return { sync, position: () => position };
}

test('a list of profiles that goes on for ever is left', async () => {
  let pages = 0;
  const { sync } = syncWith((path) => {
    if (path.includes('/runs?')) return { runs: [], next: null };
    if (path.includes('/profiles?')) return { runs: [run], next: String(++pages) };
    return { run, series: [], ranks: [] };
  });
  await expect(sync.once(AbortSignal.timeout(60_000))).rejects.toThrow('its list of profiles has no end');
  expect(pages).toBeLessThan(10);
});

test('a description counts as what it takes on the disk', async () => {
  const { sync, position } = syncWith((path) => {
    if (path.includes('/runs?')) return { runs: [], next: null };
    if (path.includes('/profiles?')) return { runs: [run], next: null };
    return path.includes('/keeps') ? { keeps: [], next: null } : { run, series: [], ranks: [] };
  });
  await sync.once(AbortSignal.timeout(60_000));
  expect(position().profiles).toBe(1);
  expect(position().bytes).toBeGreaterThan(100_000);
});

test('a list of connections can be read again, whatever engines it knew', () => {
  const data = temporaryFolder();
  const pinned = Array.from({ length: 10_000 }, (_, i) => String(i).padStart(128, 'r'));
  const left = Array.from({ length: 32 }, (_, i) => ({
    id: i.toString(16).padStart(32, '0'),
    sync: { ...NOTHING_YET, pinned },
  }));
  writeConnections(data, { connections: [], left });
  const warnings: string[] = [];
  const read = readConnections(data, (message) => void warnings.push(message));
  expect(warnings).toEqual([]);
  // Those that were left last.
  expect(read.left.length).toBeGreaterThan(2);
  expect(read.left).toEqual(left.slice(-read.left.length));
});
