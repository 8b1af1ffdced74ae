/** A host that is kept connected: dialling waits for it, what is lost is tried again, what needs a person waits for one. */

import { setTimeout as wait } from 'node:timers/promises';
import type { Duplex } from 'node:stream';

import { readSshHost } from '../../../shared/target-address.ts';
import type {
  ConnectionPrompter,
  Executed,
  HopStatus,
  HostKeys,
  ResolvedHost,
  ResolveHost,
  Session,
  SessionState,
} from '../types.ts';
import { BACKOFF, backoffAfter, slept, type Backoff } from './backoff.ts';
import { openChain, type HopChange } from './chain.ts';
import { asFailure, mayRetry, SshFailure } from './failure.ts';
import { KeyRing } from './key-ring.ts';
import type { Link } from './link.ts';
import { createLog, type ConnectionLog } from './log.ts';
import type { Timeouts } from './phases.ts';

export interface SessionOptions {
  /** As the user wrote it: `name`, `user@name`, `user@name:port`. */
  readonly host: string;
  readonly prompter: ConnectionPrompter;
  /** What the configuration says; it may ask whether commands in it may run. */
  readonly resolveFor: (prompter: ConnectionPrompter, signal: AbortSignal) => ResolveHost;
  readonly hostKeysFor: (host: ResolvedHost) => HostKeys;
  readonly env: NodeJS.ProcessEnv;
  readonly ssh: string | undefined;
  readonly timeouts?: Partial<Timeouts>;
  readonly backoff?: Backoff;
  /** Wall clock, ms since the epoch: it goes on while the computer sleeps. */
  readonly now?: () => number;
}

/** Time between two looks at the clock, ms: a jump between them is a sleep. */
const LOOK_EVERY = 5000;
const BRIEF = 10_000;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
interface HopState {
  readonly status: Mutable<HopStatus>;
  link: Link | null;
}

function newHop({ name, hostname, port, user }: ResolvedHost): HopState {
  const where = hostname.includes(':') ? `[${hostname}]` : hostname;
  return {
    link: null,
    status: {
      ...{ name, host: `${user}@${where}:${port}`, state: 'connecting', reason: null },
      ...{ latency: null, fingerprint: null, through: 'ssh2' },
    },
  };
}

