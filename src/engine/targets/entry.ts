/** One target of the list: what was asked for, how it is, and what its last scrapes came to. */

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import {
  TARGET_DURATIONS,
  TARGET_ERRORS,
  type Target,
  type TargetAuth,
  type TargetFailure,
} from '../../shared/api/targets.ts';
import { formatDuration } from '../../shared/duration.ts';
import type { Scope } from '../live/scope.ts';
import type { TargetRecord } from './record.ts';
import { fresh, nextCondition, type Condition, type Outcome } from './state.ts';
import {
  TargetError,
  type Access,
  type Dial,
  type ScopeAbout,
  type Scraped,
  type TargetLimits,
  type TargetSession,
} from './type.ts';

/** Secrets and certificates in files are small; what is larger is some other file. Bytes. */
const LARGEST_FILE = 1024 * 1024;

export class Entry {
  record: TargetRecord;
  auth: TargetAuth;
  condition: Condition;
  /** Grows with every change that readers may see. */
  version = 0;
  session: TargetSession | null = null;
  /** Where it was found to answer, when that is not the URL that it goes by. */
  place: string | null = null;
  /** The scrape that is at work; null: none is. */
  running: AbortController | null = null;
  /** Its scopes that live: the own one under the empty name. */
  readonly scopes = new Map<string, Scope>();
  /** What those below the own one are about. */
  readonly abouts = new Map<string, ScopeAbout>();
  /** Those of them that the session at work has told of. */
  readonly told = new Set<string>();
  lastScrape: number | null = null;
  /** When it was last scraped, on the monotonic clock; null: since it was begun anew it was not. */
  heard: number | null = null;
  duration: number | null = null;
  last: Pick<Scraped, 'samples' | 'newSeries' | 'bytes' | 'series'> = { samples: 0, newSeries: 0, bytes: 0, series: 0 };
  notes: readonly string[] = [];
  engines: readonly string[] = [];
  readonly #durations: (number | null)[] = [];
  readonly #refused = new Map<string, number>();
  readonly #errors: TargetFailure[] = [];
  /** Read from their files before each scrape. */
  #bearer: string | undefined;
  #ca: string | undefined;

  constructor(record: TargetRecord, auth: TargetAuth, time: number) {
    this.record = record;
    this.auth = auth;
    this.condition = fresh(time);
  }

  get id(): string {
    return this.record.id;
  }

  /** Another target under the same id: nothing is known of it yet. */
  begin(time: number): void {
    this.condition = fresh(time);
    this.place = null;
    this.notes = [];
    this.engines = [];
    this.version++;
  }

  /** `limits` may change from scrape to scrape; so may what is read from files. */
  access(limits: TargetLimits, engineId: string, dial?: Dial): Access {
    const { record, auth } = this;
    const access: Access = {
      ...(auth.kind === 'basic' ? { basic: { user: auth.username, password: auth.password } } : {}),
      ...(auth.kind === 'bearer' ? { bearer: auth.token } : {}),
      ...(record.tls.pin === undefined ? {} : { fingerprint: record.tls.pin }),
      timeoutMs: record.timeout,
      engineId,
      ...(dial === undefined ? {} : { dial }),
      limits,
    };
    const files = { enumerable: true } as const;
    if (auth.kind === 'bearer_file') Object.defineProperty(access, 'bearer', { ...files, get: () => this.#bearer });
    if (record.tls.ca_file !== undefined) Object.defineProperty(access, 'ca', { ...files, get: () => this.#ca });
    return access;
  }

  /** Reads the files that it is let in with. Throws {@link TargetError}. */
  async readFiles(): Promise<void> {
    const { auth, record } = this;
    if (auth.kind === 'bearer_file') this.#bearer = (await readSmall(auth.path, 'the file with the token')).trim();
    if (record.tls.ca_file !== undefined) {
      this.#ca = await readSmall(record.tls.ca_file, 'the file with the certificates to trust');
    }
  }

  good(scraped: Scraped, duration: number, time: number): void {
    this.lastScrape = time;
    this.duration = duration;
    this.last = scraped;
    this.notes = scraped.notes ?? [];
    this.engines = scraped.engines ?? [];
    for (const [reason, count] of Object.entries(scraped.refused)) {
      if (count > 0) this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + count);
    }
    this.#after({ kind: 'good', duration, timeout: this.record.timeout }, duration, time);
  }

  failed(error: TargetError, time: number): void {
    const { kind, message: reason } = error;
    const [latest] = this.#errors;
    if (latest?.reason === reason && latest.state === kind) {
      this.#errors[0] = { ...latest, time, count: latest.count + 1 };
    } else {
      this.#errors.unshift({ time, count: 1, state: kind, reason });
      this.#errors.length = Math.min(this.#errors.length, TARGET_ERRORS);
    }
    // What it brings is not ours any more: two engines that find a circle must not both stay away for ever.
    this.engines = [];
    this.#after({ kind, reason }, null, time);
  }

  #after(outcome: Outcome, duration: number | null, time: number): void {
    this.#durations.push(duration);
    if (this.#durations.length > TARGET_DURATIONS) this.#durations.shift();
    this.condition = nextCondition(this.condition, outcome, time);
    this.version++;
  }

  /** `next`: when it is asked next, ms since the epoch. */
  describe(next: number | null): Target {
    const { record, condition, last } = this;
    return {
      id: record.id,
      url: this.place ?? record.url,
      type: record.type,
      period: formatDuration(record.period),
      timeout: formatDuration(record.timeout),
      state: condition.state,
      reason: condition.reason,
      since: condition.since,
      paused: record.paused,
      origin: record.origin,
      removable: record.origin.kind === 'hand',
      added: record.added,
      labels: record.labels,
      filter: record.filter,
      merge: record.merge,
      auth: { kind: this.auth.kind, name: nameOf(this.auth) },
      tls: record.tls,
      last_scrape: this.lastScrape,
      next_scrape: record.paused ? null : next,
      samples: last.samples,
      new_series: last.newSeries,
      bytes: last.bytes,
      duration: this.duration,
      series: [...this.scopes.values()].reduce((sum, scope) => sum + scope.livingCount, 0),
      durations: [...this.#durations],
      refused: Object.fromEntries(this.#refused),
      errors: [...this.#errors],
      notes: [...this.notes],
      scopes: Array.from(this.scopes.values(), (scope) => scope.id),
      engines: [...this.engines],
    };
  }
}

const nameOf = (auth: TargetAuth): string =>
  auth.kind === 'basic' ? auth.username : auth.kind === 'bearer_file' ? auth.path : '';

async function readSmall(path: string, what: string): Promise<string> {
  try {
    // Without waiting: a pipe that nobody writes to would take one of the few threads for all files.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      if (!(await file.stat()).isFile()) throw new Error('it is no regular file');
      const { buffer, bytesRead } = await file.read(Buffer.alloc(LARGEST_FILE + 1), 0, LARGEST_FILE + 1, 0);
      if (bytesRead > LARGEST_FILE) throw new Error('it is larger than 1 MiB');
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TargetError('down', `${what}, ${path}, cannot be read: ${reason}`);
  }
}
