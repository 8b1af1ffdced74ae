/** Where lists of targets come from. Each kind is a file beside this one, and a line in index.ts. */

import type { DiscoveryStatus, NewTarget } from '../../../shared/api/targets.ts';

/** A target that was found; `url` as a user would type it. */
export type Found = NewTarget;

export interface Findings {
  readonly targets: readonly Found[];
  /** What was left out, and why. */
  readonly notes: readonly string[];
}

export type DiscoveryKind = DiscoveryStatus['kind'];

/** One place that is looked at again and again. What it throws is words for people; what it found before then stays. */
export interface Discovery {
  readonly kind: DiscoveryKind;
  /** Told as the origin of its targets. */
  readonly name: string;
  /** Milliseconds between two looks; null: once is enough. */
  readonly every: number | null;
  /** Null: nothing has changed since the last look. */
  look(signal: AbortSignal): Promise<Findings | null>;
}

/** More than this from one place is taken for a mistake. */
export const MOST_FOUND = 100_000;
