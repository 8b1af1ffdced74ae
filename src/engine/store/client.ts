/**
 * The store on a thread of its own, as the rest of the engine sees it. Taking a tick is one copy and one message; how
 * much may wait for the disk is bounded in ticks and in bytes.
 */

import { SHARE_ENV, Worker } from 'node:worker_threads';
import type { AuditEntry, AuditList, AuditQuery } from '../../shared/api/audit.ts';
import type { MergeQuery, MergeResult } from '../../shared/api/merge.ts';
import type { NamesKind, NamesList, NamesQuery } from '../../shared/api/names.ts';
import type { Profile } from '../../shared/api/profiles.ts';
import type { RangeQuery, RangeResult } from '../../shared/api/query.ts';
import type { Run, RunList, RunListQuery } from '../../shared/api/runs.ts';
import type { StoreStatus } from '../../shared/api/status.ts';
import type { Keep, KeepList, KeepQuery, Retention, RetentionChange, RetentionState } from '../../shared/api/store.ts';
import { ApiError } from '../../shared/errors.ts';
import type { ScopeId } from '../../shared/model/scope.ts';
import type { RangeColumns } from './aggregate.ts';
import { askingAlarmStore } from './alarm-records.ts';
import { toRangeResult } from './range-result.ts';
import { ON_DISK } from './keep.ts';
import { splitChange, type KeepToAdd } from './keeps.ts';
import type { DamagedBlock } from './block-table.ts';
import type { Matrix, MatrixQuery } from './matrix.ts';
import type {
  CallMessage,
  Calls,
  FromWorker,
  LongMethod,
  Packed,
  StoreOptions,
  ToWorker,
  WriteMessage,
} from './messages.ts';
import { StoreOpenError } from './open-error.ts';
import type { LongMessage } from './questions.ts';
import { ReaderClient } from './reader-client.ts';
import { aboutOf } from './profiles/card.ts';
import { askingProfileStore, isShort } from './profiles/profile-store.ts';
import { formatCursor, parseCursor } from './run-list.ts';
import { SeriesPacker } from './series-pack.ts';
import type { OpenedStore, Snapshot, Store, Tick } from './store.ts';

const MIB = 1024 * 1024;
/** Most questions that wait for an answer. */
const MAX_CALLS = 1000;
const TOO_MANY = 'too many questions wait for the store; try again';
/** Most bytes of runs and profiles on their way: reached only when the disk hangs. */
const MAX_RUN_BYTES = 128 * MIB;
const RUNS_LOST = 'the disk does not answer; descriptions of runs are lost';
/** Closing waits this long for a disk that hangs. */
const CLOSE_WITHIN = 30_000;

/** Damaged blocks that are told one by one; more are counted. */
const MAX_LISTED = 100;

export interface WorkerStoreOptions {
  readonly dataDir: string;
  /** Most ticks, and most bytes of them, that wait for the disk. Default 120 ticks, 32 MiB. */
  readonly queueLimit?: { readonly ticks: number; readonly bytes: number };
  /** What is kept how long; see ON_DISK for what is so otherwise. */
  readonly retention?: Retention;
  /** Time in ms for which a tick that cannot be written is tried again; default 30 s. */
  readonly retryFor?: number;
  /** The file system's number (statfs(2) f_type) instead of asking for it. */
  readonly fsType?: number;
}

type Opened = Extract<FromWorker, { type: 'opened' }>;

/** Opens the store in a directory, which is made when missing. Throws {@link StoreOpenError}. */
export async function openWorkerStore(options: WorkerStoreOptions): Promise<OpenedStore> {
  const data: StoreOptions = {
    directory: options.dataDir,
    retention: options.retention ?? ON_DISK,
    retryFor: options.retryFor ?? 30_000,
    fsType: options.fsType ?? null,
  };
  // Run from its sources, the thread is the file beside this one; built, it is a bundle beside the engine's.
  const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './store-worker.cjs';
  const worker = new Worker(new URL(file, import.meta.url), {
    name: 'vigie-store',
    workerData: data,
    env: SHARE_ENV,
    resourceLimits: { maxYoungGenerationSizeMb: 4 },
  });
  const reader = new URL(file, import.meta.url);
  const limit = options.queueLimit ?? { ticks: 120, bytes: 32 * MIB };
  const store = new WorkerStore(worker, limit, reader, options.dataDir);
  const { engineId, epoch, interrupted, tables, warnings } = await store.opened;
  return { store, engineId, epoch, interrupted, tables, warnings };
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: ApiError) => void;
}

