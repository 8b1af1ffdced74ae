/**
 * The store that keeps everything in memory and nothing for later: the twin that tests and `--memory` use. Bounded in
 * bytes and age, oldest first out.
 */

import { randomBytes } from 'node:crypto';
import { deflateSync, inflateSync } from 'node:zlib';
import type { Profile } from '../../shared/api/profiles.ts';
import type { RangeQuery, RangeResult } from '../../shared/api/query.ts';
import type { Run, RunList, RunListQuery } from '../../shared/api/runs.ts';
import type { StoreStatus } from '../../shared/api/status.ts';
import { ApiError } from '../../shared/errors.ts';
import type { ScopeId } from '../../shared/model/scope.ts';
import type { SeriesDef } from '../../shared/model/series.ts';
import { chooseTargets, pointLimit, RangeBuilder, toRangeResult } from './aggregate.ts';
import { Replay } from './replay.ts';
import { formatCursor, isEnded, parseCursor, searchText } from './run-list.ts';
import { ScopeTrack } from './scope-track.ts';
import type { OpenedStore, Snapshot, Store, Tick } from './store.ts';

const MIB = 1024 * 1024;
/** Frames per chunk; a question replays at most this many to begin with. */
const CHUNK_FRAMES = 64;
/** What a frame takes beside its bytes. */
const FRAME_OVERHEAD = 256;

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
  return { store: new MemoryStore(options), engineId, epoch: 1, interrupted: [], warnings: [] };
}

interface StoredFrame {
  readonly time: number;
  readonly bytes: Uint8Array;
}

/** Frames of one scope; the first is full, so that a chunk can go without the next one missing anything. */
interface Chunk {
  readonly scope: ScopeId;
  readonly frames: StoredFrame[];
  bytes: number;
}

interface Scope {
  readonly track: ScopeTrack;
  readonly series: SeriesDef[];
  readonly chunks: Chunk[];
}

interface KeptRun {
  run: Run;
  readonly number: number;
  /** Compressed JSON: profiles are read seldom. */
  profile: Uint8Array | null;
}

class MemoryStore implements Store {
  readonly #maxBytes: number;
  readonly #maxAge: number;
  readonly #maxProfiles: number;
  readonly #maxRuns: number;
  readonly #scopes = new Map<ScopeId, Scope>();
  /** Of all scopes, in the order they were begun. */
  readonly #chunks: Chunk[] = [];
  readonly #runs = new Map<string, KeptRun>();
  #nextRun = 1;
  #bytes = 0;
  #dropped = 0;
  #error: string | null = null;
  #closed = false;

  constructor(options: MemoryStoreOptions) {
    this.#maxBytes = options.maxBytes ?? 64 * MIB;
    this.#maxAge = options.maxAge ?? 3_600_000;
    this.#maxProfiles = options.maxProfiles ?? 1000;
    this.#maxRuns = options.maxRuns ?? 10_000;
  }

  append(tick: Tick): boolean {
    if (this.#closed) return false;
    try {
      this.#take(tick);
      return true;
    } catch (error) {
      // Bytes that are no frame: the sampler goes on, with full frames.
      for (const { scope } of tick.scopes) this.#scopes.get(scope)?.track.lost();
      this.#dropped++;
      this.#error = `a tick was refused: ${(error as Error).message}`;
      return false;
    }
  }

  #take(tick: Tick): void {
    for (const { scope: id, added, frame: bytes } of tick.scopes) {
      let scope = this.#scopes.get(id);
      if (!scope) {
        scope = { track: new ScopeTrack(CHUNK_FRAMES), series: [], chunks: [] };
        this.#scopes.set(id, scope);
      }
      if (added.length > 0) {
        // One by one: a call with 100,000 arguments overflows the stack.
        for (const series of added) scope.series.push(series);
        scope.series.sort(byPlace);
      }
      this.#keep(id, scope, bytes);
    }
    this.#evict(tick.time - this.#maxAge);
    this.#error = null;
  }

