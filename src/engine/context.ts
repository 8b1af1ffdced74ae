/** What the HTTP edge sees of the engine. Only engine.ts makes one. */

import type { Run } from '../shared/api/runs.ts';
import type { Status } from '../shared/api/status.ts';
import type { DiscoveryStatus } from '../shared/api/targets.ts';
import type { TokenInfo } from '../shared/api/tokens.ts';
import type { Alarms } from './alarms/alarms.ts';
import type { Config } from './config.ts';
import type { HealthProblem } from './health.ts';
import type { Budget } from './ingest/budget.ts';
import type { Tokens } from './tokens/tokens.ts';
import type { IngestStats } from './ingest/stats.ts';
import type { LiveHub } from './live/hub.ts';
import type { EndedTotals } from './live/merges.ts';
import type { LiveRun, Runs } from './live/runs.ts';
import type { Scope } from './live/scope.ts';
import type { RemoteGate } from './remote/gate.ts';
import type { RemoteWrite } from './remote-write/remote-write.ts';
import type { ScopeId } from '../shared/model/scope.ts';
import type { EndedElsewhere } from './recent.ts';
import type { Store } from './store/store.ts';
import type { Targets } from './targets/manager.ts';

export interface EngineContext {
  readonly config: Config;
  readonly store: Store;
  /** Other stores that samples are sent to; null: there are none. */
  readonly remoteWrite: RemoteWrite | null;
  /** Those that were added to the owner's. */
  readonly tokens: Tokens;
  /** The owner's token, as it is listed. */
  readonly owner: () => TokenInfo;
  readonly runs: Runs;
  readonly node: Scope;
  readonly ended: EndedTotals;
  readonly stats: IngestStats;
  /** Asked before anything new is registered for somebody outside. */
  readonly budget: Budget;
  readonly hub: LiveHub;
  /** What numbers are pulled from. */
  readonly targets: Targets;
  /** Hosts that are reached by SSH, and the engines there. */
  readonly remote: RemoteGate;
  readonly alarms: Alarms;
  /** Where the configuration file has targets from. */
  discoveries(): DiscoveryStatus[];
  /** Takes what programs have counted in their tables since they were last read. May be called at any rate. */
  refresh(): void;
  /** Wall clock of the engine, ms since the epoch. */
  now(): number;
  status(): Status;
  /** What is wrong at the moment; nothing: all is well. */
  health(): readonly HealthProblem[];
  /** A scope that lives now. */
  scope(id: ScopeId): Scope | null;
  /** A run, live or ended. */
  run(id: string): Promise<Run | null>;
  liveRun(id: string): LiveRun | null;
  /** A run that ended a moment ago, before the store can tell of it. */
  recentlyEnded(id: string): Run | null;
  /** Runs of targets that ended: no reader of live runs has heard of them. */
  readonly endedElsewhere: EndedElsewhere;
  /** Since when a live scope counts, ms since the epoch: its frames of before are of an earlier engine. */
  openedAt(id: ScopeId): number;
}
