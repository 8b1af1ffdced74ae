/** What is asked of the store in SQLite. Long answers come in steps: generators that yield every few milliseconds. */

import type Database from 'better-sqlite3';
import type { MergeQuery } from '../../shared/api/merge.ts';
import type { NamesKind, NamesList, NamesQuery } from '../../shared/api/names.ts';
import type { RangeQuery } from '../../shared/api/query.ts';
import type { ScopeId } from '../../shared/model/scope.ts';
import type { RangeColumns } from './aggregate.ts';
import { BlockTable, type BlockInfo, type DamagedBlock } from './block-table.ts';
import { FramesReader, type FramesAnswer } from './frames-reader.ts';
import { Lists } from './lists.ts';
import type { Matrix, MatrixQuery } from './matrix.ts';
import { MatrixReader } from './matrix-reader.ts';
import { MergeReader, type Merged } from './merge-reader.ts';
import { Schemas } from './names.ts';
import { NamesReader } from './names-reader.ts';
import { CardReader } from './profiles/card-reader.ts';
import { RangeReader } from './range-reader.ts';
import { Segments } from './segments.ts';
import type { Snapshot } from './store.ts';

export class SqliteReader {
  readonly lists: Lists;
  readonly cards: CardReader;
  readonly #frames: FramesReader;
  readonly #ranges: RangeReader;
  readonly #merges: MergeReader;
  readonly #matrices: MatrixReader;
  readonly #names: NamesReader;
  readonly #nameOf;
  readonly #damaged = new Set<number>();
  readonly #onDamage: (block: DamagedBlock) => void;

  /** `onDamage` is told of each damaged block once. */
  constructor(db: Database.Database, onDamage: (block: DamagedBlock) => void) {
    this.#onDamage = onDamage;
    this.lists = new Lists(db);
    this.cards = new CardReader(db);
    this.#nameOf = db.prepare('SELECT name FROM scope WHERE id = ?').pluck();
    const segments = new Segments(db);
    const schemas = new Schemas(db);
    const blocks = new BlockTable(db, (info, reason) => this.noteDamage(info, reason));
    this.#frames = new FramesReader(segments, schemas, blocks);
    this.#ranges = new RangeReader(segments, schemas, blocks);
    this.#merges = new MergeReader(db, this.lists, segments, schemas, this.#ranges);
    this.#matrices = new MatrixReader(db, segments, schemas, this.#ranges, blocks);
    this.#names = new NamesReader(db, segments, schemas);
  }

  noteDamage({ id, scope, tier, first, last }: BlockInfo, reason: string): void {
    if (this.#damaged.has(id)) return;
    this.#damaged.add(id);
    const name = (this.#nameOf.get(scope) as string | undefined) ?? '';
    this.#onDamage({ id, scope: name, tier, from: first, to: last, reason });
  }

  snapshot(scope: ScopeId, time: number): Generator<void, Snapshot | null> {
    return this.#frames.snapshot(scope, time);
  }

  /** See Store.frames. */
  frames(scope: ScopeId, from: number, to: number, limit: number): Generator<void, FramesAnswer> {
    return this.#frames.frames(scope, from, to, limit);
  }

  merge(query: MergeQuery): Generator<void, Merged | null> {
    return this.#merges.merge(query);
  }

  matrix(query: MatrixQuery): Generator<void, Matrix | null> {
    return this.#matrices.matrix(query);
  }

  names(query: NamesKind & NamesQuery): Generator<void, NamesList> {
    return this.#names.list(query);
  }

  query(query: RangeQuery): Generator<void, RangeColumns | null> {
    return this.#ranges.query(query);
  }
}

/** Without steps: where nothing else waits. */
export function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
