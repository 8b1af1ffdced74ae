/**
 * Reads history from a destination's query API, in the shape of the own store's answers. Bounded in time, series, points
 * and bytes; a destination that hangs is left alone for a while, so that it does not slow down every plot.
 */

import { z } from 'zod';
import type { RangeResult, RangeSeries } from '../../shared/api/query.ts';
import { scopeKind, type ScopeId } from '../../shared/model/scope.ts';
import type { Kind } from '../../shared/model/values.ts';
import { scopeLabels, seriesLabels } from './labels.ts';
import { PART_LABEL, PARTS, questionOf, selector, type Part } from './promql.ts';
import { RESERVED_LABELS } from './reserved.ts';
import type { DestinationSettings } from './settings.ts';
import type { Transport } from './transport.ts';

/** Whole time for one answer, in ms. */
const TIMEOUT = 10_000;
/** After a failure the destination is not asked for so long, in ms. */
const LEFT_ALONE = 15_000;
const MAX_ANSWER = 16 * 1024 * 1024;
/** Prometheus refuses more than 11,000 points. */
const MAX_POINTS = 10_000;
const MAX_SERIES = 256;
/** Points × series of one question; × 4 parts × some 40 bytes it is below MAX_ANSWER. */
const MAX_CELLS = 50_000;
/** More make an expression that is slow to parse. */
const MAX_TOGETHER = 16;
/** Questions at once, of all plots. */
const MAX_WAITING = 8;

export interface BackQuery {
  readonly scope: ScopeId;
  readonly series: readonly { readonly key: string; readonly name: string; readonly kind: Kind }[];
  /** Start of the first bucket and end of the last one, ms since the epoch. */
  readonly from: number;
  readonly to: number;
  /** Width of a bucket, ms. */
  readonly step: number;
}

const Matrix = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.literal('matrix'),
    result: z
      .array(
        z.object({
          metric: z.record(z.string(), z.string()),
          values: z.array(z.tuple([z.number(), z.string()])).max(MAX_POINTS + 1),
        }),
      )
      .max(4 * MAX_SERIES),
  }),
});
const Refusal = z.object({ status: z.literal('error'), error: z.string() });

export class Reader {
  readonly #settings: DestinationSettings;
  readonly #transport: Pick<Transport, 'post'>;
  readonly #host: string;
  readonly #now: () => number;
  #leftAloneUntil = -Infinity;
  #waiting = 0;

  /** @param now monotonic, ms */
  constructor(
    settings: DestinationSettings,
    transport: Pick<Transport, 'post'>,
    host: string,
    now: () => number = () => performance.now(),
  ) {
    this.#settings = settings;
    this.#transport = transport;
    this.#host = host;
    this.#now = now;
  }

  /** @throws {Error} in words. */
  async read(query: BackQuery, signal: AbortSignal): Promise<RangeResult> {
    const about = `${this.#settings.name} cannot be read`;
    if (this.#now() < this.#leftAloneUntil) throw new Error(`${about}: it failed a moment ago`);
    if (this.#waiting >= MAX_WAITING) throw new Error(`${about}: too many questions wait for it`);
    this.#waiting++;
    try {
      return await this.#read(query, AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT)]));
    } catch (error) {
      // The one who asked went away: that says nothing of the destination.
      if (!signal.aborted) this.#leftAloneUntil = this.#now() + LEFT_ALONE;
      throw new Error(`${about}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    } finally {
      this.#waiting--;
    }
  }

  async #read(query: BackQuery, signal: AbortSignal): Promise<RangeResult> {
    const { scope, from, to, step } = query;
    if (query.series.length > MAX_SERIES)
      throw new Error(`${query.series.length} series are too many at once, ${MAX_SERIES} can be read`);
    const points = Math.ceil((to - from) / step);
    const times = Array.from({ length: points }, (_, i) => from + i * step);
    const series = query.series.map(({ key, name, kind }): RangeSeries => {
      const column = (): (number | null)[] => new Array<number | null>(points).fill(null);
      return { key, name, kind, min: column(), avg: column(), max: column(), last: column() };
    });
    const wide = Math.min(points, MAX_POINTS);
    const together = Math.max(1, Math.min(MAX_TOGETHER, Math.floor(MAX_CELLS / Math.max(1, wide))));
    for (let first = 0; first < points; first += wide) {
      const count = Math.min(wide, points - first);
      for (let s = 0; s < series.length; s += together) {
        await this.#ask(scope, series.slice(s, s + together), { from, step, first, count }, signal);
      }
    }
    return { scope, from, to, step, times, series };
  }

  /** Fills `count` buckets of these series, beginning with the bucket `first`. */
  async #ask(
    scope: ScopeId,
    series: readonly RangeSeries[],
    grid: { from: number; step: number; first: number; count: number },
    signal: AbortSignal,
  ): Promise<void> {
    const { from, step, first, count } = grid;
    const start = from + (first + 1) * step - 1;
    const selected = series.map(({ key, kind }) => ({ kind, selector: this.#selector(scope, key) }));
    const seconds = (time: number): string => (time / 1000).toFixed(3);
    const body = new URLSearchParams({
      query: questionOf(selected, step, this.#settings.interval),
      start: seconds(start),
      end: seconds(start + (count - 1) * step),
      step: seconds(step),
      // VictoriaMetrics would else move start and end to multiples of the step.
      nocache: '1',
      timeout: `${TIMEOUT / 1000}s`,
    });
    for (const [time, part, value, s] of await this.#post(body.toString(), signal)) {
      const column = series[s]?.[part];
      const point = first + Math.round((time - start) / step);
      if (column && point >= first && point < first + count) column[point] = value;
    }
  }

  #selector(scope: ScopeId, key: string): string {
    const own = scope.slice(scope.indexOf('/') + 1);
    const host = scopeKind(scope) === 'node' ? own : this.#host;
    const { labels } = seriesLabels(key, scopeLabels(scope, host, null, this.#settings.labels));
    const given = new Set(labels.map(([name]) => name));
    // A run's job id is not compared: the run is enough. Nothing but runs have one.
    const missing = [...RESERVED_LABELS].filter((name) => !given.has(name) && !(name === 'jobid' && given.has('run')));
    return selector(labels, missing);
  }

  async #post(
    body: string,
    signal: AbortSignal,
  ): Promise<(readonly [time: number, part: Part, value: number, series: number])[]> {
    const url = new URL(this.#settings.read_url!);
    url.pathname = `${url.pathname.replace(/\/$/, '')}/api/v1/query_range`;
    const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' };
    const answer = await this.#transport.post({ url, headers, body, timeout: TIMEOUT, maxAnswer: MAX_ANSWER, signal });
    const text = parseJson(answer.body);
    if (answer.status !== 200) {
      const refusal = Refusal.safeParse(text);
      throw new Error(`it answers ${answer.status}${refusal.success ? `: ${refusal.data.error.slice(0, 200)}` : ''}`);
    }
    const matrix = Matrix.safeParse(text);
    if (!matrix.success) throw new Error('its answer is not that of a Prometheus query API');
    return matrix.data.data.result.flatMap(({ metric, values }) => {
      const [series = '', part = ''] = (metric[PART_LABEL] ?? '').split(':');
      if (!isPart(part) || !/^\d+$/.test(series)) return [];
      return values.flatMap(([time, value]) => {
        const number = Number(value);
        return Number.isFinite(number) ? [[1000 * time, part, number, Number(series)] as const] : [];
      });
    });
  }
}

const isPart = (text: string): text is Part => (PARTS as readonly string[]).includes(text);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
