/**
 * Who changed what. An entry is stored when the change is made; the same again within a minute is counted in it, so that
 * a script which keeps a counter does not wash everything else out of the log.
 */

import { randomBytes } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { AuditEntry } from '../../shared/api/audit.ts';
import type { App } from './app.ts';
import { changesState } from './auth.ts';

/** The same within this time, in ms, is one entry. */
const TOGETHER = 60_000;
/** Entries of one asker within that time; what is beyond them is told without its parameters. */
const MOST_OF_ONE = 60;
/** Counts are stored this long after they grew, in ms. */
const STORE_AFTER = 2000;
/** Longest value of a parameter, in UTF-16 code units. */
const MAX_VALUE = 200;

export type Change = Omit<AuditEntry, 'id' | 'time' | 'last' | 'count'>;

interface Open {
  entry: AuditEntry;
  /** performance.now() of its first change: the wall clock may be set. */
  readonly since: number;
  stored: boolean;
}

export interface AuditOptions {
  readonly put: (entry: AuditEntry) => void;
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
}

export class AuditLog {
  readonly #options: AuditOptions;
  /** By asker, then by what was asked. */
  readonly #open = new Map<string, Map<string, Open>>();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: AuditOptions) {
    this.#options = options;
  }

  note(change: Change): void {
    const time = this.#options.now();
    const asker = `${change.who.by} ${change.who.name}`;
    const mine = this.#open.get(asker) ?? new Map<string, Open>();
    this.#open.set(asker, mine);
    // Those that are over make room.
    if (mine.size >= MOST_OF_ONE) this.#forget();
    const told = mine.size < MOST_OF_ONE || mine.has(keyOf(change)) ? change : { ...change, summary: '…' };
    const again = mine.get(keyOf(told));
    if (again && performance.now() - again.since < TOGETHER) {
      again.entry = { ...again.entry, last: time, count: again.entry.count + 1 };
      again.stored = false;
    } else {
      if (again) this.#store(again);
      const entry = { id: randomBytes(8).toString('hex'), time, last: time, count: 1, ...told };
      const open = { entry, since: performance.now(), stored: false };
      mine.set(keyOf(told), open);
      this.#store(open);
    }
    this.#later();
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    for (const mine of this.#open.values()) for (const open of mine.values()) this.#store(open);
    this.#open.clear();
  }

  #store(open: Open): void {
    if (open.stored) return;
    open.stored = true;
    this.#options.put(open.entry);
  }

  /** Lets go of what is over, stored. */
  #forget(): void {
    const before = performance.now() - TOGETHER;
    for (const [asker, mine] of this.#open) {
      for (const [key, open] of mine) {
        if (open.since > before) continue;
        this.#store(open);
        mine.delete(key);
      }
      if (mine.size === 0) this.#open.delete(asker);
    }
  }

  #later(): void {
    if (this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      for (const mine of this.#open.values()) for (const open of mine.values()) this.#store(open);
      this.#forget();
      if (this.#open.size > 0) this.#later();
    }, STORE_AFTER);
    this.#timer.unref();
  }
}

const keyOf = ({ what, summary, outcome, status }: Change): string => JSON.stringify([what, summary, outcome, status]);

/** Notes every request to a route that changes something, whatever became of it, once its sender was known. */
export function watchChanges(app: App, log: AuditLog): void {
  app.addHook('onResponse', async (request, reply) => {
    const { config, url } = request.routeOptions;
    if (request.is404 || !request.asker || !changesState(request.method, config)) return;
    const status = reply.statusCode;
    log.note({
      who: request.asker,
      what: `${request.method} ${url ?? ''}`,
      summary: summaryOf(request, config.tells ?? []),
      outcome: status < 400 ? 'done' : status < 500 ? 'refused' : 'failed',
      status,
    });
  });
}

/** Only the parameters that the route names: others may be secrets. */
function summaryOf({ params, query, body }: FastifyRequest, names: readonly string[]): string {
  const given: Record<string, unknown> = Object.assign({}, query, body, params);
  return names
    .flatMap((name) => {
      const value = Object.hasOwn(given, name) ? given[name] : null;
      const text = typeof value === 'string' || typeof value === 'number' ? String(value) : '';
      return text === '' ? [] : [`${name}=${text.length > MAX_VALUE ? `${text.slice(0, MAX_VALUE)}…` : text}`];
    })
    .join(' ');
}
