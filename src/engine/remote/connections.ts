/**
 * The list of connections: which hosts, how each is, and what is reached through it. One session per host carries
 * everything. The list is kept in DATA/connections.json; passwords and other answers are not kept at all.
 */

import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import {
  MAX_CONNECTIONS,
  MAX_LOG_LINES,
  type Connection,
  type ConnectionLog,
  type ConnectionPatch,
  type EngineAction,
  type EngineStart,
  type Forward,
  type ListedEngine,
  type NewConnection,
  type NewForward,
} from '../../shared/api/connections.ts';
import { ApiError } from '../../shared/errors.ts';
import type { Store } from '../store/store.ts';
import { EngineLink, type Known } from './engines/link.ts';
import { describe, stateOf, type Entry } from './entry.ts';
import { Forwards } from './forwards.ts';
import { PromptsDesk } from './prompts-desk.ts';
import { beginWork } from './start/begin.ts';
import {
  MAX_LEFT,
  readConnections,
  writeConnections,
  type ConnectionRecord,
  type KnownEngine,
  type LeftEngine,
} from './record.ts';
import { NOTHING_YET, ProfileSync } from './sync.ts';
import { KeptSecrets, type Keyring } from './secrets.ts';
import type { Session, Sessions } from './types.ts';
import { plainText, wordsOf } from './words.ts';

/** The list is written this long after a change, ms. */
const WRITE_AFTER = 200;
/** Somebody who wants to use a connection that is not up waits for it at most this long, ms. */
const UP_WITHIN = 60_000;
/** An engine that ends waits at most this long for what is taken back over there, ms. */
const WORKS_END_WITHIN = 10_000;

export interface ConnectionsOptions {
  /** Null: nothing is kept. */
  readonly data: string | null;
  readonly sessions: Sessions;
  /** This engine's. */
  readonly engineId: string;
  readonly store: Store;
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
  /** Something that readers are told of is another. */
  readonly changed: () => void;
  readonly warn: (message: string) => void;
  /** The desktop's; absent: what is kept is kept in memory. */
  readonly keyring?: Keyring;
  /** Targets that are reached through this host. */
  readonly targetsOf?: (host: string) => number;
  /** A host is there, or there again. */
  readonly up?: (host: string) => void;
  /** Milliseconds; defaults 10 s and 1 min. */
  readonly lookEvery?: number;
  readonly syncEvery?: number;
}

