/**
 * What `ssh -G` would say, where OpenSSH is not installed. It claims less than all: what only OpenSSH can tell (`Match
 * exec`, canonical names of the DNS, odd quoting) is refused in words, never guessed.
 */

import { SocketAddress, isIPv4, isIPv6 } from 'node:net';
import { defaultList } from './algorithms.ts';
import { ConfigError, UnclaimedError, plainWords } from './error.ts';
import { parseJumps } from './jumps.ts';
import { aliases, keywords, passedOver, type RawConfig } from './keywords.ts';
import type { ConfigLine } from './line.ts';
import type { ConfigFile, LoadedConfig } from './load.ts';
import { hostMatches, matchHolds } from './match.ts';
import { lowerCase, matchesList } from './pattern.ts';
import { expandAll, expandHome, type TokenValues } from './tokens.ts';
import { readValue } from './values.ts';

export interface FallbackOptions {
  /** As the user wrote it. */
  readonly host: string;
  /** As with `-l` and `-p`: before all that the files say. */
  readonly user?: string;
  readonly port?: number;
  readonly home: string;
  readonly localUser: string;
  readonly localHost: string;
  readonly uid: number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

function whereOf(line: ConfigLine, error: unknown): unknown {
  if (!(error instanceof ConfigError)) return error;
  const words = `${line.file} line ${line.line}: ${error.message}`;
  error.message = words;
  return error;
}

class Reader {
  readonly values = new Map<string, string[]>();
  wantsFinal = false;
  readonly #options: FallbackOptions;
  #host: string;
  #final = false;
  /** Patterns of `IgnoreUnknown`. */
  #ignored: string | undefined;

  constructor(options: FallbackOptions) {
    this.#options = options;
    this.#host = options.host;
    if (options.user !== undefined) this.values.set('user', [options.user]);
    if (options.port !== undefined) this.values.set('port', [String(options.port)]);
  }

  one(keyword: string): string | undefined {
    return this.values.get(keyword)?.[0];
  }

  pass(files: readonly ConfigFile[], final?: string): void {
    this.#final = final !== undefined;
    if (final !== undefined) this.#host = final;
    // Each of the user's and the system's files begins anew.
    for (const file of files) this.#read(file, true, false);
  }

  #read(file: ConfigFile, outer: boolean, never: boolean): void {
    let active = outer;
    for (const line of file.lines) {
      try {
        if (line.keyword === 'host' || line.keyword === 'match') active = this.#section(line) && !never;
        else if (line.keyword !== 'include') this.#set(line, active);
        else if (line.words?.length === 0) throw new ConfigError('Include needs an argument');
      } catch (error) {
        throw whereOf(line, error);
      }
      for (const included of file.included.get(line) ?? []) this.#read(included, active, never || !active);
    }
  }

  #section({ keyword, words }: ConfigLine): boolean {
    if (words === undefined) throw new UnclaimedError(`quotes or escapes of ${keyword}`);
    if (keyword === 'host') {
      if (words.length === 0 || words.includes('')) throw new ConfigError('Host needs a name');
      return hostMatches(words, this.#host);
    }
    const { host, localUser } = this.#options;
    const { holds, wantsFinal } = matchHolds(words, {
      host: this.#host,
      originalHost: host,
      hostname: this.hostname(),
      user: this.one('user') ?? localUser,
      localUser,
      final: this.#final,
    });
    this.wantsFinal ||= wantsFinal;
    return holds;
  }

  /** The host's own name, as far as it is known. */
  hostname(): string {
    const given = this.one('hostname');
    if (given === undefined) return this.#host;
    return given.replaceAll(/%(.|$)/gsu, (_, letter: string) => {
      if (letter === '%') return '%';
      if (letter === 'h') return this.#host;
      throw new ConfigError(`HostName ${plainWords(given, 100)}: only %h and %% stand for something`);
    });
  }

  #set(line: ConfigLine, active: boolean): void {
    const keyword = Object.hasOwn(aliases, line.keyword) ? aliases[line.keyword]! : line.keyword;
    const { words } = line;
    if (keyword === 'ignoreunknown') {
      if (words?.length !== 1) throw new UnclaimedError('IgnoreUnknown');
      if (active) this.#ignored ??= words[0]!;
      return;
    }
    if (keyword === 'canonicalizehostname') {
      const off = words?.length === 1 && ['no', 'false', 'none'].includes(lowerCase(words[0]!));
      if (active && !off && this.one('canonicalizehostname') === undefined)
        throw new UnclaimedError('CanonicalizeHostname');
      if (active) this.values.set('canonicalizehostname', ['no']);
      return;
    }
    if (!Object.hasOwn(keywords, keyword)) {
      if (passedOver.has(keyword)) return;
      if (this.#ignored !== undefined && matchesList(keyword, lowerCase(this.#ignored))) return;
      if (line.keyword === 'tag' || line.keyword === '') throw new UnclaimedError(plainWords(line.rest, 100));
      throw new ConfigError(`${plainWords(line.keyword, 100)} is no keyword`);
    }
    if (words === undefined) throw new UnclaimedError(`quotes or escapes of ${keyword}`);
    const value = readValue(keyword, words);
    if (active) this.#keep(keyword, value, words);
  }

