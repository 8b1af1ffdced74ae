/** Exports that are under way, and those that ended a while ago. */

import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import {
  EXPORT_FORMATS,
  type ExportEstimate,
  type ExportQuery,
  type ExportState,
} from '../../../shared/api/exports.ts';
import type { Run } from '../../../shared/api/runs.ts';
import { ApiError } from '../../../shared/errors.ts';
import type { EngineContext } from '../../context.ts';
import { VERSION } from '../../version.ts';
import { answer } from './answer.ts';
import { fileName } from './file-name.ts';
import type { PlannedSize } from './job.ts';
import { ExportSession } from './session.ts';

/** At once: each has a thread and some 50 MB. */
const MOST = 2;
/** An ended one is told of for so long, ms; and how many of them. */
const REMEMBERED = 600_000;
const MOST_ENDED = 50;
/** Estimates at once: each has a thread, too. */
const MOST_ESTIMATES = 8;
/** Threads of both, with those that were told to end and have not yet. */
const MOST_THREADS = 16;
/** The engine stops without a thread that does not end, as one that waits for a disk that hangs, ms. */
const END_WITHIN = 20_000;
/** Between the question for a link and its use, ms. */
const LINK_WITHIN = 60_000;
const MOST_LINKS = 100;

interface Known {
  /** Who asked for it. */
  readonly by: string;
  readonly state: Omit<ExportState, 'done' | 'bytes' | 'state' | 'ended' | 'error'>;
  readonly session: ExportSession | null;
  /** Ends its work, however far it is. */
  readonly stop: () => void;
  end: Pick<ExportState, 'done' | 'bytes' | 'state' | 'ended' | 'error'> | null;
}

export interface OpenExport {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly estimate: PlannedSize;
  /** Destroyed: the export is over. */
  readonly stream: Readable;
}

export class Exports {
  readonly #engine: EngineContext;
  readonly #known = new Map<string, Known>();
  readonly #estimates = new Set<ExportSession>();
  /** Until they have ended. */
  readonly #threads = new Set<ExportSession>();
  readonly #links = new Map<string, { readonly query: ExportQuery; readonly by: string; readonly until: number }>();

  #isClosed = false;

  constructor(engine: EngineContext) {
    this.#engine = engine;
  }

  get #running(): number {
    let running = 0;
    for (const { end } of this.#known.values()) if (end === null) running++;
    return running;
  }

