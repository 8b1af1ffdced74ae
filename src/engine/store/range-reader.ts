/**
 * History over a range: of each segment the coarsest buckets that fit the points of the answer, samples where there are
 * no buckets yet, and coarser buckets where the samples are no longer kept.
 */

import type { RangeQuery } from '../../shared/api/query.ts';
import type { SeriesDef } from '../../shared/model/series.ts';
import { RangeBuilder, type RangeColumns } from './aggregate.ts';
import type { Block } from './block/index.ts';
import { MOMENT, type BlockInfo, type BlockTable } from './block-table.ts';
import type { Schemas } from './names.ts';
import { chooseTargets, pointLimit, TIER_WIDTH, type RangeTarget, type TierNumber } from './range-plan.ts';
import { Replay } from './replay.ts';
import { firstRow } from './rows.ts';
import type { Segment, Segments } from './segments.ts';
import type { TimedFrame } from './tail.ts';
import { TailRows } from './tail-rows.ts';

/** So few series are read by themselves out of frames. */
const FEW_TARGETS = 8;
/** Samples are read rather than buckets when they are at most this many times as many. */
const RAW_FACTOR = 1.5;

/** A segment as one question sees it. */
interface Source {
  readonly segment: Segment;
  readonly schema: readonly SeriesDef[];
  readonly tail: readonly TimedFrame[];
  /** By id: read once, however often they are needed. */
  readonly blocks: Map<number, Block | null>;
}

export class RangeReader {
  readonly #segments: Segments;
  readonly #schemas: Schemas;
  readonly #blocks: BlockTable;

  constructor(segments: Segments, schemas: Schemas, blocks: BlockTable) {
    this.#segments = segments;
    this.#schemas = schemas;
    this.#blocks = blocks;
  }

  *query(query: RangeQuery): Generator<void, RangeColumns | null> {
    const { scope, from, to } = query;
    const segments = this.#segments.of(scope);
    if (segments.length === 0) return null;
    const schemas = segments.map(({ id }) => this.#schemas.of(id));
    const targets = chooseTargets(schemas, query);
    return yield* this.range(query, targets, segments, schemas, pointLimit(query.maxPoints, targets.length), from, to);
  }

  /** `segments` newest first, each with its schema. `shared`: scopes of one part are asked for one after another. */
  *range(
    query: Pick<RangeQuery, 'scope' | 'step'>,
    targets: readonly RangeTarget[],
    segments: readonly Segment[],
    schemas: readonly (readonly SeriesDef[])[],
    limit: number,
    from: number,
    to: number,
    shared = false,
  ): Generator<void, RangeColumns> {
    const sources: Source[] = [];
    for (const [i, segment] of segments.entries()) {
      const tail = yield* shared ? this.#segments.sharedTail(segment) : this.#segments.tail(segment);
      sources.unshift({ segment, schema: schemas[i]!, tail, blocks: new Map() });
    }
    let samples = 0;
    let least = 0;
    for (const source of sources) {
      samples += this.#count(source, from, to, limit);
      least = Math.max(least, this.#leastWidth(source, from, to));
    }
    const step = query.step === undefined ? {} : { step: query.step };
    const range = new RangeBuilder({ scope: query.scope, from, to, limit, samples, targets, least, ...step });
    for (const source of sources) {
      yield* this.#add(range, source, range.grid.origin, Math.min(range.grid.end, source.segment.until - 0.001));
      source.blocks.clear();
    }
    return range.finish();
  }

  #read({ blocks }: Source, info: BlockInfo): Block | null {
    const known = blocks.get(info.id);
    if (known !== undefined) return known;
    const block = this.#blocks.read(info);
    blocks.set(info.id, block);
    return block;
  }

  /** Samples in a span; exact up to `limit`. */
  #count(source: Source, from: number, to: number, limit: number): number {
    const { segment, tail } = source;
    let count = 0;
    for (const { time } of tail) if (time > segment.sealed && time >= from && time <= to) count++;
    count += this.#segments.count(segment, from, to, limit + 1);
    const edges: BlockInfo[] = [];
    for (const info of this.#blocks.within(segment.id, 0, from, to)) {
      if (info.first >= from && info.last <= to) count += info.rows;
      else edges.push(info);
    }
    for (const info of edges) {
      if (count > limit) return count;
      const block = this.#read(source, info);
      if (block) count += rowsBetween(block, info, from, to).count;
    }
    return count;
  }

