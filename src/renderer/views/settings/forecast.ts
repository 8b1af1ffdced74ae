import type { RetentionState } from '../../../shared/api/store.ts';
import { RetentionSettings } from '../../../shared/api/store.ts';
import { parseSize } from '../../../shared/bytes.ts';
import { parseDuration } from '../../../shared/duration.ts';

const DAY = 86_400_000;

export type RetentionName = 'raw' | 'minute' | 'hour' | 'size';
/** What is kept how long, as it is written: durations and a size with units. */
export type RetentionDraft = Readonly<Record<RetentionName, string>>;

/** What is wrong with a setting, for people; null: nothing. */
export function wrongSetting(name: RetentionName, text: string): string | null {
  const parsed = RetentionSettings.shape[name].safeParse(text.trim());
  if (parsed.success) return null;
  return name === 'size' ? 'A size with a unit, 16MiB or more, or off.' : 'A duration with a unit, 1h or more.';
}

/** Shorter ages of finer tiers are what tiers are for; the other way round they would only cost. */
export function unwise(draft: RetentionDraft): string | null {
  const [raw, minute, hour] = [parseDuration(draft.raw), parseDuration(draft.minute), parseDuration(draft.hour)];
  if (raw === null || minute === null || hour === null) return null;
  if (minute < raw) return '1 min buckets are removed before the raw samples: they help nobody then.';
  if (hour < minute) return '1 h buckets are removed before the 1 min buckets: they help nobody then.';
  return null;
}

export interface Forecast {
  /** Bytes that each tier will take with these ages; null: not known yet. */
  readonly tiers: readonly (number | null)[];
  readonly total: number | null;
  /** Bytes that a day adds now. */
  readonly perDay: number | null;
  /** Days until the limit is reached at this rate; null: it never is, or nothing is known. */
  readonly limitIn: number | null;
}

/** What is kept will cost: each tier grows by what a day adds until it is as old as it may become. */
export function forecast({ tiers, bytes, free }: RetentionState, draft: RetentionDraft, now: number): Forecast {
  const ages = tiers.map(({ tier }) => parseDuration(draft[tier]));
  const expected = tiers.map(({ bytes_per_day: perDay }, i) => {
    const age = ages[i];
    return perDay === null || age === null || age === undefined ? null : (perDay * age) / DAY;
  });
  const known = expected.every((one) => one !== null);
  const used = Math.max(0, bytes - free);
  // The rest of the database, such as names and profiles, stays as it is.
  const rest = Math.max(0, used - tiers.reduce((sum, tier) => sum + tier.bytes, 0));
  const total = known ? expected.reduce((sum, one) => sum + one, rest) : null;
  const perDay = tiers.every((tier) => tier.bytes_per_day !== null)
    ? tiers.reduce((sum, tier) => sum + tier.bytes_per_day!, 0)
    : null;
  const limit = parseSize(draft.size);
  const reached = limit !== null && total !== null && total > limit;
  return { tiers: expected, total, perDay, limitIn: reached ? daysUntil(limit, used, tiers, ages, now) : null };
}

/** Walks over the times at which one tier after the other has become as old as it may, and grows no more. */
function daysUntil(
  limit: number,
  used: number,
  tiers: RetentionState['tiers'],
  ages: readonly (number | null)[],
  now: number,
): number | null {
  let size = used;
  let day = 0;
  const growing = tiers
    .map((tier, i) => ({
      perDay: tier.bytes_per_day ?? 0,
      left: Math.max(0, (ages[i] ?? 0) - (tier.from === null ? 0 : now - tier.from)) / DAY,
    }))
    .sort((a, b) => a.left - b.left);
  if (size >= limit) return 0;
  for (let i = 0; i < growing.length; i++) {
    const rate = growing.slice(i).reduce((sum, one) => sum + one.perDay, 0);
    const until = growing[i]!.left;
    if (rate > 0 && size + rate * (until - day) >= limit) return day + (limit - size) / rate;
    size += rate * Math.max(0, until - day);
    day = Math.max(day, until);
  }
  return null;
}
