/**
 * One hop: from a stream that leads to its sshd to an authenticated link, phase by phase. Each phase has its timeout and
 * its words; whatever fails first ends all of it.
 */

import type { Duplex } from 'node:stream';

import ssh2 from 'ssh2';

import { fingerprint } from '../fingerprint.ts';
import { nameOf } from '../known-hosts.ts';
import type { ConnectionPrompter, HostKeyName, HostKeys, ResolvedHost } from '../types.ts';
import { algorithmsFor } from './algorithms.ts';
import { Authentication } from './auth.ts';
import { asFailure, SshFailure } from './failure.ts';
import { batchWrites, type Drained } from './batch.ts';
import { decideKey } from './host-key.ts';
import type { Identities } from './identities.ts';
import { guardChannels, guardPrimes, onRefusal, prepareKeys } from './internals.ts';
import type { ConnectionLog } from './log.ts';
import { phaseClock, type Timeouts } from './phases.ts';
import { cleanText, type Hop } from './prompts.ts';
import { Ssh2Link } from './ssh2-link.ts';
import { keyType } from './wire.ts';

export interface HopOptions {
  readonly host: ResolvedHost;
  readonly hop: Hop;
  readonly hostKeys: HostKeys;
  readonly identities: Identities;
  readonly prompter: ConnectionPrompter;
  readonly timeouts: Timeouts;
  readonly log: ConnectionLog;
  readonly mayHandOver: boolean;
  readonly signal: AbortSignal;
  readonly onKey?: (fingerprint: string) => void;
  /** What a person should look at although it may work. */
  readonly onProblem?: (words: string) => void;
}

export function keyName(host: ResolvedHost): HostKeyName {
  const name = { hostname: host.hostname, port: host.port };
  return host.hostKeyAlias === undefined ? name : { ...name, alias: host.hostKeyAlias };
}

/** Text before `SSH-` that a host may say, and no more. */
const MOST_GREETING = 64 * 1024;

/** Why what answers is no SSH that we can speak with; null: it is, or not known yet. */
function notSsh(said: string): string | null {
  const line = /(^|\n)(SSH-[^\r\n]*)/.exec(said)?.[2];
  if (line !== undefined) {
    return /^SSH-(2\.0|1\.99)-/.test(line) ? null : `speaks an SSH that is too old (${cleanText(line)})`;
  }
  if (/^(HTTP\/|<)/i.test(said)) return 'is a web server on this port, not SSH';
  return said.length > MOST_GREETING ? 'says a lot, but nothing of SSH' : null;
}

class HopAttempt {
  readonly #options: HopOptions;
  readonly #stream: Duplex;
  readonly #client = new ssh2.Client();
  readonly #settled = Promise.withResolvers<Ssh2Link>();
  readonly #until = new AbortController();
  readonly #clock;
  readonly #auth: Authentication;
  #over = false;
  #failed = false;
  #accepted: Buffer | null = null;
  #drained: Drained = (then) => then();
  /** Written down when the host has proven that the key is its own. */
  #toAdd: Buffer | null = null;

