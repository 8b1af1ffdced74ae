/**
 * The composition root: the only place that knows all parts of the engine and wires them. What produces numbers writes to
 * live/, what consumes them gets frames; neither side knows the other.
 */

import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Logger } from 'pino';
import type { Run } from '../shared/api/runs.ts';
import { nodeScope, scopeKind, type ScopeId } from '../shared/model/scope.ts';
import { openAlarms } from './alarms/open.ts';
import { openAccess } from './access.ts';
import { noteBusy, useCompilers } from './compilers.ts';
import type { Config } from './config.ts';
import type { EngineContext } from './context.ts';
import { RecentLog } from './diagnosis/recent-log.ts';
import { healthProblems, Lateness } from './health.ts';
import { announceEngine } from './engine-file.ts';
import { History } from './history.ts';
import { buildApp } from './http/app.ts';
import { jobViews } from './http/compat/views.ts';
import { listen, serveConnection } from './http/listen.ts';
import { Budget } from './ingest/budget.ts';
import { privateDirectory, SocketPathError } from './ingest/socket-path.ts';
import { Launches } from './ingest/launch.ts';
import { openIngestSocket, type IngestSocket } from './ingest/socket.ts';
import { IngestStats } from './ingest/stats.ts';
import { Tables } from './ingest/tables.ts';
import { watchLoop } from './loop.ts';
import { memoryCeiling, MemoryGuard } from './memory-guard.ts';
import { Refusals } from './refusals.ts';
import { LiveHub } from './live/hub.ts';
import { EndedTotals } from './live/merges.ts';
import { openSources, sourceWriter } from './live/node.ts';
import { LiveRun, Runs } from './live/runs.ts';
import { Sampler, systemClock, type Clock, type TickInfo } from './live/sampler.ts';
import { Scope } from './live/scope.ts';
import { SelfMetrics } from './self.ts';
import { pageDirectory } from './page-directory.ts';
import { completeProfile, ownUser, VersionWatch } from './profiles/complete.ts';
import { RankHistory } from './rank-history.ts';
import { EndedElsewhere, Recent } from './recent.ts';
import type { Behind } from './remote/behind.ts';
import { connectionsFile, RemoteGate } from './remote/gate.ts';
import type { Keyring } from './remote/secrets.ts';
import type { Sessions } from './remote/types.ts';
import type { RemoteWrite } from './remote-write/remote-write.ts';
import { engineStatus } from './status.ts';
import { openStore } from './store/index.ts';
import { QuietCollector } from './store/quiet-collector.ts';
import { StoreSize } from './store-size.ts';
import { openTargets } from './targets/open.ts';
import type { RemoteRun } from './targets/remote-runs.ts';

/** Ended runs remembered until the store certainly tells of them. */
const RECENT_RUNS = 1000;

export interface Engine {
  /** What the one line on stdout says. */
  readonly ready: {
    readonly url: string | null;
    readonly socket: string;
    readonly legacy_socket: string | null;
    readonly token_file: string;
    readonly data: string | null;
    readonly pid: number;
  };
  /** The token itself, for a link that is shown to the engine's owner. */
  readonly token: string;
  /** Last values taken, store flushed, open runs saved as interrupted, sockets and lock removed. */
  close(): Promise<void>;
}

export interface EngineOptions {
  readonly log: Logger;
  readonly clock?: Clock;
  /** A further token with control, accepted by this start of the engine only. */
  readonly passingToken?: string;
  /** What the log has written lately; for the support bundle. */
  readonly recentLog?: RecentLog;
  /** Another way to reach hosts than SSH. */
  readonly sessions?: Sessions;
  /** Engines that are reached through them are looked at this often, ms. */
  readonly lookEvery?: number;
  /** The desktop's: what people want kept of their passwords. */
  readonly keyring?: Keyring;
}

/** Starts an engine. Whatever was opened before a failure is closed again. */
export async function startEngine(config: Config, options: EngineOptions): Promise<Engine> {
  const { log } = options;
  const opened: (() => Promise<void> | void)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of opened.toReversed()) {
      try {
        await close();
      } catch (error) {
        log.error({ err: error }, 'closing failed');
      }
    }
  };
  try {
    return await open(config, options, opened, closeAll);
  } catch (error) {
    await closeAll();
    throw error;
  }
}

