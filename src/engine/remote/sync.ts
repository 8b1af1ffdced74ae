/**
 * Brings the finished profiles of an engine over there into this engine's store, under that engine's id, where they stay.
 * A round goes through that engine's list from the newest on, down to where the round before began; where it was is kept
 * after each page that is safely on disk, so that a round goes on after a restart. Then what is pinned there comes.
 */

import { setTimeout as delay } from 'node:timers/promises';
import type { SyncStatus } from '../../shared/api/connections.ts';
import { Profile } from '../../shared/api/profiles.ts';
import { RunList, type Run } from '../../shared/api/runs.ts';
import { runScope } from '../../shared/model/scope.ts';
import { Brought } from './brought.ts';
import { NotAnswered } from './engines/channel-agent.ts';
import { isRunId, storedRunId } from './engines/engine-id.ts';
import type { EngineLink } from './engines/link.ts';
import type { SyncPosition } from './record.ts';
import { bringPinned, type PinnedParts } from './pinned-history.ts';
import { wordsOf } from './words.ts';

/** After a round the next one begins this much later, ms. */
const EVERY = 60_000;
const PAGE = 100;
/** Pages of one round: a list with more has no end. */
const MAX_PAGES = 20_000;
const MAX_PAGE_BYTES = 16 * 1024 * 1024;
const MAX_PROFILE_BYTES = 32 * 1024 * 1024;
/** A description with more than this, as JSON, would make lists of it a burden. */
const MAX_RUN_LENGTH = 256 * 1024;
/** Of one engine: what it says fills no disk. */
export const MAX_PROFILES = 10_000;
export const MAX_BYTES = 2 * 1024 * 1024 * 1024;
const REQUEST_WITHIN = 60_000;
/** Start times are said by jobs, and clocks are set: this much further down is looked again, ms. */
const MARGIN = 86_400_000;
/** Between two profiles, ms: it is done in the background. */
const PAUSE = 5;

export const NOTHING_YET: SyncPosition = {
  floor: null,
  next: null,
  cursor: null,
  complete: null,
  profiles: 0,
  bytes: 0,
  pinned: [],
  brought: [],
};

export interface SyncOptions {
  /** Id of the engine over there. */
  readonly engine: string;
  readonly link: Pick<EngineLink, 'json' | 'state'>;
  readonly store: PinnedParts['store'];
  readonly position: SyncPosition;
  /** Keeps where it is. */
  readonly save: (position: SyncPosition) => void;
  readonly changed: () => void;
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
  readonly every?: number;
  /** Default 20,000. */
  readonly pages?: number;
}

export class ProfileSync {
  readonly #options: SyncOptions;
  readonly #stopped = new AbortController();
  #position: SyncPosition;
  readonly #brought: Brought;
  #state: SyncStatus['state'] = 'idle';
  #reason: string | null = null;
  /** Those that were left out in this round, by why. */
  #left = new Map<string, number>();

  constructor(options: SyncOptions) {
    this.#options = options;
    this.#position = options.position;
    this.#brought = new Brought(options.position.brought);
  }