  /** Throws ApiError for what cannot be, or is not there. */
  async #runs(query: ExportQuery): Promise<Run[]> {
    const { of } = EXPORT_FORMATS[query.format];
    if (query.run.length + query.scope.length === 0) throw new ApiError('bad_request', 'name a run or a scope');
    if (of === 'profiles' && query.run.length === 0) {
      throw new ApiError('bad_request', `${query.format} is made of runs: name at least one`);
    }
    if ((query.to ?? Infinity) <= (query.from ?? -1))
      throw new ApiError('bad_request', '"to" must be later than "from"');
    const runs: Run[] = [];
    for (const id of new Set(query.run)) {
      const run = await this.#engine.run(id);
      if (!run) throw new ApiError('run_not_found', `no run has the id ${id} here; it may have been deleted`);
      runs.push(run);
    }
    return runs;
  }

  async #begin(query: ExportQuery, isEstimate: boolean, onEnd: ConstructorParameters<typeof ExportSession>[2]) {
    const engine = this.#engine;
    const runs = await this.#runs(query);
    // What came until now can be read.
    await engine.store.flush();
    if (this.#isClosed) throw new ApiError('store_unavailable', 'the engine stops');
    if (this.#threads.size >= MOST_THREADS) {
      throw new ApiError('overloaded', 'exports that were ended have not stopped yet; try again');
    }
    const live = runs.filter(({ id }) => engine.liveRun(id)).map(({ id }) => id);
    const session = new ExportSession(
      {
        ...{ query, runs, live, isEstimate, directory: engine.store.readable, now: engine.now() },
        engine: { host: engine.config.host, version: VERSION },
      },
      (question) => answer(engine, question),
      onEnd,
    );
    this.#threads.add(session);
    void session.exited.then(() => this.#threads.delete(session));
    return { session, runs };
  }

  /** Throws ApiError. `signal`: nobody waits for it any more. */
  async estimate(query: ExportQuery, signal: AbortSignal): Promise<ExportEstimate> {
    if (this.#estimates.size >= MOST_ESTIMATES) {
      throw new ApiError('overloaded', `${MOST_ESTIMATES} estimates are under way, as many as there may be; try again`);
    }
    const { session } = await this.#begin(query, true, () => undefined);
    this.#estimates.add(session);
    const stop = (): void => session.stop();
    signal.addEventListener('abort', stop);
    try {
      if (signal.aborted) stop();
      const { bytes, ...planned } = await session.estimate;
      return { ...planned, bytes: bytes ?? 0 };
    } finally {
      signal.removeEventListener('abort', stop);
      this.#estimates.delete(session);
      stop();
    }
  }

  /** Throws ApiError, before a byte is read. `signal`: whoever asked is gone. */
  async open(query: ExportQuery, by: string, signal: AbortSignal): Promise<OpenExport> {
    this.#forget();
    const id = query.id ?? randomBytes(12).toString('base64url');
    if (this.#known.get(id)?.end === null)
      throw new ApiError('bad_request', `an export with the id ${id} is under way`);
    if (this.#running >= MOST) {
      throw new ApiError('overloaded', `${MOST} exports are under way, as many as there may be; wait, or end one`);
    }
    const [now, entry] = [this.#engine.now(), EXPORT_FORMATS[query.format]];
    let session: ExportSession | null = null;
    let isStopped = false;
    const stop = (): void => {
      isStopped = true;
      session?.stop();
      const known = this.#known.get(id);
      // Ended before there was anything to end.
      if (known) known.end ??= { state: 'cancelled', error: null, ended: this.#engine.now(), done: 0, bytes: 0 };
    };
    const checkStopped = (): void => {
      if (isStopped) throw new ApiError('store_unavailable', 'the export was ended');
    };
    // Before the first wait: who asks at the same time is counted.
    const placeholder: Known = {
      ...{ by, stop },
      state: { id, format: query.format, name: '', started: now, total: 0 },
      ...{ session: null, end: null },
    };
    this.#known.set(id, placeholder);
    signal.addEventListener('abort', stop);
    try {
      const begun = await this.#begin(query, false, ({ state, error, damaged }) => {
        const known = this.#known.get(id);
        if (!known || !session) return;
        const lost = damaged === 0 ? null : `${damaged} damaged blocks are left out`;
        known.end = { ...{ state, error: error ?? lost, ended: this.#engine.now() }, ...progressOf(session) };
      });
      session = begun.session;
      checkStopped();
      const estimate = await session.estimate;
      checkStopped();
      const name = fileName(query, begun.runs, estimate.from);
      const state = { ...placeholder.state, name, total: estimate.samples };
      this.#known.set(id, { by, stop, state, session, end: null });
      return { id, name, type: entry.type, estimate, stream: session.read() };
    } catch (error) {
      if (!isStopped) this.#known.delete(id);
      session?.stop();
      throw error;
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  /** Where a page's own link leads: its requests carry no token. */
  async link(
    query: ExportQuery,
    by: string,
  ): Promise<{ readonly id: string; readonly name: string; readonly ticket: string }> {
    const name = fileName(query, await this.#runs(query), query.from ?? null);
    const now = performance.now();
    for (const [ticket, { until }] of this.#links) if (until < now) this.#links.delete(ticket);
    if (this.#links.size >= MOST_LINKS) throw new ApiError('too_many_requests', 'too many links wait; try again later');
    const id = query.id ?? randomBytes(12).toString('base64url');
    const ticket = randomBytes(24).toString('base64url');
    this.#links.set(ticket, { query: { ...query, id }, by, until: now + LINK_WITHIN });
    return { id, name, ticket };
  }

  /** What a link is for; it works once. Null: it never was one, or not any more. */
  take(ticket: string): { readonly query: ExportQuery; readonly by: string } | null {
    const link = this.#links.get(ticket);
    this.#links.delete(ticket);
    return link && link.until >= performance.now() ? link : null;
  }

  list(): ExportState[] {
    this.#forget();
    return Array.from(this.#known.values(), stateOf).reverse();
  }

  get(id: string): ExportState {
    const known = this.#known.get(id);
    if (known) return stateOf(known);
    for (const { query } of this.#links.values()) {
      if (query.id !== id) continue;
      const none = { name: '', started: this.#engine.now(), ended: null, done: 0, total: 0, bytes: 0, error: null };
      return { id, format: query.format, state: 'waiting', ...none };
    }
    throw new ApiError('export_not_found', 'no export has this id; it may have ended long ago');
  }

  /** Ends its work. `by`: whose it has to be; null: anybody's. Throws ApiError. */
  stop(id: string, by: string | null): void {
    const known = this.#known.get(id);
    if (!known) throw new ApiError('export_not_found', 'no export has this id; it may have ended long ago');
    if (by !== null && by !== known.by) {
      throw new ApiError('forbidden_role', 'somebody else asked for this export; to end it needs the role control');
    }
    if (known.end === null) known.stop();
  }

  /** The engine stops: resolves when no thread is left, so that none is cut off in the middle of reading the database. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const { end, stop } of this.#known.values()) if (end === null) stop();
    for (const session of this.#estimates) session.stop();
    this.#links.clear();
    const ended = Promise.all(Array.from(this.#threads, ({ exited }) => exited));
    const given = new AbortController();
    await Promise.race([ended, delay(END_WITHIN, undefined, { signal: given.signal }).catch(() => undefined)]);
    given.abort();
  }

  #forget(): void {
    const ended = [...this.#known].filter(([, { end }]) => end !== null);
    const old = this.#engine.now() - REMEMBERED;
    for (const [i, [id, { end }]] of ended.entries()) {
      if (i < ended.length - MOST_ENDED || (end!.ended ?? 0) < old) this.#known.delete(id);
    }
  }
}

const progressOf = ({ done, bytes }: ExportSession): Pick<ExportState, 'done' | 'bytes'> => ({ done, bytes });

const stateOf = ({ state, session, end }: Known): ExportState => {
  const progress = session ? progressOf(session) : { done: 0, bytes: 0 };
  return { ...state, ...(end ?? { state: session ? 'running' : 'waiting', ended: null, error: null, ...progress }) };
};
