/** Resolves the name of a host with the user's configuration, as `ssh` does it. */

import { hostname as localHostname, userInfo } from 'node:os';
import type { ResolveHost, ResolvedHost } from '../types.ts';
import { ConfigError, plainWords } from './error.ts';
import { resolveFallback, type FallbackOptions } from './fallback.ts';
import { isHostName } from './hosts.ts';
import type { RawConfig } from './keywords.ts';
import { configRoots, loadConfig, type LoadedConfig } from './load.ts';
import { baselineOf, findSsh, resolveOpenSsh } from './openssh.ts';
import { toResolved } from './resolved.ts';
import { hashOfAsk, scanConfig, type AskKind, type ConfigAsk } from './scan.ts';

export interface ResolverOptions {
  /** Instead of `~/.ssh/config` and the system's file. */
  readonly configFile?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** `ssh`, with its whole path; null: as if it were not installed; absent: the one of PATH. */
  readonly ssh?: string | null;
  /**
   * Asks whether these may run. Each is asked for once: a yes is remembered by its hash in `allowed`. Absent: none may.
   */
  readonly allow?: (asks: readonly ConfigAsk[], host: string) => Promise<boolean>;
  readonly allowed?: Set<string>;
  readonly signal?: AbortSignal;
}

interface Wanted {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
}

/** `user@host` or `host`. @throws {ConfigError} */
function wantedOf(name: string, given: { user?: string; port?: number } = {}): Wanted {
  const at = name.lastIndexOf('@');
  const host = name.slice(at + 1);
  const user = at < 0 ? given.user : name.slice(0, at);
  const { port } = given;
  if (!isHostName(host.replace(/%[\w.-]+$/, '')))
    throw new ConfigError(`${plainWords(name, 100)} is not the name of a host`);
  if (user !== undefined && !/^[^\s\p{Cc}'"`$;&|<>\\(){}-][^\s\p{Cc}'"`$;&|<>\\(){}]*$/u.test(user)) {
    throw new ConfigError(`${plainWords(user, 100)} is not the name of a user`);
  }
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535)) {
    throw new ConfigError(`${port} is not a port`);
  }
  return { host, ...(user !== undefined && { user }), ...(port !== undefined && { port }) };
}

/** What runs while `ssh -G` reads; the rest is asked for when a host needs it. */
const WHILE_READING: readonly AskKind[] = ['match-exec', 'unreadable'];

class Resolver {
  readonly #options: ResolverOptions;
  readonly #env: Readonly<Record<string, string | undefined>>;
  readonly #allowed: Set<string>;
  readonly #self = userInfo();

  constructor(options: ResolverOptions) {
    this.#options = options;
    this.#env = options.env ?? process.env;
    this.#allowed = options.allowed ?? new Set();
  }

  async resolve(name: string, given?: { user?: string; port?: number }): Promise<ResolvedHost> {
    const { configFile, ssh } = this.#options;
    const wanted = wantedOf(name, given);
    const home = this.#self.homedir;
    const loaded = await loadConfig(configRoots(home, configFile), home);
    const program = ssh === undefined ? await findSsh(this.#env) : ssh;
    const scanned = scanConfig(loaded).asks;
    const local = {
      ...{ home, localUser: this.#self.username, localHost: localHostname(), uid: this.#self.uid, env: this.#env },
    };
    const { raw, baseline } =
      program === undefined || program === null
        ? this.#fallback(loaded, { ...wanted, ...local })
        : await this.#openssh(program, wanted, scanned);
    const host = toResolved({
      ...{ name: wanted.host, raw, baseline, ...local },
      resolvedBy: program === undefined || program === null ? 'fallback' : 'openssh',
      ...(configFile !== undefined && { configFile }),
    });
    const runs = [
      this.#askFor('proxy-command', host.proxyCommand, scanned),
      this.#askFor('known-hosts-command', host.knownHostsCommand, scanned),
    ];
    await this.#ask(
      runs.filter((ask) => ask !== undefined),
      wanted.host,
    );
    return host;
  }

  #fallback(loaded: LoadedConfig, options: FallbackOptions): { raw: RawConfig; baseline: RawConfig } {
    const raw = resolveFallback(loaded, options);
    return { raw, baseline: resolveFallback({ files: [], problems: [] }, options) };
  }

  async #openssh(
    ssh: string,
    wanted: Wanted,
    scanned: readonly ConfigAsk[],
  ): Promise<{ raw: RawConfig; baseline: RawConfig }> {
    const { configFile, signal } = this.#options;
    await this.#ask(
      scanned.filter(({ what }) => WHILE_READING.includes(what)),
      wanted.host,
    );
    const env = this.#env;
    const raw = await resolveOpenSsh({
      ...{ ssh, ...wanted, env },
      ...(configFile !== undefined && { configFile }),
      ...(signal !== undefined && { signal }),
    });
    return { raw, baseline: await baselineOf(ssh, env) };
  }

  #askFor(what: AskKind, text: string | undefined, scanned: readonly ConfigAsk[]): ConfigAsk | undefined {
    if (text === undefined) return undefined;
    const hash = hashOfAsk(what, text);
    return scanned.find((ask) => ask.hash === hash) ?? { file: '', line: 0, what, text: plainWords(text, 2000), hash };
  }

  async #ask(asks: readonly ConfigAsk[], host: string): Promise<void> {
    const open = asks.filter(({ hash }) => !this.#allowed.has(hash));
    if (open.length === 0) return;
    if ((await this.#options.allow?.(open, host)) !== true) {
      const { file, line, what, text } = open[0]!;
      const where = file === '' ? '' : `${file}${line > 0 ? ` line ${line}` : ''}: `;
      throw new ConfigError(`${where}${what} (${plainWords(text, 200)}) was not allowed`);
    }
    for (const { hash } of open) this.#allowed.add(hash);
  }
}

/**
 * The files are read anew for each name, so that a change counts at once.
 *
 * @throws {ConfigError} From what is returned: in words, when the configuration refuses, or a program may not run.
 * @throws {ConfigError} An `UnclaimedError`, when OpenSSH is not installed and only it can tell.
 */
export function createResolver(options: ResolverOptions = {}): ResolveHost {
  const resolver = new Resolver(options);
  return (name, given) => resolver.resolve(name, given);
}
