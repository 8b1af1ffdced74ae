/** What passes between the engine's thread and the store's. Both are one build, so nothing here needs checking. */

import type { AuditEntry } from '../../shared/api/audit.ts';
import type { MergeQuery } from '../../shared/api/merge.ts';
import type { NamesKind, NamesList, NamesQuery } from '../../shared/api/names.ts';
import type { Run } from '../../shared/api/runs.ts';
import type { RangeQuery } from '../../shared/api/query.ts';
import type { Keep, KeepList, KeepQuery, Retention, RetentionState } from '../../shared/api/store.ts';
import type { ScopeId } from '../../shared/model/scope.ts';
import type { RangeColumns } from './aggregate.ts';
import type { AlarmAnswer, AlarmQuestion } from './alarm-records.ts';
import type { DamagedBlock } from './block-table.ts';
import type { KeepToAdd, RetentionReset } from './keeps.ts';
import type { Matrix, MatrixQuery } from './matrix.ts';
import type { Merged } from './merge-reader.ts';
import type { StoreOpenCode } from './open-error.ts';
import type { AuditPage, RunPage, StoredAudit, StoredRuns } from './lists.ts';
import type { About } from './profiles/card.ts';
import type { ProfileAnswer, ProfileOrder, ProfileOrderAnswer, ProfileQuestion } from './profiles/profile-store.ts';
import type { InterruptedRun, Snapshot, TableState } from './store.ts';

/** workerData of the thread. */
export interface StoreOptions {
  readonly directory: string;
  /** What is kept how long, unless it was changed while an engine ran. */
  readonly retention: Retention;
  /** Time in ms for which a tick that cannot be written is tried again. */
  readonly retryFor: number;
  /** statfs(2)'s f_type; absent: asked for. */
  readonly fsType: number | null;
}

/** Written in the order they come. The scopes' frames, then the tables' states, lie one after another in `frames`. */
export type WriteMessage =
  | {
      readonly type: 'tick';
      readonly time: number;
      readonly scopes: readonly {
        readonly scope: ScopeId;
        /** Bytes in `series` of those that are new, and their number. */
        readonly added: number;
        readonly count: number;
        /** Bytes in `frames`. */
        readonly bytes: number;
      }[];
      /** `bytes`: of its state in `frames`; null: there is none. */
      readonly tables: readonly {
        readonly nonce: string;
        readonly scope: ScopeId | null;
        readonly bytes: number | null;
      }[];
      /** All that are new, packed (series-pack.ts), in the scopes' order; null: none. */
      readonly series: Uint8Array<ArrayBuffer> | null;
      readonly frames: ArrayBuffer;
    }
  | { readonly type: 'run'; readonly run: Run; readonly bytes: number }
  | { readonly type: 'audit'; readonly entry: AuditEntry; readonly bytes: number }
  /** `body`: the profile as JSON. */
  | { readonly type: 'profile'; readonly run: Run; readonly about: About; readonly body: Uint8Array<ArrayBuffer> };

export interface Packed {
  /** Lengths of the frames, which lie one after another in `bytes`. */
  readonly lengths: readonly number[];
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly truncated: boolean;
}

/** Questions: arguments and answer. */
export interface Calls {
  runs: [page: RunPage, answer: StoredRuns];
  run: [id: string, answer: string | null];
  profile: [runId: string, answer: Uint8Array | null];
  latestProfile: [jobid: string, answer: Uint8Array | null];
  snapshot: [at: { scope: ScopeId; time: number }, answer: Snapshot | null];
  query: [query: RangeQuery, answer: RangeColumns | null];
  /** The same as JSON. */
  queryJson: [query: RangeQuery, answer: Uint8Array<ArrayBuffer> | null];
  merge: [query: MergeQuery, answer: Merged | null];
  matrix: [query: MatrixQuery, answer: Matrix | null];
  names: [query: NamesKind & NamesQuery, answer: NamesList];
  audit: [page: AuditPage, answer: StoredAudit[]];
  frames: [span: { scope: ScopeId; from: number; to: number; limit: number }, answer: Packed];
  retention: [nothing: null, answer: RetentionState];
  setRetention: [change: RetentionReset, answer: RetentionState];
  keeps: [page: KeepQuery, answer: KeepList];
  addKeep: [keep: KeepToAdd, answer: Keep];
  removeKeep: [id: number, answer: boolean];
  alarms: [question: AlarmQuestion, answer: AlarmAnswer];
  /** Answers as ProfileStore has them. */
  profiles: [question: ProfileQuestion, answer: ProfileAnswer];
  orderProfiles: [order: ProfileOrder, answer: ProfileOrderAnswer];
  /** Answered when all writes before it were tried. */
  barrier: [nothing: null, answer: null];
  flush: [nothing: null, answer: null];
}

export type CallMessage = {
  [M in keyof Calls]: {
    readonly type: 'call';
    readonly id: number;
    readonly method: M;
    readonly argument: Calls[M][0];
  };
}[keyof Calls];

export type ToWorker = WriteMessage | CallMessage | { readonly type: 'close' };

/** Writes that left the queue, written or not. */
export interface Left {
  readonly ticks: number;
  readonly tickBytes: number;
  readonly runBytes: number;
  /** How many were given up, and how many of those were ticks. */
  readonly lost: number;
  readonly lostTicks: number;
}

/** Questions that the reader's thread answers, where there is one. */
export type LongMethod =
  'runs' | 'profiles' | 'query' | 'queryJson' | 'merge' | 'matrix' | 'names' | 'frames' | 'snapshot';

/** workerData of the reader's thread. */
export interface ReaderOptions {
  readonly reader: true;
  readonly directory: string;
}

export type ToReader = CallMessage | { readonly type: 'cancel'; readonly id: number } | { readonly type: 'close' };

export type FromReader = Extract<FromWorker, { type: 'answer' | 'failed' | 'damage' }>;

export type FromWorker =
  | {
      readonly type: 'opened';
      readonly engineId: string;
      readonly epoch: number;
      readonly interrupted: readonly InterruptedRun[];
      readonly tables: readonly TableState[];
      readonly warnings: readonly string[];
      /** Others may read the database while it is written. */
      readonly shared: boolean;
      readonly retention: Retention;
    }
  | { readonly type: 'refused'; readonly code: StoreOpenCode; readonly message: string }
  | { readonly type: 'done'; readonly left: Left; readonly durableUntil: number }
  /** Why writing fails; null: it works again. */
  | { readonly type: 'trouble'; readonly error: string | null }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failed'; readonly id: number; readonly message: string }
  /** A block that cannot be read; what it has is missing in answers. */
  | { readonly type: 'damage'; readonly block: DamagedBlock }
  /** Why nothing is removed for its age by the clock; null: it is. */
  | { readonly type: 'held'; readonly reason: string | null }
  /** What is kept how long was changed. */
  | { readonly type: 'retention'; readonly retention: Retention }
  | { readonly type: 'closed' };
