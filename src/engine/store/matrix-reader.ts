/**
 * One series of many scopes, each for itself, out of the database. What leads to the samples is asked for all scopes at
 * once: asked scope by scope it would take several times as long as reading them.
 */

import type Database from 'better-sqlite3';
import { parseMetric } from '../../shared/model/metric.ts';
import type { ScopeId } from '../../shared/model/scope.ts';
import type { ReadRows } from './block/index.ts';
import type { BlockInfo, BlockTable } from './block-table.ts';
import { LATE, MatrixBuilder, samplesFor, type Matrix, type MatrixQuery } from './matrix.ts';
import { cutName, KINDS, type Schemas } from './names.ts';
import { chooseTargets, TIER_WIDTH } from './range-plan.ts';
import type { RangeReader } from './range-reader.ts';
import type { Segments } from './segments.ts';

/** Scopes of a step, a few milliseconds. */
const STEP_SCOPES = 32;

/** A start of the engine in which a scope had the series. */
interface Place {
  readonly scope: ScopeId;
  readonly id: number;
  /** There may be something of it in the tail. */
  readonly open: 0 | 1;
  readonly until: number | null;
  readonly kind: number;
  readonly place: number;
}

export class MatrixReader {
  readonly #segments: Segments;
  readonly #schemas: Schemas;
  readonly #ranges: RangeReader;
  readonly #blocks: BlockTable;
  readonly #statements;

  constructor(db: Database.Database, segments: Segments, schemas: Schemas, ranges: RangeReader, blocks: BlockTable) {
    this.#segments = segments;
    this.#schemas = schemas;
    this.#ranges = ranges;
    this.#blocks = blocks;
    const wanted = 'scope.name > @prefix AND scope.name < @end';
    this.#statements = {
      metrics: db.prepare('SELECT id, family || labels AS name FROM metric WHERE family = ?'),
      // By part, so that each is read once.
      places: db.prepare(
        `SELECT scope.name AS scope, scope.id, scope.until, series.kind, series.place,
           EXISTS (SELECT 1 FROM tail WHERE tail.part = scope.part) AS open
         FROM scope JOIN series ON series.scope = scope.id
         WHERE ${wanted} AND series.metric IN (SELECT value FROM json_each(@metrics))
         ORDER BY coalesce(scope.part, 0), scope.id`,
      ),
      scopes: db.prepare(`SELECT count(*) AS n, name FROM scope WHERE ${wanted} GROUP BY name HAVING n > 1`),
      blocks: db.prepare(
        `SELECT block.id, block.scope, tier, open, first, last, rows, size FROM scope JOIN block ON block.scope = scope.id
         WHERE ${wanted} AND first <= @to ORDER BY block.scope, tier, first`,
      ),
      single: db.prepare('SELECT EXISTS (SELECT 1 FROM frame)').pluck(),
    };
  }

  *matrix(query: MatrixQuery): Generator<void, Matrix | null> {
    const { below, series, from, to, columns } = query;
    const { family } = cutName(parseMetric(series).key);
    const metrics = this.#statements.metrics.all(family) as { id: number; name: string }[];
    const names = metrics.filter(({ name }) => parseMetric(name).key === series);
    // 0 is the character after /.
    const span = { prefix: below, end: `${below.slice(0, -1)}0` };
    const places = this.#statements.places.all({ ...span, metrics: JSON.stringify(names.map(({ id }) => id)) });
    const several = new Set((this.#statements.scopes.all(span) as { name: string }[]).map(({ name }) => name));
    const hasSingle = this.#statements.single.get() === 1;
    yield;
    const byScope = new Map<number, BlockInfo[]>();
    for (const each of this.#statements.blocks.all({ ...span, to: to + LATE })) {
      const info = each as BlockInfo;
      const known = byScope.get(info.scope);
      if (known) known.push(info);
      else byScope.set(info.scope, [info]);
    }
    yield;
    const matrix = new MatrixBuilder(query);
    const done = new Set<ScopeId>();
    const shared = new Map<number, ReadRows>();
    const limit = samplesFor(columns);
    try {
      for (const [i, each] of places.entries()) {
        const place = each as Place;
        if (matrix.isFull) break;
        if (done.has(place.scope)) continue;
        done.add(place.scope);
        const infos =
          hasSingle || several.has(place.scope) ? null : samplesOf(place, byScope.get(place.id), from, limit);
        if (infos) this.#addBlocks(matrix, place, infos, shared);
        else yield* this.#addRange(matrix, place.scope, query, family, limit);
        if (i % STEP_SCOPES === STEP_SCOPES - 1) yield;
      }
    } finally {
      this.#segments.forgetShared();
    }
    return matrix.finish();
  }

  /** `shared`: rows of the blocks of each time, since the ranks of a run are sampled at the same times. */
  #addBlocks(
    matrix: MatrixBuilder,
    { scope, kind, place }: Place,
    infos: readonly BlockInfo[],
    shared: Map<number, ReadRows>,
  ): void {
    if (!matrix.begin(scope, KINDS[kind]!)) return;
    for (const info of infos) {
      const block = this.#blocks.read(info, shared.get(info.first));
      if (!block) continue;
      shared.set(info.first, block.readRows);
      try {
        matrix.addRows(block, place, info.last);
      } catch (error) {
        this.#blocks.damaged(info, error);
      }
    }
    matrix.end();
  }

  /** What is partly in the tail, of several starts, or no longer kept as samples. */
  *#addRange(
    matrix: MatrixBuilder,
    scope: ScopeId,
    { series, from, to }: MatrixQuery,
    family: string,
    limit: number,
  ): Generator<void, void> {
    const segments = this.#segments.of(scope);
    const schemas = segments.map(({ id }) => this.#schemas.family(id, family));
    const targets = chooseTargets(schemas, { series: [series] });
    if (targets.length === 0) return;
    matrix.add(yield* this.#ranges.range({ scope }, targets, segments, schemas, limit, from, to + LATE, true));
  }
}

/** The blocks of samples that a range needs, if these are all that there is of it; else null. */
function samplesOf(
  { open, until }: Place,
  blocks: readonly BlockInfo[] | undefined,
  from: number,
  limit: number,
): readonly BlockInfo[] | null {
  if (open === 1 || until !== null || !blocks) return null;
  const samples = blocks.filter(({ tier }) => tier === 0);
  const first = samples[0]?.first ?? Infinity;
  const isCoarser = ({ tier, first: since }: BlockInfo): boolean => tier > 0 && since + TIER_WIDTH[tier] < first;
  // Samples of before are no longer there.
  if (from < first && blocks.some(isCoarser)) return null;
  // With the one before: what the first rates count from.
  const begin = Math.max(0, samples.findLastIndex((each) => each.first <= from) - 1);
  const needed = samples.slice(begin);
  return needed.reduce((sum, { rows }) => sum + rows, 0) <= 4 * limit ? needed : null;
}
