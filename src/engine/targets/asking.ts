/**
 * Asks targets when they are due, side by side, and notes what came of it. Knows nothing of the list: who is begun is
 * asked again and again until it is stopped.
 */

import type { LiveAlarms } from '../../shared/api/live.ts';
import { targetScope } from '../../shared/model/scope.ts';
import type { MergeRules } from '../live/merge.ts';
import type { Clock } from '../live/sampler.ts';
import { Scope } from '../live/scope.ts';
import { DueScopes } from './due.ts';
import type { Entry } from './entry.ts';
import { findType, placesOf, type FoundType } from './find-type.ts';
import type { TargetRecord } from './record.ts';
import type { RemoteRuns } from './remote-runs.ts';
import { Schedule } from './schedule.ts';
import { limitsOf, type TargetLimitSettings } from './settings.ts';
import { TYPES } from './types.ts';
import {
  TargetError,
  type Dial,
  type Scraped,
  type TargetLimits,
  type TargetSession,
  type TargetType,
} from './type.ts';
import { parseTargetUrl } from './url.ts';

/** Scrapes that become due within this time, in ms, begin together: one timer for all of them. */
const TOGETHER = 20;
/** Without a good scrape for so many periods, which is when its series leave, the time until the next is a gap. */
const UNSEEN_AFTER = 3;
/** A scrape that its type does not end by itself is ended this long after its timeout, ms. */
const OVERTIME = 1000;

export interface AskingOptions {
  readonly hostname: string;
  readonly engineId: string;
  readonly limits: TargetLimitSettings;
  readonly rules: MergeRules;
  readonly clock: Clock;
  readonly warn: (message: string) => void;
  /** This URL is this engine itself. */
  readonly isSelf: (url: string) => boolean;
  /** Series that the engine still has room for. */
  readonly room: () => number;
  /** A scope of a target has so many series more; below 0: as many were retired. */
  readonly grown: (scope: Scope, series: number) => void;
  readonly opened: (scope: Scope) => void;
  /** Its last frame is to be taken; nothing follows. */
  readonly closed: (scope: Scope) => void;
  /** Another engine says of its alarms. */
  readonly alarms?: (entry: Entry, update: LiveAlarms) => void;
  /** What it counted stays in live sums. */
  readonly left: (scope: Scope) => void;
  /** Jobs that targets tell of. */
  readonly runs: RemoteRuns;
  /** A job that a target does not list any more may come back within this time, ms. */
  readonly grace: number;
  /** To what is behind hosts that are reached by SSH; absent: nothing is. */
  readonly dial?: Dial;
  /** Readers of the list are to be told. */
  readonly changed: () => void;
  readonly types?: readonly TargetType[];
}

/** It was found out what is there. Throws {@link TargetError} when the list has that already. */
export type Settled = (entry: Entry, url: string, type: TargetRecord['type']) => void;

export class Asking {
  readonly #options: AskingOptions;
  readonly #types: readonly TargetType[];
  readonly #settled: Settled;
  readonly #entries = new Map<string, Entry>();
  readonly #schedule: Schedule;
  /** Series of each scope that were told of. */
  readonly #accounted = new WeakMap<Scope, number>();
  #timer: NodeJS.Timeout | null = null;
  #closed = false;
  /** Which scopes are written to history at the next tick. */
  readonly due = new DueScopes();
  /** Scrapes since the start, by what they came to. */
  readonly scrapes = { good: 0, failed: 0, samples: 0, bytes: 0, seconds: 0 };

  constructor(options: AskingOptions, settled: Settled) {
    this.#options = options;
    this.#types = options.types ?? TYPES;
    this.#settled = settled;
    this.#schedule = new Schedule({ sideBySide: options.limits.side_by_side, start: options.clock.monotonic() });
  }

  get running(): number {
    return this.#schedule.running;
  }

  get late(): number {
    return this.#schedule.late;
  }

  /** When it is asked next, ms since the epoch; null: it is being asked, or is not to be. */
  next(id: string): number | null {
    const { clock } = this.#options;
    const due = this.#schedule.due(id);
    return due === null ? null : Math.round(clock.now() + Math.max(0, due - clock.monotonic()));
  }

  /** It is asked again and again from now on. */
  has(id: string): boolean {
    return this.#entries.has(id);
  }

  /** `soon`: somebody waits for it. */
  begin(entry: Entry, soon: boolean): void {
    this.#entries.set(entry.id, entry);
    this.#schedule.add(entry.id, entry.record.period, this.#options.clock.monotonic(), soon);
    this.#wake();
  }

  soon(id: string): void {
    this.#schedule.soon(id, this.#options.clock.monotonic());
    this.#wake();
  }