export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #entries = new Map<string, Entry>();
  readonly prompts: PromptsDesk;
  readonly #secrets: KeptSecrets;
  /** How far the profiles of engines are here that no connection leads to; last left last. */
  #left: LeftEngine[];
  #writing: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    const { data, now, changed, warn, keyring = null } = options;
    this.#secrets = new KeptSecrets(keyring, warn, changed);
    this.prompts = new PromptsDesk({ now, changed, secrets: this.#secrets });
    const kept = data === null ? null : readConnections(data, warn);
    for (const record of kept?.connections ?? []) this.#put(record);
    this.#left = [...(kept?.left ?? [])];
  }

  /** Those that are to be there from the start on. */
  async start(): Promise<void> {
    // Before anybody is asked for what is kept.
    await this.#secrets.open([...this.#entries.keys()]);
    if (this.#closed) return;
    for (const { record } of this.#entries.values()) if (record.auto) this.connect(record.id);
  }

  #put(record: ConnectionRecord): Entry {
    const entry: Entry = {
      ...{ record, session: null, link: null, sync: null, failure: null, work: null },
      forwards: new Forwards((to, signal) => this.#dial(entry, to, signal), this.#options.changed, record.forwards),
      ...{ traffic: { in: 0, out: 0 }, log: [], idleSince: this.#options.now(), givenUp: false },
    };
    this.#entries.set(record.id, entry);
    return entry;
  }

  list(): Connection[] {
    return Array.from(this.#entries.values(), (entry) => this.#describe(entry));
  }

  get(id: string): Connection {
    return this.#describe(this.#need(id));
  }

  #describe(entry: Entry): Connection {
    const { id, host } = entry.record;
    const more = { targets: this.#options.targetsOf?.(host) ?? 0, kept: this.#secrets.count(id) };
    return describe(entry, this.prompts.isAsking(id), more);
  }

  #need(id: string): Entry {
    const entry = this.#entries.get(id);
    if (!entry) throw new ApiError('connection_not_found', 'no connection has this id; it may have been removed');
    return entry;
  }

  /** Errors: `connection_exists`, `bad_request` when there are too many. */
  add({ host, connect, ...given }: NewConnection): Connection {
    const same = [...this.#entries.values()].find(({ record }) => record.host === host);
    if (same) throw new ApiError('connection_exists', `${host} is on the list already (${same.record.id})`);
    if (this.#entries.size >= MAX_CONNECTIONS) {
      throw new ApiError('bad_request', `there may be ${MAX_CONNECTIONS} connections; remove one that is not used`);
    }
    const entry = this.#put({
      ...{ id: randomBytes(6).toString('hex'), host, added: this.#options.now(), lastUp: null, engine: null },
      ...{ placed: null, forwards: [] },
      ...{ name: given.name ?? '', group: given.group ?? '', auto: given.auto ?? false, sync: given.sync ?? true },
      address: given.engine ?? { kind: 'auto' },
    });
    this.#save();
    if (connect) this.connect(entry.record.id);
    this.#options.changed();
    return this.#describe(entry);
  }

  /** Errors: `connection_not_found`. */
  patch(id: string, { engine, ...patch }: ConnectionPatch): Connection {
    const entry = this.#need(id);
    const before = entry.record;
    entry.record = {
      ...before,
      name: patch.name ?? before.name,
      group: patch.group ?? before.group,
      auto: patch.auto ?? before.auto,
      sync: patch.sync ?? before.sync,
      address: engine ?? before.address,
    };
    const isMoved = JSON.stringify(entry.record.address) !== JSON.stringify(before.address);
    if (isMoved || entry.record.sync !== before.sync) this.#relink(entry);
    this.#save();
    this.#options.changed();
    return this.#describe(entry);
  }

  /** What was brought here of its engine stays. Errors: `connection_not_found`, `bad_request` while it is used. */
  remove(id: string): Connection {
    const entry = this.#need(id);
    const last = this.#describe(entry);
    if (last.targets > 0) {
      const which = last.targets === 1 ? 'a target is' : `${last.targets} targets are`;
      throw new ApiError('bad_request', `${which} reached through ${last.host}: remove what begins with ssh:// first`);
    }
    if (entry.work?.isRunning) {
      throw new ApiError('bad_request', `something is done with the engine of ${last.host}: cancel it, or wait for it`);
    }
    this.#end(entry);
    entry.forwards.close();
    this.#entries.delete(id);
    this.#leave(entry.record.engine);
    this.#secrets.forget(id).catch((error: unknown) => this.#options.warn(`${last.host}: ${wordsOf(error)}`));
    this.#save();
    this.#options.changed();
    return last;
  }

  /** Begins, or begins anew where it failed. Errors: `connection_not_found`. */
  connect(id: string): Connection {
    const entry = this.#need(id);
    const { session } = entry;
    if (session && session.state !== 'refused' && session.state !== 'down' && session.state !== 'closed') {
      return this.#describe(entry);
    }
    this.#end(entry);
    entry.givenUp = false;
    try {
      entry.session = this.#open(entry);
      this.#relink(entry);
    } catch (error) {
      entry.failure = wordsOf(error);
    }
    this.#options.changed();
    return this.#describe(entry);
  }

  #open(entry: Entry): Session {
    const { id, host } = entry.record;
    const session = this.#options.sessions.open(host, this.prompts.prompter(id, host));
    let wasUp = false;
    session.onState(() => {
      if (entry.session !== session) return;
      const isUp = session.state === 'up';
      if (isUp && !wasUp) this.#loggedIn(entry);
      wasUp = isUp;
      if (session.state === 'up') {
        entry.record = { ...entry.record, lastUp: this.#options.now() };
        this.#save();
      }
      entry.link?.nudge();
      this.#options.changed();
    });
    return session;
  }

  #loggedIn({ record, forwards }: Entry): void {
    const { up, warn } = this.#options;
    const tell = (error: unknown): void => warn(`${record.host}: ${wordsOf(error)}`);
    up?.(record.host);
    this.#secrets.confirm(record.id).catch(tell);
    forwards.openAll().catch(tell);
  }

  /** Its kept passwords and passphrases are gone. Errors: `connection_not_found`. */
  async forget(id: string): Promise<Connection> {
    const entry = this.#need(id);
    await this.#secrets.forget(id);
    return this.#describe(entry);
  }

  /** Errors: `connection_not_found`. */
  disconnect(id: string): Connection {
    const entry = this.#need(id);
    this.#end(entry);
    entry.givenUp = true;
    this.#options.changed();
    return this.#describe(entry);
  }

  #end(entry: Entry): void {
    this.#unlink(entry);
    const { session } = entry;
    entry.failure = null;
    entry.session = null;
    entry.idleSince = this.#options.now();
    this.prompts.cancel(entry.record.id);
    this.#secrets.drop(entry.record.id);
    if (!session) return;
    const { in: received, out: sent } = session.traffic();
    entry.traffic = { in: entry.traffic.in + received, out: entry.traffic.out + sent };
    entry.log = session.log();
    session.close().catch((error: unknown) => this.#options.warn(`${entry.record.host}: ${wordsOf(error)}`));
  }

  #unlink(entry: Entry): void {
    entry.sync?.close();
    entry.link?.close();
    entry.sync = entry.link = null;
  }

  #relink(entry: Entry): void {
    this.#unlink(entry);
    const { session, record } = entry;
    if (!session || record.address.kind === 'none') return;
    const { lookEvery } = this.#options;
    const link = new EngineLink({
      ...{ session, address: record.address, ...(lookEvery === undefined ? {} : { every: lookEvery }) },
      known: record.engine === null ? null : { ...record.engine, api: null },
      claim: (id) => this.#claim(entry, id),
      changed: () => {
        if (entry.link !== link) return;
        if (link.state === 'up' && link.known) this.#know(entry, link, link.known);
        this.#options.changed();
      },
    });
    entry.link = link;
    link.start();
  }

  /** An id belongs to the first connection that an engine was reached by with it: nobody else writes under its name. */
  #claim(entry: Entry, id: string): string | null {
    if (id === this.#options.engineId)
      return 'this is the engine that you are looking at: it is not reached from itself';
    for (const { record } of this.#entries.values()) {
      if (record.id !== entry.record.id && record.engine?.id === id) {
        return `this engine is reached by the connection ${record.name || record.host} already; remove that one to use this one`;
      }
    }
    return null;
  }

  #know(entry: Entry, link: EngineLink, { id, host, version }: Known): void {
    const before = entry.record.engine;
    const isSame = before?.id === id;
    if (!isSame) this.#leave(before);
    const sync = isSame ? before.sync : this.#goOn(id, before);
    entry.record = { ...entry.record, engine: { id, host, version, sync } };
    this.#save();
    if (!isSame) {
      entry.sync?.close();
      entry.sync = null;
    }
    if (!entry.record.sync || entry.sync) return;
    const { store, now, changed, syncEvery } = this.#options;
    entry.sync = new ProfileSync({
      ...{ engine: id, link, store, now, changed, ...(syncEvery === undefined ? {} : { every: syncEvery }) },
      position: entry.record.engine?.sync ?? NOTHING_YET,
      save: (position) => {
        if (entry.record.engine?.id !== id) return;
        entry.record = { ...entry.record, engine: { ...entry.record.engine, sync: position } };
        this.#save();
      },
    });
    entry.sync.start();
  }

  /** What was deleted here of its profiles does not come again when it is reached anew. */
  #leave(engine: KnownEngine | null): void {
    if (!engine?.sync) return;
    const { id, sync } = engine;
    this.#left = [...this.#left.filter((left) => left.id !== id), { id, sync }].slice(-MAX_LEFT);
  }

  /** Where the profiles of an engine go on that this connection leads to now, instead of another one. */
  #goOn(id: string, before: KnownEngine | null): KnownEngine['sync'] {
    const left = this.#left.find((one) => one.id === id);
    this.#left = this.#left.filter((one) => one !== left);
    // Under whatever name: what comes through one connection fills no disk.
    const bytes = Math.max(before?.sync?.bytes ?? 0, left?.sync.bytes ?? 0);
    return left || before?.sync ? { ...(left?.sync ?? NOTHING_YET), bytes } : null;
  }

  /** Begins it and answers at once. Errors: `connection_not_found`, `bad_request`. */
  beginWork(id: string, action: EngineAction, given: EngineStart): Connection {
    const entry = this.#need(id);
    const { engineId, changed, now } = this.#options;
    entry.work = beginWork(action, given, {
      ...{ entry, engineId, changed, now },
      connect: () => this.connect(id),
      disconnect: () => this.disconnect(id),
      place: (placed) => {
        entry.record = { ...entry.record, placed };
        this.#save();
        changed();
      },
    });
    changed();
    return this.#describe(entry);
  }

  /** What was begun is taken back. Errors: `connection_not_found`. */
  cancelWork(id: string): Connection {
    const entry = this.#need(id);
    entry.work?.cancel();
    return this.#describe(entry);
  }

  /** Errors: `connection_not_found`. */
  log(id: string): ConnectionLog {
    const { session, log } = this.#need(id);
    const lines = (session?.log() ?? log).slice(-MAX_LOG_LINES);
    return { lines: lines.map(({ time, text }) => ({ time, text: plainText(text, 2000) })) };
  }

  /** Errors: `connection_not_found`, `bad_request`. */
  async addForward(id: string, forward: NewForward): Promise<Forward> {
    const entry = this.#need(id);
    const added = await entry.forwards.add(forward);
    this.#keepForwards(entry);
    return added;
  }

  #keepForwards(entry: Entry): void {
    entry.record = { ...entry.record, forwards: entry.forwards.records() };
    this.#save();
  }

  /** Errors: `connection_not_found`, `bad_request`. */
  removeForward(id: string, forward: string): void {
    const entry = this.#need(id);
    if (!entry.forwards.remove(forward)) {
      throw new ApiError('bad_request', 'no forward has this id; it may have been removed');
    }
    this.#keepForwards(entry);
  }

  async #dial(entry: Entry, to: NewForward['to'], signal: AbortSignal): Promise<Duplex> {
    const { session, record } = entry;
    if (!session) throw new Error(`${record.host} is not connected`);
    const either = AbortSignal.any([signal, AbortSignal.timeout(UP_WITHIN)]);
    return 'socket' in to ? session.dialUnix(to.socket, either) : session.dialTcp(to.host, to.port, either);
  }

  /** By the host that it is called with, for what is reached through it; null: there is none. */
  byHost(host: string): { readonly id: string; readonly session: Session | null; readonly givenUp: boolean } | null {
    for (const { record, session, givenUp } of this.#entries.values()) {
      if (record.host === host) return { id: record.id, session, givenUp };
    }
    return null;
  }

  /** Engines that were ever reached. */
  engines(): ListedEngine[] {
    return [...this.#entries.values()].flatMap((entry) => {
      const { engine } = this.#describe(entry);
      if (engine === null || engine.id === null) return [];
      const { id, host, version, api, state, reason, skew, sync } = engine;
      const { record } = entry;
      return [
        {
          ...{ id, connection: record.id, name: record.name || record.host, group: record.group },
          ...{ host, version, api, state, reason, skew, profiles: sync.profiles },
        },
      ];
    });
  }

  /** How an engine is reached at the moment; null: not. Errors: `engine_not_found`. */
  engine(id: string): EngineLink | null {
    for (const { record, link } of this.#entries.values()) {
      // Its own word for itself counts only while it is the one that was taken.
      if (record.engine?.id === id) return link?.state === 'up' && link.known?.id === id ? link : null;
    }
    throw new ApiError('engine_not_found', 'no connection leads to an engine with this id');
  }

  /** Why it is not reached, in words. */
  whyNot(id: string): string {
    const entry = [...this.#entries.values()].find(({ record }) => record.engine?.id === id);
    if (!entry) return 'no connection leads to it';
    const { record, link, session } = entry;
    const state = stateOf(entry, this.prompts.isAsking(record.id));
    if (state === 'idle') return `${record.host} is not connected`;
    if (state === 'asking') return `${record.host} asks something first`;
    return link?.reason ?? session?.reason ?? `${record.host} is ${state}`;
  }

  #save(): void {
    const { data } = this.#options;
    if (data === null || this.#closed) return;
    this.#writing ??= setTimeout(() => this.#write(data), WRITE_AFTER).unref();
  }

  #write(data: string): void {
    if (this.#writing) clearTimeout(this.#writing);
    this.#writing = null;
    try {
      const connections = Array.from(this.#entries.values(), ({ record }) => record);
      writeConnections(data, { connections, left: this.#left });
    } catch (error) {
      this.#options.warn(`the list of connections cannot be kept: ${wordsOf(error)}`);
    }
  }

  /** What is half done over there is taken back while it can be. */
  async #endWorks(): Promise<void> {
    const works = [...this.#entries.values()].flatMap(({ work }) => (work?.isRunning ? [work] : []));
    if (works.length === 0) return;
    for (const work of works) work.cancel();
    const over = Promise.all(works.map((work) => work.over));
    await Promise.race([over, delay(WORKS_END_WITHIN, undefined, { ref: false })]);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    await this.#endWorks();
    for (const entry of this.#entries.values()) {
      this.#end(entry);
      entry.forwards.close();
    }
    if (this.#options.data !== null && this.#writing) this.#write(this.#options.data);
    this.#closed = true;
    this.prompts.cancel();
    this.#secrets.close();
    await this.#options.sessions.close();
  }
}