class WorkerStore implements Store {
  /** Rejects with StoreOpenError. */
  readonly opened: Promise<Opened>;
  readonly #worker: Worker;
  readonly #limit: { readonly ticks: number; readonly bytes: number };
  #opening: { resolve(opened: Opened): void; reject(error: StoreOpenError): void } | null = null;
  #refused: StoreOpenError | null = null;
  readonly #reader: ReaderClient;
  readonly #directory: string;
  /** The reader's thread may read while the other one writes. */
  #shared = false;
  #kept: Retention | null = null;
  /** Why nothing is removed for its age by the clock. */
  #held: string | null = null;
  readonly #damaged = new Map<number, DamagedBlock>();
  readonly #calls = new Map<number, Waiting>();
  #nextCall = 1;
  #ticks = 0;
  #tickBytes = 0;
  #runBytes = 0;
  #dropped = 0;
  /** Writes given up by the thread. */
  #lost = 0;
  #durableUntil = 0;
  /** What the thread says of its writing. */
  #trouble: string | null = null;
  /** Why there is no thread any more. */
  #gone: string | null = null;
  #closing: Promise<void> | null = null;

  constructor(
    worker: Worker,
    limit: { readonly ticks: number; readonly bytes: number },
    readerFile: URL,
    directory: string,
  ) {
    this.#worker = worker;
    this.#limit = limit;
    this.#directory = directory;
    this.#reader = new ReaderClient(readerFile, { reader: true, directory }, (block) => this.#noteDamage(block));
    this.opened = new Promise((resolve, reject) => {
      this.#opening = { resolve, reject };
    });
    worker.on('message', (message: FromWorker) => this.#hear(message));
    worker.on('error', (error) => this.#end(`the store stopped: ${String(error)}; restart the engine`));
    worker.on('messageerror', (error) =>
      this.#end(`the store cannot be understood: ${String(error)}; restart the engine`),
    );
    worker.on('exit', (code) => this.#end(`the store's thread ended with code ${code}; restart the engine`));
  }

  append(tick: Tick): boolean {
    const states = tick.tables ?? [];
    const stateBytes = states.reduce((sum, { state }) => sum + (state?.byteLength ?? 0), 0);
    const bytes = tick.scopes.reduce((sum, { frame }) => sum + frame.byteLength, stateBytes);
    const full = this.#ticks >= this.#limit.ticks || this.#tickBytes + bytes > this.#limit.bytes;
    if (this.#gone !== null || this.#closing || full) {
      this.#dropped++;
      return false;
    }
    // Copied once, because the frames also go to readers, and then handed over without another copy.
    const frames = new Uint8Array(bytes);
    let at = 0;
    const transfer = [frames.buffer];
    const packer = new SeriesPacker();
    const scopes = tick.scopes.map(({ scope, added, frame }) => {
      frames.set(frame, at);
      at += frame.byteLength;
      return { scope, added: packer.add(added), count: added.length, bytes: frame.byteLength };
    });
    const tables = states.map(({ nonce, scope, state }) => {
      if (state === null) return { nonce, scope, bytes: null };
      frames.set(state, at);
      at += state.byteLength;
      return { nonce, scope, bytes: state.byteLength };
    });
    const series = packer.packed;
    if (series) transfer.push(series.buffer);
    this.#write({ type: 'tick', time: tick.time, scopes, tables, series, frames: frames.buffer }, bytes, transfer);
    return true;
  }

  putRun(run: Run): void {
    // Its texts, at most two bytes a character; exact enough for a bound.
    const bytes = 1024 + 2 * (run.command.length + run.nodelist.length + run.run_dir.length) + 64 * run.nodes.length;
    this.#write({ type: 'run', run, bytes }, bytes, []);
  }

  putProfile(profile: Profile): void {
    const body = new TextEncoder().encode(JSON.stringify(profile));
    const about = aboutOf(profile);
    this.#write({ type: 'profile', run: profile.run, about, body }, body.byteLength, [body.buffer]);
  }

  putAudit(entry: AuditEntry): void {
    const bytes = 512 + 2 * (entry.what.length + entry.summary.length);
    this.#write({ type: 'audit', entry, bytes }, bytes, []);
  }

  #write(message: WriteMessage, bytes: number, transfer: ArrayBuffer[]): void {
    if (this.#gone !== null || this.#closing) return;
    const tick = message.type === 'tick';
    if (tick) {
      this.#ticks++;
      this.#tickBytes += bytes;
    } else if (message.type !== 'profile' && this.#runBytes + bytes > MAX_RUN_BYTES) {
      this.#trouble = RUNS_LOST;
      return;
    } else this.#runBytes += bytes;
    this.#post(message, transfer);
  }

  #post(message: ToWorker, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer);
  }

  get readable(): string | null {
    return this.#shared && this.#gone === null ? this.#directory : null;
  }

  status(): StoreStatus {
    const error = this.#gone ?? this.#trouble;
    const damaged = this.#damaged.size === 0 ? {} : { damaged: damageOf(this.#damaged) };
    const [queued, dropped] = [this.#ticks, this.#dropped];
    const held = this.#held === null ? {} : { held: this.#held };
    return { kind: 'sqlite', durable_until: this.#durableUntil, queued, dropped, error, ...damaged, ...held };
  }

  async runs(query: RunListQuery, engine = ''): Promise<RunList> {
    const after = query.cursor === undefined ? null : parseCursor(query.cursor);
    if (query.cursor !== undefined && !after) throw new ApiError('bad_request', 'cursor: not one of an earlier answer');
    if (query.state === 'live') return { runs: [], next: null };
    const search = (query.search ?? '').toLowerCase();
    const { rows, more } = await this.#ask(
      'runs',
      { search, after, limit: query.limit, engine },
      undefined,
      search === '',
    );
    const last = rows.at(-1);
    return { runs: rows.map(({ body }) => JSON.parse(body) as Run), next: more && last ? formatCursor(last) : null };
  }

  async audit({ limit, cursor }: AuditQuery): Promise<AuditList> {
    const before = cursor === undefined ? null : Number(cursor);
    // One more than asked for tells whether there is another page.
    const rows = await this.#call('audit', { before, limit: limit + 1 });
    const page = rows.slice(0, limit);
    const entries = page.map(({ body }) => JSON.parse(body) as AuditEntry);
    return { entries, next: rows.length > limit ? String(page.at(-1)!.number) : null };
  }

  async run(id: string): Promise<Run | null> {
    return fromJson(await this.#call('run', id)) as Run | null;
  }

  async profile(runId: string): Promise<Profile | null> {
    return fromJson(await this.#call('profile', runId)) as Profile | null;
  }

  async latestProfile(jobid: string): Promise<Profile | null> {
    return fromJson(await this.#call('latestProfile', jobid)) as Profile | null;
  }

  wake(): void {
    if (this.#shared && this.#gone === null && !this.#closing) this.#reader.wake();
  }

  snapshot(scope: ScopeId, time: number, signal?: AbortSignal): Promise<Snapshot | null> {
    return this.#ask('snapshot', { scope, time }, signal);
  }

  async query(query: RangeQuery, signal?: AbortSignal): Promise<RangeResult | null> {
    const columns = await this.#ask('query', query, signal);
    return columns && toRangeResult(columns, query.functions);
  }

  queryJson(query: RangeQuery, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#ask('queryJson', query, signal);
  }

  columns(query: RangeQuery, signal?: AbortSignal): Promise<RangeColumns | null> {
    return this.#ask('query', query, signal);
  }

  async merge(query: MergeQuery, signal?: AbortSignal): Promise<MergeResult | null> {
    const merged = await this.#ask('merge', query, signal);
    return merged && { ...toRangeResult(merged.columns), scopes: merged.scopes };
  }

  matrix(query: MatrixQuery, signal?: AbortSignal): Promise<Matrix | null> {
    return this.#ask('matrix', query, signal);
  }

  names(query: NamesKind & NamesQuery, signal?: AbortSignal): Promise<NamesList> {
    return this.#ask('names', query, signal);
  }

  async frames(
    scope: ScopeId,
    from: number,
    to: number,
    limit: number,
    signal?: AbortSignal,
  ): ReturnType<Store['frames']> {
    const { lengths, bytes, truncated }: Packed = await this.#ask('frames', { scope, from, to, limit }, signal);
    let at = 0;
    const frames = lengths.map((length) => {
      at += length;
      return bytes.subarray(at - length, at);
    });
    return { frames, truncated };
  }

  get kept(): Retention | null {
    return this.#kept;
  }

  retention(): Promise<RetentionState> {
    return this.#call('retention', null);
  }

  setRetention(change: RetentionChange): Promise<RetentionState> {
    return this.#call('setRetention', splitChange(change));
  }

  keeps(query: KeepQuery): Promise<KeepList> {
    return this.#call('keeps', query);
  }

  addKeep(keep: KeepToAdd): Promise<Keep> {
    return this.#call('addKeep', keep);
  }

  removeKeep(id: number): Promise<boolean> {
    return this.#call('removeKeep', id);
  }

  readonly alarms = askingAlarmStore((question) => this.#call('alarms', question));

  readonly profiles = askingProfileStore(
    (question, signal) => this.#ask('profiles', question, signal, isShort(question)),
    (order) => this.#call('orderProfiles', order),
  );

  async flush(): Promise<void> {
    const lost = this.#lost;
    await this.#call('flush', null);
    if (this.#lost === lost) return;
    throw new ApiError('store_unavailable', `something could not be written: ${this.#trouble ?? 'see the log'}`);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#reader.close();
    if (this.#gone !== null) return;
    const exit = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    this.#post({ type: 'close' });
    const late = setTimeout(() => void this.#worker.terminate(), CLOSE_WITHIN);
    await exit;
    clearTimeout(late);
  }

  /** A question that may take long: it sees all that was written before, and holds up nobody who writes. */
  async #ask<M extends LongMethod>(
    method: M,
    argument: Calls[M][0],
    signal: AbortSignal | undefined,
    short = method === 'frames' || method === 'snapshot',
  ): Promise<Calls[M][1]> {
    signal?.throwIfAborted();
    // A thread is not begun for what is answered at once.
    if (!this.#shared || (short && !this.#reader.isRunning)) return this.#call(method, argument);
    await this.#call('barrier', null);
    signal?.throwIfAborted();
    if (this.#reader.waiting >= MAX_CALLS) throw new ApiError('store_unavailable', TOO_MANY);
    const message = { type: 'call', id: this.#nextCall++, method, argument } as LongMessage;
    try {
      return (await this.#reader.ask(message, signal)) as Calls[M][1];
    } catch (error) {
      signal?.throwIfAborted();
      throw new ApiError('store_unavailable', (error as Error).message);
    }
  }

  #noteDamage(block: DamagedBlock): void {
    this.#damaged.set(block.id, block);
  }

  #call<M extends keyof Calls>(method: M, argument: Calls[M][0]): Promise<Calls[M][1]> {
    if (this.#gone !== null) return Promise.reject(new ApiError('store_unavailable', this.#gone));
    if (this.#closing) return Promise.reject(new ApiError('store_unavailable', 'the store is closed'));
    if (this.#calls.size >= MAX_CALLS) {
      return Promise.reject(new ApiError('store_unavailable', TOO_MANY));
    }
    return new Promise((resolve, reject) => {
      const id = this.#nextCall++;
      this.#calls.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#post({ type: 'call', id, method, argument } as CallMessage);
    });
  }

  #hear(message: FromWorker): void {
    switch (message.type) {
      case 'opened':
        this.#shared = message.shared;
        this.#kept = message.retention;
        this.#opening?.resolve(message);
        this.#opening = null;
        return;
      case 'refused':
        // Told when the thread has ended: the caller may try again at once.
        this.#refused = new StoreOpenError(message.code, message.message);
        return;
      case 'done':
        this.#ticks -= message.left.ticks;
        this.#tickBytes -= message.left.tickBytes;
        this.#runBytes -= message.left.runBytes;
        this.#lost += message.left.lost;
        this.#dropped += message.left.lostTicks;
        this.#durableUntil = message.durableUntil;
        if (this.#trouble === RUNS_LOST) this.#trouble = null;
        return;
      case 'trouble':
        this.#trouble = message.error;
        return;
      case 'answer':
        this.#settle(message.id)?.resolve(message.value);
        return;
      case 'failed':
        this.#settle(message.id)?.reject(new ApiError('store_unavailable', message.message));
        return;
      case 'retention':
        this.#kept = message.retention;
        return;
      case 'damage':
        this.#noteDamage(message.block);
        return;
      case 'held':
        this.#held = message.reason;
        return;
      case 'closed':
        return;
    }
  }

  #settle(id: number): Waiting | undefined {
    const waiting = this.#calls.get(id);
    this.#calls.delete(id);
    return waiting;
  }

  #end(reason: string): void {
    if (this.#gone !== null) return;
    this.#gone = this.#closing ? 'the store is closed' : reason;
    this.#opening?.reject(this.#refused ?? new StoreOpenError('store_failed', reason));
    // Ticks that never reached the disk; a closed store has told all of its own.
    this.#dropped += this.#ticks;
    this.#ticks = 0;
    for (const { reject } of this.#calls.values()) reject(new ApiError('store_unavailable', this.#gone));
    this.#calls.clear();
  }
}

function damageOf(damaged: ReadonlyMap<number, DamagedBlock>): NonNullable<StoreStatus['damaged']> {
  const listed = [...damaged.values()].slice(0, MAX_LISTED);
  const told = listed.map(({ scope, tier, from, to, reason }) => ({ scope, tier, from, to, reason }));
  return { blocks: damaged.size, listed: told };
}

function fromJson(text: string | Uint8Array | null): unknown {
  if (text === null) return null;
  return JSON.parse(typeof text === 'string' ? text : new TextDecoder().decode(text));
}
