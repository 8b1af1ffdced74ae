/**
 * The list of targets: who is on it, when each is asked, and where its numbers go. A failure never removes a target.
 * What was made by hand is kept in DATA/targets.json; what discovery found is found again after a restart.
 */

import { createHash, randomBytes } from 'node:crypto';
import {
  DEFAULT_TARGET_PERIOD,
  DEFAULT_TARGET_TIMEOUT,
  UNDO_WITHIN,
  type NewTarget,
  type Target,
  type TargetCounts,
  type TargetOrigin,
  type TargetPatch,
} from '../../shared/api/targets.ts';
import { ApiError } from '../../shared/errors.ts';
import { refusePattern } from '../../shared/metric-pattern.ts';
import { sshAddress, sshHostOf } from '../../shared/target-address.ts';
import { writeEngines } from '../engines-header.ts';
import type { Scope } from '../live/scope.ts';
import { Asking, type AskingOptions } from './asking.ts';
import { Entry } from './entry.ts';
import { placesOf, type FoundType } from './find-type.ts';
import { readKept, writeKept, type TargetRecord } from './record.ts';
import { SYSTEM_ID, type SystemTarget } from './system.ts';
import { TargetError, type ScopeAbout, type TargetUrl } from './type.ts';
import { bracketed } from './url.ts';

/** The list is written this long after a change, ms: a thousand changes are one writing. */
const WRITE_AFTER = 100;

export interface TargetsOptions extends AskingOptions {
  /** Null: nothing is kept. */
  readonly data: string | null;
  /** This node's own sources. */
  readonly system: SystemTarget;
  /** A target on the list is reached through this host: it is to be on the list of connections. */
  readonly through?: (host: string) => void;
  /** It is there already. A place that somebody types is not logged in to before it is added. */
  readonly isThrough?: (host: string) => Promise<boolean>;
}

/** A target that may still be brought back. Its counters count in live sums until then. */
interface Removed {
  readonly entry: Entry;
  /** Wall clock, ms since the epoch. */
  readonly until: number;
}

export interface Added {
  readonly entry: Entry;
  /** False: it was on the list already. */
  readonly isNew: boolean;
}

export class Targets {
  readonly #options: TargetsOptions;
  /** In the order they were added. */
  readonly #entries = new Map<string, Entry>();
  readonly #byUrl = new Map<string, string>();
  readonly #removed = new Map<string, Removed>();
  readonly #asking: Asking;
  /** Found ones that somebody paused, also while they are not found. */
  readonly #pausedFound: Set<string>;
  #writing: NodeJS.Timeout | null = null;
  #purging: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: TargetsOptions) {
    this.#options = options;
    const { clock, data } = options;
    this.#asking = new Asking(options, (entry, url, type) => this.#settle(entry, url, type));
    const kept = data === null ? null : readKept(data, options.warn);
    this.#pausedFound = new Set(kept?.paused);
    if (this.#pausedFound.has(SYSTEM_ID)) options.system.pause(true);
    for (const record of kept?.targets ?? []) {
      this.#put(new Entry(record, kept?.secrets.get(record.id) ?? { kind: 'none' }, clock.now()), false);
    }
  }

  get size(): number {
    return this.#entries.size;
  }

  get scrapes(): Asking['scrapes'] {
    return this.#asking.scrapes;
  }

  /** Scrapes that began more than a period late. */
  get late(): number {
    return this.#asking.late;
  }

