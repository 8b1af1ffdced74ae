/** The whole way to a host: hop after hop, each under its own name and with its own keys, each one's sshd dialling the next. */

import type { Duplex } from 'node:stream';

import type { ConnectionPrompter, HostKeys, ResolvedHost, ResolveHost, SessionState } from '../types.ts';
import { connectByChild } from './child.ts';
import { connectHop, keyName } from './connect.ts';
import { asFailure, SshFailure } from './failure.ts';
import { findIdentities, type Identities } from './identities.ts';
import type { KeyRing } from './key-ring.ts';
import type { Link } from './link.ts';
import type { ConnectionLog } from './log.ts';
import { timeoutsFor, type Timeouts } from './phases.ts';
import type { Hop, Prompter } from './prompts.ts';
import { runProxyCommand } from './proxy-command.ts';
import { openTcp } from './tcp.ts';

/** More hops than this are a configuration that goes round in circles. */
const MOST_HOPS = 16;

/** What becomes of one hop. */
export interface HopChange {
  readonly state?: SessionState;
  readonly reason?: string | null;
  readonly fingerprint?: string;
  readonly through?: 'ssh2' | 'ssh';
  /** Its link, once it is up. */
  readonly link?: Link;
}

export interface ChainOptions {
  readonly resolve: ResolveHost;
  readonly hostKeysFor: (host: ResolvedHost) => HostKeys;
  readonly prompter: ConnectionPrompter;
  readonly ring: KeyRing;
  readonly log: ConnectionLog;
  readonly signal: AbortSignal;
  readonly timeouts: Partial<Timeouts>;
  /** For agents and a child `ssh`. */
  readonly env: NodeJS.ProcessEnv;
  /** Path of the user's ssh; undefined: there is none. */
  readonly ssh: string | undefined;
  /** Called once, before the first hop. */
  readonly onHops: (hops: readonly ResolvedHost[]) => void;
  readonly onHop: (index: number, change: HopChange) => void;
  readonly onProblem: (words: string) => void;
}

/**
 * All hops, ours first. The first of `ProxyJump` may have a way of its own; those after it are reached from the one
 * before, whatever their own configuration says: as OpenSSH does it.
 *
 * @throws {SshFailure} When it goes in circles.
 */
export async function flattenHops(host: ResolvedHost, resolve: ResolveHost, depth = 0): Promise<ResolvedHost[]> {
  if (depth > MOST_HOPS || host.proxyJump.length > MOST_HOPS) {
    throw new SshFailure('refused', 'dns', host.name, `${host.name}: its ProxyJump goes in circles, or is too long`);
  }
  const hops: ResolvedHost[] = [];
  for (const [i, { host: name, ...given }] of host.proxyJump.entries()) {
    const jump = await resolve(name, given);
    if (i === 0) hops.push(...(await flattenHops(jump, resolve, depth + 1)));
    else hops.push(jump);
  }
  return [...hops, host];
}

/** The last link of a chain; it ends with any of them, for the reason of the one that went first. */
class ChainLink implements Link {
  readonly ended: Promise<SshFailure | null>;
  readonly #links: readonly Link[];
  readonly #last: Link;

  constructor(links: readonly Link[], last: Link) {
    this.#links = links;
    this.#last = last;
    // Of several that end together the first is the cause: those behind it only lost their way.
    const first = Promise.race(links.map((link) => link.ended));
    this.ended = first.then(async (failure) => {
      const settled = await Promise.all(links.map((link) => Promise.race([link.ended, Promise.resolve(undefined)])));
      this.close();
      return settled.find((one) => one instanceof SshFailure) ?? failure;
    });
  }

  get through(): 'ssh2' | 'ssh' {
    return this.#last.through;
  }

  get channels(): number {
    return this.#last.channels;
  }

  get latency(): number | null {
    return this.#last.latency;
  }

  get traffic(): { readonly in: number; readonly out: number } {
    return this.#last.traffic;
  }

  dialTcp(host: string, port: number, signal: AbortSignal): Promise<Duplex> {
    return this.#last.dialTcp(host, port, signal);
  }

  dialUnix(path: string, signal: AbortSignal): Promise<Duplex> {
    return this.#last.dialUnix(path, signal);
  }

  exec(command: string, signal: AbortSignal): ReturnType<Link['exec']> {
    return this.#last.exec(command, signal);
  }

