/** One metric of many scopes out of the database. */

import type Database from 'better-sqlite3';
import type { MergeQuery } from '../../shared/api/merge.ts';
import { parseMetric } from '../../shared/model/metric.ts';
import type { ScopeId } from '../../shared/model/scope.ts';
import type { RangeColumns } from './aggregate.ts';
import type { Lists } from './lists.ts';
import { RangeMerge } from './merge.ts';
import { cutName, type Schemas } from './names.ts';
import { chooseTargets, gridOf, niceStep } from './range-plan.ts';
import type { RangeReader } from './range-reader.ts';
import type { Segment, Segments } from './segments.ts';

export interface Merged {
  readonly columns: RangeColumns;
  readonly scopes: number;
}

/** `node/*` stands for all nodes. */
export function wantedScope(wanted: readonly string[]): (scope: ScopeId) => boolean {
  const [all, single] = [wanted.filter((each) => each.endsWith('/*')), new Set(wanted)];
  return (scope) => single.has(scope) || all.some((each) => scope.startsWith(each.slice(0, -1)));
}

export class MergeReader {
  readonly #lists: Lists;
  readonly #segments: Segments;
  readonly #schemas: Schemas;
  readonly #ranges: RangeReader;
  readonly #partOf;

  constructor(db: Database.Database, lists: Lists, segments: Segments, schemas: Schemas, ranges: RangeReader) {
    this.#lists = lists;
    this.#segments = segments;
    this.#schemas = schemas;
    this.#ranges = ranges;
    this.#partOf = db.prepare('SELECT part FROM scope WHERE name = ? ORDER BY epoch DESC LIMIT 1').pluck();
  }

  *merge(query: MergeQuery): Generator<void, Merged | null> {
    const { from, to, maxPoints, series, operation } = query;
    const { family } = cutName(parseMetric(series).key);
    const scopes = query.scope.flatMap((each) =>
      each.endsWith('/*') ? this.#lists.scopesBelow(each.slice(0, -1)) : [each],
    );
    // By part, so that each is read once.
    const known = [...new Set(scopes)].map((scope) => ({
      scope,
      part: (this.#partOf.get(scope) as number | null) ?? 0,
    }));
    known.sort((a, b) => a.part - b.part);
    const found: { scope: ScopeId; segments: Segment[] }[] = [];
    let least = 0;
    for (const [i, { scope }] of known.entries()) {
      const segments = this.#segments.of(scope);
      if (segments.length > 0) found.push({ scope, segments });
      for (const segment of segments) least = Math.max(least, this.#ranges.leastWidth(segment, from, to));
      if (i % 50 === 49) yield;
    }
    const step = Math.max(least, query.step ?? niceStep(from, to, maxPoints));
    const plan = { from, to, limit: maxPoints, samples: Infinity, step };
    const merge = new RangeMerge(operation, gridOf({ ...plan, scope: '', targets: [] }).points);
    try {
      for (const { scope, segments } of found) {
        const schemas = segments.map(({ id }) => this.#schemas.family(id, family));
        const targets = chooseTargets(schemas, { series: [series] });
        if (targets.length === 0) continue;
        const asked = { scope, step };
        merge.add(yield* this.#ranges.range(asked, targets, segments, schemas, maxPoints, from, to, true));
        yield;
      }
    } finally {
      this.#segments.forgetShared();
    }
    const columns = merge.finish(`merge/${operation}`);
    return columns && { columns, scopes: merge.scopes };
  }
}