  #keep(keyword: string, value: string, words: readonly string[]): void {
    const { kind } = keywords[keyword]!;
    const there = this.values.get(keyword);
    if (kind === 'many') {
      if (there === undefined) this.values.set(keyword, [value]);
      else if (!there.includes(value)) there.push(value);
      return;
    }
    // Whichever is first, a jump or a command, keeps the other one out; `ProxyJump none` lets a command in.
    if (keyword === 'proxyjump' && this.values.has('proxycommand')) return;
    if (keyword === 'proxycommand' && lowerCase(this.values.get('proxyjump')?.[0] ?? 'none') !== 'none') return;
    if (there === undefined) this.values.set(keyword, kind === 'line' && value !== 'none' ? [...words] : [value]);
  }
}

/** An address in the one form that OpenSSH prints; names in lower case. */
function canonical(name: string): string {
  if (isIPv4(name)) return name;
  if (name.includes('%') && isIPv6(name)) throw new UnclaimedError('an address with a zone');
  if (isIPv6(name)) return new SocketAddress({ address: name, family: 'ipv6' }).address;
  // 127.1, 0x7f000001: addresses for getaddrinfo.
  if (/^(?:0x[0-9a-f]*|\d+)(?:\.(?:0x[0-9a-f]*|\d+)){0,3}$/i.test(name))
    throw new UnclaimedError('an address written in another way');
  return lowerCase(name);
}

function refuseLoop(raw: ReadonlyMap<string, readonly string[]>, hostname: string): void {
  const jumps = raw.get('proxyjump')?.[0];
  if (jumps === undefined || jumps === 'none') return;
  const last = parseJumps(jumps).at(-1)!;
  if (last.host !== hostname || String(last.port ?? 22) !== raw.get('port')![0]) return;
  if (last.user === undefined || last.user === raw.get('user')![0]) {
    throw new ConfigError(`ProxyJump: ${plainWords(hostname, 100)} would be reached through itself`);
  }
}

/**
 * @throws {ConfigError} When OpenSSH would refuse the configuration.
 * @throws {UnclaimedError} When only OpenSSH can tell what it means.
 */
export function resolveFallback(loaded: LoadedConfig, options: FallbackOptions): RawConfig {
  for (const { stops, text } of loaded.problems) {
    if (stops === 'here') throw new UnclaimedError(plainWords(text));
    if (stops === 'openssh') throw new ConfigError(plainWords(text));
  }
  const reader = new Reader(options);
  reader.pass(loaded.files);
  let hostname = canonical(reader.hostname());
  if (reader.wantsFinal) {
    reader.values.set('hostname', [hostname.replaceAll('%', '%%')]);
    reader.pass(loaded.files, hostname);
    hostname = canonical(reader.hostname());
  }
  const raw = new Map<string, readonly string[]>(reader.values);
  raw.delete('canonicalizehostname');
  if (!raw.has('user')) raw.set('user', [options.localUser]);
  raw.set('hostname', [hostname]);
  for (const [keyword, { kind, initial }] of Object.entries(keywords)) {
    if (raw.has(keyword)) continue;
    if (kind === 'list') raw.set(keyword, [defaultList(keyword).join(',')]);
    else if (initial !== undefined) raw.set(keyword, typeof initial === 'string' ? [initial] : initial);
  }
  for (const keyword of ['userknownhostsfile', 'globalknownhostsfile']) {
    const files = raw.get(keyword)!;
    if (files.length === 1 && files[0] === keywords[keyword]!.initial) raw.set(keyword, files[0]!.split(' '));
  }
  refuseLoop(raw, hostname);
  for (const keyword of ['proxyjump', 'proxycommand', 'knownhostscommand']) {
    if (raw.get(keyword)?.[0] === 'none') raw.delete(keyword);
  }
  return expandPrinted(raw, options, hostname);
}

/** Some values are expanded before OpenSSH prints them. */
function expandPrinted(raw: Map<string, readonly string[]>, options: FallbackOptions, hostname: string): RawConfig {
  const values: TokenValues = {
    ...{ localHost: options.localHost, localUser: options.localUser, home: options.home, uid: options.uid },
    ...{ originalHost: options.host, hostname, port: Number(raw.get('port')![0]), user: raw.get('user')![0]! },
    ...{ hostKeyAlias: raw.get('hostkeyalias')?.[0], env: options.env },
  };
  const path = (text: string): string => expandAll(expandHome(text, options.home), values);
  const files = raw.get('userknownhostsfile')!;
  if (files[0] !== 'none') raw.set('userknownhostsfile', files.map(path));
  const agent = raw.get('identityagent')?.[0];
  if (agent !== undefined && agent !== 'none' && agent !== 'SSH_AUTH_SOCK' && !/^\$[^{]/.test(agent)) {
    raw.set('identityagent', [path(agent)]);
  }
  return raw;
}