export class SshSession implements Session {
  readonly #options: SessionOptions;
  readonly #log: ConnectionLog;
  readonly #ring = new KeyRing();
  readonly #until = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #waiting = new Set<() => void>();
  readonly #now: () => number;
  readonly #looking: NodeJS.Timeout;
  readonly #done: Promise<void>;
  #state: SessionState = 'connecting';
  #reason: string | null = null;
  #problem: string | null = null;
  #since: number;
  #failure: SshFailure | null = null;
  #link: Link | null = null;
  #hops: HopState[] = [];
  #past = { in: 0, out: 0 };
  /** Ends a wait between two attempts. */
  #hurry: (() => void) | null = null;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#since = this.#now();
    this.#log = createLog(this.#now);
    let before = this.#now();
    this.#looking = setInterval(() => {
      const passed = this.#now() - before;
      before += passed;
      if (slept(passed, LOOK_EVERY)) this.#woke();
    }, LOOK_EVERY).unref();
    this.#done = this.#run();
  }

  get state(): SessionState {
    return this.#state;
  }

  get reason(): string | null {
    return this.#reason;
  }

  get problem(): string | null {
    return this.#problem;
  }

  get since(): number {
    return this.#since;
  }

  get channels(): number {
    return this.#link?.channels ?? 0;
  }

  hops(): readonly HopStatus[] {
    return this.#hops.map(({ status, link }) => ({ ...status, latency: link?.latency ?? null }));
  }

  traffic(): { readonly in: number; readonly out: number } {
    const now = this.#link?.traffic ?? { in: 0, out: 0 };
    return { in: this.#past.in + now.in, out: this.#past.out + now.out };
  }

  log(): readonly { readonly time: number; readonly text: string }[] {
    return this.#log.lines().map(({ at, host, text }) => ({ time: at, text: `${host}: ${text}` }));
  }

  onState(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async dialTcp(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
    return (await this.#up(signal)).dialTcp(host, port, signal);
  }

  async dialUnix(path: string, signal: AbortSignal): Promise<Duplex> {
    return (await this.#up(signal)).dialUnix(path, signal);
  }

  async exec(command: string, signal: AbortSignal): Promise<Executed> {
    return (await this.#up(signal)).exec(command, signal);
  }

  async close(): Promise<void> {
    this.#until.abort();
    this.#hurry?.();
    this.#link?.close();
    clearInterval(this.#looking);
    await this.#done;
    this.#ring.clear();
  }

  /** A login shorter than this, ms, was none: who lets in and throws out again is not asked again every second. */
  get #brief(): number {
    return Math.min(BRIEF, (this.#options.backoff ?? BACKOFF).most);
  }

  #woke(): void {
    this.#log.add(this.#options.host, 'the computer slept; looking whether the connection is still there');
    this.#link?.check();
    if (this.#state === 'reconnecting' || this.#state === 'down') this.#hurry?.();
  }

  async #run(): Promise<void> {
    let [failed, wasUp, brief] = [0, false, 0];
    while (!this.#until.signal.aborted) {
      this.#set(wasUp ? 'reconnecting' : 'connecting', this.#reason);
      let failure: SshFailure | null;
      try {
        const link = await this.#connect();
        wasUp = true;
        this.#link = link;
        this.#set('up', null);
        const since = performance.now();
        failure = await link.ended;
        brief = performance.now() - since < this.#brief ? brief + 1 : 0;
        failed = Math.max(0, brief - 1);
        this.#forget(link);
      } catch (error) {
        failure = asFailure(error, 'refused', 'tcp', this.#options.host);
      }
      if (this.#until.signal.aborted) break;
      failed++;
      await this.#pause(
        failure ?? new SshFailure('lost', 'connected', this.#options.host, 'the connection was closed'),
        failed,
        wasUp,
      );
    }
    this.#set('closed', null);
  }

  async #connect(): Promise<Link> {
    const { host, resolveFor, hostKeysFor, env, ssh, timeouts = {}, prompter } = this.#options;
    const { signal } = this.#until;
    const resolve = resolveFor(prompter, signal);
    this.#problem = null;
    const { name, ...given } = readSshHost(host);
    const resolved = await resolve(name, given);
    return openChain(resolved, {
      ...{ resolve, hostKeysFor, env, ssh, timeouts, prompter, ring: this.#ring, log: this.#log },
      signal,
      onHops: (hops) => {
        this.#hops = hops.map(newHop);
        this.#tell();
      },
      onHop: (i, change) => this.#hopChanged(i, change),
      onProblem: (words) => {
        this.#problem = words;
        this.#tell();
      },
    });
  }

  #hopChanged(i: number, { link, ...told }: HopChange): void {
    const change: Mutable<typeof told> = { ...told };
    const hop = this.#hops[i];
    if (hop === undefined) return;
    // Reasons are told to everybody who may look, and a host may say again what it was answered.
    if (typeof change.reason === 'string') change.reason = this.#log.scrub(change.reason);
    Object.assign(hop.status, change);
    if (link !== undefined) {
      hop.link = link;
      void link.ended.then((failure) => {
        hop.link = null;
        if (failure !== null) this.#hopChanged(i, { state: 'down', reason: failure.message });
      });
    }
    if (this.#state !== 'up') {
      const asking = this.#hops.some(({ status }) => status.state === 'asking');
      if (asking) this.#set('asking', this.#reason);
      else if (this.#state === 'asking') this.#set('connecting', this.#reason);
    }
    this.#tell();
  }

  #forget(link: Link): void {
    this.#past = { in: this.#past.in + link.traffic.in, out: this.#past.out + link.traffic.out };
    this.#link = null;
  }

  async #pause(failure: SshFailure, failed: number, wasUp: boolean): Promise<void> {
    this.#log.add(failure.host, failure.message);
    const again = mayRetry(failure);
    const reason = this.#log.scrub(failure.message);
    this.#failure = new SshFailure(failure.kind, failure.phase, failure.host, reason);
    this.#set(again ? (wasUp && failed === 1 ? 'reconnecting' : 'down') : 'refused', reason);
    // Whoever waits for a connection waits on for one that comes back, not for a person.
    if (!again) this.#wake();
    const hurry = new AbortController();
    this.#hurry = () => hurry.abort();
    const ms = again ? backoffAfter(failed, Math.random(), this.#options.backoff ?? BACKOFF) : 2 ** 31 - 1;
    await wait(ms, undefined, { signal: hurry.signal, ref: again }).catch(() => undefined);
    this.#hurry = null;
  }

  async #up(signal: AbortSignal): Promise<Link> {
    const { host } = this.#options;
    for (;;) {
      if (this.#link !== null && this.#state === 'up') return this.#link;
      if (this.#state === 'closed')
        throw new SshFailure('lost', 'connected', host, `${host}: the connection was closed`);
      if (this.#state === 'refused' && this.#failure !== null) throw this.#failure;
      if (signal.aborted) {
        const why = this.#reason ?? `${host}: not connected yet`;
        throw new SshFailure('lost', 'connected', host, why, { cause: signal.reason });
      }
      const { promise, resolve } = Promise.withResolvers<void>();
      const wake = (): void => resolve();
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
      await promise;
      signal.removeEventListener('abort', wake);
      this.#waiting.delete(wake);
    }
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  #set(state: SessionState, reason: string | null): void {
    if (this.#state !== state) this.#since = this.#now();
    [this.#state, this.#reason] = [state, reason];
    if (state === 'up' || state === 'closed' || state === 'refused') this.#wake();
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