  #keep(id: ScopeId, scope: Scope, bytes: Uint8Array): void {
    const frame = scope.track.take(bytes);
    if (frame.setBack) this.#forgetFrom(scope, frame.time);
    let chunk = scope.chunks.at(-1);
    if (!chunk || (frame.full && (chunk.frames.length >= CHUNK_FRAMES || this.#isLong(chunk, frame.time)))) {
      chunk = { scope: id, frames: [], bytes: 0 };
      scope.chunks.push(chunk);
      this.#chunks.push(chunk);
    }
    chunk.frames.push({ time: frame.time, bytes: frame.bytes });
    chunk.bytes += FRAME_OVERHEAD + frame.bytes.byteLength;
    this.#bytes += FRAME_OVERHEAD + frame.bytes.byteLength;
    // The next frame begins a chunk: a long chunk would keep too much, or lose too much, at once.
    if (chunk.frames.length >= CHUNK_FRAMES || this.#isLong(chunk, frame.time)) scope.track.lost();
  }

  #isLong(chunk: Chunk, now: number): boolean {
    return chunk.bytes > this.#maxBytes / 16 || now - chunk.frames[0]!.time > this.#maxAge / 16;
  }

  /** The clock was set back: what has times that have not come yet would mix with what comes. */
  #forgetFrom(scope: Scope, time: number): void {
    for (const chunk of scope.chunks) {
      while (chunk.frames.length > 0 && chunk.frames.at(-1)!.time >= time) this.#subtract(chunk, chunk.frames.pop()!);
    }
    while (scope.chunks.length > 0 && scope.chunks.at(-1)!.frames.length === 0) {
      this.#chunks.splice(this.#chunks.indexOf(scope.chunks.pop()!), 1);
    }
  }

