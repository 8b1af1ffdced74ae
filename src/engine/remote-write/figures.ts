/** How sending goes, as series of the node. */

import type { RemoteWriteStatus } from '../../shared/api/status.ts';
import type { SourceWriter } from '../sources/source.ts';

export function writeFigures(out: SourceWriter, status: RemoteWriteStatus): void {
  const to = `destination="${status.name}"`;
  const counter = (name: string, doc: string, total: number): void => {
    put(() => out.setCounter(out.counter(`vigie_remote_write_${name}`, doc), total));
  };
  const gauge = (name: string, doc: string, value: number): void => {
    put(() => out.setGauge(out.gauge(`vigie_remote_write_${name}`, doc, { detail: true }), value));
  };
  counter(`samples_total{${to}}`, 'Samples that the destination has taken', status.sent);
  counter(`failures_total{${to}}`, 'Attempts to send that failed and were made again', status.failed);
  for (const [reason, samples] of Object.entries(status.dropped)) {
    counter(`dropped_samples_total{${to},reason="${reason}"}`, 'Samples that will never be sent, by reason', samples);
  }
  gauge(`queue_bytes{${to}}`, 'Requests that wait for the destination', status.queued_bytes);
  gauge(`lag_seconds{${to}}`, 'Age of the oldest sample that the destination has not taken', status.lag_ms / 1000);
}

/** The node's scope may be full: the figure is left out then, and the tick goes on. */
function put(write: () => void): void {
  try {
    write();
  } catch {
    // Left out.
  }
}
