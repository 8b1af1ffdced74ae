/**
 * The store that keeps everything in memory and nothing for later: the twin that tests and `--memory` use. Bounded in
 * bytes and age, oldest first out.
 */

import { randomBytes } from 'node:crypto';
import { deflateSync, inflateSync } from 'node:zlib';
import { AUDIT_ENTRIES, type AuditEntry, type AuditList, type AuditQuery } from '../../shared/api/audit.ts';
import type { MergeQuery, MergeResult } from '../../shared/api/merge.ts';
import type { NamesKind, NamesList, NamesQuery } from '../../shared/api/names.ts';
import type { Profile } from '../../shared/api/profiles.ts';
import type { RangeQuery, RangeResult } from '../../shared/api/query.ts';
import type { Run, RunList, RunListQuery } from '../../shared/api/runs.ts';
import type { StoreStatus } from '../../shared/api/status.ts';
import type { KeepList } from '../../shared/api/store.ts';
import { ApiError } from '../../shared/errors.ts';
import { decodeFrame, type Frame } from '../../shared/frame.ts';
import type { ScopeId } from '../../shared/model/scope.ts';
import type { SeriesDef } from '../../shared/model/series.ts';
import type { Kind } from '../../shared/model/values.ts';
import { memoryAlarmStore } from './alarm-records.ts';
import { RangeBuilder, type RangeColumns } from './aggregate.ts';
import { toRangeResult } from './range-result.ts';
import { IN_MEMORY } from './keep.ts';
import { LATE, MatrixBuilder, samplesFor, type Matrix, type MatrixQuery } from './matrix.ts';
import { RangeMerge } from './merge.ts';
import { wantedScope } from './merge-reader.ts';
import { NamesPage } from './names-list.ts';
import { rangeJson } from './range-json.ts';
import { chooseTargets, gridOf, niceStep, pointLimit } from './range-plan.ts';
import { frameOf, MemoryHistory, type Chunk, type ReplayedFrame } from './memory-history.ts';
import { snapshotOf } from './replay.ts';
import { aboutOf, NOT_TOLD, type About } from './profiles/card.ts';
import { MemoryProfiles } from './profiles/memory-profiles.ts';
import { engineOf, formatCursor, isEnded, parseCursor, searchText } from './run-list.ts';
import type { OpenedStore, SeriesList, Snapshot, Store, Tick } from './store.ts';

const NOT_IN_MEMORY =
  'this engine keeps everything in memory (--memory), what it has room for and no longer than an hour';

/** A chunk is at most this part of what may be kept: a larger one would keep too much, or lose too much, at once. */
const CHUNK_PART = 1 / 16;

export interface MemoryStoreOptions {
  /** Most bytes of frames and profiles; default 64 MiB. */
  readonly maxBytes?: number;
  /** Age in ms of the oldest frames, by the newest tick; default 1 h. */
  readonly maxAge?: number;
  /** Most profiles, and most ended runs, that are kept; default 1,000 and 10,000. */
  readonly maxProfiles?: number;
  readonly maxRuns?: number;
}

export function openMemoryStore(options: MemoryStoreOptions = {}): OpenedStore {
  const engineId = randomBytes(16).toString('hex');
  return { store: new MemoryStore(options), engineId, epoch: 1, interrupted: [], tables: [], warnings: [] };
}

interface Scope {
  readonly history: MemoryHistory;
  /** Series in the order they were told; how many of each kind. */
  readonly series: SeriesList[];
  readonly known: Record<Kind, number>;
}

interface KeptRun {
  run: Run;
  readonly number: number;
  /** Compressed JSON: profiles are read seldom. */
  profile: Uint8Array | null;
  about: About;
}

class MemoryStore implements Store {
  readonly readable = null;
  readonly #maxBytes: number;
  readonly #maxAge: number;
  readonly #maxProfiles: number;
  readonly #maxRuns: number;
  readonly #scopes = new Map<ScopeId, Scope>();
  /** Of all scopes, in the order they were begun. */
  readonly #chunks: { readonly scope: ScopeId; readonly chunk: Chunk }[] = [];
  readonly #runs = new Map<string, KeptRun>();
  #nextRun = 1;
  /** Oldest first: the order in which entries were added. */
  readonly #audit = new Map<string, { readonly number: number; readonly entry: AuditEntry }>();
  #nextAudit = 1;
  #bytes = 0;
  #dropped = 0;
  #error: string | null = null;
  #closed = false;

  constructor(options: MemoryStoreOptions) {
    this.#maxBytes = options.maxBytes ?? IN_MEMORY.bytes;
    this.#maxAge = options.maxAge ?? IN_MEMORY.age;
    this.#maxProfiles = options.maxProfiles ?? IN_MEMORY.profiles;
    this.#maxRuns = options.maxRuns ?? IN_MEMORY.runs;
  }

