/** The status of an engine for people at a terminal. */

import type { Status } from '../shared/api/status.ts';
import { bytesText } from '../engine/diagnosis/check.ts';

const count = (n: number): string => String(Math.round(n)).replace(/\B(?=(\d{3})+(?!\d))/g, ' ');

/** `2 d 03:12:05`. Milliseconds in. */
function elapsed(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number): string => String(Math.floor(n)).padStart(2, '0');
  const clock = `${two((seconds / 3600) % 24)}:${two((seconds / 60) % 60)}:${two(seconds % 60)}`;
  return seconds < 86_400 ? clock : `${Math.floor(seconds / 86_400)} d ${clock}`;
}

const reasons = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .filter(([, n]) => n > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, n]) => `${reason} ${count(n)}`)
    .join(', ') || 'none';

function storeText({ store, time }: Status): string {
  if (store.error !== null) return `FAILS: ${store.error}`;
  if (store.kind === 'memory') return 'in memory only';
  const behind =
    store.durable_until > 0
      ? `on disk up to ${((time - store.durable_until) / 1000).toFixed(1)} s ago`
      : 'nothing on disk yet';
  return `${behind}; ${count(store.queued)} ticks waiting, ${count(store.dropped)} lost`;
}

/** `health`: what /healthz says, one thing a line. `url`: for a browser, where it is known. */
export function statusText(status: Status, health: string, url: string | null): string {
  const { engine, ingest, sampler, live, limits, runs } = status;
  const { series, memory } = limits;
  const rows: [string, string][] = [
    [
      'engine',
      `Vigie ${status.version}, pid ${engine.pid} on ${engine.host}, up ${elapsed(status.time - engine.started)}, start ${engine.epoch}`,
    ],
    ['health', health.trim().split('\n').join('; ')],
    ...(url === null ? [] : [['console', url] as [string, string]]),
    ['socket', engine.socket],
    ['old proxy', engine.legacy_socket ?? 'off'],
    ['data', engine.data ?? 'in memory'],
    ['history', storeText(status)],
    [
      'samples',
      `every ${status.period}; ${count(sampler.ticks)} taken, ${count(sampler.late)} late, the last in ${sampler.last_ms.toFixed(1)} ms`,
    ],
    [
      'clients',
      `${count(ingest.connections)} with messages, ${count(ingest.tables)} with tables; ${count(ingest.messages)} messages (${count(ingest.rate)}/s), ${bytesText(ingest.bytes)}`,
    ],
    ['not taken', reasons(ingest.rejected)],
    ['turned away', reasons(status.refused)],
    ['runs', `${count(runs.live)} live, ${count(runs.ended)} ended since the start`],
    ['series', `${count(series.used)} of ${count(series.limit)}`],
    [
      'memory',
      `${bytesText(memory.used)} of ${bytesText(memory.limit)}${status.memory_full ? ': FULL, nothing new is taken' : ''}`,
    ],
    ['readers', `${count(live.readers)} live; ${count(live.skipped_frames)} frames left out for slow ones`],
    ...status.warnings.map((text): [string, string] => ['WARNING', text]),
  ];
  return rows.map(([name, text]) => `${name.padEnd(12)} ${text}\n`).join('');
}
