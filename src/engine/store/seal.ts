/**
 * Turns what is open into blocks: a scope's frames into a block of samples, its minutes into a piece, and pieces that
 * have become many into one block each, which gives the next coarser piece. What is made of it is made in steps, between
 * which ticks are written; what is stored of a block is stored in one transaction, so that a reader finds its samples in
 * the tail or in a block, never in both and never in none.
 */

import type Database from 'better-sqlite3';
import type { ScopeId } from '../../shared/model/scope.ts';
import { RangeBuilder, type RangeState } from './aggregate.ts';
import { encodeSteps } from './block/index.ts';
import { MOMENT, type BlockInfo, type BlockTable } from './block-table.ts';
import type { Schemas } from './names.ts';
import { chooseTargets, TIER_WIDTH } from './range-plan.ts';
import { Replay } from './replay.ts';
import { firstRow, FrameRows } from './rows.ts';
import type { TimedFrame } from './tail.ts';
import {
  MergedBuckets,
  minutesFrom,
  RAW_SHAPE,
  sourceOf,
  sourceOfBlock,
  tierShape,
  type BucketRows,
  type BucketSource,
} from './tiers.ts';

/** Pieces of a tier that have this many buckets become one block. */
const PIECE_BUCKETS = 240;
/** Values of a block of samples, and its most and least rows whatever that makes. */
const BLOCK_VALUES = 1_000_000;
const MAX_ROWS = 1024;
const MIN_ROWS = 64;
/** Frames that are already sealed, replayed in one step. */
const REPLAY_STEP = 32;
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
   * Frames of a scope, in order and from a full one on, of which those after `sealed` are new. Yields often: a tick may
   * be written then, and where it has changed what is stored of the scope, this must not go on. What is written of a
   * block is written between two yields. `within`: what else belongs to a block that goes up to a frame.
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
    for (let i = 0; i < at; i++) {
      replay.apply(frames[i]!.bytes);
      if (i % REPLAY_STEP === REPLAY_STEP - 1) yield;
    }
    while (at < frames.length) {
      const end = Math.min(frames.length, at + rowsOf(frames[at]!));
      const rows = yield* FrameRows.of(frames.slice(at, end), replay);
      const upTo = end;
      const store = rows.rows === 0 ? () => {} : yield* this.#made(scope, rows);
      try {
        this.#db.transaction(() => {
          store();
          this.#statements.sealed.run(frames[upTo - 1]!.time, scope.row);
          within(upTo);
        })();
      } catch (error) {
        // What was remembered is of a block that is not there.
        this.forget(scope.row);
        throw error;
      }
      yield* this.#mergeHours(scope, false);
      at = end;
      if (at < frames.length) yield;
    }
  }

  /** Makes what is to be stored of some rows; returns what stores it. */
  *#made(scope: SealedScope, rows: FrameRows): Generator<void, () => void> {
    const { row, name, epoch } = scope;
    const n = rows.rows;
    const [first, last] = [rows.times[0]!, rows.times[n - 1]!];
    const samples = yield* encodeSteps({ scope: row, epoch }, RAW_SHAPE, rows);
    const addSamples = (): void => this.#add(row, { tier: 0, open: 0, first, last, rows: n }, samples);
    const series = rows.counterCounts[n - 1]! + rows.gaugeCounts[n - 1]!;
    if (series === 0) return addSamples;
    const before = this.#states.get(row) ?? (yield* this.#stateBefore(row, name, first));
    const { buckets, state } = yield* minutesFrom(name, rows, before);
    const begin = Math.min(first, buckets.times[0]!);
    const piece = { buckets, first: begin, last };
    const many = this.#blocks.pieceRows(row, 1) + buckets.times.length >= PIECE_BUCKETS;
    const addMinutes = many ? yield* this.#merged(scope, 1, piece) : yield* this.#piece(scope, 1, piece);
    return () => {
      addSamples();
      addMinutes();
      this.#remember(row, state);
    };
  }

  *#piece({ row, epoch }: SealedScope, tier: 1 | 2, { buckets, first, last }: Piece): Generator<void, () => void> {
    const bytes = yield* encodeSteps({ scope: row, epoch }, tierShape(tier), buckets);
    return () => this.#add(row, { tier, open: 1, first, last, rows: buckets.times.length }, bytes);
  }

  /** A scope is over: its pieces become blocks. Yields as {@link seal} does. */
  *finish(scope: SealedScope): Generator<void, void> {
    this.forget(scope.row);
    if (this.#blocks.pieces(scope.row, 1).length > 0) {
      const store = yield* this.#merged(scope, 1);
      this.#db.transaction(store)();
    }
    yield* this.#mergeHours(scope, true);
  }

  /** Hours become a block when they are many, or at the end. */
  *#mergeHours(scope: SealedScope, over: boolean): Generator<void, void> {
    const rows = this.#blocks.pieceRows(scope.row, 2);
    if (over ? rows === 0 : rows < PIECE_BUCKETS) return;
    const store = yield* this.#merged(scope, 2);
    this.#db.transaction(store)();
  }

  /**
   * The pieces of a tier as one block, and of minutes the hours as a piece. `newest`: minutes that are not stored yet.
   * A damaged piece stays where it is, as a block of its own. Returns what stores it.
   */
  *#merged(scope: SealedScope, tier: 1 | 2, newest?: Piece): Generator<void, () => void> {
    const { row, epoch } = scope;
    for (;;) {
      const pieces = this.#blocks.pieces(row, tier);
      const read: { readonly info: BlockInfo; readonly source: BucketSource }[] = [];
      const damaged = new Map<BlockInfo, unknown>();
      for (const info of pieces) {
        const block = this.#blocks.read(info);
        if (!block) damaged.set(info, null);
        else read.push({ info, source: guarded(sourceOfBlock(block, info.last), (error) => damaged.set(info, error)) });
        yield;
      }
      const sources = read.map(({ source }) => source).filter(({ times }) => times.length > 0);
      if (newest) sources.push(sourceOf(newest.buckets));
      const merged = new MergedBuckets(sources, TIER_WIDTH[tier], tier === 1 ? TIER_WIDTH[2] : 0);
      let bytes: Uint8Array | null = null;
      try {
        if (merged.times.length > 0) bytes = yield* encodeSteps({ scope: row, epoch }, tierShape(tier), merged);
      } catch (error) {
        if (damaged.size === 0) throw error;
      }
      for (const [info, error] of damaged) {
        if (error !== null) this.#blocks.damaged(info, error);
        this.#blocks.close(info.id);
      }
      // Without those.
      if (damaged.size > 0) continue;
      const first = read.reduce((least, { info }) => Math.min(least, info.first), newest?.first ?? Infinity);
      const last = newest?.last ?? read.at(-1)?.info.last ?? first;
      const hours = merged.coarser;
      const addHours =
        hours && bytes
          ? yield* this.#piece(scope, 2, { buckets: hours, first: Math.min(first, hours.times[0]!), last })
          : () => {};
      // What was removed meanwhile, because it is too old, does not come back.
      if (!isSame(pieces, this.#blocks.pieces(row, tier))) continue;
      return () => {
        for (const { info } of read) this.#blocks.drop(info.id);
        if (bytes) this.#add(row, { tier, open: 0, first, last, rows: merged.times.length }, bytes);
        addHours();
      };
    }
  }

  #add(scope: number, info: Omit<BlockInfo, 'id' | 'size' | 'scope'>, bytes: Uint8Array): void {
    this.#blocks.add({ scope, ...info }, bytes);
  }

  /** What the first rates of a scope count from: its own last block, or that of an earlier start of the engine. */
  *#stateBefore(row: number, name: ScopeId, time: number): Generator<void, RangeState | null> {
    const own = this.#blocks.before(row, time);
    const infos = own.length > 0 ? own : this.#earlier(row, name, time);
    if (infos.length === 0) return null;
    const schema = this.#schemas.of(row);
    yield;
    const counters = schema.filter(({ kind }) => kind === 'counter');
    const targets = chooseTargets([counters], { series: [] });
    // Two spellings of one name: places and targets do not agree.
    if (targets.length !== counters.length) return null;
    yield;
    const builder = new RangeBuilder({ scope: name, from: time, to: time, limit: 2, samples: 0, targets });
    builder.bind(own.length > 0 ? counters : this.#schemas.of(infos[0]!.scope));
    for (const info of infos) {
      const block = this.#blocks.read(info);
      if (!block) continue;
      try {
        yield* builder.baseRowsInSteps(block, 0, firstRow(block.times, Math.min(info.last + MOMENT, time)));
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

/** Tells of what goes wrong as it is read. */
function guarded(source: BucketSource, onError: (error: unknown) => void): BucketSource {
  const guard =
    (read: (place: number) => readonly Float64Array[]) =>
    (place: number): readonly Float64Array[] => {
      try {
        return read(place);
      } catch (error) {
        onError(error);
        throw error;
      }
    };
  return {
    ...source,
    counterParts: guard((place) => source.counterParts(place)),
    gaugeParts: guard((place) => source.gaugeParts(place)),
  };
}

const isSame = (before: readonly BlockInfo[], now: readonly BlockInfo[]): boolean =>
  before.length === now.length && before.every(({ id, last }, i) => now[i]!.id === id && now[i]!.last === last);

/** How many rows a block may have, by the numbers of series that a frame tells. */
function rowsOf({ bytes }: TimedFrame): number {
  if (bytes.byteLength < 40) return MAX_ROWS;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = view.getUint32(32, true) + 4 * view.getUint32(36, true);
  return Math.max(MIN_ROWS, Math.min(MAX_ROWS, Math.floor(BLOCK_VALUES / Math.max(1, values))));
}
