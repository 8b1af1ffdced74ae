/** What a scanner makes of a text, as a test wants to see it. */

import { formatMetric } from '../../../../src/shared/model/metric.ts';
import { decodeSeries } from '../../../../src/engine/targets/scan-labels.ts';
import { ScanError, type Format } from '../../../../src/engine/targets/scan-error.ts';
import { Scanner, type ScanOptions } from '../../../../src/engine/targets/scan.ts';

export interface Sample {
  /** With sorted labels. */
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
  readonly value: number;
  readonly time: number;
  readonly doc: string;
}

/** The samples of a text, which comes in pieces of these sizes, over and over; or what is wrong with it. */
export function scan(
  text: string | Uint8Array,
  format: Format = 'text',
  pieces: readonly number[] = [65_536],
  scanner = new Scanner({ maxSeries: 1_000_000 }),
): Sample[] | string {
  const bytes = Buffer.from(text as string, 'utf8');
  try {
    scanner.begin(format);
    for (let at = 0, i = 0; at < bytes.length; i++) {
      const size = pieces[i % pieces.length]!;
      // A copy, as what comes from a socket lies anywhere, and behind it there is something else.
      const padded = Buffer.concat([Buffer.from('7e9\n'), bytes.subarray(at, at + size), Buffer.from('9e9\n')]);
      scanner.push(padded.subarray(4, padded.length - 4));
      at += size;
    }
    scanner.end();
    return samplesOf(scanner);
  } catch (error) {
    if (error instanceof ScanError) return error.message;
    throw error;
  } finally {
    scanner.release();
  }
}

export function samplesOf(scanner: Scanner): Sample[] {
  const { count, codes, values, times } = scanner.staged!;
  return Array.from({ length: count }, (_, i) => {
    const { family, labels } = decodeSeries(scanner.rawName(codes[i]! >>> 1));
    const sorted = labels.toSorted((a, b) => (a[0] < b[0] ? -1 : 1));
    const kind = (codes[i]! & 1) === 1 ? 'gauge' : 'counter';
    const doc = scanner.metrics.docOf(scanner.metricOf(codes[i]! >>> 1));
    return { name: formatMetric(family, sorted), kind, value: values[i]!, time: times[i]!, doc };
  });
}

export const scannerWith = (options: Partial<ScanOptions>): Scanner =>
  new Scanner({ maxSeries: 1_000_000, ...options });
