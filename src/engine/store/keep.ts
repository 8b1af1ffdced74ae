/** How long the stores keep what, unless they are told otherwise. */

import type { Status } from '../../shared/api/status.ts';
import { AUDIT_ENTRIES } from '../../shared/api/audit.ts';
import type { Retention } from '../../shared/api/store.ts';
import { formatDuration } from '../../shared/duration.ts';

const DAY = 24 * 3_600_000;

/** On disk: ages in ms, bytes in all. */
export const ON_DISK: Retention = { raw: 14 * DAY, minute: 180 * DAY, hour: 3 * 365 * DAY, size: 4 * 2 ** 30 };

/** What is kept in memory: bytes of frames and profiles, age of frames in ms, profiles, ended runs. */
export const IN_MEMORY = { bytes: 64 * 1024 * 1024, age: 3_600_000, profiles: 1000, runs: 10_000 } as const;

/** As the status tells it. Null: the store is in memory. */
export function retentionOf(kept: Retention | null): Status['retention'] {
  if (kept) {
    const { raw, minute, hour, size } = kept;
    const ages = { samples: formatDuration(raw), minutes: formatDuration(minute), hours: formatDuration(hour) };
    return { ...ages, bytes: size === 'off' ? null : size, runs: null, profiles: null, audit: AUDIT_ENTRIES };
  }
  const { bytes, age, runs, profiles } = IN_MEMORY;
  return { samples: formatDuration(age), bytes, runs, profiles, audit: AUDIT_ENTRIES };
}