  check(): void {
    for (const link of this.#links) link.check();
  }

  close(): void {
    for (const link of this.#links.toReversed()) link.close();
  }
}

class Chain {
  readonly #options: ChainOptions;
  readonly #hops: readonly ResolvedHost[];
  readonly #links: Link[] = [];

  constructor(hops: readonly ResolvedHost[], options: ChainOptions) {
    this.#hops = hops;
    this.#options = options;
  }

  async open(): Promise<Link> {
    try {
      for (const [i, host] of this.#hops.entries()) await this.#openHop(i, host);
    } catch (error) {
      for (const link of this.#links.toReversed()) link.close();
      throw error;
    }
    const last = this.#links.at(-1);
    if (last === undefined) throw new Error('a chain without hops');
    return new ChainLink(this.#links, last);
  }

  async #openHop(i: number, host: ResolvedHost): Promise<void> {
    const { onHop } = this.#options;
    try {
      onHop(i, { state: 'connecting', reason: null });
      const link = await this.#linkTo(i, host);
      onHop(i, { state: 'up', reason: null, through: link.through, link });
      this.#links.push(link);
    } catch (error) {
      const failure = asFailure(error, 'lost', 'tcp', host.name);
      const refused = ['host-key', 'refused', 'cancelled', 'unsupported'].includes(failure.kind);
      onHop(i, { state: refused ? 'refused' : 'down', reason: failure.message });
      throw failure;
    }
  }

  async #linkTo(i: number, host: ResolvedHost): Promise<Link> {
    const { log, ssh, hostKeysFor, onHop, onProblem, ring, env, signal, prompter } = this.#options;
    const hostKeys = hostKeysFor(host);
    const hop: Hop = { host: host.name, hop: i + 1, path: this.#hops.map(({ name }) => name) };
    const timeouts = timeoutsFor(host.connectTimeout, this.#options.timeouts);
    const asking = this.#tellsWhoAsks(i, prompter);
    const identities = await findIdentities(host, {
      ...{ ring, signal },
      authSocket: env['SSH_AUTH_SOCK'],
      askPassphrase: (file, failed, until) => askPassphrase(asking, hop, file, failed, until, log),
    });
    for (const problem of identities.problems) log.add(host.name, problem);
    const common = { host, hop, hostKeys, prompter: asking, timeouts, log, signal };
    const byChild = async (why: string): Promise<Link> => {
      if (ssh === undefined)
        throw new SshFailure('refused', 'authentication', host.name, `${why}, and ssh is not installed`);
      log.add(host.name, `${why}: the ssh of this computer carries the connection`);
      // It goes the whole way itself; what was opened for the built-in one is not needed.
      for (const link of this.#links.splice(0).toReversed()) link.close();
      onHop(i, { through: 'ssh' });
      return connectByChild({ ...common, hostKeysFor, ssh, env, before: this.#hops.slice(0, i) });
    };
    const needs = await needsChild(host, identities, hostKeys);
    if (needs !== null) return byChild(needs);
    try {
      const stream = await this.#streamTo(i, host, timeouts);
      const onKey = (fingerprint: string): void => onHop(i, { fingerprint });
      return await connectHop(stream, { ...common, identities, mayHandOver: ssh !== undefined, onKey, onProblem });
    } catch (error) {
      if (!(error instanceof SshFailure) || error.kind !== 'unsupported' || signal.aborted) throw error;
      return byChild(error.message);
    }
  }

  async #streamTo(i: number, host: ResolvedHost, timeouts: Timeouts): Promise<Duplex> {
    const { log, signal } = this.#options;
    const before = this.#links.at(-1);
    if (before !== undefined) return before.dialTcp(host.hostname, host.port, signal);
    if (host.proxyCommand !== undefined && i === 0) return runProxyCommand(host, host.proxyCommand, log);
    return openTcp(host, timeouts, signal, (text) => log.add(host.name, text));
  }

  #tellsWhoAsks(i: number, prompter: ConnectionPrompter): ConnectionPrompter {
    const { onHop } = this.#options;
    const during = async <T>(work: Promise<T>): Promise<T> => {
      onHop(i, { state: 'asking' });
      try {
        return await work;
      } finally {
        onHop(i, { state: 'connecting' });
      }
    };
    return {
      ask: (question, signal) => during(prompter.ask(question, signal)),
      trust: (question, signal) => during(prompter.trust(question, signal)),
      allow: (question, signal) => during(prompter.allow(question, signal)),
      refused: (warning) => prompter.refused(warning),
    };
  }
}

async function askPassphrase(
  prompter: Prompter,
  hop: Hop,
  file: string,
  failed: number,
  signal: AbortSignal,
  log: ConnectionLog,
): Promise<string | null> {
  const fields = [{ text: 'Passphrase', echo: false }];
  const title = `Passphrase of the key ${file}`;
  const question = { ...hop, kind: 'passphrase', title, instruction: '', fields, failed } as const;
  const answers = await prompter.ask({ ...question, keep: `passphrase ${file}` }, signal);
  const answer = answers?.[0] ?? null;
  if (answer !== null) log.hide(answer);
  return answer;
}

/** What is known beforehand to be beyond the built-in SSH, in words; null: nothing is. */
async function needsChild(host: ResolvedHost, identities: Identities, hostKeys: HostKeys): Promise<string | null> {
  if (identities.certificates.length > 0) return `${host.name}: ${identities.certificates[0]} can be used by ssh only`;
  if (host.knownHostsCommand !== undefined) return `${host.name}: its KnownHostsCommand can be run by ssh only`;
  if (host.revokedHostKeys !== undefined) return `${host.name}: its RevokedHostKeys can be read by ssh only`;
  const name = keyName(host);
  if (!(await hostKeys.hasAuthority(name)) || (await hostKeys.knownTypes(name)).length > 0) return null;
  return `${host.name}: proves itself by a certificate, which ssh only can check`;
}

/** @throws {SshFailure} Of the hop that did not work; what was opened is closed again. */
export async function openChain(host: ResolvedHost, options: ChainOptions): Promise<Link> {
  const hops = await flattenHops(host, options.resolve);
  options.onHops(hops);
  return new Chain(hops, options).open();
}
