import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { DiskKeeper, MemoryKeeper } from '../../../../src/engine/remote-write/keepers.ts';
import { Queue, type Keeper } from '../../../../src/engine/remote-write/queue.ts';
import { temporaryFolder } from '../../../support/tmp.ts';

class Rig {
  readonly dropped: [string, number][] = [];
  readonly errors: unknown[] = [];
  readonly queue: Queue;

  constructor(keeper: Keeper, found: ConstructorParameters<typeof Queue>[0]['found'] = [], maxBytes = 1000) {
    this.queue = new Queue({
      ...{ keeper, found, maxBytes },
      crc: (body) => crc32(body),
      dropped: (reason, samples) => void this.dropped.push([reason, samples]),
      failed: (error) => void this.errors.push(error),
    });
  }

  push(fill: number, bytes = 100): void {
    this.queue.push({ body: new Uint8Array(bytes).fill(fill), samples: fill, oldest: 1000 * fill + 0.5 });
  }

  /** First byte of each batch, in order, all taken. */
  async drain(): Promise<number[]> {
    const got: number[] = [];
    while (this.queue.length > 0) {
      const entry = await this.queue.head(new AbortController().signal);
      got.push((await this.queue.body(entry!))?.[0] ?? -1);
      this.queue.remove(entry!);
    }
    await this.queue.settle();
    return got;
  }
}

async function onDisk(folder: string, maxBytes?: number): Promise<Rig> {
  const keeper = new DiskKeeper(folder);
  return new Rig(keeper, await keeper.open(), maxBytes);
}

describe.each(['disk', 'memory'])('the queue in %s', (kind) => {
  const open = async (): Promise<Rig> =>
    kind === 'disk' ? onDisk(join(temporaryFolder(), 'a', 'b')) : new Rig(new MemoryKeeper());

  test('gives batches in order, and forgets what was taken', async () => {
    const rig = await open();
    for (const i of [1, 2, 3]) rig.push(i);
    expect([rig.queue.length, rig.queue.bytes, rig.queue.oldest]).toEqual([3, 300, 1000]);
    expect(await rig.drain()).toEqual([1, 2, 3]);
    expect([rig.queue.length, rig.queue.bytes, rig.queue.oldest]).toEqual([0, 0, Infinity]);
    expect([rig.dropped, rig.errors]).toEqual([[], []]);
  });

  test('drops the oldest above its limit, but not the one that is being sent', async () => {
    const rig = await open();
    for (let i = 1; i <= 10; i++) rig.push(i);
    await rig.queue.settle();
    const held = await rig.queue.head(new AbortController().signal);
    for (let i = 11; i <= 13; i++) rig.push(i);
    expect(rig.dropped).toEqual([2, 3, 4].map((i) => ['queue_full', i]));
    expect((await rig.queue.body(held!))![0]).toBe(1);
    rig.queue.release();
    expect(await rig.drain()).toEqual([1, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
  });

  test('waits for a batch, or for the end', async () => {
    const rig = await open();
    const stop = new AbortController();
    const first = rig.queue.head(stop.signal);
    rig.push(7);
    const entry = await first;
    expect(entry?.samples).toBe(7);
    rig.queue.remove(entry!);
    const second = rig.queue.head(stop.signal);
    stop.abort();
    expect(await second).toBeNull();
  });
});

describe('on disk', () => {
  test('what waits is there after a restart, in private files, and new batches come after it', async () => {
    const folder = join(temporaryFolder(), 'queue');
    const before = await onDisk(folder);
    for (const i of [1, 2]) before.push(i);
    await before.queue.settle();
    expect(statSync(folder).mode & 0o777).toBe(0o700);
    expect(readdirSync(folder).map((name) => statSync(join(folder, name)).mode & 0o777)).toEqual([0o600, 0o600]);
    const after = await onDisk(folder);
    after.push(3);
    await after.queue.settle();
    expect([after.queue.oldest, after.queue.bytes]).toEqual([1000, 300]);
    expect(await after.drain()).toEqual([1, 2, 3]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('half a file, a damaged one and one that is gone are not sent; others’ files stay', async () => {
    const folder = join(temporaryFolder(), 'queue');
    const before = await onDisk(folder);
    for (const i of [1, 2, 3, 4]) before.push(i);
    await before.queue.settle();
    const names = readdirSync(folder).toSorted();
    truncateSync(join(folder, names[0]!), 50);
    const bytes = readFileSync(join(folder, names[1]!));
    bytes[20]! ^= 1;
    writeFileSync(join(folder, names[1]!), bytes);
    writeFileSync(join(folder, 'x.req.part'), 'half');
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    mkdirSync(join(folder, 'directory.req'));
    const after = await onDisk(folder);
    expect(await after.drain()).toEqual([-1, -1, 3, 4]);
    expect(readdirSync(folder).toSorted()).toEqual(['directory.req', 'notes.txt']);
  });

  test('a smaller limit after a restart drops the oldest', async () => {
    const folder = join(temporaryFolder(), 'queue');
    const before = await onDisk(folder);
    for (const i of [1, 2, 3]) before.push(i);
    await before.queue.settle();
    const after = await onDisk(folder, 150);
    expect([after.dropped, await after.drain()]).toEqual([
      [
        ['queue_full', 1],
        ['queue_full', 2],
      ],
      [3],
    ]);
  });

  test('a disk that takes nothing: what fits into memory waits there, the rest is counted', async () => {
    const refusing: Keeper = {
      put: () => Promise.reject(new Error('ENOSPC')),
      get: () => Promise.resolve(null),
      remove: () => Promise.resolve(),
    };
    const rig = new Rig(refusing, [], 1e12);
    for (let i = 1; i <= 20; i++) rig.push(i, 1024 * 1024);
    await rig.queue.settle();
    expect([rig.dropped.length, rig.errors.length]).toEqual([4, 16]);
    expect(await rig.drain()).toEqual(Array.from({ length: 16 }, (_, i) => i + 1));
  });
});
