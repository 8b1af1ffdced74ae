/**
 * Messages on their way: each is on disk before it is sent, and what became of it after. One at a time for each channel;
 * messages of a group never overtake each other. What fails is tried again, later and later, until it is too old.
 */

import { z } from 'zod';
import { Delivery } from '../../../shared/api/channels.ts';
import type { RecordChange } from '../records.ts';
import { Message, SendError } from './channel.ts';

/** Waiting before what failed is tried again, ms: the first time, and at most. */
const FIRST_RETRY = 1000;
const LAST_RETRY = 300_000;
/** Messages of a channel that are remembered when all is done. */
const REMEMBERED = 100;
/** Nothing is sent that should have been given up so long ago, ms: the engine was not there. */
const TOO_LATE = 60_000;
/** What is under way may come to its end when the engine stops, ms. */
const CLOSE_WITHIN = 2000;

/** Record `delivery`. */
export const KeptDelivery = Delivery.extend({
  groups: z.array(z.string()),
  /** Null: all is done. */
  message: Message.nullable(),
  /** Deliveries are sent in this order. */
  order: z.number(),
});
export type KeptDelivery = z.infer<typeof KeptDelivery>;

export interface QueueHost {
  now(): number;
  /** Sends it; throws {@link SendError}. */
  send(message: Message, channel: string, signal: AbortSignal): Promise<string>;
  /** How long a message for this channel may wait, ms. */
  keep(channel: string): number;
  /** Writes what became of them; never throws. */
  write(changes: readonly RecordChange[]): Promise<void>;
  /** All is done: `sent`, `failed` or `dropped`. */
  done(delivery: Delivery, message: Message): void;
  readonly random?: () => number;
}

/** Milliseconds to wait after so many failures: doubling, and never the same for all. */
export function retryIn(attempts: number, random: () => number): number {
  const whole = Math.min(LAST_RETRY, FIRST_RETRY * 2 ** Math.min(20, attempts - 1));
  return whole * (0.5 + 0.5 * random());
}

const isDone = ({ state }: Pick<Delivery, 'state'>): boolean => state !== 'waiting' && state !== 'retrying';

/** A delivery for people. */
function shownDelivery(kept: KeptDelivery): Delivery {
  const { id, channel, title, alarms, kind, state, created, tried, next, attempts, answer } = kept;
  return { id, channel, title, alarms, kind, state, created, tried, next, attempts, answer };
}

interface Line {
  /** In order. */
  readonly waiting: KeptDelivery[];
  /** Newest last. */
  readonly done: KeptDelivery[];
  /** Not on disk yet. */
  readonly held: Set<string>;
  busy: boolean;
  /** Nothing is sent: the channel is switched off. */
  paused: boolean;
  timer: NodeJS.Timeout | null;
}

/** Forgets those that are too many. */
const forgotten = ({ done }: Line): RecordChange[] =>
  done
    .splice(0, Math.max(0, done.length - REMEMBERED))
    .map(({ id }): RecordChange => ({ kind: 'delivery', id, value: null }));

export class Queue {
  readonly #host: QueueHost;
  readonly #lines = new Map<string, Line>();
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #closed = false;
  #order = 0;
  #sent = 0;
  #failed = 0;

  constructor(host: QueueHost) {
    this.#host = host;
  }

  restore(records: ReadonlyMap<string, unknown>, channels: ReadonlySet<string>): RecordChange[] {
    const dropped: RecordChange[] = [];
    const found: KeptDelivery[] = [];
    for (const [id, value] of records) {
      const parsed = KeptDelivery.safeParse(value);
      const usable =
        parsed.success && channels.has(parsed.data.channel) && (isDone(parsed.data) || parsed.data.message);
      if (usable) found.push(parsed.data);
      else dropped.push({ kind: 'delivery', id, value: null });
    }
    found.sort((a, b) => a.order - b.order);
    for (const delivery of found) {
      this.#order = Math.max(this.#order, delivery.order + 1);
      const line = this.#line(delivery.channel);
      (isDone(delivery) ? line.done : line.waiting).push(delivery);
    }
    return dropped;
  }

