/** What a probe tells somebody who is about to add a target. */

import { DEFAULT_TARGET_PERIOD, type NewTarget, type ProbeResult } from '../../shared/api/targets.ts';
import type { Targets } from './manager.ts';
import { metricFilter } from './sink-filter.ts';

/** Metrics that are told, and bytes that a sample takes on disk, about: measured on node exporters. */
const FIRST = 50;
const SAMPLE_BYTES = 1;
const DAY = 86_400_000;

export async function probeResult(
  targets: Targets,
  given: NewTarget,
  of: string | null,
  signal: AbortSignal,
): Promise<ProbeResult> {
  const known = targets.known(given.url);
  const { probe, error, tried } = await targets.probe(given, of, signal);
  const keep = metricFilter(given.filter ?? { include: [], exclude: [] });
  const kept = probe?.metrics.filter(({ name }) => keep(name)) ?? [];
  const series = kept.reduce((sum, metric) => sum + metric.series, 0);
  const same = known ?? (probe ? targets.known(probe.url.href) : null);
  return {
    reason: error?.message ?? null,
    state: probe ? 'up' : (error?.kind ?? 'down'),
    type: probe?.type ?? null,
    url: probe?.url.href ?? given.url,
    tried: [...tried],
    known: same && same.id !== of ? same.id : null,
    duration: Math.round((probe?.duration ?? 0) * 10) / 10,
    bytes: probe?.bytes ?? 0,
    series: probe?.series ?? 0,
    kept: probe && probe.metrics.length === 0 ? probe.series : series,
    metrics: kept
      .slice(0, FIRST)
      .map(({ name, kind, help, series: count }) => ({ name, kind, doc: help, series: count })),
    day_bytes: Math.round((series * SAMPLE_BYTES * DAY) / (given.period ?? DEFAULT_TARGET_PERIOD)),
    fingerprint: error?.fingerprint ?? null,
    notes: [],
  };
}
