/** A disk that is full at each write in turn: told, and all right again when there is room. */

import { writeFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openStore } from '../../../src/engine/store/index.ts';
import { eventually } from '../../support/wait.ts';
import { profile, run, T0, Teller, tick } from '../../unit/engine/store/support.ts';
import { mountTmpfs, noMount } from '../store/tmpfs.ts';
import { either, figure } from './form.ts';

const KIB = 1024;
/** Steps in which the room that is left grows, KiB, until there is enough. */
const STEP = either(640, 8);

describe.skipIf(noMount)('a disk with room for', () => {
  test(
    'each number of pages: ticks wait, and all is there when there is room again',
    { timeout: 3_600_000 },
    async () => {
      const { path } = mountTmpfs(16_384);
      let full = 0;
      for (let [room, enough] = [0, false]; !enough; room += STEP) {
        const data = join(path, `data-${room}`);
        const filler = join(path, 'filler');
        const { store } = await openStore({ data, worker: { retryFor: 600_000 } });
        const node = new Teller('node/n1');
        store.append(tick(T0, node.at(T0, { ticks: 0 })));
        await store.flush();
        fillBut(path, filler, room);
        const scope = new Teller('run/x');
        for (let n = 1; n <= 60; n++) {
          const values = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`c${n}_${i}`, n]));
          store.append(tick(T0 + n, node.at(T0 + n, { ticks: n }), scope.at(T0 + n, values)));
        }
        store.putProfile(profile(run('x')));
        const gone = await Promise.race([
          eventually(() => store.status().error !== null).then(() => true),
          store.flush().then(
            () => false,
            () => true,
          ),
        ]);
        if (gone) full++;
        enough = !gone;
        rmSync(filler);
        await eventually(() => store.status().queued === 0 && store.status().error === null);
        await store.flush();
        expect([room, store.status()]).toMatchObject([room, { durable_until: T0 + 60, dropped: 0, error: null }]);
        const result = await store.query({
          scope: 'node/n1',
          series: ['ticks'],
          from: T0,
          to: T0 + 60,
          maxPoints: 100,
        });
        expect([room, result!.series[0]!.last]).toEqual([room, Array.from({ length: 61 }, (_, n) => n)]);
        expect(await store.profile('x')).toEqual(profile(run('x')));
        await store.close();
        rmSync(data, { recursive: true });
      }
      expect(full).toBeGreaterThan(0);
      figure(`a full disk met at ${full} places: nothing lost`);
    },
  );
});

/** Takes all the room but so many KiB. */
function fillBut(path: string, filler: string, room: number): void {
  const spare = join(path, 'spare');
  writeFileSync(spare, Buffer.alloc(room * KIB));
  for (const size of [64 * KIB, 4 * KIB]) {
    try {
      for (;;) writeFileSync(filler, Buffer.alloc(size), { flag: 'a' });
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
    }
  }
  rmSync(spare);
}
