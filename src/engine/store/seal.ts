/**
 * Turns what is open into blocks: a scope's frames into a block of samples, its minutes into a piece, and pieces that
 * have become many into one block each, which gives the next coarser piece. No transaction ends within one of these, so
 * that a reader finds its samples in the tail or in a block, never in both and never in none.
 */

import type Database from 'better-sqlite3';
import type { ScopeId } from '../../shared/model/scope.ts';
import { RangeBuilder, type RangeState } from './aggregate.ts';
import { encodeBlock, type Block, type BlockRows } from './block/index.ts';
import { MOMENT, type BlockInfo, type BlockTable } from './block-table.ts';
import type { Schemas } from './names.ts';
import { chooseTargets, TIER_WIDTH } from './range-plan.ts';
import { Replay } from './replay.ts';
import { firstRow, FrameRows } from './rows.ts';
import type { TimedFrame } from './tail.ts';
import { mergeBuckets, minutesFrom, RAW_SHAPE, rowsUpTo, tierShape, type BucketRows } from './tiers.ts';

/** Pieces of a tier that have this many buckets become one block. */
const PIECE_BUCKETS = 240;
/** Values of a block of samples, and its most and least rows whatever that makes. */
const BLOCK_VALUES = 1_000_000;
const MAX_ROWS = 1024;
const MIN_ROWS = 64;
/** Counters of live scopes whose states are kept (16 bytes each, about); beyond that they are read again. */
const MAX_STATE_COUNTERS = 1_000_000;

export interface SealedScope {
  readonly row: number;
  readonly name: ScopeId;
  readonly epoch: number;
}

/** Buckets, with the times of the first and the last sample in them. */
interface Piece {
  readonly buckets: BucketRows;
  readonly first: number;
  readonly last: number;
}

export class Sealer {
  readonly #db: Database.Database;
  readonly #blocks: BlockTable;
  readonly #schemas: Schemas;
  readonly #states = new Map<number, RangeState>();
  #stateCounters = 0;
  readonly #statements;

