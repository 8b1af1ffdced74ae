/** How long the stores keep what, unless they are told otherwise. */

import type { Status } from '../../shared/api/status.ts';
import { AUDIT_ENTRIES } from '../../shared/api/audit.ts';
import { formatDuration } from '../../shared/duration.ts';

/** Age in ms at which frames on disk are removed. */
export const DISK_AGE = 14 * 24 * 3_600_000;

/** What is kept in memory: bytes of frames and profiles, age of frames in ms, profiles, ended runs. */
export const IN_MEMORY = { bytes: 64 * 1024 * 1024, age: 3_600_000, profiles: 1000, runs: 10_000 } as const;

/** As the status tells it. `data`: directory of the store, null for the one in memory. */
export function retentionOf(data: string | null): Status['retention'] {
  if (data !== null)
    return { samples: formatDuration(DISK_AGE), bytes: null, runs: null, profiles: null, audit: AUDIT_ENTRIES };
  const { bytes, age, runs, profiles } = IN_MEMORY;
  return { samples: formatDuration(age), bytes, runs, profiles, audit: AUDIT_ENTRIES };
}
