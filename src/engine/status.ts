import { API_VERSION, type Status } from '../shared/api/status.ts';
import { formatDuration } from '../shared/duration.ts';
import type { EngineContext } from './context.ts';
import type { HttpLoad } from './http/app.ts';
import type { Budget } from './ingest/budget.ts';
import type { Sampler } from './live/sampler.ts';
import type { MemoryGuard } from './memory-guard.ts';
import type { Refusals } from './refusals.ts';
import { retentionOf } from './store/keep.ts';
import { VERSION } from './version.ts';

export interface StatusParts {
  readonly engineId: string;
  readonly epoch: number;
  readonly started: number;
  readonly sampler: Sampler;
  /** Messages per second. */
  readonly rate: number;
  readonly limits: {
    readonly budget: Budget;
    readonly memory: MemoryGuard;
    readonly refusals: Refusals;
    readonly http: HttpLoad;
  };
  readonly legacySocket: string | null;
  readonly url: string | null;
  readonly warnings: readonly string[];
}

/** The body of GET /api/v1/status. */
export function engineStatus(engine: EngineContext, parts: StatusParts): Status {
  const { config, stats, runs, hub } = engine;
  const { budget, memory, refusals, http } = parts.limits;
  const store = engine.store.status();
  return {
    name: 'vigie',
    version: VERSION,
    api: { ...API_VERSION },
    engine: {
      id: parts.engineId,
      epoch: parts.epoch,
      host: config.host,
      pid: process.pid,
      started: parts.started,
      data: config.data,
      socket: config.socket,
      legacy_socket: parts.legacySocket,
      url: parts.url,
      token_file: config.tokenFile,
      compat: config.compat,
    },
    time: engine.now(),
    period: formatDuration(config.periodMs),
    ingest: {
      connections: stats.connections,
      messages: stats.messages,
      bytes: stats.bytes,
      rate: parts.rate,
      rejected: Object.fromEntries(stats.rejected),
      tables: stats.tables,
    },
    runs: { live: runs.live.size, ended: runs.ended },
    series: budget.series,
    targets: engine.targets.counts(),
    sampler: {
      ticks: parts.sampler.status.ticks,
      late: parts.sampler.status.late,
      last_ms: parts.sampler.status.lastMs,
    },
    live: { readers: hub.readers, skipped_frames: hub.skippedFrames },
    store,
    remote_write: engine.remoteWrite?.status() ?? [],
    retention: retentionOf(engine.store.kept),
    limits: {
      series: { used: budget.series, limit: config.maxSeries },
      rank_values: { used: budget.rankValues, limit: config.limits.rank_values },
      runs: { used: runs.live.size, limit: config.limits.runs },
      connections: { used: stats.sockets, limit: config.limits.connections },
      http_connections: { used: http.connections, limit: config.limits.http_connections },
      unfinished_messages: { used: stats.unfinished, limit: config.limits.unfinished_messages },
      unread_responses: { used: http.unread, limit: config.limits.unread_responses },
      memory: { used: memory.resident, limit: memory.ceiling },
    },
    memory_full: budget.memoryFull,
    refused: Object.fromEntries(refusals.counts),
    warnings: [...parts.warnings, ...(store.held === undefined ? [] : [store.held])],
  };
}