  status(): SyncStatus {
    const { profiles, complete } = this.#position;
    return { state: this.#state, profiles, complete, reason: this.#reason };
  }

  start(): void {
    void this.#run();
  }

  close(): void {
    this.#stopped.abort(new Error('the connection is closed'));
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      if (this.#options.link.state === 'up') await this.#round(signal);
      else this.#become('waiting', null);
      await delay(this.#options.every ?? EVERY, undefined, { ref: false, signal }).catch(() => undefined);
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    this.#become('running', null);
    this.#left = new Map();
    try {
      await this.once(signal);
      const left = [...this.#left].map(([why, count]) => `${count} left out: ${why}`).join('; ');
      this.#become('idle', left || null);
    } catch (error) {
      if (!signal.aborted) this.#become('failed', wordsOf(error));
    }
  }

  #become(state: SyncStatus['state'], reason: string | null): void {
    if (this.#state === state && this.#reason === reason) return;
    this.#state = state;
    this.#reason = reason;
    this.#options.changed();
  }

  #save(change: Partial<SyncPosition>): void {
    this.#position = { ...this.#position, ...change };
    this.#options.save(this.#position);
  }

  /** One round, or what is left of one. */
  async once(signal: AbortSignal): Promise<void> {
    if (this.#position.cursor === null) this.#save({ next: await this.#oldestLive(signal) });
    const seen = new Set<string>();
    for (;;) {
      const { cursor, floor } = this.#position;
      if (cursor !== null && (seen.has(cursor) || seen.size >= (this.#options.pages ?? MAX_PAGES))) {
        throw new Error('its list of profiles has no end');
      }
      if (cursor !== null) seen.add(cursor);
      const after = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const { runs, next } = await this.#get(`/api/v1/profiles?limit=${PAGE}${after}`, RunList, MAX_PAGE_BYTES, signal);
      if (cursor === null) this.#begin(runs);
      const wanted = runs.filter(({ start_time }) => floor === null || start_time >= floor - MARGIN);
      const here: Run[] = [];
      for (const run of wanted) if (await this.#take(run, signal)) here.push(run);
      // What is told to be here is on disk.
      await this.#options.store.flush();
      signal.throwIfAborted();
      this.#note(here);
      const isOver = next === null || runs.length === 0 || wanted.length < runs.length;
      if (!isOver) {
        this.#save({ cursor: next.slice(0, 256) });
        await delay(PAUSE, undefined, { ref: false, signal });
      } else {
        const { next: began } = this.#position;
        const brought = this.#brought.marks(began === null ? null : began - MARGIN);
        this.#save({ floor: began, next: null, cursor: null, brought });
        await this.#pinned(signal);
        this.#save({ complete: this.#options.now() });
        return;
      }
    }
  }

  #pinned(signal: AbortSignal): Promise<void> {
    const { engine, store, now } = this.#options;
    return bringPinned(
      {
        ...{ engine, store, now, json: this.#get, done: this.#position.pinned },
        room: () => MAX_BYTES - this.#position.bytes,
        leave: (why) => void this.#left.set(why, (this.#left.get(why) ?? 0) + 1),
        took: (bytes) => {
          if (bytes > 0) this.#save({ bytes: this.#position.bytes + bytes });
        },
        saveDone: (run) => {
          const { pinned } = this.#position;
          if (!pinned.includes(run)) this.#save({ pinned: [...pinned, run].slice(-10_000) });
        },
      },
      signal,
    );
  }

  /** Whatever ends after this moment began at or after the oldest run that lives now. */
  async #oldestLive(signal: AbortSignal): Promise<number | null> {
    const { runs } = await this.#get('/api/v1/runs?state=live&limit=10000', RunList, MAX_PAGE_BYTES, signal);
    return runs.reduce<number | null>((least, { start_time: start }) => Math.min(least ?? start, start), null);
  }

  #begin(newest: readonly Run[]): void {
    const first = newest[0]?.start_time ?? 0;
    this.#save({ next: Math.min(this.#position.next ?? first, first) });
  }

  /** They are on disk: what of them is missing later was deleted here. */
  #note(here: readonly Run[]): void {
    const news = here.filter(({ id, start_time }) => this.#brought.add(id, start_time));
    if (news.length > 0) this.#save({ brought: this.#brought.marks(null) });
  }

  /** Whether it is here now. */
  async #take(listed: Run, signal: AbortSignal): Promise<boolean> {
    const { store, engine } = this.#options;
    const leave = (why: string): false => {
      this.#left.set(why, (this.#left.get(why) ?? 0) + 1);
      return false;
    };
    if (!isRunId(listed.id)) return leave('its id is none of a run');
    const id = storedRunId(engine, listed.id);
    const known = await store.run(id);
    if (known && known.state === listed.state && known.end_time === listed.end_time) return true;
    // Deleted here, for good.
    if (!known && this.#brought.has(listed.id)) return false;
    const { profiles, bytes } = this.#position;
    if (profiles >= MAX_PROFILES) return leave(`there are ${MAX_PROFILES} of this engine here`);
    if (bytes >= MAX_BYTES) return leave('there is as much of this engine here as there may be');
    const path = `/api/v1/profiles/${encodeURIComponent(listed.id)}`;
    const profile = await this.#get(path, Profile, MAX_PROFILE_BYTES, signal).catch((error: unknown) => {
      // Of this one: the others may be as they should.
      if (error instanceof NotAnswered) return error;
      throw error;
    });
    if (profile instanceof NotAnswered) return leave(wordsOf(profile));
    const { run } = profile;
    if (run.id !== listed.id || (run.state !== 'finished' && run.state !== 'interrupted'))
      return leave('it is not the profile of a run that ended');
    if (JSON.stringify(run).length > MAX_RUN_LENGTH) return leave('its description is too long');
    store.putProfile({ ...profile, run: { ...run, id, scope: runScope(id), clients: 0 } });
    // All of it, its description too: whoever sends small ones without an end fills a disk as well.
    const size = JSON.stringify(profile).length;
    this.#save({ profiles: profiles + (known ? 0 : 1), bytes: bytes + size });
    this.#options.changed();
    await delay(PAUSE, undefined, { ref: false, signal });
    return true;
  }

  readonly #get: EngineLink['json'] = (path, schema, most, signal) =>
    this.#options.link.json(path, schema, most, AbortSignal.any([signal, AbortSignal.timeout(REQUEST_WITHIN)]));
}