  #subtract(chunk: Chunk, { bytes }: StoredFrame): void {
    chunk.bytes -= FRAME_OVERHEAD + bytes.byteLength;
    this.#bytes -= FRAME_OVERHEAD + bytes.byteLength;
  }

  #evict(before: number): void {
    for (let oldest = this.#chunks[0]; oldest; oldest = this.#chunks[0]) {
      if (this.#bytes <= this.#maxBytes && oldest.frames.at(-1)!.time >= before) return;
      this.#chunks.shift();
      this.#bytes -= oldest.bytes;
      const scope = this.#scopes.get(oldest.scope)!;
      scope.chunks.shift();
      if (scope.chunks.length > 0) continue;
      // It may have been the one that is written to.
      scope.track.lost();
      if (this.#isOver(oldest.scope)) this.#scopes.delete(oldest.scope);
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
  }

  #putRun(run: Run): KeptRun {
    const kept: KeptRun = this.#runs.get(run.id) ?? { run, number: this.#nextRun++, profile: null };
    kept.run = structuredClone(run);
    this.#runs.set(run.id, kept);
    return kept;
  }

  putProfile(profile: Profile): void {
    if (this.#closed) return;
    const kept = this.#putRun(profile.run);
    this.#bytes -= kept.profile?.byteLength ?? 0;
    kept.profile = deflateSync(JSON.stringify(profile), { level: 1 });
    this.#bytes += kept.profile.byteLength;
    this.#evictRuns();
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

  async runs(query: RunListQuery): Promise<RunList> {
    this.#check();
    const after = query.cursor === undefined ? null : parseCursor(query.cursor);
    if (query.cursor !== undefined && !after) throw new ApiError('bad_request', 'cursor: not one of an earlier answer');
    if (query.state === 'live') return { runs: [], next: null };
    const search = (query.search ?? '').toLowerCase();
    const found = this.#ended(({ run, number }) => {
      const { start_time: start } = run;
      const beyond = !after || start < after.start || (start === after.start && number < after.number);
      return beyond && searchText(run).includes(search);
    });
    const page = found.slice(0, query.limit);
    const last = page.at(-1);
    const next =
      last && found.length > page.length ? formatCursor({ start: last.run.start_time, number: last.number }) : null;
    return { runs: page.map(({ run }) => structuredClone(run)), next };
  }

  /** Newest start first. */
  #ended(wanted: (kept: KeptRun) => boolean): KeptRun[] {
    const found = [...this.#runs.values()].filter((kept) => isEnded(kept.run.state) && wanted(kept));
    return found.sort((a, b) => b.run.start_time - a.run.start_time || b.number - a.number);
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
    return unpacked(this.#ended(({ run, profile }) => run.jobid === jobid && profile !== null)[0]?.profile ?? null);
  }

  async snapshot(id: ScopeId, time: number): Promise<Snapshot | null> {
    this.#check();
    const scope = this.#scopes.get(id);
    if (!scope) return null;
    const replay = new Replay();
    for (const frame of this.#from(scope, time)) {
      if (frame.time > time) break;
      replay.apply(frame.bytes);
    }
    return replay.snapshot(scope.series);
  }

  async query(query: RangeQuery): Promise<RangeResult | null> {
    this.#check();
    const scope = this.#scopes.get(query.scope);
    if (!scope) return null;
    const { from, to } = query;
    const targets = chooseTargets([scope.series], query.series);
    const limit = pointLimit(query.maxPoints, targets.length);
    let samples = 0;
    for (const { time } of this.#from(scope, from)) if (time >= from && time <= to) samples++;
    const range = new RangeBuilder({ scope: query.scope, from, to, limit, samples, targets });
    range.bind(scope.series);
    const replay = new Replay();
    let based = false;
    for (const { time, bytes } of this.#from(scope, from)) {
      if (time > to) break;
      if (time >= from && !based) {
        if (replay.state.time > 0) range.base(replay.state.time, replay.state);
        based = true;
      }
      const frame = replay.apply(bytes);
      if (frame && time >= from) range.add(time, frame.gap, replay.state);
    }
    return toRangeResult(range.finish());
  }

  async frames(id: ScopeId, from: number, to: number, limit: number): ReturnType<Store['frames']> {
    this.#check();
    const scope = this.#scopes.get(id);
    if (!scope) return { frames: [], truncated: false };
    const times: number[] = [];
    for (const { time } of this.#from(scope, from)) if (time > from && time <= to) times.push(time);
    const start = times[Math.max(0, times.length - limit)];
    const truncated = times.length > limit;
    if (start === undefined || limit < 1) return { frames: [], truncated };
    const frames: Uint8Array[] = [];
    const replay = new Replay();
    for (const { time, bytes } of this.#from(scope, start)) {
      if (time > to) break;
      const frame = replay.apply(bytes);
      if (frame && time >= start) frames.push(frames.length === 0 ? replay.full(frame) : bytes.slice());
    }
    return { frames, truncated };
  }

  /** Frames from the beginning of the chunk that has the last one before a time. */
  *#from(scope: Scope, time: number): Generator<StoredFrame, void> {
    let first = 0;
    while (first + 1 < scope.chunks.length && scope.chunks[first + 1]!.frames[0]!.time < time) first++;
    for (const chunk of scope.chunks.slice(first)) yield* chunk.frames;
  }

  async flush(): Promise<void> {
    this.#check();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#scopes.clear();
    this.#chunks.length = 0;
    this.#runs.clear();
  }

  #check(): void {
    if (this.#closed) throw new ApiError('store_unavailable', 'the store is closed');
  }
}

/** Counters first, as the other store answers. */
const byPlace = (a: SeriesDef, b: SeriesDef): number => a.kind.localeCompare(b.kind) || a.index - b.index;

function unpacked(profile: Uint8Array | null): Profile | null {
  return profile && (JSON.parse(inflateSync(profile).toString()) as Profile);
}