  /** Width of the buckets that are all there is of some of a span; 0: all samples are there. */
  #leastWidth({ segment }: Pick<Source, 'segment'>, from: number, to: number): number {
    for (const tier of [2, 1] as const) {
      const begin = this.#begin(segment, (tier - 1) as TierNumber);
      if (from >= begin) continue;
      const [coarse] = this.#blocks.within(segment.id, tier, from, to);
      if (coarse && coarse.first < begin - TIER_WIDTH[tier]) return TIER_WIDTH[tier];
    }
    return 0;
  }

  /** Since when a tier is there; Infinity: it is not. */
  #begin(segment: Segment, tier: TierNumber): number {
    const first = this.#blocks.oldest(segment.id, tier)?.first ?? Infinity;
    // What is in no block yet has no buckets: for them it is there as samples.
    return Math.min(first, tier === 0 ? (this.#segments.oldest(segment) ?? Infinity) : Infinity);
  }

  /** What is all there is of a scope's range, as the width of a bucket. */
  leastWidth(segment: Segment, from: number, to: number): number {
    return this.#leastWidth({ segment }, from, to);
  }

  *#add(range: RangeBuilder, source: Source, from: number, to: number): Generator<void, void> {
    const { segment, schema } = source;
    range.bind(schema);
    const tier = this.#tierFor(segment, range.grid.step, from, to);
    for (let coarser = 2; coarser > tier; coarser--) {
      const before = this.#begin(segment, (coarser - 1) as TierNumber);
      if (before <= from) continue;
      for (const info of this.#blocks.within(segment.id, coarser as TierNumber, from, Math.min(to, before))) {
        this.#addBuckets(range, source, info, from, Math.min(to, before - TIER_WIDTH[coarser as TierNumber]));
        yield;
      }
    }
    if (tier === 0) yield* this.#addSamples(range, source, from, to);
    else {
      const infos = this.#blocks.within(segment.id, tier, from, to);
      // Hours are made of minutes that have become a block; the others are still pieces.
      if (tier === 2) infos.push(...this.#blocks.within(segment.id, 1, from, to).filter(({ open }) => open === 1));
      for (const info of infos) {
        this.#addBuckets(range, source, info, from, to);
        yield;
      }
      const isOpen = source.tail.some(({ time }) => time > segment.sealed && time <= to);
      if (isOpen) this.#base(range, source, Math.max(from, segment.sealed + 0.001));
    }
    yield* this.#addFrames(range, source, from, to);
  }

  /** The coarsest tier whose buckets fit, unless there are hardly fewer of them than samples. */
  #tierFor({ id }: Segment, step: number, from: number, to: number): TierNumber {
    const rows = (tier: TierNumber): number =>
      this.#blocks.within(id, tier, from, to).reduce((sum, info) => sum + info.rows, 0);
    for (const tier of [2, 1] as const) {
      if (step === 0 || step % TIER_WIDTH[tier] !== 0) continue;
      const finer = this.#blocks.oldest(id, 0);
      const coarse = this.#blocks.oldest(id, tier);
      const whole = finer && coarse && finer.first <= Math.max(from, coarse.first + TIER_WIDTH[tier]);
      return whole && rows(0) <= RAW_FACTOR * rows(tier) ? 0 : tier;
    }
    return 0;
  }

  #addBuckets(range: RangeBuilder, source: Source, info: BlockInfo, from: number, to: number): void {
    const block = this.#read(source, info);
    if (!block) return;
    // What it has after `last` does not count any more.
    const [start, end] = [firstRow(block.times, from), firstRow(block.times, Math.min(to, info.last) + 0.001)];
    try {
      if (end > start) range.addBuckets(block, start, end, info.last);
    } catch (error) {
      this.#blocks.damaged(info, error);
    }
    source.blocks.delete(info.id);
  }

  *#addSamples(range: RangeBuilder, source: Source, from: number, to: number): Generator<void, void> {
    this.#base(range, source, from);
    for (const info of this.#blocks.within(source.segment.id, 0, from, to)) {
      const block = this.#read(source, info);
      if (!block) continue;
      const { start, end } = rowsBetween(block, info, from, to);
      try {
        if (end > start) range.addRows(block, start, end);
      } catch (error) {
        this.#blocks.damaged(info, error);
      }
      source.blocks.delete(info.id);
      yield;
    }
  }

  /** Lets the samples of blocks before a time be what the first rates count from. */
  #base(range: RangeBuilder, source: Source, time: number): void {
    const infos = this.#blocks.before(source.segment.id, time);
    if (infos.length > 0) range.forget();
    for (const info of infos) {
      const block = this.#read(source, info);
      if (!block) continue;
      try {
        range.baseRows(block, 0, rowsBetween(block, info, -Infinity, time - MOMENT).end);
      } catch (error) {
        this.#blocks.damaged(info, error);
      }
    }
  }

  /** What is not in blocks. */
  *#addFrames(range: RangeBuilder, { segment, tail }: Source, from: number, to: number): Generator<void, void> {
    let replay = new Replay();
    const add = ({ time, bytes }: TimedFrame): void => {
      const frame = replay.apply(bytes);
      if (!frame || time > to || time <= segment.sealed) return;
      if (time >= from) range.add(frame.time, frame.gap, replay.state);
      else range.base(frame.time, frame.gap, replay.state);
    };
    const newest = this.#segments.newest(segment, to);
    if (newest !== null) {
      const before = this.#segments.newest(segment, from - 0.001);
      const start = before === null ? from : this.#segments.start(segment, before);
      for (const frame of this.#segments.scan(segment, start, newest)) {
        if (frame) add(frame);
        else yield;
      }
    }
    const rows = range.targets.length <= FEW_TARGETS ? TailRows.of(tail) : null;
    if (rows) {
      const [begin, start] = [firstRow(rows.times, segment.sealed + MOMENT), firstRow(rows.times, from)];
      if (start > begin) range.baseRows(rows, begin, start);
      range.addRows(rows, Math.max(begin, start), firstRow(rows.times, to + MOMENT));
      return;
    }
    replay = new Replay();
    for (const [i, frame] of tail.entries()) {
      if (frame.time > to) break;
      add(frame);
      if (i % 500 === 499) yield;
    }
  }
}

/** Rows of a block with times in a span, both ends included. What it has after `last` does not count any more. */
function rowsBetween(
  block: Block,
  info: BlockInfo,
  from: number,
  to: number,
): { start: number; end: number; count: number } {
  const start = firstRow(block.times, from);
  const end = firstRow(block.times, Math.min(to, info.last) + 0.0005);
  return { start, end, count: Math.max(0, end - start) };
}