  /** Ends what is at work for it; it is not asked any more. */
  stop(entry: Entry): void {
    this.#entries.delete(entry.id);
    this.#schedule.remove(entry.id);
    entry.running?.abort(new Error('the target was changed'));
    entry.running = null;
    this.#runsStandStill(entry);
    entry.session?.close();
    entry.session = null;
    entry.heard = null;
    for (const scope of entry.scopes.values()) this.#account(scope);
  }

  /** What is at its place. */
  async find(entry: Entry, signal: AbortSignal, limits = limitsOf(this.#options.limits)): Promise<FoundType> {
    const { url, type, timeout } = entry.record;
    try {
      await entry.readFiles();
      for (const place of placesOf(url)) {
        if (this.#options.isSelf(place.href)) throw new TargetError('refused', SELF);
      }
      const all = AbortSignal.any([signal, AbortSignal.timeout(timeout + OVERTIME)]);
      return await findType(
        url,
        type,
        entry.access(limits, this.#options.engineId, this.#options.dial),
        all,
        this.#types,
      );
    } catch (error) {
      signal.throwIfAborted();
      return { probe: null, error: asTargetError(error, timeout), tried: [] };
    }
  }

  /** Nothing more comes of its jobs for now. */
  #runsStandStill({ scopes, abouts }: Entry): void {
    for (const [below, about] of abouts) {
      const scope = about.kind === 'run' ? scopes.get(below) : undefined;
      if (scope) this.#options.runs.still(scope);
    }
  }

  #wake(): void {
    if (this.#closed) return;
    const now = this.#options.clock.monotonic();
    const next = this.#schedule.next(now);
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (next === null) return;
    // A timer cannot wait for more than 24 days; periods are an hour at most.
    this.#timer = setTimeout(() => this.#due(), Math.max(TOGETHER, next - now)).unref();
  }

  #due(): void {
    this.#timer = null;
    for (const id of this.#schedule.take(this.#options.clock.monotonic())) {
      const entry = this.#entries.get(id);
      if (entry) void this.#scrape(entry);
      else this.#schedule.remove(id);
    }
    this.#wake();
  }

  async #scrape(entry: Entry): Promise<void> {
    const { clock } = this.#options;
    const running = new AbortController();
    entry.running = running;
    const { timeout } = entry.record;
    const begun = clock.monotonic();
    const overtime = setTimeout(() => running.abort(tooLong(timeout)), timeout + OVERTIME).unref();
    let good = false;
    try {
      const scraped = await this.#ask(entry, running.signal);
      if (entry.running !== running) return;
      good = true;
      const duration = clock.monotonic() - begun;
      entry.good(scraped, Math.round(duration * 10) / 10, clock.now());
      this.#note(entry);
      this.scrapes.good++;
      this.scrapes.samples += scraped.samples;
      this.scrapes.bytes += scraped.bytes;
      this.scrapes.seconds += duration / 1000;
    } catch (error) {
      if (entry.running !== running) return;
      this.scrapes.failed++;
      this.#runsStandStill(entry);
      entry.failed(asTargetError(error, timeout, this.#options.warn), clock.now());
    } finally {
      clearTimeout(overtime);
      // Else it was stopped, changed or removed meanwhile, and has nothing to do with the list any more.
      if (entry.running === running) {
        entry.running = null;
        this.#schedule.finish(entry.id, good, clock.monotonic());
        this.#options.changed();
      }
      this.#wake();
    }
  }

  /** Its scopes have a sample at the next tick, perhaps with a gap before it. */
  #note(entry: Entry): void {
    const now = this.#options.clock.monotonic();
    const wasSeen = entry.heard !== null && now - entry.heard <= UNSEEN_AFTER * entry.record.period;
    entry.heard = now;
    if (wasSeen) this.due.add(entry.scopes.values());
    else this.due.addAfterGap(entry.scopes.values());
  }

  async #ask(entry: Entry, signal: AbortSignal): Promise<Scraped> {
    if (entry.record.type === null || !isPlace(entry)) {
      const { probe, error } = await this.find(entry, signal, this.#limitsOf(entry));
      signal.throwIfAborted();
      if (!probe) throw error ?? new TargetError('down', 'nothing answers');
      this.#settled(entry, probe.url.href, probe.type);
    }
    await entry.readFiles();
    signal.throwIfAborted();
    if (this.#options.isSelf(entry.record.url)) throw new TargetError('refused', SELF);
    if (entry.session === null) entry.told.clear();
    entry.session ??= this.#open(entry);
    try {
      const scraped = await entry.session.scrape(signal);
      this.#checkEngine(entry, scraped);
      this.#dropUntold(entry);
      return scraped;
    } finally {
      // Of one that was stopped meanwhile all is told of already.
      if (this.has(entry.id)) for (const scope of entry.scopes.values()) this.#account(scope);
    }
  }

  /** One engine at two addresses would count twice. */
  #checkEngine(entry: Entry, { engines }: Scraped): void {
    const [engine] = engines ?? [];
    if (engine === undefined) return;
    for (const other of this.#entries.values()) {
      if (other === entry || other.engines[0] !== engine) continue;
      this.#runsStandStill(entry);
      entry.session?.close();
      entry.session = null;
      throw new TargetError('refused', `it is the same engine as ${other.record.url}`);
    }
  }

  /** Another side names the place: it may be no address at all. */
  #isSelf(url: string): boolean {
    try {
      return this.#options.isSelf(url);
    } catch {
      return false;
    }
  }

