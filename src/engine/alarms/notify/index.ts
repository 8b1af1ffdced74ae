/**
 * Tells people: puts alarms into groups (groups.ts), makes messages of them at the pace that a channel allows (pace.ts),
 * writes each to disk with what it tells, and sends it (queue.ts). Killed at any moment, it goes on where it was: nothing
 * is lost, and at most what was under way comes twice, with the same id.
 */

import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Alarm } from '../../../shared/api/alarms.ts';
import {
  Route,
  type Channel,
  type ChannelPatch,
  type ChannelSettings,
  type ChannelTestResult,
  type Delivery,
  type DeliveryQuery,
  type NewChannel,
} from '../../../shared/api/channels.ts';
import type { LiveNotification } from '../../../shared/api/live.ts';
import { ApiError } from '../../../shared/errors.ts';
import type { Notifier, NotifierHost } from '../notifier.ts';
import type { RecordChange, Records } from '../records.ts';
import { titleOf } from '../templates.ts';
import { AddressPolicy } from './address.ts';
import { SendError, type Message } from './channel.ts';
import { ChannelList, split, type OpenChannel } from './channel-list.ts';
import { Pages } from './pages.ts';
import { Groups, type Batch } from './groups.ts';
import { Pace } from './pace.ts';
import { Queue } from './queue.ts';
import { checkRoutes, Routes } from './routes.ts';
import { Secrets } from './secrets.ts';
import type { AlarmChannelSettings } from './settings.ts';
import { testMessage } from './test-message.ts';
import { shownAnswer } from './words.ts';
import { Writes } from './writes.ts';

/** Messages of a channel that are under way or wait; while there are more, alarms wait to be told together. */
const MAX_UNDER_WAY = 20;
/** One attempt may take so long, ms. */
const TIMEOUT = 30_000;
/** Those who would forget what fires are reminded so often, ms. */
const REFRESH_EVERY = 60_000;
/** It looks again at least so often, ms: timers follow another clock than the one that people's times are in. */
const LOOK_EVERY = 30_000;

/** Record `routes`/`routes`. Written as it was parsed: times are ms. */
const KeptRoutes = z.object({ routes: z.array(z.unknown()) });

export interface NotifierOptions {
  /** Where secrets are kept; null: nowhere. */
  readonly data: string | null;
  /** Host name. */
  readonly engine: string;
  readonly settings: AlarmChannelSettings;
  /** For tests. */
  readonly timeout?: number;
  readonly random?: () => number;
}

export const createNotifier = (records: Records, host: NotifierHost, options: NotifierOptions): Notifier =>
  new Telling(records, host, options);

