/**
 * The store in SQLite: all statements, all synchronous, for the worker thread. Long reads are generators that yield
 * between steps of a few milliseconds, so that a tick never waits for one.
 */

import type Database from 'better-sqlite3';
import { randomBytes } from 'node:crypto';
import { AUDIT_ENTRIES, type AuditEntry } from '../../shared/api/audit.ts';
import type { Profile } from '../../shared/api/profiles.ts';
import type { Run } from '../../shared/api/runs.ts';
import type { ScopeId } from '../../shared/model/scope.ts';
import { BlockTable, type DamagedBlock } from './block-table.ts';
import { interruptedProfile, type StoredRank } from './interrupted.ts';
import { Names, Schemas } from './names.ts';
import { Parts, type Part } from './parts.ts';
import { NOT_TOLD, type About } from './profiles/card.ts';
import { CardOrders } from './profiles/card-orders.ts';
import { Cards } from './profiles/cards.ts';
import { searchText } from './run-list.ts';
import { Sealer } from './seal.ts';
import { Sealing } from './sealing.ts';
import { ScopeTrack, type TrackedFrame } from './scope-track.ts';
import { atOnce, SqliteReader } from './sqlite-reader.ts';
import type { InterruptedRun, ScopeTick, SeriesList, TableState, Tick } from './store.ts';
import { TableRows, TableStates } from './table-states.ts';
import { packTail, type TailFrame } from './tail.ts';

/** A snapshot replays at most this many frames. */
const FULL_EVERY = 256;

export interface LiveScope {
  readonly name: ScopeId;
  readonly track: ScopeTrack;
  /** Row of `scope`; null until the first frame is committed. */
  row: number | null;
  /** Where its frames are in the tail, and what it counts for there; null until its first frame is written. */
  part: Part | null;
  weight: number;
  /** It has been here before in this start: there may be samples of it. */
  isBack: boolean;
  /** Series not committed yet. */
  unsaved: SeriesList[];
}

/** A tick ready to be written, as often as it takes. */
export interface PreparedTick {
  readonly time: number;
  readonly scopes: readonly { readonly live: LiveScope; readonly frame: TrackedFrame }[];
}

export class SqliteStore {
  readonly engineId: string;
  readonly epoch: number;
  readonly read: SqliteReader;
  readonly #db: Database.Database;
  readonly #live = new Map<ScopeId, LiveScope>();
  readonly #liveRows = new Set<number>();
  readonly #names: Names;
  readonly #parts: Parts;
  readonly #blocks: BlockTable;
  readonly #sealer: Sealer;
  readonly sealing: Sealing;
  readonly cards: Cards;
  readonly orders: CardOrders;
  readonly #tables: TableRows;
  readonly #tableStates = new TableStates();
  readonly #statements;
  /** The number of this start is not on disk yet. */
  #epochUnsaved = true;

