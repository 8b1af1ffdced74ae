/** Rows of the table of blocks. What cannot be read costs only itself: it is noted, and left out. */

import type Database from 'better-sqlite3';
import { Block, BlockError, type ReadRows } from './block/index.ts';
import { isDamage } from './errors.ts';
import type { TierNumber } from './range-plan.ts';

/** A block by what is known without reading it. Times in ms, both of samples. */
export interface BlockInfo {
  readonly id: number;
  readonly scope: number;
  readonly tier: TierNumber;
  /** A piece that the next coarser tier does not have yet. */
  readonly open: 0 | 1;
  readonly first: number;
  readonly last: number;
  readonly rows: number;
  readonly size: number;
}

export interface DamagedBlock {
  readonly id: number;
  readonly scope: string;
  readonly tier: TierNumber;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

/** Detail is known every tenth time only. */
const BASE_ROWS = 64;
/** Least difference between two times, in ms, as far as a question goes. */
export const MOMENT = 0.0005;

export class BlockTable {
  readonly #statements;
  readonly #noteDamage: (info: BlockInfo, reason: string) => void;

  constructor(db: Database.Database, noteDamage: (info: BlockInfo, reason: string) => void) {
    this.#noteDamage = noteDamage;
    const columns = 'id, scope, tier, open, first, last, rows, size';
    this.#statements = {
      add: db.prepare(
        'INSERT INTO block (scope, tier, open, first, last, rows, size, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      ),
      // From one on that is surely too early: growth since a counter was last known may begin an hour before (tiers.ts).
      within: db.prepare(
        `SELECT ${columns} FROM block WHERE scope = @scope AND tier = @tier AND first <= @to AND first >= coalesce(
           (SELECT first FROM block WHERE scope = @scope AND tier = @tier AND first <= @from
            ORDER BY first DESC LIMIT 1 OFFSET 1) - 3600000, -1e300) ORDER BY last`,
      ),
      // +: not by the index over all scopes, which has them in this order.
      open: db.prepare(`SELECT ${columns} FROM block WHERE scope = ? AND tier = ? AND open = 1 ORDER BY +last`),
      openRows: db
        .prepare('SELECT coalesce(sum(rows), 0) FROM block WHERE scope = ? AND tier = ? AND open = 1')
        .pluck(),
      newest: db.prepare(
        `SELECT ${columns} FROM block WHERE scope = ? AND tier = ? AND first <= ? ORDER BY first DESC LIMIT 1`,
      ),
      oldest: db.prepare(`SELECT ${columns} FROM block WHERE scope = ? AND tier = ? ORDER BY first LIMIT 1`),
      bytes: db.prepare('SELECT bytes FROM block WHERE id = ?').pluck(),
      close: db.prepare('UPDATE block SET open = 0 WHERE id = ?'),
      drop: db.prepare('DELETE FROM block WHERE id = ?'),
      dropFrom: db.prepare('DELETE FROM block WHERE scope = ? AND first >= ?'),
      cut: db.prepare('UPDATE block SET last = ? WHERE scope = ? AND last > ?'),
    };
  }

  add(info: Omit<BlockInfo, 'id' | 'size'>, bytes: Uint8Array): void {
    const { scope, tier, open, first, last, rows } = info;
    this.#statements.add.run(scope, tier, open, first, last, rows, bytes.byteLength, bytes);
  }

  /** Those that may have something of a span, in order. */
  within(scope: number, tier: TierNumber, from: number, to: number): BlockInfo[] {
    const rows = this.#statements.within.all({ scope, tier, from, to }) as BlockInfo[];
    return rows.filter(({ last }) => last >= from);
  }

  /** The last one that begins at or before a time. */
  newest(scope: number, tier: TierNumber, time: number): BlockInfo | null {
    return (this.#statements.newest.get(scope, tier, time) as BlockInfo | undefined) ?? null;
  }

  /**
   * Blocks of samples that begin before a time, in order, the last ones with at least {@link BASE_ROWS} rows: what the
   * first rates after it count from.
   */
  before(scope: number, time: number): BlockInfo[] {
    const found: BlockInfo[] = [];
    let rows = 0;
    for (let info = this.newest(scope, 0, time - MOMENT); info && rows < BASE_ROWS;) {
      found.unshift(info);
      rows += info.first < time && info.last < time ? info.rows : 1;
      info = this.newest(scope, 0, info.first - MOMENT);
    }
    return found;
  }

  oldest(scope: number, tier: TierNumber): BlockInfo | null {
    return (this.#statements.oldest.get(scope, tier) as BlockInfo | undefined) ?? null;
  }

  /** Pieces, in order. */
  pieces(scope: number, tier: TierNumber): BlockInfo[] {
    return this.#statements.open.all(scope, tier) as BlockInfo[];
  }

  pieceRows(scope: number, tier: TierNumber): number {
    return this.#statements.openRows.get(scope, tier) as number;
  }

  /** Null: it is damaged, or not there any more. `like`: of a block that may have the same rows. */
  read(info: BlockInfo, like: ReadRows | null = null): Block | null {
    try {
      const bytes = this.#statements.bytes.get(info.id) as Uint8Array | undefined;
      return bytes ? Block.open(bytes, like) : null;
    } catch (error) {
      this.damaged(info, error);
      return null;
    }
  }

  /** Notes damage; anything else is thrown again. */
  damaged(info: BlockInfo, error: unknown): void {
    if (!(error instanceof BlockError) && !isDamage(error)) throw error;
    this.#noteDamage(info, (error as Error).message);
  }

  close(id: number): void {
    this.#statements.close.run(id);
  }

  drop(id: number): void {
    this.#statements.drop.run(id);
  }

  /** A clock was set back: what is of this time and later goes. */
  cut(scope: number, time: number): void {
    this.#statements.dropFrom.run(scope, time);
    this.#statements.cut.run(time - 0.001, scope, time - 0.001);
  }
}
