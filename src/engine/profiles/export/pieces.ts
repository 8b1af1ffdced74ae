/** The values of scopes, a few megabytes at a time: samples as they are stored, or buckets. */

import { parseMetric } from '../../../shared/model/metric.ts';
import { describeFamily } from '../../../shared/model/naming.ts';
import type { SeriesDef } from '../../../shared/model/series.ts';
import type { Kind } from '../../../shared/model/values.ts';
import { Selector } from '../../store/selector.ts';
import type { ExportScope, ExportSeries, Piece, Values } from './job.ts';
import type { SampleRows, SampleSource } from './source.ts';

/** Values of one piece of buckets, four columns of 8 bytes each. */
const PIECE_CELLS = 100_000;
const MOST_POINTS = 10_000;
const HOUR = 3_600_000;

/** Which series are asked for; nothing said: all. */
export class Wanted {
  readonly #keys: ReadonlySet<string>;
  readonly #selectors: readonly Selector[];

  /** Throws SelectorError. */
  constructor(keys: readonly string[], selectors: readonly string[]) {
    this.#keys = new Set(keys.map((name) => parseMetric(name).key));
    this.#selectors = Selector.all(selectors);
  }

  has(metric: ReturnType<typeof parseMetric>): boolean {
    if (this.#keys.size === 0 && this.#selectors.length === 0) return true;
    return this.#keys.has(metric.key) || this.#selectors.some((one) => one.fits(metric));
  }
}

/** The series of one scope, each the same object however often it is met. */
export class ScopeSeries {
  readonly #scope: ExportScope;
  readonly #wanted: Wanted;
  readonly #known = new Map<string, ExportSeries | null>();

  constructor(scope: ExportScope, wanted: Wanted) {
    this.#scope = scope;
    this.#wanted = wanted;
  }

  /** Null: it is not asked for. */
  of({ name, kind, doc }: Pick<SeriesDef, 'name' | 'kind' | 'doc'>): ExportSeries | null {
    const id = `${kind} ${name}`;
    const known = this.#known.get(id);
    if (known !== undefined) return known;
    const metric = parseMetric(name);
    const { key, family, labels } = metric;
    const { unit } = describeFamily(family);
    const series = this.#wanted.has(metric) ? { scope: this.#scope, key, family, labels, kind, doc, unit } : null;
    this.#known.set(id, series);
    return series;
  }
}

const isDue = (series: ExportSeries | null, wanted: ((series: ExportSeries) => boolean) | undefined): boolean =>
  series !== null && (wanted === undefined || wanted(series));

export async function* samplePieces(
  source: SampleSource,
  scope: ExportScope,
  asked: Wanted,
  wanted?: (series: ExportSeries) => boolean,
): AsyncGenerator<Piece> {
  const all = new ScopeSeries(scope, asked);
  for await (const rows of source.samples(scope.scope, scope.from, scope.to)) {
    const chosen = rows.defs.flatMap((def) => {
      const series = all.of(def);
      return isDue(series, wanted) ? [{ series: series!, def }] : [];
    });
    if (chosen.length === 0) continue;
    yield {
      scope,
      times: rows.times.subarray(rows.start, rows.end),
      series: chosen.map(({ series }) => series),
      values: (i) => sampleValues(rows, chosen[i]!.def),
    };
  }
}

function sampleValues(rows: SampleRows, { kind, index }: { kind: Kind; index: number }): Values {
  const cut = (column: Float64Array): Float64Array => column.subarray(rows.start, rows.end);
  if (kind === 'counter') return { value: cut(rows.counter(index)), min: null, max: null, last: null };
  const [min, max, hits, total] = rows.gauge(index).map(cut) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const value = new Float64Array(min.length);
  for (let i = 0; i < value.length; i++) value[i] = hits[i]! > 0 ? total[i]! / hits[i]! : NaN;
  return { value, min, max, last: null };
}

/** `step` ms: a minute or an hour. Where only wider buckets are kept, those. */
export async function* bucketPieces(
  source: SampleSource,
  scope: ExportScope,
  asked: Wanted,
  step: number,
  wanted?: (series: ExportSeries) => boolean,
): AsyncGenerator<Piece> {
  const all = new ScopeSeries(scope, asked);
  const schemas = await source.series(scope.scope);
  const docs = new Map(schemas.toReversed().flatMap((defs) => defs.map((def) => [parseMetric(def.name).key, def.doc])));
  const keys = new Set<string>();
  for (const def of schemas.flat()) {
    const series = all.of(def);
    if (isDue(series, wanted)) keys.add(series!.key);
  }
  if (keys.size === 0) return;
  // Whole hours, so that no bucket lies in two questions.
  const hours = Math.max(1, Math.floor((Math.min(MOST_POINTS, PIECE_CELLS / keys.size) * step) / HOUR));
  const points = (hours * HOUR) / step;
  for (let from = Math.floor(scope.from / HOUR) * HOUR; from <= scope.to; from += hours * HOUR) {
    const to = from + hours * HOUR - 1;
    const query = { scope: scope.scope, series: [...keys], from, to, maxPoints: Math.max(2, points), step };
    const columns = await source.range(query);
    if (!columns || columns.times.length === 0) continue;
    const { targets, times } = columns;
    const part = (column: Float64Array, s: number): Float64Array =>
      column.subarray(s * times.length, (s + 1) * times.length);
    const single = columns.step === 0;
    yield {
      scope,
      times,
      series: targets.map(({ key, name, kind }) => all.of({ name, kind, doc: docs.get(key) ?? '' })!),
      values: (s) => ({
        value: part(columns.avg, s),
        min: part(single ? columns.avg : columns.min, s),
        max: part(single ? columns.avg : columns.max, s),
        last: part(columns.last, s),
      }),
    };
  }
}