  /** Tells by how many series a scope has grown, or, below 0, how many were retired. */
  #account(scope: Scope): void {
    const more = scope.livingCount - (this.#accounted.get(scope) ?? 0);
    this.#accounted.set(scope, scope.livingCount);
    if (more !== 0) this.#options.grown(scope, more);
  }

  #limitsOf(entry: Entry): TargetLimits {
    const { limits, room } = this.#options;
    const series = (): number => {
      const own = [...entry.scopes.values()].reduce((sum, scope) => sum + scope.livingCount, 0);
      return Math.min(limits.series, own + Math.max(0, room()));
    };
    return Object.defineProperty({ ...limitsOf(limits) }, 'series', { get: series, enumerable: true });
  }

  #open(entry: Entry): TargetSession {
    const { record } = entry;
    const type = this.#types.find(({ name }) => name === record.type);
    if (!type) throw new TargetError('refused', `targets of the type ${record.type ?? 'unknown'} cannot be asked`);
    const { hostname, engineId, rules, opened, runs, grace } = this.#options;
    const merge: MergeRules = new Map([...rules, ...Object.entries(record.merge)]);
    return type.open(
      {
        id: record.id,
        url: parseTargetUrl(entry.place ?? record.url),
        access: entry.access(this.#limitsOf(entry), engineId, this.#options.dial),
        periodMs: record.period,
        labels: Object.entries(record.labels),
        filter: record.filter,
      },
      {
        hostname,
        engineId,
        isSelf: (url) => this.#isSelf(url),
        scope(below = '') {
          const known = entry.scopes.get(below);
          if (known) return known;
          const scope = new Scope(targetScope(record.id, below), 'target', merge);
          entry.scopes.set(below, scope);
          opened(scope);
          return scope;
        },
        alarms: (update) => this.#options.alarms?.(entry, update),
        about(below, about) {
          entry.abouts.set(below, about);
          entry.told.add(below);
          const scope = entry.scopes.get(below);
          if (about.kind === 'run' && scope) runs.tell(scope, about);
        },
        drop: (below, how = 'finished') => this.#drop(entry, below, how),
        grace,
      },
    );
  }

  #drop(entry: Entry, below: string, how: 'finished' | 'interrupted'): void {
    const { closed, left, runs } = this.#options;
    const scope = entry.scopes.get(below);
    if (!scope || below === '') return;
    this.#account(scope);
    entry.scopes.delete(below);
    entry.abouts.delete(below);
    closed(scope);
    left(scope);
    runs.end(scope, how);
  }

  /** Hosts and jobs of before, which a target that was changed, or asked again after a pause, does not have any more. */
  #dropUntold(entry: Entry): void {
    for (const below of [...entry.abouts.keys()]) if (!entry.told.has(below)) this.#drop(entry, below, 'finished');
  }

  close(): void {
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    for (const entry of this.#entries.values()) this.stop(entry);
  }
}

const SELF = 'this is this engine itself: what it has is here already';

/** It is known where exactly to ask: Prometheus text has a path. */
function isPlace({ record, place }: Entry): boolean {
  if (place !== null) return true;
  const [only, ...more] = placesOf(record.url);
  return only !== undefined && more.length === 0 && (record.type !== 'prometheus' || only.pathGiven);
}

const tooLong = (timeout: number): TargetError =>
  new TargetError('down', `no whole answer within the timeout of ${timeout} ms`);

function asTargetError(error: unknown, timeout: number, warn?: (message: string) => void): TargetError {
  if (error instanceof TargetError) return error;
  if (error instanceof Error && error.name === 'TimeoutError') return tooLong(timeout);
  // A fault of ours: the log has to say so, since nobody can act on it otherwise.
  warn?.(`a target could not be asked: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  return new TargetError(
    'refused',
    `the engine failed to read it: ${error instanceof Error ? error.message : String(error)}`,
  );
}
