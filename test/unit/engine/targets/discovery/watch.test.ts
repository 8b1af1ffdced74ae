import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Discovery, Findings } from '../../../../../src/engine/targets/discovery/discovery.ts';
import { DiscoveryWatch } from '../../../../../src/engine/targets/discovery/watch.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const A_AND_B: Findings = { targets: [{ url: 'a:1' }, { url: 'b:1' }], notes: [] };

/** A list on which somebody else has some addresses already. */
function watched(discovery: Pick<Discovery, 'every' | 'look'>) {
  const elsewhere = new Set<string>();
  const synced: number[] = [];
  const watch = new DiscoveryWatch({
    discoveries: [{ kind: 'file_sd', name: 'x', ...discovery }],
    sync(_discovery, found) {
      synced.push(found.filter(({ url }) => !elsewhere.has(url)).length);
      return synced.at(-1)!;
    },
    now: Date.now,
    warn: () => undefined,
  });
  return { watch, elsewhere, synced };
}

test('what another place had comes when that one drops it, though the file is as before', async () => {
  let looks = 0;
  const look = async (): Promise<Findings | null> => (looks++ === 0 ? A_AND_B : null);
  const { watch, elsewhere, synced } = watched({ every: 2000, look });
  elsewhere.add('a:1');
  watch.start();
  await vi.advanceTimersByTimeAsync(1000);
  expect(synced).toEqual([1]);
  elsewhere.clear();
  await vi.advanceTimersByTimeAsync(15_000);
  expect([synced, watch.status()[0]!.targets]).toEqual([[1, 2], 2]);
  // All is there: nothing more is to be done.
  await vi.advanceTimersByTimeAsync(60_000);
  expect(synced).toEqual([1, 2]);
  watch.close();
});

test('the same of what is looked at once', async () => {
  const { watch, elsewhere, synced } = watched({ every: null, look: async () => A_AND_B });
  elsewhere.add('b:1');
  watch.start();
  await vi.advanceTimersByTimeAsync(1000);
  elsewhere.clear();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(synced).toEqual([1, 2]);
  watch.close();
});
