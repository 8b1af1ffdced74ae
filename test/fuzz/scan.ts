/**
 * The reader of Prometheus text and OpenMetrics: however an answer is cut, and whatever was read before, the same bytes
 * give the same samples or the same words; and whatever a target sends, its scope holds finite numbers.
 */

import { isDeepStrictEqual } from 'node:util';
import { Scope } from '../../src/engine/live/scope.ts';
import { ScanError, type Format } from '../../src/engine/targets/scan-error.ts';
import { Scanner } from '../../src/engine/targets/scan.ts';
import { Sink } from '../../src/engine/targets/sink.ts';
import type { FuzzTarget } from './target.ts';

/** What was read before stays, as in a target that is asked again and again. */
const used: Record<Format, Scanner> = { text: scanner(), openmetrics: scanner() };

function scanner(): Scanner {
  return new Scanner({ maxSeries: 500, keep: (name) => !name.startsWith('drop') });
}

/** The samples, or what is wrong. */
function read(bytes: Uint8Array, format: Format, size: number, by: Scanner): unknown[] | string {
  try {
    by.begin(format);
    for (let at = 0; at < bytes.length; at += size) by.push(Buffer.from(bytes.subarray(at, at + size)));
    by.end();
  } catch (error) {
    if (error instanceof ScanError) return error.message;
    throw error;
  }
  const { count, codes, values, times } = by.staged!;
  const samples = Array.from({ length: count }, (_, i) => {
    const entry = codes[i]! >>> 1;
    const metric = by.metricOf(entry);
    return [by.rawName(entry), codes[i]! & 1, values[i], times[i], by.metrics.nameOf(metric), by.metrics.docOf(metric)];
  });
  return [...samples, by.samples, by.filtered, { ...by.refused }];
}

function apply(by: Scanner): string {
  const scope = new Scope('target/fuzz', 'target');
  const sink = new Sink(scope, 'host', [['le', 'own']], 10_000);
  for (let i = 0; i < 2; i++) sink.apply(by, 1.7e12);
  scope.settle();
  for (let i = 0; i < scope.counterCount; i++) {
    if (!(scope.counters[i]! >= 0 && scope.counters[i]! < Infinity)) throw new Error(`counter ${scope.counters[i]}`);
  }
  for (let i = 0; i < scope.gaugeCount; i++) {
    const { hits, total } = scope.gauge(i);
    if (!Number.isFinite(total) || hits > 1) throw new Error(`gauge ${total}, ${hits} times`);
  }
  sink.close();
  scope.settle();
  for (let i = 0; i < scope.gaugeCount; i++) if (scope.gauge(i).hits !== 0) throw new Error('a gauge stayed');
  return `${Math.min(2, scope.counterCount)} ${Math.min(2, scope.gaugeCount)}`;
}

export const scan: FuzzTarget = {
  name: 'scan',
  words: [
    '\n',
    '\n',
    ' ',
    '\t',
    'a 1\n',
    'a{b="c"} 1\n',
    'a_total{b="c",d="e"} 2\n',
    'a_bucket{le="1"} 3\n',
    'a_bucket{le="x"} 3\n',
    'a{quantile="0.5"} NaN\n',
    'a_sum -1\n',
    'a_count 1e400\n',
    'a_created 1e9\n',
    'drop_me 1\n',
    '# TYPE a counter\n',
    '# TYPE a gauge\n',
    '# TYPE a histogram\n',
    '# TYPE a summary\n',
    '# TYPE a info\n',
    '# HELP a help \\n\n',
    '# UNIT a_s s\n',
    '# EOF\n',
    '# EOF',
    ' # {x="y"} 1',
    ' 1700000000000',
    ' 1700000000',
    '{',
    '}',
    '="',
    '",',
    '"',
    '\\',
    '#',
    '+Inf',
    '-',
    '.5e-3',
    '9007199254740993',
    'é',
    '\u{1f600}',
    '\u007f',
    '\r\n',
    '\0',
  ],
  check(input) {
    const seen = (['text', 'openmetrics'] as const).map((format) => {
      const fresh = scanner();
      const whole = read(input, format, Math.max(1, input.length), fresh);
      const outcome =
        typeof whole === 'string' ? whole.replaceAll(/"(?:[^"\\]|\\.)*"|\d+/g, '…').slice(0, 60) : apply(fresh);
      fresh.release();
      for (const size of [1, 7, 64]) {
        const pieces = read(input, format, size, used[format]);
        if (!isDeepStrictEqual(pieces, whole))
          throw new Error(`${format} in pieces of ${size}: ${JSON.stringify(pieces)}`);
      }
      return outcome;
    });
    return seen.join(' | ');
  },
};