  append(tick: Tick): boolean {
    if (this.#closed) return false;
    try {
      this.#take(tick);
      return true;
    } catch (error) {
      // Bytes that are no frame: the sampler goes on, with full frames.
      this.#dropped++;
      this.#error = `a tick was refused: ${(error as Error).message}`;
      return false;
    }
  }

  #take(tick: Tick): void {
    for (const { scope: id, added, frame: bytes } of tick.scopes) {
      let scope = this.#scopes.get(id);
      if (!scope) {
        const history = new MemoryHistory({ bytes: this.#maxBytes * CHUNK_PART, age: this.#maxAge * CHUNK_PART });
        scope = { history, series: [], known: { counter: 0, gauge: 0 } };
        this.#scopes.set(id, scope);
      }
      const frame = decodeFrame(bytes);
      learn(scope, added);
      this.#keep(id, scope, frame);
    }
    this.#evict(tick.time - this.#maxAge);
    this.#error = null;
  }

  #keep(id: ScopeId, scope: Scope, frame: Frame): void {
    const { begun, removed, grown } = scope.history.take(frame);
    this.#bytes += grown;
    for (const chunk of removed)
      this.#chunks.splice(
        this.#chunks.findIndex((each) => each.chunk === chunk),
        1,
      );
    if (begun) this.#chunks.push({ scope: id, chunk: begun });
  }

  #evict(before: number): void {
    for (let oldest = this.#chunks[0]; oldest; oldest = this.#chunks[0]) {
      if (this.#bytes <= this.#maxBytes && oldest.chunk.last >= before) return;
      this.#chunks.shift();
      this.#bytes -= oldest.chunk.history.evict();
      if (oldest.chunk.history.chunks.length === 0 && this.#isOver(oldest.scope)) this.#scopes.delete(oldest.scope);
    }
  }

  /** Nothing will be written to the scope any more. */
  #isOver(scope: ScopeId): boolean {
    const [kind, id] = scope.split('/');
    if (kind !== 'run' && kind !== 'rank') return false;
    const kept = this.#runs.get(id!);
    return !kept || isEnded(kept.run.state);
  }

  putRun(run: Run): void {
    if (this.#closed) return;
    this.#putRun(run);
    if (isEnded(run.state)) this.#evictRuns();
    else this.profiles.goesOn(run.id);
  }

  #putRun(run: Run): KeptRun {
    const kept: KeptRun = this.#runs.get(run.id) ?? { run, number: this.#nextRun++, profile: null, about: NOT_TOLD };
    kept.run = structuredClone(run);
    this.#runs.set(run.id, kept);
    return kept;
  }

