/**
 * Reads the database on a connection of its own. No transaction is held over more than one block: a long one would keep
 * the log from being written back, and it would grow as long as the export takes.
 */

import Database from 'better-sqlite3';
import type { Profile } from '../../../shared/api/profiles.ts';
import type { RangeQuery } from '../../../shared/api/query.ts';
import { rankScope, type ScopeId } from '../../../shared/model/scope.ts';
import type { SeriesDef } from '../../../shared/model/series.ts';
import { GAUGE_WIDTH } from '../../../shared/model/values.ts';
import type { RangeColumns } from '../../store/aggregate.ts';
import { BlockTable, MOMENT, type BlockInfo } from '../../store/block-table.ts';
import { databasePath } from '../../store/database.ts';
import { Lists } from '../../store/lists.ts';
import { Schemas } from '../../store/names.ts';
import { RangeReader } from '../../store/range-reader.ts';
import { Replay } from '../../store/replay.ts';
import { firstRow } from '../../store/rows.ts';
import { Segments, type Segment } from '../../store/segments.ts';
import { atOnce } from '../../store/sqlite-reader.ts';
import type { TimedFrame } from '../../store/tail.ts';
import { framePieces } from './frame-pieces.ts';
import type { Extent, SampleRows, SampleSource } from './source.ts';

/** KiB of pages that the connection keeps. */
const CACHE = 2048;

export class DatabaseSource implements SampleSource {
  readonly #db: Database.Database;
  readonly #lists: Lists;
  readonly #segments: Segments;
  readonly #schemas: Schemas;
  readonly #blocks: BlockTable;
  readonly #ranges: RangeReader;
  readonly #damaged = new Set<number>();

  constructor(directory: string) {
    const db = new Database(databasePath(directory), { readonly: true, fileMustExist: true, timeout: 5000 });
    db.pragma(`cache_size = -${CACHE}`);
    this.#db = db;
    this.#lists = new Lists(db);
    this.#segments = new Segments(db);
    this.#schemas = new Schemas(db);
    this.#blocks = new BlockTable(db, ({ id }) => this.#damaged.add(id));
    this.#ranges = new RangeReader(this.#segments, this.#schemas, this.#blocks);
  }

  get damaged(): number {
    return this.#damaged.size;
  }

  /** Within one view of the database. */
  #together<T>(read: () => T): T {
    this.#db.exec('BEGIN');
    try {
      return read();
    } finally {
      // Some errors end the transaction by themselves.
      if (this.#db.inTransaction) this.#db.exec('COMMIT');
    }
  }

  async profile(run: string): Promise<Profile | null> {
    const body = this.#lists.profile(run);
    return body ? (JSON.parse(new TextDecoder().decode(body)) as Profile) : null;
  }

  async ranks(run: string): Promise<number[]> {
    const prefix = rankScope(run, 0).slice(0, -1);
    const ranks = this.#lists.scopesBelow(prefix).map((scope) => Number(scope.slice(prefix.length)));
    return [...new Set(ranks.filter((rank) => Number.isInteger(rank)))].sort((a, b) => a - b);
  }

  async series(scope: ScopeId): Promise<readonly (readonly SeriesDef[])[]> {
    return this.#segments.of(scope).map(({ id }) => this.#schemas.of(id));
  }