  constructor(db: Database.Database, blocks: BlockTable, schemas: Schemas) {
    this.#db = db;
    this.#blocks = blocks;
    this.#schemas = schemas;
    this.#statements = {
      sealed: db.prepare('UPDATE scope SET sealed = ? WHERE id = ?'),
      segments: db.prepare('SELECT id FROM scope WHERE name = ? AND id <> ? ORDER BY epoch DESC').pluck(),
    };
  }

  /** Its samples were changed behind what is remembered, or it will have no more of them. */
  forget(row: number): void {
    this.#stateCounters -= costOf(this.#states.get(row));
    this.#states.delete(row);
  }

  /** A transaction was rolled back. */
  forgetAll(): void {
    this.#states.clear();
    this.#stateCounters = 0;
  }

  #remember(row: number, state: RangeState): void {
    this.forget(row);
    if (this.#stateCounters >= MAX_STATE_COUNTERS) this.forgetAll();
    this.#states.set(row, state);
    this.#stateCounters += costOf(state);
  }

  /**
   * Frames of a scope, in order and from a full one on, of which those after `sealed` are new. Yields between blocks.
   * `within`: what else belongs into the transaction of a block that goes up to a frame.
   */
  *seal(
    scope: SealedScope,
    frames: readonly TimedFrame[],
    sealed: number,
    within: (upTo: number) => void = () => {},
  ): Generator<void, void> {
    const replay = new Replay();
    let at = frames.findIndex(({ time }) => time > sealed);
    if (at < 0) return;
    for (const { bytes } of frames.slice(0, at)) replay.apply(bytes);
    while (at < frames.length) {
      const end = Math.min(frames.length, at + rowsOf(frames[at]!));
      const rows = new FrameRows(frames.slice(at, end), replay);
      const upTo = end;
      this.#db.transaction(() => {
        this.#store(scope, rows);
        this.#statements.sealed.run(frames[upTo - 1]!.time, scope.row);
        within(upTo);
      })();
      at = end;
      if (at < frames.length) yield;
    }
  }

  #store({ row, name, epoch }: SealedScope, rows: FrameRows): void {
    const n = rows.rows;
    if (n === 0) return;
    const [first, last] = [rows.times[0]!, rows.times[n - 1]!];
    this.#add(row, epoch, { tier: 0, open: 0, first, last }, rows);
    const series = rows.counterCounts[n - 1]! + rows.gaugeCounts[n - 1]!;
    if (series === 0) return;
    const state = this.#states.get(row) ?? this.#stateBefore(row, name, first);
    const minutes = minutesFrom(name, rows, state);
    this.#remember(row, minutes.state);
    const begin = Math.min(first, minutes.buckets.times[0]!);
    const piece = { buckets: minutes.buckets, first: begin, last };
    const buckets = this.#blocks.pieceRows(row, 1) + piece.buckets.times.length;
    if (buckets >= PIECE_BUCKETS) this.#merge(row, epoch, false, piece);
    else this.#add(row, epoch, { tier: 1, open: 1, first: begin, last }, piece.buckets);
  }

  /** A scope is over: its pieces become blocks. */
  finish({ row, epoch }: SealedScope): void {
    this.forget(row);
    if (this.#blocks.pieces(row, 1).length + this.#blocks.pieces(row, 2).length === 0) return;
    this.#db.transaction(() => this.#merge(row, epoch, true))();
  }

  /**
   * Minutes become a block, and hours of them a piece; hours become a block when they are many, or at the end. `newest`:
   * minutes that are not stored yet.
   */
  #merge(row: number, epoch: number, over: boolean, newest?: Piece): void {
    const minutes = this.#take(row, 1, newest);
    if (minutes) {
      const { buckets, first, last } = minutes;
      this.#add(row, epoch, { tier: 1, open: 0, first, last }, buckets);
      const hours = mergeBuckets([buckets], TIER_WIDTH[2]);
      this.#add(row, epoch, { tier: 2, open: 1, first: Math.min(first, hours.times[0]!), last }, hours);
    }
    if (!over && this.#blocks.pieceRows(row, 2) < PIECE_BUCKETS) return;
    const hours = this.#take(row, 2);
    if (hours) this.#add(row, epoch, { tier: 2, open: 0, first: hours.first, last: hours.last }, hours.buckets);
  }

  /** Takes the pieces of a tier out and puts them together. A damaged one stays where it is, as a block of its own. */
  #take(row: number, tier: 1 | 2, newest?: Piece): Piece | null {
    const pieces = this.#blocks.pieces(row, tier);
    const read: { info: BlockInfo; rows: Block }[] = [];
    for (const info of pieces) {
      const rows = this.#blocks.read(info);
      // Looked at as a whole, so that damage shows now and not while it is put together with others.
      if (rows && this.#blocks.isWhole(info, rows)) read.push({ info, rows });
      else this.#blocks.close(info.id);
    }
    if (read.length === 0) return newest ?? null;
    const buckets = mergeBuckets(
      [...read.map(({ info, rows }) => rowsUpTo(rows, info.last)), ...(newest ? [newest.buckets] : [])],
      TIER_WIDTH[tier],
    );
    for (const { info } of read) this.#blocks.drop(info.id);
    if (buckets.times.length === 0) return null;
    const first = read.reduce((least, { info }) => Math.min(least, info.first), newest?.first ?? Infinity);
    return { buckets, first, last: newest?.last ?? read.at(-1)!.info.last };
  }

  #add(
    scope: number,
    epoch: number,
    { tier, open, first, last }: Pick<BlockInfo, 'tier' | 'open' | 'first' | 'last'>,
    rows: BlockRows,
  ): void {
    const bytes = encodeBlock({ scope, epoch }, tier === 0 ? RAW_SHAPE : tierShape(tier), rows);
    this.#blocks.add({ scope, tier, open, first, last, rows: rows.times.length }, bytes);
  }

  /** What the first rates of a scope count from: its own last block, or that of an earlier start of the engine. */
  #stateBefore(row: number, name: ScopeId, time: number): RangeState | null {
    const own = this.#blocks.before(row, time);
    const infos = own.length > 0 ? own : this.#earlier(row, name, time);
    if (infos.length === 0) return null;
    const schema = this.#schemas.of(row);
    const counters = schema.filter(({ kind }) => kind === 'counter');
    const targets = chooseTargets([counters], { series: [] });
    // Two spellings of one name: places and targets do not agree.
    if (targets.length !== counters.length) return null;
    const builder = new RangeBuilder({ scope: name, from: time, to: time, limit: 2, samples: 0, targets });
    builder.bind(own.length > 0 ? counters : this.#schemas.of(infos[0]!.scope));
    for (const info of infos) {
      const block = this.#blocks.read(info);
      if (!block) continue;
      try {
        builder.baseRows(block, 0, firstRow(block.times, Math.min(info.last + MOMENT, time)));
      } catch (error) {
        this.#blocks.damaged(info, error);
      }
    }
    return builder.state(counters.length);
  }

  #earlier(row: number, name: ScopeId, time: number): BlockInfo[] {
    for (const segment of this.#statements.segments.all(name, row) as number[]) {
      const found = this.#blocks.before(segment, time);
      if (found.length > 0) return found;
    }
    return [];
  }
}

/** In counters: one without any is not for nothing. */
const costOf = (state: RangeState | undefined): number => (state ? 16 + state.previous.length : 0);

/** How many rows a block may have, by the numbers of series that a frame tells. */
function rowsOf({ bytes }: TimedFrame): number {
  if (bytes.byteLength < 40) return MAX_ROWS;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = view.getUint32(32, true) + 4 * view.getUint32(36, true);
  return Math.max(MIN_ROWS, Math.min(MAX_ROWS, Math.floor(BLOCK_VALUES / Math.max(1, values))));
}