  putProfile(profile: Profile): void {
    if (this.#closed) return;
    const kept = this.#putRun(profile.run);
    this.#bytes -= kept.profile?.byteLength ?? 0;
    kept.about = aboutOf(profile);
    // Copied: what is given lies in a buffer of 16 kB, however short it is.
    kept.profile = new Uint8Array(deflateSync(JSON.stringify(profile), { level: 1 }));
    this.#bytes += kept.profile.byteLength;
    this.#evictRuns();
  }

  putAudit(entry: AuditEntry): void {
    if (this.#closed) return;
    const number = this.#audit.get(entry.id)?.number ?? this.#nextAudit++;
    this.#audit.set(entry.id, { number, entry: structuredClone(entry) });
    for (const id of this.#audit.keys()) {
      if (this.#audit.size <= AUDIT_ENTRIES) break;
      this.#audit.delete(id);
    }
  }

  #evictRuns(): void {
    let profiles = 0;
    let bytes = 0;
    let ended = 0;
    // Newest first, so that what is beyond the bounds is the oldest.
    for (const kept of [...this.#runs.values()].reverse()) {
      if (!isEnded(kept.run.state)) continue;
      if (kept.profile) {
        bytes += kept.profile.byteLength;
        if (++profiles > this.#maxProfiles || bytes > this.#maxBytes / 4) {
          this.#bytes -= kept.profile.byteLength;
          kept.profile = null;
        }
      }
      if (++ended > this.#maxRuns) this.#runs.delete(kept.run.id);
    }
  }

  status(): StoreStatus {
    const error = this.#closed ? 'the store is closed' : this.#error;
    return { kind: 'memory', durable_until: 0, queued: 0, dropped: this.#dropped, error };
  }

  async runs(query: RunListQuery, engine = ''): Promise<RunList> {
    this.#check();
    const after = query.cursor === undefined ? null : parseCursor(query.cursor);
    if (query.cursor !== undefined && !after) throw new ApiError('bad_request', 'cursor: not one of an earlier answer');
    if (query.state === 'live') return { runs: [], next: null };
    const search = (query.search ?? '').toLowerCase();
    const found = this.#ended(({ run, number }) => {
      const { start_time: start } = run;
      const beyond = !after || start < after.start || (start === after.start && number < after.number);
      return beyond && engineOf(run.id) === engine && searchText(run).includes(search);
    });
    const page = found.slice(0, query.limit);
    const last = page.at(-1);
    const next =
      last && found.length > page.length ? formatCursor({ start: last.run.start_time, number: last.number }) : null;
    return { runs: page.map(({ run }) => structuredClone(run)), next };
  }

  /** Newest start first. */
  #ended(wanted: (kept: KeptRun) => boolean): KeptRun[] {
    const found = [...this.#runs.values()].filter(
      (kept) => isEnded(kept.run.state) && !this.profiles.isDeleted(kept.run.id) && wanted(kept),
    );
    return found.sort((a, b) => b.run.start_time - a.run.start_time || b.number - a.number);
  }

  async audit({ limit, cursor }: AuditQuery): Promise<AuditList> {
    this.#check();
    const before = cursor === undefined ? Infinity : Number(cursor);
    const rows = [...this.#audit.values()].filter(({ number }) => number < before).reverse();
    const page = rows.slice(0, limit);
    const next = rows.length > limit ? String(page.at(-1)!.number) : null;
    return { entries: page.map(({ entry }) => structuredClone(entry)), next };
  }

  async run(id: string): Promise<Run | null> {
    this.#check();
    return structuredClone(this.#runs.get(id)?.run ?? null);
  }

  async profile(runId: string): Promise<Profile | null> {
    this.#check();
    const kept = this.#runs.get(runId);
    return kept && isEnded(kept.run.state) ? unpacked(kept.profile) : null;
  }

  async latestProfile(jobid: string): Promise<Profile | null> {
    this.#check();
    return unpacked(
      this.#ended(({ run, profile }) => run.jobid === jobid && engineOf(run.id) === '' && profile !== null)[0]
        ?.profile ?? null,
    );
  }

  wake(): void {
    // Answers come out of memory.
  }

  async snapshot(id: ScopeId, time: number, signal?: AbortSignal): Promise<Snapshot | null> {
    this.#check();
    signal?.throwIfAborted();
    const scope = this.#scopes.get(id);
    if (!scope) return null;
    let last: ReplayedFrame | null = null;
    for (const state of scope.history.between(time, time)) last = state;
    return last && snapshotOf(last, seriesOf(scope));
  }

  async query(query: RangeQuery, signal?: AbortSignal): Promise<RangeResult | null> {
    const columns = this.#query(query, signal);
    return columns && toRangeResult(columns, query.functions);
  }

  async columns(query: RangeQuery, signal?: AbortSignal): Promise<RangeColumns | null> {
    return this.#query(query, signal);
  }

  async queryJson(query: RangeQuery, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer> | null> {
    const columns = this.#query(query, signal);
    if (!columns) return null;
    for (const steps = rangeJson(columns, query.functions); ;) {
      const step = steps.next();
      if (step.done) return step.value;
      await new Promise((resolve) => void setImmediate(resolve));
      signal?.throwIfAborted();
    }
  }

  #query(query: RangeQuery, signal: AbortSignal | undefined): RangeColumns | null {
    this.#check();
    signal?.throwIfAborted();
    const scope = this.#scopes.get(query.scope);
    if (!scope) return null;
    const { from, to } = query;
    const series = seriesOf(scope);
    const targets = chooseTargets([series], query);
    const limit = pointLimit(query.maxPoints, targets.length);
    let samples = 0;
    for (const { time } of scope.history.between(from, to)) if (time >= from) samples++;
    const step = query.step === undefined ? {} : { step: query.step };
    const range = new RangeBuilder({ scope: query.scope, from, to, limit, samples, targets, ...step });
    range.bind(series);
    const { origin, end } = range.grid;
    for (const state of scope.history.between(origin, end)) {
      if (state.time >= origin) range.add(state.time, state.gap, state);
      else range.base(state.time, state.gap, state);
    }
    return range.finish();
  }

  async frames(id: ScopeId, from: number, to: number, limit: number): ReturnType<Store['frames']> {
    this.#check();
    const scope = this.#scopes.get(id);
    if (!scope) return { frames: [], truncated: false };
    const times: number[] = [];
    for (const { time } of scope.history.between(from, to)) if (time > from) times.push(time);
    const start = times[Math.max(0, times.length - limit)];
    const truncated = times.length > limit;
    if (start === undefined || limit < 1) return { frames: [], truncated };
    const frames: Uint8Array[] = [];
    for (const state of scope.history.between(start, to)) {
      if (state.time >= start) frames.push(frameOf(state, frames.length === 0));
    }
    return { frames, truncated };
  }

  async merge(query: MergeQuery): Promise<MergeResult | null> {
    this.#check();
    const step = query.step ?? niceStep(query.from, query.to, query.maxPoints);
    const plan = { from: query.from, to: query.to, limit: query.maxPoints, samples: Infinity, step };
    const merge = new RangeMerge(query.operation, gridOf({ ...plan, scope: '', targets: [] }).points);
    const isWanted = wantedScope(query.scope);
    for (const [id, scope] of this.#scopes) {
      if (!isWanted(id)) continue;
      const series = seriesOf(scope);
      const targets = chooseTargets([series], { series: [query.series] });
      const range = new RangeBuilder({ ...plan, scope: id, targets });
      range.bind(series);
      const { origin, end } = range.grid;
      for (const state of scope.history.between(origin, end)) {
        if (state.time >= origin) range.add(state.time, state.gap, state);
        else range.base(state.time, state.gap, state);
      }
      merge.add(range.finish());
    }
    const columns = merge.finish(`merge/${query.operation}`);
    return columns && { ...toRangeResult(columns), scopes: merge.scopes };
  }

  async matrix(query: MatrixQuery, signal?: AbortSignal): Promise<Matrix | null> {
    const matrix = new MatrixBuilder(query);
    const { from, to, below, series, columns } = query;
    const asked = { series: [series], from, to: to + LATE, maxPoints: samplesFor(columns) };
    for (const scope of this.#scopes.keys()) {
      if (!scope.startsWith(below) || matrix.isFull) continue;
      const range = this.#query({ ...asked, scope }, signal);
      if (range) matrix.add(range);
    }
    return matrix.finish();
  }

  async names(query: NamesKind & NamesQuery): Promise<NamesList> {
    this.#check();
    const page = new NamesPage(query);
    for (const [id, scope] of this.#scopes) {
      if (query.scope !== undefined && query.scope !== id) continue;
      for (const list of scope.series) for (const { name } of list) page.add(name);
    }
    return page.list();
  }

  readonly kept = null;

  async retention(): Promise<never> {
    throw new ApiError('bad_request', NOT_IN_MEMORY);
  }

  async setRetention(): Promise<never> {
    throw new ApiError('bad_request', NOT_IN_MEMORY);
  }

  async keeps(): Promise<KeepList> {
    return { keeps: [], next: null };
  }

  async addKeep(): Promise<never> {
    throw new ApiError('bad_request', NOT_IN_MEMORY);
  }

  async removeKeep(): Promise<boolean> {
    return false;
  }

  readonly alarms = memoryAlarmStore();

  readonly profiles = new MemoryProfiles({
    ended: () => [...this.#runs.values()].filter(({ run }) => isEnded(run.state)),
    run: (id) => this.#runs.get(id),
    profile: (id) => unpacked(this.#runs.get(id)?.profile ?? null),
    remove: (id) => this.#remove(id),
  });

  #remove(id: string): void {
    this.#bytes -= this.#runs.get(id)?.profile?.byteLength ?? 0;
    this.#runs.delete(id);
  }

  async flush(): Promise<void> {
    this.#check();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#scopes.clear();
    this.#chunks.length = 0;
    this.#runs.clear();
    this.#audit.clear();
    this.alarms.close();
  }

  #check(): void {
    if (this.#closed) throw new ApiError('store_unavailable', 'the store is closed');
  }
}

/** Notes new series. A tick that was refused half way is told again: what is known already is left out. */
function learn(scope: Scope, added: SeriesList): void {
  const { known } = scope;
  if (added.length === 0) return;
  const first = { ...known };
  for (const { kind, index } of added) known[kind] = Math.max(known[kind], index + 1);
  const isNew = known.counter - first.counter + known.gauge - first.gauge;
  if (isNew === 0) return;
  // Else its owner may still change it.
  if (added.fixed === true && isNew === added.length) scope.series.push(added);
  else scope.series.push([...added].filter(({ kind, index }) => index >= first[kind]));
}

/** Counters first, as the other store answers. */
function seriesOf(scope: Scope): SeriesDef[] {
  const all: SeriesDef[] = [];
  for (const list of scope.series) for (const def of list) all.push(def);
  return all.sort((a, b) => a.kind.localeCompare(b.kind) || a.index - b.index);
}

function unpacked(profile: Uint8Array | null): Profile | null {
  return profile && (JSON.parse(inflateSync(profile).toString()) as Profile);
}