  constructor(stream: Duplex, options: HopOptions) {
    this.#options = options;
    this.#stream = stream;
    this.#settled.promise.catch(() => undefined);
    const { host, hop, identities, prompter, log, mayHandOver, timeouts } = options;
    this.#clock = phaseClock(host.name, timeouts, (failure) => this.#fail(failure));
    this.#auth = new Authentication({
      ...{ host, hop, identities, prompter, log, mayHandOver, clock: this.#clock, signal: this.#until.signal },
      fail: (failure) => this.#fail(failure),
    });
  }

  async run(): Promise<Ssh2Link> {
    const { host, hostKeys, signal } = this.#options;
    const cancel = (): void =>
      this.#fail(new SshFailure('cancelled', this.#phase(), host.name, `${host.name}: cancelled`));
    signal.addEventListener('abort', cancel, { once: true });
    try {
      if (signal.aborted) cancel();
      else this.#start(await hostKeys.knownTypes(keyName(host)));
      return await this.#settled.promise;
    } catch (error) {
      const failure = asFailure(error, 'protocol', this.#phase(), host.name);
      this.#fail(failure);
      throw failure;
    } finally {
      signal.removeEventListener('abort', cancel);
      this.#clock.stop();
    }
  }

  #start(knownTypes: readonly string[]): void {
    const { host, log } = this.#options;
    const algorithms = algorithmsFor(host, knownTypes);
    const client = this.#client;
    this.#clock.enter('banner');
    this.#watchBanner();
    this.#drained = batchWrites(this.#stream);
    client.on('handshake', () => {
      prepareKeys(client);
      void this.#proven();
    });
    client.on('banner', (message) => log.add(host.name, `says: ${message}`));
    client.on('ready', () => this.#ready());
    client.on('error', (error) => this.#clientError(error));
    client.on('close', () => this.#closed());
    client.on('change password', () => {
      const words = `${host.name}: wants a new password: log in once with ssh in a terminal and set one`;
      this.#fail(new SshFailure('refused', 'authentication', host.name, words));
    });
    client.connect({
      sock: this.#stream,
      username: host.user,
      algorithms,
      // Each phase has its own here.
      readyTimeout: 0,
      keepaliveInterval: 0,
      hostVerifier: (key: Buffer, verify: (take: boolean) => void) => void this.#verify(key, verify),
      authHandler: ((_left: unknown, _partial: unknown, next: (attempt: unknown) => void) => {
        void this.#tryNext(next);
      }) as never,
    });
    onRefusal(client, (left, partial) => this.#auth.hear(left, partial));
    guardChannels(client);
    guardPrimes(client);
  }

  async #tryNext(give: (attempt: unknown) => void): Promise<void> {
    this.#clock.renew();
    try {
      const attempt = await this.#auth.next();
      if (this.#over) return;
      if (attempt === false) this.#fail(this.#auth.exhausted());
      else give(attempt);
    } catch (error) {
      this.#fail(asFailure(error, 'refused', 'authentication', this.#options.host.name));
    }
  }

  #phase(): SshFailure['phase'] {
    return this.#clock.phase ?? 'banner';
  }

  /** Looks at what comes before SSH begins; ssh2 reads the same bytes. */
  #watchBanner(): void {
    const { host, log } = this.#options;
    let said = '';
    const look = (chunk: Buffer): void => {
      said += chunk.subarray(0, MOST_GREETING).toString('latin1');
      const wrong = notSsh(said);
      if (wrong !== null) {
        this.#fail(new SshFailure('protocol', 'banner', host.name, `${host.name}: what answers ${wrong}`));
      } else if (/(^|\n)SSH-[^\n]*\n/.test(said)) {
        log.add(host.name, `is ${/SSH-[^\r\n]*/.exec(said)?.[0] ?? ''}`);
        this.#stream.off('data', look);
        this.#clock.enter('key-exchange');
      }
    };
    // Paused first: a listener alone would let the bytes flow before ssh2 listens.
    this.#stream.pause();
    this.#stream.on('data', look);
  }

  async #verify(key: Buffer, verify: (take: boolean) => void): Promise<void> {
    try {
      // Keys are exchanged anew every now and then: the host must remain the one that was accepted.
      const take = this.#accepted === null ? await this.#judge(key) : this.#accepted.equals(key);
      if (take) this.#accepted = key;
      if (!this.#failed) verify(take);
    } catch (error) {
      this.#fail(asFailure(error, 'host-key', 'host-key', this.#options.host.name));
    }
  }

  /** @throws {SshFailure} When it is not taken. */
  async #judge(key: Buffer): Promise<boolean> {
    const { host, hop, hostKeys, prompter, log, onKey } = this.#options;
    const shown = { host: host.name, keyType: keyType(key), fingerprint: fingerprint(key) };
    onKey?.(shown.fingerprint);
    log.add(host.name, `shows ${shown.fingerprint} (${shown.keyType})`);
    const verdict = await hostKeys.lookup(keyName(host), key);
    for (const problem of hostKeys.problems) log.add(host.name, problem);
    if (hostKeys.problems.length > 0) this.#options.onProblem?.(hostKeys.problems.join('; '));
    const decision = decideKey(verdict, host.strictHostKeyChecking, shown);
    const fail = (kind: SshFailure['kind'], words: string): never => {
      throw new SshFailure(kind, 'host-key', host.name, words);
    };
    switch (decision.kind) {
      case 'take':
        return true;
      case 'add':
        this.#toAdd = key;
        return true;
      case 'take-without-secrets':
        log.add(host.name, `${decision.words} It is taken all the same (StrictHostKeyChecking no), without passwords`);
        this.#auth.withoutSecrets = true;
        return true;
      case 'hand-over':
        return fail('unsupported', `${host.name}: its key is proven by a certificate, which ssh only can check`);
      case 'refuse': {
        const was = verdict.kind === 'changed' ? verdict.was : [];
        if (verdict.kind === 'changed' || verdict.kind === 'revoked')
          prompter.refused({ ...shown, was, why: verdict.kind, listedAs: nameOf(keyName(host)) });
        return fail('host-key', decision.words);
      }
      case 'ask': {
        if (host.batchMode) return fail('host-key', `${host.name}: its host key ${shown.fingerprint} is not known`);
        const known = verdict.kind === 'unknown' ? verdict.others : [];
        const others = known.map((one) => `${one.keyType} ${one.fingerprint} (${one.file}:${one.line})`);
        const answer = await this.#clock.pausedFor(prompter.trust({ ...hop, ...shown, others }, this.#until.signal));
        if (answer === 'no')
          return fail('host-key', `${host.name}: its host key ${shown.fingerprint} was not accepted`);
        if (answer === 'always') this.#toAdd = key;
        return true;
      }
    }
  }

  async #proven(): Promise<void> {
    // Keys are exchanged anew while it is used, too.
    if (this.#over) return;
    const { host, hostKeys, log } = this.#options;
    this.#clock.enter('authentication');
    const key = this.#toAdd;
    this.#toAdd = null;
    if (key === null) return;
    try {
      const { file, line } = await hostKeys.add(keyName(host), key);
      log.add(host.name, `its key is written down (${file}:${line})`);
    } catch (error) {
      log.add(host.name, `its key could not be written down: ${(error as Error).message}`);
    }
  }

  #ready(): void {
    const { host, log, timeouts } = this.#options;
    if (this.#over) return;
    this.#over = true;
    log.add(host.name, `let ${host.user} in`);
    this.#client.removeAllListeners('error').removeAllListeners('close');
    this.#settled.resolve(new Ssh2Link(this.#client, host, timeouts, this.#drained));
  }

  #clientError(error: Error & { level?: string }): void {
    const { host, log } = this.#options;
    // A key that cannot sign: ssh2 goes on with the next attempt.
    if (error.level === 'agent' || (error.level === 'client-authentication' && /sign/i.test(error.message))) return;
    const said = cleanText(error.message);
    log.add(host.name, said);
    const phase = this.#phase();
    const fail = (kind: SshFailure['kind'], words: string): void =>
      this.#fail(new SshFailure(kind, phase, host.name, `${host.name}: ${words}`, { cause: error }));
    if (/no matching/.test(said)) {
      fail('unsupported', `has no ${said.replace(/^.*no matching /, '')} in common with the built-in SSH`);
    } else if (/signature verification failed/.test(said)) {
      fail('host-key', 'could not prove that its host key is its own: somebody may stand between');
    } else if (/too many authentication failures/i.test(said)) {
      const hint = 'name the right one with IdentityFile and set IdentitiesOnly yes';
      fail('refused', `gave up after several keys (MaxAuthTries) before the right one came: ${hint}`);
    } else if (error.level === 'client-socket') this.#lost(`the connection broke: ${said}`, error);
    else fail(phase === 'authentication' ? 'refused' : 'protocol', said);
  }

  #closed(): void {
    const during = { banner: 'before it said hello', 'key-exchange': 'during the key exchange' } as Record<
      string,
      string
    >;
    const phase = this.#phase();
    this.#lost(`closed the connection ${during[phase] ?? 'during the authentication'}`);
  }

  /** While a person is asked it is not tried again by itself: that would ask again, and again, of somebody who is away. */
  #lost(what: string, cause?: Error): void {
    const { name } = this.#options.host;
    const asked = this.#clock.asking;
    const words = asked ? `${what} while it waited for an answer: connect again when you can give it` : what;
    this.#fail(new SshFailure(asked ? 'cancelled' : 'lost', this.#phase(), name, `${name}: ${words}`, { cause }));
  }

  #fail(failure: SshFailure): void {
    if (this.#over) return;
    this.#over = true;
    this.#failed = true;
    this.#clock.stop();
    this.#settled.reject(failure);
    this.#until.abort();
    // What still comes of it is of no interest, and must not be an unhandled 'error'.
    this.#client.removeAllListeners().on('error', () => undefined);
    this.#stream.on('error', () => undefined);
    this.#client.destroy();
    this.#stream.destroy();
  }
}

/** @throws {SshFailure} */
export function connectHop(stream: Duplex, options: HopOptions): Promise<Ssh2Link> {
  return new HopAttempt(stream, options).run();
}