  /** All, this node's own sources first. */
  *list(): Generator<Target, void> {
    yield this.#options.system.describe();
    for (const entry of this.#entries.values()) yield this.describe(entry);
  }

  entries(): Iterable<Entry> {
    return this.#entries.values();
  }

  /** What changes of the node's own sources with each tick is not a change that readers are told of. */
  get systemVersion(): number {
    return this.#options.system.version;
  }

  get(id: string): Target | null {
    if (id === SYSTEM_ID) return this.#options.system.describe();
    const entry = this.#entries.get(id);
    return entry ? this.describe(entry) : null;
  }

  /** Whose numbers this engine's sums have, as an answer tells it. */
  enginesHeader(): string {
    return writeEngines(
      this.#options.engineId,
      Array.from(this.#entries.values(), ({ engines }) => engines),
    );
  }

  entry(id: string): Entry | null {
    return this.#entries.get(id) ?? null;
  }

  describe(entry: Entry): Target {
    return entry.describe(this.#asking.next(entry.id));
  }

  counts(): TargetCounts {
    const counts = { total: 0, new: 0, up: 0, slow: 0, down: 0, refused: 0, paused: 0 };
    const count = (paused: boolean, state: Target['state']): void => {
      counts.total++;
      counts[paused ? 'paused' : state]++;
    };
    for (const { record, condition } of this.#entries.values()) count(record.paused, condition.state);
    const { paused, state } = this.#options.system.describe();
    count(paused, state);
    return counts;
  }

  /** Of the scopes of a tick, those that history is to have. Once for each tick. */
  due(scopes: readonly Scope[]): Scope[] {
    return this.#asking.due.take(scopes);
  }

  /** Scopes of a tick that nothing was known of for a while before it. Once for each tick. */
  takeGaps(): ReadonlySet<Scope> {
    return this.#asking.due.takeGaps();
  }

  /** Scopes of targets that are on the list. */
  *scopes(): Generator<Scope, void> {
    for (const { scopes } of this.#entries.values()) yield* scopes.values();
  }

  /** Those whose counts are in live sums: also of targets that may still be brought back. */
  *contributions(): Generator<Scope, void> {
    yield* this.scopes();
    for (const { entry } of this.#removed.values()) yield* entry.scopes.values();
  }

  /** Scopes of hosts and jobs elsewhere. */
  *remote(): Generator<{ readonly about: ScopeAbout; readonly scope: Scope }, void> {
    for (const { scopes, abouts } of this.#entries.values()) {
      for (const [below, about] of abouts) {
        const scope = scopes.get(below);
        if (scope) yield { about, scope };
      }
    }
  }

  scope(id: string): Scope | null {
    if (!id.startsWith('target/')) return null;
    const [, target = '', ...below] = id.split('/');
    return this.#entries.get(target)?.scopes.get(below.join('/')) ?? null;
  }

  /**
   * The target at this place, by the address that it goes by on the list or the one where it was found to answer; null:
   * none. Throws {@link ApiError}.
   */
  known(url: string): Entry | null {
    const id = this.#byUrl.get(canonical(url));
    return id === undefined ? null : (this.#entries.get(id) ?? null);
  }

  /**
   * Puts a target on the list; one that is there already stays as it is. Errors: `bad_request` when the URL is none, or
   * there are too many.
   */
  add(given: NewTarget, origin: TargetOrigin): Added {
    checkFilter(given);
    const url = canonical(given.url);
    const known = this.known(url);
    if (known) return { entry: known, isNew: false };
    const { clock, limits } = this.#options;
    if (this.size >= limits.targets) {
      throw new ApiError('bad_request', `there may be ${limits.targets} targets (target_limits.targets)`);
    }
    const id = origin.kind === 'hand' ? randomBytes(6).toString('hex') : foundId(origin, url);
    const period = given.period ?? DEFAULT_TARGET_PERIOD;
    const record: TargetRecord = {
      id,
      url,
      type: given.type ?? null,
      period,
      timeout: timeoutWithin(given.timeout, period),
      labels: given.labels ?? {},
      filter: given.filter ?? { include: [], exclude: [] },
      merge: given.merge ?? {},
      paused: (given.paused ?? false) || (origin.kind !== 'hand' && this.#pausedFound.has(id)),
      origin,
      added: clock.now(),
      tls: given.tls ?? {},
    };
    const entry = new Entry(record, given.auth ?? { kind: 'none' }, clock.now());
    this.#put(entry, origin.kind === 'hand');
    this.#save();
    this.#options.changed();
    return { entry, isNew: true };
  }

  #put(entry: Entry, soon: boolean): void {
    this.#entries.set(entry.id, entry);
    this.#byUrl.set(entry.record.url, entry.id);
    if (entry.place !== null) this.#byUrl.set(entry.place, entry.id);
    if (!entry.record.paused) this.#asking.begin(entry, soon);
    const host = sshHostOf(entry.record.url);
    if (host !== null) this.#options.through?.(host);
  }

  /** The host is connected: what is behind it is asked as soon as may be. */
  soonThrough(host: string): void {
    for (const { id, record } of this.#entries.values()) {
      if (!record.paused && sshHostOf(record.url) === host) this.#asking.soon(id);
    }
  }

  /** Its addresses are free: the one that it goes by, and where it was found to answer. */
  #unlist(entry: Entry, url = entry.record.url): void {
    for (const one of [url, entry.place ?? url]) if (this.#byUrl.get(one) === entry.id) this.#byUrl.delete(one);
  }

  /** Errors: `target_not_found`, `bad_request`, `target_exists`. */
  patch(id: string, patch: TargetPatch): Target {
    if (id === SYSTEM_ID) return this.#patchSystem(patch);
    checkFilter(patch);
    const entry = this.#need(id);
    const { paused, ...rest } = patch;
    if (entry.record.origin.kind !== 'hand' && Object.keys(rest).length > 0) {
      throw new ApiError(
        'bad_request',
        `this target comes from ${entry.record.origin.name}: change it there; here it can be paused`,
      );
    }
    const url = patch.url === undefined ? entry.record.url : canonical(patch.url);
    if (patch.auth === undefined && entry.auth.kind !== 'none' && !isSameServer(url, addressOf(entry))) {
      throw new ApiError(
        'bad_request',
        'another server is not shown the password or token of the one before: give it again, or `none`',
      );
    }
    const other = url === entry.record.url ? null : this.known(url);
    if (other) throw new ApiError('target_exists', `${url} is on the list already`);
    const before = entry.record;
    const period = patch.period ?? before.period;
    const type = patch.type ?? (url === before.url ? before.type : null);
    entry.record = {
      ...before,
      url,
      type,
      period,
      timeout: timeoutWithin(patch.timeout ?? before.timeout, period),
      labels: patch.labels ?? before.labels,
      filter: patch.filter ?? before.filter,
      merge: patch.merge ?? before.merge,
      tls: patch.tls ?? before.tls,
      paused: paused ?? before.paused,
    };
    if (patch.auth !== undefined) entry.auth = patch.auth;
    // Only the pause: what is known of it stays true.
    if (Object.keys(rest).length > 0) {
      this.#unlist(entry, before.url);
      this.#asking.stop(entry);
      entry.begin(this.#options.clock.now());
      this.#byUrl.set(url, id);
      const host = sshHostOf(url);
      if (host !== null) this.#options.through?.(host);
    }
    this.#pauseOrBegin(entry);
    return this.describe(entry);
  }

  #pauseOrBegin(entry: Entry): void {
    const { record } = entry;
    if (record.paused) this.#asking.stop(entry);
    else if (!this.#asking.has(entry.id)) this.#asking.begin(entry, true);
    if (record.origin.kind !== 'hand') {
      if (record.paused) this.#pausedFound.add(entry.id);
      else this.#pausedFound.delete(entry.id);
    }
    entry.version++;
    this.#save();
    this.#options.changed();
  }

  #patchSystem({ paused, ...rest }: TargetPatch): Target {
    const { system } = this.#options;
    if (Object.keys(rest).length > 0) {
      throw new ApiError(
        'bad_request',
        'the node itself is read once per period of the engine (--period); here it can be paused',
      );
    }
    if (paused !== undefined) {
      system.pause(paused);
      if (paused) this.#pausedFound.add(SYSTEM_ID);
      else this.#pausedFound.delete(SYSTEM_ID);
      this.#save();
      this.#options.changed();
    }
    return system.describe();
  }

  /** Until when it may be brought back, ms since the epoch. Errors: `target_not_found`, `bad_request`. */
  remove(id: string): { target: Target; until: number } {
    if (id === SYSTEM_ID) throw new ApiError('bad_request', 'the node itself cannot be removed; pause it instead');
    const entry = this.#need(id);
    const { origin } = entry.record;
    if (origin.kind !== 'hand') {
      throw new ApiError('bad_request', `this target comes from ${origin.name}: remove it there, or pause it here`);
    }
    const target = this.describe(entry);
    const until = this.#options.clock.now() + UNDO_WITHIN;
    this.#takeOff(entry, until);
    return { target, until };
  }

  /** `until`: it may be brought back until then, ms since the epoch. */
  #takeOff(entry: Entry, until: number): void {
    this.#asking.stop(entry);
    this.#entries.delete(entry.id);
    this.#unlist(entry);
    for (const scope of entry.scopes.values()) {
      this.#options.closed(scope);
      this.#options.runs.interrupt(scope);
    }
    this.#removed.set(entry.id, { entry, until });
    this.#purgeLater();
    this.#save();
    this.#options.changed();
  }

  /** Errors: `target_not_found` when it is too late, `target_exists`. */
  restore(id: string): Target {
    const removed = this.#removed.get(id);
    if (!removed || removed.until < this.#options.clock.now()) {
      throw new ApiError('target_not_found', 'it was removed more than a minute ago, or never was there; add it again');
    }
    const { entry } = removed;
    if ([entry.record.url, entry.place ?? entry.record.url].some((url) => this.#byUrl.has(url)))
      throw new ApiError('target_exists', `${entry.record.url} is on the list again already`);
    this.#removed.delete(id);
    entry.version++;
    this.#put(entry, true);
    for (const scope of entry.scopes.values()) this.#options.opened(scope);
    this.#save();
    this.#options.changed();
    return this.describe(entry);
  }

  /**
   * Makes the list hold what a place has now: new ones are added, those that it does not have any more go. What is on
   * the list from somewhere else stays as it is. Returns how many of the place's targets are there.
   */
  sync(origin: TargetOrigin, found: readonly NewTarget[], notes: string[]): number {
    const present = new Set<string>();
    for (const given of found) {
      try {
        const { entry, isNew } = this.add(given, origin);
        if (entry.record.origin.kind !== origin.kind || entry.record.origin.name !== origin.name) continue;
        present.add(entry.id);
        if (!isNew) this.#refresh(entry, given);
      } catch (error) {
        if (notes.length < 100) notes.push(`${given.url}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    for (const entry of this.#entries.values()) {
      const { kind, name } = entry.record.origin;
      if (kind === origin.kind && name === origin.name && !present.has(entry.id)) this.#takeOff(entry, 0);
    }
    return present.size;
  }

  /** The place says something else of it than before. */
  #refresh(entry: Entry, given: NewTarget): void {
    const { record } = entry;
    const period = given.period ?? DEFAULT_TARGET_PERIOD;
    const next: TargetRecord = {
      ...record,
      type: given.type ?? record.type,
      period,
      timeout: timeoutWithin(given.timeout, period),
      labels: given.labels ?? {},
      filter: given.filter ?? { include: [], exclude: [] },
      merge: given.merge ?? {},
      tls: given.tls ?? {},
    };
    const auth = given.auth ?? { kind: 'none' };
    if (JSON.stringify([record, entry.auth]) === JSON.stringify([next, auth])) return;
    this.#asking.stop(entry);
    // Where nothing is said of its type it is looked for again.
    entry.record = { ...next, type: given.type ?? null };
    entry.auth = auth;
    this.#unlist(entry);
    entry.begin(this.#options.clock.now());
    this.#byUrl.set(entry.record.url, entry.id);
    if (!next.paused) this.#asking.begin(entry, false);
    this.#options.changed();
  }

  /** What is at a place, without anything being added. `of`: with the secrets of a target that is there. */
  async probe(given: NewTarget, of: string | null, signal: AbortSignal): Promise<FoundType> {
    checkFilter(given);
    const { clock } = this.#options;
    const known = of === null ? null : this.#need(of);
    const period = given.period ?? DEFAULT_TARGET_PERIOD;
    const record: TargetRecord = {
      ...{ id: '', url: canonical(given.url), type: given.type ?? null, period, labels: {}, merge: {}, paused: false },
      ...{ filter: given.filter ?? { include: [], exclude: [] }, origin: { kind: 'hand', name: '' }, added: 0 },
      timeout: timeoutWithin(given.timeout, period),
      tls: given.tls ?? known?.record.tls ?? {},
    };
    // Somebody may be typing: what stands there so far is no server that a secret is for.
    const kept = known && isSameServer(record.url, addressOf(known)) ? known.auth : undefined;
    const entry = new Entry(record, given.auth ?? kept ?? { kind: 'none' }, clock.now());
    const host = sshHostOf(record.url);
    if (host !== null && (await this.#options.isThrough?.(host)) !== true) {
      const words = `${host} is not among the connections yet: when the target is added it is put there and logged in to`;
      return { probe: null, error: new TargetError('down', words), tried: [] };
    }
    return this.#asking.find(entry, signal);
  }

  /** Now it is known what it is: from now on exactly that is asked. */
  #settle(entry: Entry, url: string, type: TargetRecord['type']): void {
    const other = this.#byUrl.get(url);
    if (other !== undefined && other !== entry.id) {
      throw new TargetError('refused', `${url} is on the list already, as a target of its own`);
    }
    // What was found keeps its name, by which it is found again.
    const keepsUrl = entry.record.origin.kind !== 'hand';
    this.#unlist(entry);
    entry.record = { ...entry.record, type, ...(keepsUrl ? {} : { url }) };
    entry.place = keepsUrl ? url : null;
    // One target under both addresses, so that it is not added again by the one that it does not go by.
    this.#byUrl.set(entry.record.url, entry.id);
    this.#byUrl.set(url, entry.id);
    this.#save();
  }

  /** Asks as soon as may be. Errors: `target_not_found`. */
  soon(id: string): void {
    this.#asking.soon(this.#need(id).id);
  }

  #need(id: string): Entry {
    const entry = this.#entries.get(id);
    if (!entry) throw new ApiError('target_not_found', 'no target has this id; it may have been removed');
    return entry;
  }

  /** Those that cannot be brought back any more: what they counted stays in live sums, nothing else of them does. */
  #purgeLater(): void {
    this.#purging ??= setTimeout(() => {
      this.#purging = null;
      const now = this.#options.clock.now();
      for (const [id, { entry, until }] of this.#removed) {
        if (until > now) continue;
        this.#removed.delete(id);
        for (const scope of entry.scopes.values()) {
          this.#options.left(scope);
          this.#options.runs.forget(scope);
        }
      }
      if (this.#removed.size > 0) this.#purgeLater();
    }, UNDO_WITHIN / 60).unref();
  }

  #save(): void {
    if (this.#options.data === null || this.#writing || this.#closed) return;
    this.#writing = setTimeout(() => this.#write(), WRITE_AFTER);
  }

  #write(): void {
    if (this.#writing) clearTimeout(this.#writing);
    this.#writing = null;
    const { data, warn } = this.#options;
    if (data === null) return;
    const kept = [...this.#entries.values()].filter(({ record }) => record.origin.kind === 'hand');
    const secret = kept.filter(({ auth }) => auth.kind !== 'none');
    try {
      writeKept(data, {
        targets: kept.map(({ record }) => record),
        paused: [...this.#pausedFound],
        secrets: new Map(secret.map(({ id, auth }) => [id, auth])),
      });
    } catch (error) {
      warn(`the list of targets cannot be written: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Nothing is asked any more; the list is on disk. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#purging) clearTimeout(this.#purging);
    if (this.#writing) this.#write();
    this.#asking.close();
    this.#options.runs.close();
  }
}

/** A timeout stays below the period, so that there are never two scrapes at once. */
const timeoutWithin = (timeout: number | undefined, period: number): number =>
  Math.min(timeout ?? DEFAULT_TARGET_TIMEOUT, period);

/** As it is kept: of one place there is one spelling. A host alone stays what it is until it is known what it has. */
function canonical(text: string): string {
  try {
    const places = placesOf(text.trim());
    const [{ href, ssh, hostname }] = places as [TargetUrl];
    if (places.length === 1) return href;
    return ssh === null ? text.trim().toLowerCase() : sshAddress(ssh, bracketed(hostname));
  } catch (error) {
    throw new ApiError('bad_request', error instanceof Error ? error.message : String(error));
  }
}

const addressOf = ({ place, record }: Entry): string => place ?? record.url;

/** Both lead to one server, whatever path is asked there. */
function isSameServer(a: string, b: string): boolean {
  const [servers, others] = [a, b].map((text) => new Set(placesOf(text).map(serverOf)));
  return servers!.size === others!.size && [...servers!].every((server) => others!.has(server));
}

const serverOf = ({ ssh, protocol, hostname, port, socketPath }: TargetUrl): string =>
  `${ssh ?? ''} ${socketPath ?? `${protocol} ${hostname} ${port}`}`;

/** Names come from targets: a pattern that could keep the engine busy with one is not taken. */
function checkFilter({ filter }: Pick<NewTarget, 'filter'>): void {
  for (const pattern of [...(filter?.include ?? []), ...(filter?.exclude ?? [])]) {
    const refused = refusePattern(pattern);
    if (refused !== null) throw new ApiError('bad_request', `the pattern ${pattern}: ${refused}`);
  }
}

/** The same for the same place after a restart: its history goes on. */
const foundId = ({ kind, name }: TargetOrigin, url: string): string =>
  createHash('sha256').update(`${kind}\0${name}\0${url}`).digest('hex').slice(0, 12);
