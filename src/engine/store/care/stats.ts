/** What a database holds, and what it takes. */

import type Database from 'better-sqlite3';
import { bytesOf } from './store-file.ts';

/** Times in ms since the epoch; null: there is none. */
export interface Span {
  readonly first: number | null;
  readonly last: number | null;
}

export interface TierStats extends Span {
  readonly tier: 'raw' | 'minute' | 'hour';
  readonly blocks: number;
  readonly rows: number;
  readonly bytes: number;
}

export interface StoreStats {
  readonly path: string;
  /** The database with its log, and how much of it is not in use. */
  readonly bytes: number;
  readonly free_bytes: number;
  readonly tiers: readonly TierStats[];
  /** What is not in blocks yet: one row has the frames of some scopes at a time. */
  readonly tail: Span & { readonly rows: number; readonly bytes: number };
  /** Frames as earlier versions stored them. */
  readonly frames: number;
  readonly names: number;
  readonly series: number;
  readonly scopes: number;
  readonly runs: Readonly<Record<string, number>>;
  readonly profiles: { readonly count: number; readonly bytes: number };
  readonly audit: number;
  /** Values in raw blocks, about: series of a scope count from its first row on. */
  readonly samples: number;
  /** Of everything in use on the disk; null: there are no samples in blocks. */
  readonly bytes_per_sample: number | null;
}

const TIERS = ['raw', 'minute', 'hour'] as const;

export function statsOf(db: Database.Database, path: string): StoreStats {
  const count = (table: string): number => db.prepare(`SELECT count(*) FROM ${table}`).pluck().get() as number;
  const pragma = (name: string): number => db.pragma(name, { simple: true }) as number;
  const tiers = db
    .prepare(
      `SELECT tier, count(*) AS blocks, sum(rows) AS rows, sum(size) AS bytes, min(first) AS first, max(last) AS last
       FROM block GROUP BY tier ORDER BY tier`,
    )
    .all() as (Omit<TierStats, 'tier'> & { tier: number })[];
  const states = db.prepare('SELECT state, count(*) AS n FROM run GROUP BY state').all() as {
    state: string;
    n: number;
  }[];
  const samples = db
    .prepare(
      `WITH own AS (SELECT scope, sum(rows) AS rows FROM block WHERE tier = 0 GROUP BY scope)
       SELECT coalesce(sum(rows * (SELECT count(*) FROM series WHERE series.scope = own.scope)), 0) FROM own`,
    )
    .pluck()
    .get() as number;
  const bytes = bytesOf(path);
  const free = pragma('freelist_count') * pragma('page_size');
  return {
    path,
    bytes,
    free_bytes: free,
    tiers: tiers.map(({ tier, ...rest }) => ({ tier: TIERS[tier] ?? 'raw', ...rest })),
    tail: db
      .prepare(
        `SELECT count(*) AS rows, coalesce(sum(length(bytes)), 0) AS bytes, min(time) AS first, max(time) AS last
         FROM tail`,
      )
      .get() as StoreStats['tail'],
    frames: count('frame'),
    names: count('metric'),
    series: count('series') + count('old_series'),
    scopes: count('scope'),
    runs: Object.fromEntries(states.map(({ state, n }) => [state, n])),
    profiles: db
      .prepare('SELECT count(*) AS count, coalesce(sum(length(body)), 0) AS bytes FROM profile')
      .get() as StoreStats['profiles'],
    audit: count('audit'),
    samples,
    bytes_per_sample: samples > 0 ? (bytes - free) / samples : null,
  };
}
