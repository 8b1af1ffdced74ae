/** What the tiers take, and what they will. */

import type Database from 'better-sqlite3';
import type { Retention, RetentionState } from '../../shared/api/store.ts';
import { formatSize } from '../../shared/bytes.ts';
import { formatDuration } from '../../shared/duration.ts';

const DAY = 24 * 3_600_000;
const HOUR = 3_600_000;
const TIERS = ['raw', 'minute', 'hour'] as const;

interface Sum {
  readonly blocks: number;
  readonly bytes: number;
  readonly from: number | null;
  readonly lately: number;
}

export const retentionText = ({ raw, minute, hour, size }: Retention): RetentionState['now'] => ({
  raw: formatDuration(raw),
  minute: formatDuration(minute),
  hour: formatDuration(hour),
  size: size === 'off' ? 'off' : formatSize(size),
});

/** Blocks of a step: a few milliseconds. */
const STEP_BLOCKS = 5000;

/** Yields between steps: there may be very many blocks. */
export function* retentionState(
  db: Database.Database,
  kept: Retention,
  configured: Retention,
  now: number,
): Generator<void, RetentionState> {
  const pragma = (name: string): number => db.pragma(name, { simple: true }) as number;
  const next = db.prepare('SELECT last FROM block WHERE tier = ? AND last > ? ORDER BY last LIMIT 1 OFFSET ?').pluck();
  const some = db.prepare(
    `SELECT count(*) AS blocks, total(size) AS bytes, min(first) AS "from",
       total(CASE WHEN last > @since THEN size END) AS lately
     FROM block WHERE tier = @tier AND last > @after AND last <= @to`,
  );
  const tiers: RetentionState['tiers'] = [];
  for (const [number, tier] of TIERS.entries()) {
    let [blocks, bytes, lately] = [0, 0, 0];
    let from: number | null = null;
    for (let after = -Number.MAX_VALUE; after < Infinity;) {
      const to = (next.get(number, after, STEP_BLOCKS) as number | undefined) ?? Infinity;
      const sum = some.get({ tier: number, after, to, since: now - DAY }) as Sum;
      blocks += sum.blocks;
      bytes += sum.bytes;
      lately += sum.lately;
      if (sum.from !== null) from = Math.min(from ?? Infinity, sum.from);
      after = to;
      yield;
    }
    const known = from === null ? 0 : Math.min(DAY, now - from);
    const perDay = known < HOUR ? null : (lately / known) * DAY;
    const expected = perDay === null ? null : Math.round((perDay * kept[tier]) / DAY);
    tiers.push({ tier, blocks, bytes, from, bytes_per_day: perDay === null ? null : Math.round(perDay), expected });
  }
  const page = pragma('page_size');
  return {
    now: retentionText(kept),
    configured: retentionText(configured),
    bytes: pragma('page_count') * page,
    free: pragma('freelist_count') * page,
    tiers,
  };
}
