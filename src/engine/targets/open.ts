/** Puts together the list of targets, what finds some, and the entry of the node itself. */

import type { LiveAlarms } from '../../shared/api/live.ts';
import type { Budget } from '../ingest/budget.ts';
import type { LiveHub } from '../live/hub.ts';
import type { MergeRules } from '../live/merge.ts';
import type { EndedTotals } from '../live/merges.ts';
import type { NodeSources } from '../live/node.ts';
import type { Clock } from '../live/sampler.ts';
import type { Scope } from '../live/scope.ts';
import type { InterruptedRun } from '../store/store.ts';
import { openDiscovery } from './discovery/index.ts';
import { DiscoveryWatch } from './discovery/watch.ts';
import { Targets } from './manager.ts';
import type { Entry } from './entry.ts';
import { isOwnAddress } from './own-address.ts';
import { RemoteRuns, type RemoteRun } from './remote-runs.ts';
import { originOf, type TargetLimitSettings, type TargetSource } from './settings.ts';
import { SystemTarget } from './system.ts';
import type { Dial } from './type.ts';

/** What it needs of the engine's configuration, which has the settings of this folder in it: not imported from there. */
export interface TargetConfig {
  readonly host: string;
  readonly data: string | null;
  readonly merge: MergeRules;
  readonly targets: readonly TargetSource[];
  readonly targetLimits: TargetLimitSettings;
  /** Milliseconds. */
  readonly periodMs: number;
  readonly graceMs: number;
  readonly socket: string;
  readonly legacySocket: string | null;
}

export interface TargetParts {
  readonly config: TargetConfig;
  readonly clock: Clock;
  readonly engineId: string;
  readonly node: Scope;
  readonly sources: NodeSources | null;
  readonly budget: Budget;
  readonly ended: EndedTotals;
  readonly hub: LiveHub;
  /** Where it listens, once it does. */
  readonly url: () => string | null;
  /** Another engine that is a target says of its alarms. */
  readonly alarms: (entry: Entry, update: LiveAlarms) => void;
  /** Takes a scope's last changes, out of turn. */
  readonly lastFrame: (scope: Scope) => void;
  /** Runs of targets that the last stop left open. */
  readonly interrupted: readonly InterruptedRun[];
  readonly runChanged: (run: RemoteRun) => void;
  /** Its profile is to be stored, after its last frames. */
  readonly runEnded: (run: RemoteRun) => void;
  readonly warn: (message: string) => void;
  readonly dial: Dial;
  readonly through: (host: string) => void;
  readonly isThrough: (host: string) => Promise<boolean>;
}

export interface OpenTargets {
  readonly remoteRuns: RemoteRuns;
  readonly system: SystemTarget;
  readonly targets: Targets;
  readonly discovery: DiscoveryWatch;
}

export function openTargets(parts: TargetParts): OpenTargets {
  const { config, clock, node, sources, budget, ended, hub, warn } = parts;
  const { host: hostname, data, merge: rules, targetLimits: limits, periodMs: period } = config;
  const system = new SystemTarget({ node, period, sources, started: clock.now(), clock });
  const sockets = [config.socket, ...(config.legacySocket === null ? [] : [config.legacySocket])];
  const remoteRuns = new RemoteRuns({
    interrupted: parts.interrupted,
    now: clock.now,
    changed: parts.runChanged,
    ended: parts.runEnded,
  });
  const targets = new Targets({
    ...{ runs: remoteRuns, grace: config.graceMs },
    ...{ hostname, data, limits, rules, clock, system, warn, engineId: parts.engineId },
    ...{ dial: parts.dial, through: parts.through, isThrough: parts.isThrough },
    isSelf: (href) => isOwnAddress(href, { url: parts.url(), sockets, hostname }),
    room: () => (budget.memoryFull ? 0 : Math.max(0, budget.maxSeries - budget.series)),
    grown: (scope, series) => budget.added(scope, series),
    opened: (scope) => budget.added(scope, scope.livingCount),
    closed(scope) {
      parts.lastFrame(scope);
      budget.ended(scope);
      hub.end(scope.id);
    },
    left: (scope) => ended.addRun(scope),
    alarms: (entry, update) => parts.alarms(entry, update),
    changed: () => hub.announceSoon(),
  });
  const discovery = new DiscoveryWatch({
    discoveries: config.targets.map(openDiscovery),
    sync: ({ kind, name }, found, notes) => targets.sync(originOf({ kind, name }), found, notes),
    now: clock.now,
    warn,
  });
  return { system, targets, remoteRuns, discovery };
}