class Telling implements Notifier {
  readonly #records: Records;
  readonly #host: NotifierHost;
  readonly #engine: string;
  readonly #pages = new Pages();
  readonly #channels: ChannelList;
  readonly #queue: Queue;
  readonly #writes: Writes;
  readonly #groups = new Groups(new Routes([], []));
  readonly #paces = new Map<string, Pace>();
  #routes: readonly Route[] = [];
  #timer: NodeJS.Timeout | null = null;
  /** When there is something to tell at the earliest, ms. */
  #next = Infinity;
  #refreshed: number;
  /** Changes of channels and routes are made one after another. */
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(
    records: Records,
    host: NotifierHost,
    { data, engine, settings, timeout = TIMEOUT, random }: NotifierOptions,
  ) {
    this.#records = records;
    this.#host = host;
    this.#engine = engine;
    this.#refreshed = host.now();
    this.#writes = new Writes(records, host.warn);
    this.#channels = new ChannelList({
      secrets: new Secrets(data, host.warn),
      context: { policy: new AddressPolicy(settings), now: host.now, timeout },
      pages: this.#pages,
      warn: host.warn,
    });
    this.#queue = new Queue({
      now: host.now,
      send: (message, channel, signal) => this.#send(message, channel, signal),
      keep: (channel) => this.#channels.get(channel)?.type.keep ?? 0,
      write: (changes) => this.#writes.write(changes),
      done: (delivery, message) => this.#done(delivery, message),
      ...(random ? { random } : {}),
    });
    this.#pages.onFirst = () => {
      for (const { id, kind } of this.#channels) if (kind === 'desktop') this.#start(id);
    };
  }

  async restore(): Promise<void> {
    const { now } = this.#host;
    const records = this.#records;
    await this.#channels.restore(await records.read('channel'));
    this.#routes = readRoutes((await records.read('routes')).get('routes'), this.#host.warn);
    const ids = new Set([...this.#channels].map(({ id }) => id));
    const changes = this.#queue.restore(await records.read('delivery'), ids);
    for (const { id, perMinute } of this.#channels) {
      const made = this.#queue.list(id, 1000).map(({ created }) => created);
      this.#paces.set(id, new Pace(perMinute, made));
    }
    this.#groups.restore(await records.read('group'), (id) => this.#host.alarm(id), now());
    await this.#writes.write(changes);
    this.#reroute();
    for (const { id } of this.#channels) this.#start(id);
  }

  /** Sends to a channel, if it is one that may be used. */
  #start(id: string): void {
    this.#queue.run(id, this.#channels.usable().includes(id));
  }

  #reroute(): void {
    this.#groups.setRoutes(new Routes(this.#routes, this.#channels.usable()));
    this.#groups.changed(this.#host.firing(), this.#host.now());
    // Also where nothing fires: something may have ended.
    this.#wake(0);
  }

  changed(alarms: readonly Alarm[], time: number): void {
    if (this.#closed || alarms.length === 0) return;
    this.#groups.changed(alarms, time);
    // What else comes in this turn of the loop is told together with it.
    this.#wake(0);
  }

  tick(time: number): void {
    if (time >= this.#next) this.#flush();
    if (time - this.#refreshed >= REFRESH_EVERY || time < this.#refreshed) this.#refresh(time);
  }

  #wake(ms: number): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#flush();
    }, ms);
    this.#timer.unref();
  }

  #pace(id: string, perMinute: number): Pace {
    let pace = this.#paces.get(id);
    if (!pace) {
      pace = new Pace(perMinute);
      this.#paces.set(id, pace);
    }
    return pace;
  }

  /** Tells what there is to tell now. */
  #flush(): void {
    if (this.#closed) return;
    const now = this.#host.now();
    this.#next = Infinity;
    for (const id of this.#channels.usable()) {
      const channel = this.#channels.get(id)!;
      const pace = this.#pace(id, channel.perMinute);
      const room = MAX_UNDER_WAY - this.#queue.waiting(id);
      for (const batch of this.#groups.take(id, now, Math.min(pace.allowed(now), room))) {
        pace.note(now);
        this.#tell(channel, batch, now);
      }
      const due = this.#groups.next(id, now);
      // With no room there is a look when something was done.
      const from = room <= 0 ? now + LOOK_EVERY : pace.next(now);
      this.#next = Math.min(this.#next, Math.max(due, from));
    }
    const loose = this.#groups.loose();
    if (loose.length > 0) void this.#writes.write(loose);
    if (this.#next < Infinity) this.#wake(Math.min(Math.max(this.#next - now, 1), LOOK_EVERY));
  }

  #tell(channel: OpenChannel, batch: Batch, now: number): void {
    const message = this.#message(channel, batch, now);
    const delivery = this.#queue.put(channel.id, message, batch.groups);
    const outgoing: RecordChange = { kind: 'delivery', id: delivery.id, value: delivery };
    // In the order in which it happened: what was moved to another group may end with this message.
    const changes = [...this.#groups.loose(), ...batch.changes, outgoing];
    void this.#writes.write(changes).then(() => this.#queue.release(delivery));
  }

  #message({ type }: OpenChannel, { kind, groups, labels, fresh, resolved, still }: Batch, now: number): Message {
    return {
      ...{ id: randomBytes(12).toString('hex'), kind, time: now, engine: this.#engine, group: labels },
      thread: groups.length === 1 ? groups[0]! : 'several',
      title: titleOf({ kind, fresh, resolved, still }),
      firing: fresh.length + still.length,
      resolved: resolved.length,
      alarms: [...fresh, ...resolved, ...still].slice(0, type.most),
    };
  }

  async #send(message: Message, id: string, signal: AbortSignal): Promise<string> {
    const channel = this.#channels.get(id);
    if (!channel) throw new SendError('the channel was removed', { permanent: true });
    const answer = await channel.sender().send(message, signal);
    return shownAnswer(answer);
  }

  #done({ channel: id, state, answer }: Delivery, { alarms }: Message): void {
    const name = this.#channels.get(id)?.name ?? id;
    const kind = state === 'sent' ? 'delivered' : 'failed';
    const note = kind === 'delivered' ? name : `${name}: ${answer.slice(0, 500)}`;
    const time = this.#host.now();
    const told = alarms
      .filter(({ status }) => status !== 'still')
      .map((alarm) => ({ alarm: alarm.id, kind, note, time }) as const);
    if (told.length > 0) this.#host.told(told);
    // There is room for what waited.
    this.#wake(0);
  }

  /** Best effort: what is missed is said again a little later. */
  #refresh(time: number): void {
    this.#refreshed = time;
    for (const id of this.#channels.usable()) {
      const channel = this.#channels.get(id)!;
      // What waits comes first: it may be the end of what would be said to go on.
      if (!channel.type.reminds || this.#queue.waiting(id) > 0 || this.#groups.told(id).length === 0) continue;
      this.#queue.between(id, async (signal) => channel.sender().refresh?.(this.#groups.told(id), signal));
    }
  }

  channels(): Channel[] {
    return [...this.#channels].map((channel) => this.#describe(channel));
  }

  channel(id: string): Channel {
    return this.#describe(this.#channels.needed(id));
  }

  #describe(channel: OpenChannel): Channel {
    const { id, name, enabled, perMinute, kind, refused } = channel;
    const { shown, secrets } = split(channel);
    const last = this.#queue.last(id);
    const failed = last !== null && last.state !== 'sent' ? last.answer : null;
    return {
      ...{ id, name, enabled, per_minute: perMinute, kind, settings: shown, secrets: Object.keys(secrets) },
      ...{ waiting: this.#queue.waiting(id), last, problem: refused ?? this.#writes.problem ?? failed },
    };
  }

  /** One change of channels and routes after another. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  addChannel(given: NewChannel): Promise<Channel> {
    return this.#inTurn(async () => {
      const { channel, change, undo } = await this.#channels.add(given, this.#host.now());
      return this.#changedChannel(channel, change, undo);
    });
  }

  patchChannel(id: string, patch: ChannelPatch): Promise<Channel> {
    return this.#inTurn(async () => {
      const { channel, change, undo } = await this.#channels.patch(id, patch);
      return this.#changedChannel(channel, change, undo);
    });
  }

  async #changedChannel(channel: OpenChannel, change: RecordChange, undo: () => void): Promise<Channel> {
    try {
      await this.#records.write([change]);
    } catch (error) {
      undo();
      throw error;
    }
    this.#pace(channel.id, channel.perMinute).perMinute = channel.perMinute;
    this.#reroute();
    this.#start(channel.id);
    return this.#describe(channel);
  }

  removeChannel(id: string): Promise<void> {
    return this.#inTurn(async () => {
      const changes = [this.#channels.remove(id)];
      this.#paces.delete(id);
      if (this.#routes.some(({ channels }) => channels.includes(id))) {
        this.#routes = without(this.#routes, (channel) => channel === id);
        changes.push(routesChange(this.#routes));
      }
      // In one: an alarm that is told to nobody must not count as told.
      await this.#writes.write([...changes, ...this.#groups.forget(id), ...this.#queue.forget(id)]);
      this.#reroute();
    });
  }

  routes(): Route[] {
    return [...this.#routes];
  }

  setRoutes(given: readonly Route[]): Promise<Route[]> {
    return this.#inTurn(async () => {
      const seen = new Set<string>();
      const isGone = (channel: string): boolean => !this.#channels.get(channel);
      // Whoever has the list may have it from before a channel was lost.
      const known = new Set(this.#routes.flatMap(({ channels }) => channels));
      const routes = without(given, (channel) => isGone(channel) && known.has(channel)).map((route): Route => {
        const taken = route.id === '' || seen.has(route.id);
        const id = taken ? randomBytes(6).toString('hex') : route.id;
        seen.add(id);
        const unknown = route.channels.find(isGone);
        if (unknown !== undefined) throw new ApiError('bad_request', `channels: no channel has the id ${unknown}`);
        return { ...route, id };
      });
      try {
        checkRoutes(routes);
      } catch (error) {
        throw new ApiError('bad_request', `matchers: ${(error as Error).message}`);
      }
      await this.#records.write([routesChange(routes)]);
      this.#routes = routes;
      this.#reroute();
      return this.routes();
    });
  }

  deliveries({ channel, limit }: DeliveryQuery): Delivery[] {
    return this.#queue.list(channel, limit);
  }

  async test(
    { id, settings: given }: { readonly id?: string | undefined; readonly settings?: ChannelSettings | undefined },
    signal: AbortSignal,
  ): Promise<ChannelTestResult> {
    const before = id === undefined ? null : this.#channels.needed(id);
    const wanted = given ?? before?.settings;
    if (!wanted) throw new ApiError('bad_request', 'give the id of a channel, or settings');
    const { settings, type } = await this.#channels.complete(wanted, before);
    const message = testMessage(this.#engine, this.#host.now());
    const begun = performance.now();
    const result = await type
      .open(settings, this.#channels.context)
      .send(message, signal)
      .then(
        (answer) => ({ ok: true, answer: shownAnswer(answer) }),
        (error: unknown) => ({ ok: false, answer: error instanceof Error ? error.message : String(error) }),
      );
    if (id !== undefined && given === undefined) this.#noteTest(id, message, result);
    return { ...result, took: Math.round(performance.now() - begun) };
  }

  #noteTest(
    channel: string,
    { id, title, time: created, kind }: Message,
    { ok, answer }: { ok: boolean; answer: string },
  ): void {
    // It may have been removed meanwhile.
    if (!this.#channels.get(channel)) return;
    const changes = this.#queue.note({
      ...{ id, channel, title, alarms: 0, kind, state: ok ? 'sent' : 'failed', created, tried: this.#host.now() },
      ...{ next: null, attempts: 1, answer },
    });
    void this.#writes.write(changes);
  }

  figures(): ReturnType<Notifier['figures']> {
    return this.#queue.figures();
  }

  watch(show: (notification: LiveNotification) => void): () => void {
    return this.#pages.watch(show);
  }

  async close(): Promise<void> {
    // What is due goes to disk: the next engine sends it.
    this.#flush();
    this.#closed = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#turn;
    await this.#queue.close();
    await this.#writes.close();
  }
}

const routesChange = (routes: readonly Route[]): RecordChange => ({ kind: 'routes', id: 'routes', value: { routes } });

/** One that is left without channels stays: what it is about is told to nobody, rather than to others. */
const without = (routes: readonly Route[], isGone: (channel: string) => boolean): Route[] =>
  routes.map((route) => ({ ...route, channels: route.channels.filter((id) => !isGone(id)) }));

/** Routes as they were kept. One that cannot be understood is left out, and said. */
function readRoutes(value: unknown, warn: (message: string) => void): Route[] {
  if (value === undefined) return [];
  const { routes = [] } = KeptRoutes.safeParse(value).data ?? {};
  const found = routes.flatMap((route) => KeptRoute.safeParse(route).data ?? []);
  if (found.length < routes.length) warn(`${routes.length - found.length} route(s) of alarms cannot be understood`);
  try {
    checkRoutes(found);
    return found;
  } catch (error) {
    warn(`the routes of alarms cannot be used: ${(error as Error).message}`);
    return [];
  }
}

const KeptRoute = Route.extend({ group_wait: z.number(), group_interval: z.number(), repeat: z.number() });