async function open(
  config: Config,
  { log, clock = systemClock, passingToken, recentLog = new RecentLog(), sessions, lookEvery, keyring }: EngineOptions,
  opened: (() => Promise<void> | void)[],
  closeAll: () => Promise<void>,
): Promise<Engine> {
  const warnings: string[] = [];
  const warn = (message: string): void => {
    warnings.push(message);
    log.warn(message);
  };
  if (config.socketIsDefault) privateDirectory(dirname(config.socket));

  const opening = await openStore({ data: config.data, worker: { retention: config.retention } });
  const { store, engineId, epoch, interrupted, warnings: storeWarnings } = opening;
  opened.push(() => store.close());
  // Only now: frames of an earlier engine, which had the directory locked until here, are certainly older.
  const started = clock.now();
  for (const warning of storeWarnings) warn(warning);
  if (interrupted.length > 0) log.info(`${interrupted.length} run(s) of the last start were saved as interrupted`);
  const access = openAccess({ config, store, passing: passingToken ?? null, now: clock.now, warnings, warn });
  opened.push(() => access.close());
  const { auth, token } = access;

  const remoteWrite = await openRemoteWrite();
  if (remoteWrite) opened.push(() => remoteWrite.close());

  const stats = new IngestStats();
  const hub = new LiveHub();
  const ended = new EndedTotals();
  const recent = new Recent<Run>(RECENT_RUNS);
  const endedElsewhere = new EndedElsewhere();
  const history = new History(store);
  const node = new Scope(nodeScope(config.host), 'node', config.merge);
  const rankHistory = new RankHistory();
  const refusals = new Refusals();
  const { limits } = config;
  const memory = new MemoryGuard(memoryCeiling(limits.memory));
  const budget = new Budget({ limits, maxSeries: config.maxSeries, node, memoryFull: () => memory.look() });

  let url: string | null = null;
  /** Runs whose description is to be stored: once per tick, however often it changed. */
  const changed = new Set<LiveRun>();
  const putChanged = (): void => {
    for (const run of changed) store.putRun(run.describe());
    changed.clear();
  };

  const versions = new VersionWatch(() => liveScopes(), clock.monotonic);
  const collector = new QuietCollector();
  opened.push(() => collector.close());

  /** Runs that ended in this turn of the loop: their profiles are stored after their last frames, all at once. */
  const over: (LiveRun | RemoteRun)[] = [];
  const putEnded = (): void => {
    history.flush();
    // Made one at a time: a thousand of them would take more than all that is live.
    for (const run of over.splice(0)) {
      const profile = run.profile();
      const last = { ...profile, run: { ...profile.run, clients: 0 } };
      // A target's runs are of whoever is over there.
      store.putProfile(completeProfile(last, versions.get(), run instanceof LiveRun ? ownUser() : undefined));
      // A target's may go on, and the store then knows nothing of it any more.
      history.forget(run.scope);
      collector.note();
    }
  };
  const endLater = (run: LiveRun | RemoteRun): void => {
    if (over.push(run) === 1) setImmediate(putEnded);
  };

  const endRun = (run: LiveRun): void => {
    changed.delete(run);
    // Before its last values are published: readers of the list of runs then look for what became of it.
    // Clients that are still there when the engine stops are none of an ended run.
    recent.add(run.id, { ...run.describe(), clients: 0 });
    sampler.closeScope(run.scope);
    alarms.ended(run.scope.id);
    remoteWrite?.end(run.scope, run.desc.jobid);
    ended.addRun(run.scope);
    budget.ended(run.scope);
    endLater(run);
    hub.end(run.scope.id);
    log.info({ run: run.id, jobid: run.desc.jobid }, `run ${run.state}`);
  };
  const runs = new Runs({
    grace: config.graceMs,
    host: config.host,
    rules: config.merge,
    interrupted: interrupted.filter(({ run }) => !isRemote(run)),
    now: clock.now,
    onOpen(run, reopened) {
      changed.add(run);
      collector.note();
      // Those of an earlier life.
      budget.added(run.scope, run.scope.seriesCount);
      // The store lists it as interrupted: not a moment longer than it is.
      if (reopened) putChanged();
      // One that goes on has its last values in the history already: the next tick counts from them.
      if (!reopened) sampler.betweenTicks(run.scope);
    },
    onIdle: (run) => sampler.betweenTicks(run.scope),
    onChange(run) {
      changed.add(run);
      alarms.learnt(run.scope.id);
    },
    onEnd: endRun,
  });

  const sources = config.node ? openSources(config.roots, sourceWriter(node, config.host), warn) : null;
  if (sources) opened.push(() => sources.close());
  const remote = new RemoteGate(async () => {
    const { openRemote } = await import('./remote/open.ts');
    const { data, sshConfig } = config;
    const parts = { data, sshConfig, engineId, store, now: clock.now, warn, targets, ...(sessions && { sessions }) };
    const more = { ...(keyring && { keyring }), ...(lookEvery !== undefined && { lookEvery }) };
    return openRemote({ ...parts, ...more, changed: () => hub.announceSoon() });
  });
  const behind = async (): Promise<Behind> => (await remote.load()).behind;
  const { system, targets, remoteRuns, discovery } = openTargets({
    ...{ config, clock, engineId, node, sources, budget, ended, hub, warn },
    dial: async (place, within, signal) => (await behind()).dial(place, within, signal),
    through(host) {
      behind()
        .then((hosts) => hosts.need(host))
        .catch((error: unknown) => warn(`targets behind ${host} cannot be asked: ${String(error)}`));
    },
    isThrough: async (host) => (await behind()).has(host),
    url: () => url,
    alarms: (entry, update) => alarms.fromTarget(entry.id, entry.record.url, update),
    interrupted: interrupted.filter(({ run }) => isRemote(run)),
    runChanged: (run) => store.putRun(run.describe()),
    runEnded(run) {
      const described = run.describe();
      recent.add(run.id, described);
      endedElsewhere.add(described);
      endLater(run);
      hub.announceSoon();
      log.info({ run: run.id, jobid: described.jobid }, `run of a target ${run.state}`);
    },
    lastFrame(scope) {
      sampler.closeScope(scope);
      alarms.ended(scope.id);
      remoteWrite?.end(scope, null);
    },
  });
  function* liveScopes(): Generator<Scope> {
    yield node;
    for (const run of runs.live.values()) yield run.scope;
    yield* targets.scopes();
  }
  const alarms = await openAlarms({
    ...{ store, host: config.host, data: config.data, channels: config.alarmChannels, now: clock.now, warn },
    announce: () => hub.announceSoon(),
    node: node.id,
    live: () => Array.from(liveScopes(), ({ id }) => id),
    run: (id) => runs.byId(id),
    target: (id) => targets.entry(id),
    parts: (name) => jobViews(context).parts(name),
  });
  opened.push(() => alarms.close());
  const loop = watchLoop();
  opened.push(() => loop.close());
  const figures = sourceWriter(node, config.host);
  const self = new SelfMetrics(figures, {
    ...{ stats, runs, hub, store, refusals, memory, budget, loop, targets, alarms },
    storeSize: new StoreSize(config.data),
    httpConnections: () => app.load().connections,
    now: clock.now,
  });
  const lateness = new Lateness();

  const consume = (tick: TickInfo, scopes: readonly Scope[], inTurn: boolean): void => {
    const gaps = inTurn ? targets.takeGaps() : undefined;
    hub.publish(tick, scopes, gaps);
    if (!inTurn) {
      for (const scope of scopes) history.later(tick, scope, tables.states([scope], tick.time));
      hub.announceSoon();
      return;
    }
    const ranks = rankHistory.due(tick.time, runs.live.values());
    putChanged();
    remoteWrite?.consume(tick, scopes);
    const sampled = targets.due(scopes);
    history.append(tick, [...sampled, ...ranks], tables.states(scopes, tick.time), gaps);
    alarms.tick(tick, sampled, gaps);
    hub.announce();
  };
  const launches = new Launches();
  const clientHost = { runs, nodeScope: node, host: config.host, stats, budget, launches };
  const tables = new Tables({
    host: clientHost,
    states: opening.tables,
    // In memory nothing outlives the engine.
    ...(config.data === null ? {} : { durableUntil: () => store.status().durable_until }),
  });
  const sampler = new Sampler({
    period: config.periodMs,
    clock,
    sample(seconds) {
      const { lateMs } = sampler.status;
      if (lateMs > config.periodMs / 2) lateness.add(clock.monotonic(), lateMs);
      budget.look();
      system.sample(seconds);
      tables.read();
      self.sample(seconds, sampler.status);
      remoteWrite?.sample(figures);
      noteBusy(self.busy);
      for (const run of runs.live.values()) run.tick(seconds);
    },
    scopes: liveScopes,
    consume,
  });

  let legacy: IngestSocket | null = null;

  const context: EngineContext = {
    config,
    store,
    remoteWrite,
    tokens: access.tokens,
    owner: access.owner,
    runs,
    node,
    ended,
    stats,
    budget,
    hub,
    targets,
    remote,
    alarms,
    discoveries: () => discovery.status(),
    refresh: () => tables.refresh(),
    now: clock.now,
    status: () =>
      engineStatus(context, {
        engineId,
        epoch,
        started,
        sampler,
        rate: self.rate,
        limits: { budget, memory, refusals, http: app.load() },
        warnings,
        legacySocket: legacy?.path ?? null,
        url,
      }),
    health: () => healthProblems(store.status(), lateness.total(clock.monotonic())),
    scope(id: ScopeId) {
      if (id === node.id) return node;
      if (id.startsWith('run/')) return runs.byId(id.slice('run/'.length))?.scope ?? null;
      return targets.scope(id);
    },
    run: async (id) =>
      runs.byId(id)?.describe() ?? remoteRuns.byId(id)?.describe() ?? recent.get(id) ?? (await store.run(id)),
    liveRun: (id) => runs.byId(id),
    recentlyEnded: (id) => recent.get(id),
    endedElsewhere,
    openedAt: (id) => (id === node.id ? started : (runs.byId(id.slice('run/'.length))?.opened ?? started)),
  };

  const app = await buildApp({
    engine: context,
    auth,
    audit: access.audit,
    page: pageDirectory(),
    support: { log: recentLog, token },
    limits,
    refusals,
    onError: (error) => log.error({ err: error }, 'request failed'),
  });
  opened.push(() => app.close());

  // Some 100 µs of work lie between two looks at the clock.
  let pulses = 0;
  const pulse = (): void => {
    if (++pulses % 16 === 0) sampler.poll();
    if (stats.bytes > 0) useCompilers();
  };
  url = await listen(app, config.listen);
  if (config.compat && url?.startsWith('http:')) warn(openToOthers(config.compatNetworks));
  opened.push(() => tables.close());
  const socket = await openIngestSocket(config.socket, {
    host: clientHost,
    refusals,
    pulse,
    tables,
    http(connection) {
      auth.trust(connection);
      serveConnection(app, connection);
    },
  });
  opened.push(() => socket.close());
  legacy = await openLegacy();
  if (legacy) opened.push(() => legacy?.close());

  async function openLegacy(): Promise<IngestSocket | null> {
    if (config.legacySocket === null) return null;
    try {
      return await openIngestSocket(config.legacySocket, { host: clientHost, refusals, pulse });
    } catch (error) {
      if (!config.legacyIsDefault || !(error instanceof SocketPathError)) throw error;
      warn(`clients of the old proxy cannot push here: ${error.message}`);
      return null;
    }
  }

  async function openRemoteWrite(): Promise<RemoteWrite | null> {
    if (config.remoteWrite.length === 0) return null;
    // Loaded when needed: most engines send nothing.
    const module = await import('./remote-write/remote-write.ts');
    return module.RemoteWrite.open(config.remoteWrite, {
      ...{ host: config.host, data: config.data, now: clock.now, warn },
      jobid: (scope) => runs.byId(scope.id.slice('run/'.length))?.desc.jobid ?? null,
    });
  }

  sampler.start();
  discovery.start();
  opened.push(() => remote.close());
  if (config.data !== null && existsSync(connectionsFile(config.data))) {
    remote.load().catch((error: unknown) => warn(`connections cannot be used: ${String(error)}`));
  }
  // Undone in reverse order: the sampler stops first, with a last look at everything; then runs end, sockets close.
  opened.push(() => {
    runs.close();
    putEnded();
    for (const scope of [node, ...targets.scopes()]) remoteWrite?.end(scope, null);
    launches.close();
    targets.close();
    putEnded();
  });
  opened.push(async () => {
    discovery.close();
    sampler.stop();
    // What clients sent, and that they left, is still in their sockets: a few turns of the loop read it.
    for (let i = 0; i < 3; i++) await new Promise(setImmediate);
    sampler.sampleNow();
    // Before runs are closed with the engine: what fires there goes on when they do.
    await alarms.close();
  });
  const ready = {
    url,
    socket: config.socket,
    legacy_socket: legacy?.path ?? null,
    token_file: config.tokenFile,
    data: config.data,
    pid: process.pid,
  };
  if (config.data !== null) opened.push(announceEngine(config.data, ready, warn));
  return { ready, token, close: closeAll };
}

/** A run that a target told of: its numbers are below the target's. */
const isRemote = ({ scope }: Run): boolean => scopeKind(scope) === 'target';

/** Said at the start and shown as long as it is so: other users of a shared node are on loopback, too. */
function openToOthers(networks: readonly string[]): string {
  const who = ['on this machine', ...networks.map((network) => `in ${network}`)].join(' or ');
  return `with --compat every program ${who}, of any user, can read all jobs and metrics, and change counters that were pushed over HTTP, without a token`;
}
