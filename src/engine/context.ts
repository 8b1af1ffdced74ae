/** What the HTTP edge sees of the engine. Only engine.ts makes one. */

import type { Run } from '../shared/api/runs.ts';
import type { Status } from '../shared/api/status.ts';
import type { Config } from './config.ts';
import type { IngestStats } from './ingest/stats.ts';
import type { LiveHub } from './live/hub.ts';
import type { EndedTotals } from './live/merges.ts';
import type { LiveRun, Runs } from './live/runs.ts';
import type { Scope } from './live/scope.ts';
import type { ScopeId } from '../shared/model/scope.ts';
import type { Store } from './store/store.ts';

export interface EngineContext {
  readonly config: Config;
  readonly store: Store;
  readonly runs: Runs;
  readonly node: Scope;
  readonly ended: EndedTotals;
  readonly stats: IngestStats;
  readonly hub: LiveHub;
  /** Wall clock of the engine, ms since the epoch. */
  now(): number;
  status(): Status;
  /** A scope that lives now. */
  scope(id: ScopeId): Scope | null;
  /** A run, live or ended. */
  run(id: string): Promise<Run | null>;
  liveRun(id: string): LiveRun | null;
  /** A run that ended a moment ago, before the store can tell of it. */
  recentlyEnded(id: string): Run | null;
  /** Since when a live scope counts, ms since the epoch: its frames of before are of an earlier engine. */
  openedAt(id: ScopeId): number;
}
