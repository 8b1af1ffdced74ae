/** What a store takes on the disk, all of it, and what for. */

import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { openWorkerStore } from '../../src/engine/store/client.ts';
import { vacuumDatabase } from '../../src/engine/store/care/vacuum.ts';

export interface Sizes {
  /** As the engine left it, with pages that it will use again. */
  readonly left: number;
  /** After a vacuum; all of these are of then. */
  readonly all: number;
  /** Blocks by tier: samples, minutes, hours. */
  readonly tiers: readonly [number, number, number];
  /** Tables and indexes of scopes and names. */
  readonly names: number;
  /** A store in which nothing is. */
  readonly empty: number;
}

/** Bytes of all files below a folder. */
export function bytesBelow(folder: string): number {
  let sum = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    sum += entry.isDirectory() ? bytesBelow(path) : statSync(path).size;
  }
  return sum;
}

export function sizesOf(data: string, empty: number): Sizes {
  const left = bytesBelow(data);
  const path = join(data, 'vigie.sqlite');
  vacuumDatabase(path);
  const db = new Database(path, { readonly: true });
  try {
    const tiers = [0, 1, 2].map(
      (tier) => db.prepare('SELECT coalesce(sum(size), 0) FROM block WHERE tier = ?').pluck().get(tier) as number,
    ) as [number, number, number];
    const names = db
      .prepare(
        "SELECT sum(s.pgsize) FROM dbstat s JOIN sqlite_schema t USING (name) WHERE t.tbl_name IN ('scope', 'series', 'metric')",
      )
      .pluck()
      .get() as number;
    return { left, all: bytesBelow(data), tiers, names, empty };
  } finally {
    db.close();
  }
}

/** Bytes of a store in which nothing is. */
export async function emptyBytes(data: string): Promise<number> {
  const { store } = await openWorkerStore({ dataDir: data });
  await store.close();
  vacuumDatabase(join(data, 'vigie.sqlite'));
  const bytes = bytesBelow(data);
  rmSync(data, { recursive: true });
  return bytes;
}
