import { API_VERSION, type Status } from '../shared/api/status.ts';
import { formatDuration } from '../shared/duration.ts';
import type { EngineContext } from './context.ts';
import type { Sampler } from './live/sampler.ts';
import { VERSION } from './version.ts';

export interface StatusParts {
  readonly engineId: string;
  readonly epoch: number;
  readonly started: number;
  readonly sampler: Sampler;
  /** Messages per second. */
  readonly rate: number;
  readonly legacySocket: string | null;
  readonly url: string | null;
  readonly warnings: readonly string[];
}

/** The body of GET /api/v1/status. */
export function engineStatus(engine: EngineContext, parts: StatusParts): Status {
  const { config, stats, runs, hub } = engine;
  let series = engine.node.seriesCount;
  for (const run of runs.live.values()) series += run.scope.seriesCount;
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
    },
    runs: { live: runs.live.size, ended: runs.ended },
    series,
    sampler: {
      ticks: parts.sampler.status.ticks,
      late: parts.sampler.status.late,
      last_ms: parts.sampler.status.lastMs,
    },
    live: { readers: hub.readers, skipped_frames: hub.skippedFrames },
    store: engine.store.status(),
    warnings: [...parts.warnings],
  };
}