  async extent(scope: ScopeId, from: number, to: number): Promise<Extent | null> {
    return this.#together(() => {
      let extent = null as Extent | null;
      for (const segment of this.#segments.of(scope)) {
        const here = this.#extent(segment, from, Math.min(to, segment.until - MOMENT));
        if (!here) continue;
        extent = {
          from: Math.min(here.from, extent?.from ?? Infinity),
          to: Math.max(here.to, extent?.to ?? -Infinity),
          rows: here.rows + (extent?.rows ?? 0),
          width: Math.max(here.width, extent?.width ?? 0),
        };
      }
      return extent;
    });
  }

  #extent(segment: Segment, from: number, to: number): Extent | null {
    const width = this.#ranges.leastWidth(segment, from, to);
    let [first, last, rows] = [Infinity, -Infinity, 0];
    const add = (begin: number, end: number, count: number): void => {
      if (end < from || begin > to) return;
      const share = end > begin ? (Math.min(end, to) - Math.max(begin, from)) / (end - begin) : 1;
      rows += count * share;
      first = Math.min(first, Math.max(begin, from));
      last = Math.max(last, Math.min(end, to));
    };
    for (const info of this.#blocks.within(segment.id, 0, from, to)) add(info.first, info.last, info.rows);
    if (width > 0) {
      const tier = width > 60_000 ? 2 : 1;
      const begin = first;
      // A bucket is named by its beginning, which is before its samples.
      for (const info of this.#blocks.within(segment.id, tier, from, to))
        if (info.first < begin) add(info.first, Math.min(info.last, begin), info.rows);
    }
    const [oldest, newest] = [this.#segments.oldest(segment), this.#segments.newest(segment, to)];
    if (oldest !== null && newest !== null) {
      add(Math.max(oldest, from), newest, this.#segments.count(segment, from, to, 1e9));
    }
    const tail = atOnce(this.#segments.sharedTail(segment)).filter(({ time }) => time > segment.sealed);
    if (tail.length > 0) add(tail[0]!.time, tail.at(-1)!.time, tail.length);
    return first <= last ? { from: first, to: last, rows, width } : null;
  }

  async range(query: RangeQuery): Promise<RangeColumns | null> {
    return this.#together(() => atOnce(this.#ranges.query(query)));
  }

  async *samples(scope: ScopeId, from: number, to: number): AsyncGenerator<SampleRows> {
    for (const { id } of this.#segments.of(scope).toReversed()) {
      const defs = this.#schemas.of(id);
      let after = from - MOMENT;
      for (;;) {
        const { infos, frames } = this.#together(() => this.#next(scope, id, after, to));
        for (const info of infos) {
          const piece = this.#block(info, after + MOMENT, to, defs);
          after = Math.max(after, info.last);
          if (piece) yield piece;
        }
        if (infos.length > 0) continue;
        yield* framePieces(frames, new Replay(), after, to, defs);
        break;
      }
    }
  }

  /** The blocks that come next; if there are none, what is in no block yet. */
  #next(scope: ScopeId, id: number, after: number, to: number): { infos: BlockInfo[]; frames: TimedFrame[] } {
    // Anew each time: what was in the tail a moment ago is in a block now.
    const segment = this.#segments.of(scope).find((one) => one.id === id);
    if (!segment) return { infos: [], frames: [] };
    const end = Math.min(to, segment.until - MOMENT);
    const infos = this.#blocks.within(id, 0, after, end).filter(({ last }) => last > after);
    if (infos.length > 0) return { infos, frames: [] };
    const frames: TimedFrame[] = [];
    const newest = this.#segments.newest(segment, end);
    if (newest !== null && newest > after) {
      const start = this.#segments.start(segment, Math.max(after, this.#segments.oldest(segment) ?? after));
      for (const frame of this.#segments.scan(segment, start, newest)) if (frame) frames.push(frame);
    }
    const open = atOnce(this.#segments.sharedTail(segment));
    return { infos: [], frames: [...frames, ...open.filter(({ time }) => time > segment.sealed && time <= end)] };
  }

  #block(info: BlockInfo, from: number, to: number, defs: readonly SeriesDef[]): SampleRows | null {
    const block = this.#blocks.read(info);
    if (!block) return null;
    // What it has after `last` does not count any more.
    const [start, end] = [firstRow(block.times, from), firstRow(block.times, Math.min(to, info.last) + MOMENT)];
    const known = defs.filter(({ kind, index }) => index < (kind === 'counter' ? block.counters : block.gauges));
    if (start >= end) return null;
    return {
      ...{ defs: known, times: block.times, start, end },
      counter: (place) => this.#columns(info, block.rows, () => [block.counter(place, 0)])[0]!,
      gauge: (place) => this.#columns(info, block.rows, () => block.gaugeParts(place)),
    };
  }

  /** Four at most; without a value where they cannot be read. */
  #columns(info: BlockInfo, rows: number, read: () => Float64Array[]): Float64Array[] {
    try {
      return read();
    } catch (error) {
      this.#blocks.damaged(info, error);
      return new Array<Float64Array>(GAUGE_WIDTH).fill(new Float64Array(rows).fill(NaN));
    }
  }

  close(): void {
    this.#segments.forgetShared();
    this.#db.close();
  }
}