  constructor(db: Database.Database, onDamage: (block: DamagedBlock) => void = () => {}) {
    this.#db = db;
    this.read = new SqliteReader(db, onDamage);
    this.#tables = new TableRows(db);
    this.cards = new Cards(db);
    this.orders = new CardOrders(db, this.cards, this.read.cards);
    this.#names = new Names(db);
    this.#blocks = new BlockTable(db, (info, reason) => this.read.noteDamage(info, reason));
    const next = db.prepare('SELECT coalesce(max(part), 0) + 1 FROM scope').pluck().get() as number;
    this.#parts = new Parts(next);
    this.#sealer = new Sealer(db, this.#blocks, new Schemas(db));
    this.sealing = new Sealing(db, this.#sealer, this.#names, {
      next,
      parts: this.#parts,
      live: () => this.#live.values(),
    });
    const known = db.prepare('SELECT id, epochs FROM engine').get() as { id: string; epochs: number } | undefined;
    this.engineId = known?.id ?? randomBytes(16).toString('hex');
    this.epoch = (known?.epochs ?? 0) + 1;
    this.#statements = {
      engine: db.prepare(
        'INSERT INTO engine (one, id, epochs) VALUES (1, ?, ?) ON CONFLICT (one) DO UPDATE SET epochs = excluded.epochs',
      ),
      findScope: db.prepare('SELECT id, part FROM scope WHERE name = ? AND epoch = ?'),
      scope: db
        .prepare(
          'INSERT INTO scope (name, epoch, part) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET part = excluded.part RETURNING id',
        )
        .pluck(),
      tail: db.prepare('INSERT INTO tail (part, time, bytes) VALUES (?, ?, ?)'),
      others: db.prepare('SELECT id FROM scope WHERE name = ? AND id <> ?').pluck(),
      hide: db.prepare('UPDATE scope SET until = min(coalesce(until, 1e300), ?) WHERE id = ?'),
      unseal: db.prepare('UPDATE scope SET sealed = min(sealed, ?) WHERE id = ? AND sealed IS NOT NULL'),
      dropFrames: db.prepare('DELETE FROM frame WHERE scope = ? AND time >= ?'),
      run: db.prepare(
        `INSERT INTO run (id, jobid, start, state, epoch, search, body) VALUES (?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET jobid = excluded.jobid, start = excluded.start, state = excluded.state,
           epoch = excluded.epoch, search = excluded.search, body = excluded.body`,
      ),
      audit: db
        .prepare(
          'INSERT INTO audit (id, body) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body RETURNING number',
        )
        .pluck(),
      oldAudit: db.prepare('DELETE FROM audit WHERE number <= ?'),
      profile: db.prepare(
        'INSERT INTO profile (run, body) VALUES (?, ?) ON CONFLICT (run) DO UPDATE SET body = excluded.body',
      ),
    };
  }

  /** Frames that cannot be read are an error of the caller's: FrameError. Each tick once, in order. */
  prepare(tick: Tick): PreparedTick {
    this.#tableStates.add(tick.tables ?? []);
    try {
      return { time: tick.time, scopes: tick.scopes.map((scope) => this.#take(scope)) };
    } catch (error) {
      for (const { scope } of tick.scopes) this.#live.get(scope)?.track.lost();
      throw error;
    }
  }

  #take({ scope: name, added, frame }: ScopeTick): PreparedTick['scopes'][number] {
    let live = this.#live.get(name);
    if (!live) {
      const part = null;
      const track = new ScopeTrack(FULL_EVERY);
      live = { name, track, row: null, part, weight: frame.byteLength, isBack: false, unsaved: [] };
      this.#live.set(name, live);
    }
    if (added.length > 0) live.unsaved.push(added);
    return { live, frame: live.track.take(frame) };
  }

  /** One transaction. When it throws, nothing of the tick is stored and it may be written again. */
  writeTick(tick: PreparedTick): void {
    const rows: number[] = [];
    const written = new Map<Part, number>();
    const states = this.#tableStates.due(new Set(tick.scopes.map(({ live }) => live.name)));
    try {
      this.#transaction(() => {
        this.#tables.write(states);
        const frames = new Map<Part, TailFrame[]>();
        for (const { live, frame } of tick.scopes) {
          const part = this.#partOf(live);
          const row = live.row ?? (this.#statements.scope.get(live.name, this.epoch, part.id) as number);
          rows.push(row);
          for (const list of live.unsaved) for (const def of list) this.#names.store(row, def);
          // Times of a scope only grow: what a clock that was set back left ahead would mix with what comes.
          if (frame.setBack || live.row === null) this.#setBack(live, row, frame.time);
          const here = frames.get(part);
          if (here) here.push({ scope: row, bytes: frame.bytes });
          else frames.set(part, [{ scope: row, bytes: frame.bytes }]);
        }
        for (const [part, all] of frames) {
          const bytes = packTail(all);
          this.#statements.tail.run(part.id, tick.time, bytes);
          written.set(part, bytes.byteLength);
        }
      });
    } catch (error) {
      this.#names.forget();
      throw error;
    }
    this.#tableStates.written(states);
    tick.scopes.forEach(({ live }, i) => {
      live.row = rows[i]!;
      live.unsaved = [];
      this.#liveRows.add(rows[i]!);
    });
    for (const [part, bytes] of written) {
      // When it came, not what it is of: what is imported may be years old.
      if (part.rows === 0) part.since = Date.now();
      part.rows++;
      part.bytes += bytes;
    }
  }

  #partOf(live: LiveScope): Part {
    if (live.part) return live.part;
    const found = this.#statements.findScope.get(live.name, this.epoch) as { part: number | null } | undefined;
    live.isBack = found !== undefined;
    live.part = this.#parts.join(live.name, live.weight, found?.part ?? null);
    return live.part;
  }

  #setBack({ name, part, isBack, row: known }: LiveScope, row: number, time: number): void {
    // A new scope changes nothing of what its part has.
    if (part && (known !== null || isBack)) part.setBack++;
    this.#sealer.forget(row);
    this.#statements.unseal.run(time - 0.001, row);
    this.#blocks.cut(row, time);
    for (const other of this.#statements.others.all(name, row) as number[]) {
      this.#statements.hide.run(time, other);
      this.#statements.dropFrames.run(other, time);
    }
  }

  /** The tick will not be written any more. */
  loseTick(tick: PreparedTick): void {
    for (const { live } of tick.scopes) live.track.lost();
  }

  putRun(run: Run): void {
    this.#transaction(() => {
      this.#storeRun(run);
      this.cards.described(run);
    });
  }

  /** `body`: the profile as JSON. */
  putProfile(run: Run, body: Uint8Array, about: About = NOT_TOLD): void {
    this.#transaction(() => {
      this.#storeRun(run);
      this.#statements.profile.run(run.id, body);
      this.cards.put(run, about);
      // Where the engine stopped the tables go on, and so may the run.
      if (run.state === 'finished') this.#tables.removeScope(run.scope);
    });
    this.#tableStates.forget(run.scope);
    const ranks = rankPrefix(run.id);
    for (const [scope, { row, part, weight }] of this.#live) {
      if (scope !== run.scope && !scope.startsWith(ranks)) continue;
      this.#live.delete(scope);
      if (part) this.#parts.leave(part, weight);
      if (row === null) continue;
      this.#liveRows.delete(row);
      if (part) this.sealing.ended(part, row);
    }
  }

  putAudit(entry: AuditEntry): void {
    this.#transaction(() => {
      const number = this.#statements.audit.get(entry.id, JSON.stringify(entry)) as number;
      this.#statements.oldAudit.run(number - AUDIT_ENTRIES);
    });
  }

  #storeRun(run: Run): void {
    const { id, jobid, start_time, state } = run;
    this.#statements.run.run(id, jobid, start_time, state, this.epoch, searchText(run), JSON.stringify(run));
  }

  #transaction(work: () => void): void {
    this.#db.transaction(() => {
      if (this.#epochUnsaved) this.#statements.engine.run(this.engineId, this.epoch);
      work();
    })();
    this.#epochUnsaved = false;
  }

  /** Stores the number of this start now. */
  saveEpoch(): void {
    this.#transaction(() => {});
  }

  /** True when rows of a scope are still written to. */
  isLive(row: number): boolean {
    return this.#liveRows.has(row);
  }

  /**
   * Runs the last stop left open (`unended`, with the profile to store for them), and those that were closed as
   * interrupted during the last start, newest first. A run that is found open is so offered twice: once more when the
   * engine stops again before its client came back.
   */
  interrupted(): { all: InterruptedRun[]; unended: Profile[] } {
    const rows = this.#db
      .prepare(
        // By the index of those that have not finished, and not by that of all in this order.
        `SELECT body FROM run WHERE state <> 'finished'
           AND (state IN ('running', 'ending') OR (state = 'interrupted' AND epoch = ?))
         ORDER BY +start DESC, number DESC`,
      )
      .pluck()
      .all(this.epoch - 1) as string[];
    const unended: Profile[] = [];
    const all = rows.map((body): InterruptedRun => {
      const run = JSON.parse(body) as Run;
      const snapshot = atOnce(this.read.snapshot(run.scope, Number.MAX_SAFE_INTEGER));
      if (run.state === 'interrupted') return { run, snapshot };
      const profile = interruptedProfile(run, snapshot, this.#ranks(run.id));
      unended.push(profile);
      return { run: profile.run, snapshot };
    });
    return { all, unended };
  }

  #ranks(runId: string): StoredRank[] {
    const prefix = rankPrefix(runId);
    return this.read.lists.scopesBelow(prefix).flatMap((name) => {
      const rank = Number(name.slice(prefix.length));
      const snapshot = atOnce(this.read.snapshot(name, Number.MAX_SAFE_INTEGER));
      return snapshot && Number.isInteger(rank) && rank >= 0 ? [{ rank, snapshot }] : [];
    });
  }

  /** As the last start left them. */
  tables(): TableState[] {
    return this.#tables.all();
  }

  close(): void {
    this.#db.close();
  }
}

const rankPrefix = (runId: string): string => `rank/${runId}/`;
