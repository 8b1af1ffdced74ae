/** What the tiers take, and what they will. */

import type Database from 'better-sqlite3';
import type { Retention, RetentionState } from '../../shared/api/store.ts';
import { formatSize } from '../../shared/bytes.ts';
import { formatDuration } from '../../shared/duration.ts';

const DAY = 24 * 3_600_000;
const HOUR = 3_600_000;
const TIERS = ['raw', 'minute', 'hour'] as const;

export const retentionText = ({ raw, minute, hour, size }: Retention): RetentionState['now'] => ({
  raw: formatDuration(raw),
  minute: formatDuration(minute),
  hour: formatDuration(hour),
  size: size === 'off' ? 'off' : formatSize(size),
});

export function retentionState(
  db: Database.Database,
  kept: Retention,
  configured: Retention,
  now: number,
): RetentionState {
  const pragma = (name: string): number => db.pragma(name, { simple: true }) as number;
  const all = db.prepare(
    'SELECT count(*) AS blocks, total(size) AS bytes, min(first) AS "from" FROM block WHERE tier = ?',
  );
  const lately = db.prepare('SELECT total(size) FROM block WHERE tier = ? AND last > ?').pluck();
  const tiers = TIERS.map((tier, number) => {
    const { blocks, bytes, from } = all.get(number) as { blocks: number; bytes: number; from: number | null };
    const known = from === null ? 0 : Math.min(DAY, now - from);
    const perDay = known < HOUR ? null : ((lately.get(number, now - DAY) as number) / known) * DAY;
    const expected = perDay === null ? null : Math.round((perDay * kept[tier]) / DAY);
    return { tier, blocks, bytes, from, bytes_per_day: perDay === null ? null : Math.round(perDay), expected };
  });
  const page = pragma('page_size');
  return {
    now: retentionText(kept),
    configured: retentionText(configured),
    bytes: pragma('page_count') * page,
    free: pragma('freelist_count') * page,
    tiers,
  };
}