  #line(channel: string): Line {
    let line = this.#lines.get(channel);
    if (!line) {
      line = { waiting: [], done: [], held: new Set(), busy: false, paused: true, timer: null };
      this.#lines.set(channel, line);
    }
    return line;
  }

  /** A new delivery, in its place; it is not sent before {@link release}. */
  put(channel: string, message: Message, groups: readonly string[]): KeptDelivery {
    const delivery: KeptDelivery = {
      ...{
        id: message.id,
        channel,
        title: message.title,
        alarms: message.firing + message.resolved,
        kind: message.kind,
      },
      ...{ state: 'waiting', created: message.time, tried: null, next: message.time, attempts: 0, answer: '' },
      ...{ groups: [...groups], message, order: this.#order++ },
    };
    const line = this.#line(channel);
    line.waiting.push(delivery);
    line.held.add(delivery.id);
    return delivery;
  }

  release({ channel, id }: Pick<Delivery, 'channel' | 'id'>): void {
    const line = this.#line(channel);
    line.held.delete(id);
    this.#go(channel, line);
  }

  /** Something that was sent at once, for the list. */
  note(delivery: Delivery): RecordChange[] {
    const kept = { ...delivery, groups: [], message: null, order: this.#order++ };
    const line = this.#line(delivery.channel);
    line.done.push(kept);
    return [{ kind: 'delivery', id: kept.id, value: kept }, ...forgotten(line)];
  }

  /** Sends, or does not; what waited for a correction of the settings need not wait any longer. */
  run(channel: string, on: boolean): void {
    const line = this.#line(channel);
    line.paused = !on;
    const now = this.#host.now();
    for (const delivery of line.waiting) delivery.next = now;
    this.#go(channel, line);
  }

  waiting(channel: string): number {
    return this.#lines.get(channel)?.waiting.length ?? 0;
  }

  figures(): { waiting: number; sent: number; failed: number } {
    let waiting = 0;
    for (const line of this.#lines.values()) waiting += line.waiting.length;
    return { waiting, sent: this.#sent, failed: this.#failed };
  }

  /** Newest first. */
  list(channel: string | undefined, limit: number): Delivery[] {
    const lines = channel === undefined ? [...this.#lines.values()] : [this.#lines.get(channel)];
    return lines
      .flatMap((line) => (line ? [...line.done, ...line.waiting] : []))
      .sort((a, b) => b.order - a.order)
      .slice(0, limit)
      .map(shownDelivery);
  }

  /** The one that was tried last, and what went wrong if it did. */
  last(channel: string): Delivery | null {
    let found: KeptDelivery | null = null;
    const line = this.#lines.get(channel);
    for (const delivery of line ? [...line.done, ...line.waiting] : []) {
      if (delivery.tried !== null && (found === null || delivery.tried >= found.tried!)) found = delivery;
    }
    return found && shownDelivery(found);
  }

  forget(channel: string): RecordChange[] {
    const line = this.#lines.get(channel);
    this.#lines.delete(channel);
    if (line?.timer) clearTimeout(line.timer);
    return [...(line?.waiting ?? []), ...(line?.done ?? [])].map(({ id }) => ({ kind: 'delivery', id, value: null }));
  }

  /** Work that must not happen while a message is sent. False: one is. */
  between(channel: string, work: (signal: AbortSignal) => Promise<void>): boolean {
    const line = this.#line(channel);
    if (line.busy || line.paused || this.#closed) return false;
    line.busy = true;
    this.#track(
      work(this.#closing.signal).finally(() => {
        line.busy = false;
        this.#go(channel, line);
      }),
    );
    return true;
  }

  #track(work: Promise<void>): void {
    const tracked = work.catch(() => undefined).finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
  }

  /** The first one that may be sent, and when. */
  #next({ waiting, held }: Line): { delivery: KeptDelivery; at: number } | null {
    let found: { delivery: KeptDelivery; at: number } | null = null;
    const before = new Set<string>();
    for (const delivery of waiting) {
      const free = !held.has(delivery.id) && !delivery.groups.some((group) => before.has(group));
      for (const group of delivery.groups) before.add(group);
      if (free && (found === null || (delivery.next ?? 0) < found.at)) found = { delivery, at: delivery.next ?? 0 };
    }
    return found;
  }

  #go(channel: string, line: Line): void {
    if (line.timer) clearTimeout(line.timer);
    line.timer = null;
    if (line.busy || line.paused || this.#closed || this.#lines.get(channel) !== line) return;
    const next = this.#next(line);
    if (!next) return;
    const now = this.#host.now();
    // A clock that was set back does not make it wait for longer than any wait is.
    const wait = Math.min(next.at - now, 2 * LAST_RETRY);
    if (wait > 0) {
      line.timer = setTimeout(() => this.#go(channel, line), Math.ceil(wait));
      line.timer.unref();
      return;
    }
    line.busy = true;
    this.#track(
      this.#once(channel, line, next.delivery).finally(() => {
        line.busy = false;
        this.#go(channel, line);
      }),
    );
  }

  async #once(channel: string, line: Line, delivery: KeptDelivery): Promise<void> {
    const message = delivery.message!;
    const now = this.#host.now();
    if (now > delivery.created + this.#host.keep(channel) + TOO_LATE) {
      delivery.state = 'dropped';
      delivery.answer = `given up: there was nobody to be told in time${delivery.answer === '' ? '' : ` (${delivery.answer})`}`;
      delivery.next = null;
    } else if (!(await this.#attempt(channel, delivery, message))) return;
    if (isDone(delivery)) this.#finish(line, delivery, message);
    // The channel may have been removed meanwhile.
    if (this.#lines.get(channel) !== line) return;
    await this.#host.write([{ kind: 'delivery', id: delivery.id, value: delivery }, ...forgotten(line)]);
  }

  /** False: given up because the engine stops, which is no attempt. */
  async #attempt(channel: string, delivery: KeptDelivery, message: Message): Promise<boolean> {
    const { signal } = this.#closing;
    let error: SendError | null = null;
    try {
      delivery.answer = await this.#host.send(message, channel, signal);
    } catch (thrown) {
      if (signal.aborted) return false;
      error =
        thrown instanceof SendError ? thrown : new SendError(thrown instanceof Error ? thrown.message : String(thrown));
      delivery.answer = error.message;
    }
    const now = this.#host.now();
    delivery.attempts++;
    delivery.tried = now;
    delivery.next = null;
    if (error === null) delivery.state = 'sent';
    else if (error.permanent) delivery.state = 'failed';
    else this.#later(delivery, error, now);
    return true;
  }

  #later(delivery: KeptDelivery, error: SendError, now: number): void {
    const next = now + Math.max(retryIn(delivery.attempts, this.#host.random ?? Math.random), error.retryAfter ?? 0);
    const until = delivery.created + this.#host.keep(delivery.channel);
    if (now >= until) {
      delivery.state = 'dropped';
      delivery.answer = `given up: ${error.message}`;
      return;
    }
    delivery.state = 'retrying';
    // Once more when its time is over, and then no more.
    delivery.next = Math.min(next, until);
  }

  #finish(line: Line, delivery: KeptDelivery, message: Message): void {
    const i = line.waiting.indexOf(delivery);
    if (i >= 0) line.waiting.splice(i, 1);
    line.done.push(delivery);
    // Nothing of it is needed any more, and it may be long.
    delivery.message = null;
    delivery.groups = [];
    if (delivery.state === 'sent') this.#sent++;
    else this.#failed++;
    this.#host.done(shownDelivery(delivery), message);
  }

  /** What is under way may end; what waits is sent by the next engine. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const line of this.#lines.values()) if (line.timer) clearTimeout(line.timer);
    const abort = setTimeout(() => this.#closing.abort(), CLOSE_WITHIN);
    await Promise.all(this.#running);
    clearTimeout(abort);
  }
}
