/**
 * What the engine asks of a store, and nothing of how it is kept. Two implementations: worker (SQLite on a thread of its
 * own) and memory (the twin that tests and `--memory` use); one set of tests holds both to this contract.
 *
 * Writes are taken in order and never block the caller; everything else answers later and sees all writes before it.
 */

import type { AuditEntry, AuditList, AuditQuery } from '../../shared/api/audit.ts';
import type { MergeQuery, MergeResult } from '../../shared/api/merge.ts';
import type { NamesKind, NamesList, NamesQuery } from '../../shared/api/names.ts';
import type { Profile } from '../../shared/api/profiles.ts';
import type { RangeQuery, RangeResult } from '../../shared/api/query.ts';
import type { Run, RunList, RunListQuery } from '../../shared/api/runs.ts';
import type { StoreStatus } from '../../shared/api/status.ts';
import type { Keep, KeepList, KeepQuery, Retention, RetentionChange, RetentionState } from '../../shared/api/store.ts';
import type { Columns } from '../../shared/frame.ts';
import type { SeriesDef } from '../../shared/model/series.ts';
import type { ScopeId } from '../../shared/model/scope.ts';
import type { AlarmStore } from './alarm-records.ts';
import type { RangeColumns } from './aggregate.ts';
import type { KeepToAdd } from './keeps.ts';
import type { Matrix, MatrixQuery } from './matrix.ts';
import type { ProfileStore } from './profiles/profile-store.ts';

/** Definitions in order. Walked as often as need be: they may be made anew each time. */
export interface SeriesList extends Iterable<SeriesDef> {
  readonly length: number;
  /** Will not change, and may be kept: it holds no copies. */
  readonly fixed?: true;
}

export interface ScopeTick {
  readonly scope: ScopeId;
  /** Series that this scope has had appended since its last tick. They become known with the frame. */
  readonly added: SeriesList;
  /** An encoded frame, stream 0. The first of a scope after the store opened, and after a refused tick, is full. */
  readonly frame: Uint8Array;
}

/** How far a shared table was read, for the next start to go on from there. */
export interface TableState {
  /** 32 hexadecimal digits. */
  readonly nonce: string;
  /** The scope whose frames have the samples: never written without them. Null: of none that is live. */
  readonly scope: ScopeId | null;
  /** Bytes that mean nothing to the store; null: the table has ended, forget it. */
  readonly state: Uint8Array | null;
}

/** All scopes of one tick of the sampler. Written in one transaction or not at all. */
export interface Tick {
  /** Milliseconds since the epoch. */
  readonly time: number;
  readonly scopes: readonly ScopeTick[];
  /** States of tables that are new since the scopes' last ticks. A run's are forgotten with its profile as finished. */
  readonly tables?: readonly TableState[];
}

/** Series and values of a scope at a time. */
export interface Snapshot {
  readonly time: number;
  readonly series: readonly SeriesDef[];
  readonly columns: Columns;
}

/** A run that was open when the engine stopped, so that a returning client can go on with it. */
export interface InterruptedRun {
  readonly run: Run;
  readonly snapshot: Snapshot | null;
}

export interface OpenedStore {
  readonly store: Store;
  /** Identity kept with the data: 32 hexadecimal digits. */
  readonly engineId: string;
  /** Number of starts, this one included. */
  readonly epoch: number;
  /** Runs the last stop left open, closed as interrupted before this answer. Newest first. */
  readonly interrupted: readonly InterruptedRun[];
  /** As they were last written. */
  readonly tables: readonly TableState[];
  /** What went wrong while opening without stopping it, for people. */
  readonly warnings: readonly string[];
}

export interface Store {
  /** Takes a tick; false when the queue is full: the tick is dropped and counted. */
  append(tick: Tick): boolean;
  /** Creates or updates a run's description. */
  putRun(run: Run): void;
  /** A run ended: its last description and its profile, in one transaction. */
  putProfile(profile: Profile): void;
  /** Adds an entry to the audit log, or replaces the one with its id. The newest AUDIT_ENTRIES (shared/api/audit.ts) are kept. */
  putAudit(entry: AuditEntry): void;

  status(): StoreStatus;

  /** Directory of a database that other connections may read while it is written; null: there is none. */
  readonly readable: string | null;

  /**
   * Ended runs, newest start first; live runs are the registry's to tell. `engine`: of another engine, whose runs are
   * kept here under ids `ENGINE.RUN`; absent: this one's only.
   */
  runs(query: RunListQuery, engine?: string): Promise<RunList>;
  run(id: string): Promise<Run | null>;
  profile(runId: string): Promise<Profile | null>;
  /** The profile of the latest run of a job id, of this engine's own. */
  latestProfile(jobid: string): Promise<Profile | null>;
  /** Questions are about to be asked: the first one need not wait for what answers them. */
  wake(): void;
  /** Series and last values of a scope at or before a time; null when nothing is stored of it. */
  snapshot(scope: ScopeId, time: number, signal?: AbortSignal): Promise<Snapshot | null>;
  /** A question that is taken back by its signal rejects with the signal's reason, here and below. */
  query(query: RangeQuery, signal?: AbortSignal): Promise<RangeResult | null>;
  /** The same as the bytes of its JSON: large answers keep nobody waiting. */
  queryJson(query: RangeQuery, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer> | null>;
  /** The same as columns, NaN for null: for what reads millions of samples and shows none of them. */
  columns(query: RangeQuery, signal?: AbortSignal): Promise<RangeColumns | null>;
  /** One series of many scopes as one; null: none of them has it. */
  merge(query: MergeQuery, signal?: AbortSignal): Promise<MergeResult | null>;
  /** One series of many scopes, each a row; null: none of them has it. */
  matrix(query: MatrixQuery, signal?: AbortSignal): Promise<Matrix | null>;
  /** Families, labels or their values. A selector that is none rejects with SelectorError. */
  names(query: NamesKind & NamesQuery, signal?: AbortSignal): Promise<NamesList>;
  /** The audit log, in the order in which entries were added, newest first. */
  audit(query: AuditQuery): Promise<AuditList>;
  /**
   * Stored frames of a scope with from < time ≤ to, oldest first. The first one is made full, the rest are as stored.
   * At most `limit` frames, the newest ones; `truncated` when there were more.
   */
  frames(
    scope: ScopeId,
    from: number,
    to: number,
    limit: number,
    signal?: AbortSignal,
  ): Promise<{ frames: Uint8Array[]; truncated: boolean }>;

  /** What is kept how long at the moment; null: a store in memory, which keeps what it has room for. */
  readonly kept: Retention | null;
  retention(): Promise<RetentionState>;
  setRetention(change: RetentionChange): Promise<RetentionState>;
  /** What is kept at full detail, newest first. */
  keeps(query: KeepQuery): Promise<KeepList>;
  addKeep(keep: KeepToAdd): Promise<Keep>;
  /** False: there is none with this id. */
  removeKeep(id: number): Promise<boolean>;

  /** What alarms keep. */
  readonly alarms: AlarmStore;

  /** Lists of profiles, groups, and what people say of them. */
  readonly profiles: ProfileStore;

  /** Resolves when everything taken so far is durable. */
  flush(): Promise<void>;
  /** Flushes, releases the lock. No call is answered after it. */
  close(): Promise<void>;
}
