/** From what `ssh -G` prints to a {@link ResolvedHost}: expanded, with types. */

import type { ResolvedHost, StrictHostKeyChecking } from '../types.ts';
import { ConfigError } from './error.ts';
import { parseJumps } from './jumps.ts';
import type { RawConfig } from './keywords.ts';
import { lowerCase } from './pattern.ts';
import { expandAll, expandHome, expandTokens, type TokenValues } from './tokens.ts';

export interface RawHost {
  readonly name: string;
  readonly raw: RawConfig;
  /** The same without any configuration. */
  readonly baseline: RawConfig;
  readonly resolvedBy: 'openssh' | 'fallback';
  readonly configFile?: string;
  readonly home: string;
  readonly localUser: string;
  readonly localHost: string;
  readonly uid: number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const STRICT: Readonly<Record<string, StrictHostKeyChecking>> = {
  ...{ true: 'yes', yes: 'yes', false: 'no', no: 'no', off: 'no' },
  ...{ ask: 'ask', 'accept-new': 'accept-new' },
};
/** OpenSSH's order. */
const METHODS = ['gssapi-with-mic', 'hostbased', 'publickey', 'keyboard-interactive', 'password'];

class Values {
  readonly #raw: RawConfig;

  constructor(raw: RawConfig) {
    this.#raw = raw;
  }

  all(keyword: string): readonly string[] {
    return this.#raw.get(keyword) ?? [];
  }

  one(keyword: string): string | undefined {
    return this.all(keyword)[0];
  }

  /** Of `none` there is nothing. */
  some(keyword: string): string | undefined {
    const value = this.one(keyword);
    return value === undefined || lowerCase(value) === 'none' ? undefined : value;
  }

  on(keyword: string): boolean {
    return !['no', 'false', undefined].includes(this.one(keyword));
  }

  count(keyword: string, initial: number): number {
    const value = Number(this.one(keyword) ?? initial);
    return Number.isSafeInteger(value) && value >= 0 ? value : initial;
  }

  list(keyword: string): readonly string[] {
    return (this.one(keyword) ?? '').split(',').filter((name) => name !== '');
  }
}

function agentOf(text: string | undefined, path: (text: string) => string, env: RawHost['env']): string | undefined {
  if (text === undefined || text === 'SSH_AUTH_SOCK') return undefined;
  if (text === 'none') return 'none';
  if (/^\$[^{]/.test(text)) return env[text.slice(1)] ?? 'none';
  return path(text);
}

function addressFamily(text: string | undefined): ResolvedHost['addressFamily'] {
  return text === 'inet' || text === 'inet6' ? text : 'any';
}

/** @throws {ConfigError} */
export function toResolved(host: RawHost): ResolvedHost {
  const { name, raw, env, home } = host;
  const values = new Values(raw);
  const hostname = values.one('hostname') ?? name;
  const port = values.count('port', 22);
  const user = values.one('user') ?? host.localUser;
  const alias = values.some('hostkeyalias');
  if (port < 1 || port > 65_535) throw new ConfigError('the port is not one');
  const tokens: TokenValues = {
    ...{ localHost: host.localHost, localUser: host.localUser, home, uid: host.uid, originalHost: name },
    ...{ hostname, port, user, hostKeyAlias: alias, env },
  };
  const path = (text: string): string => expandAll(expandHome(text, home), tokens);
  // These were expanded before they were printed, so a `%` in them is itself.
  const printed = (text: string): string => expandHome(text, home);
  const files = (keyword: string, expand: (text: string) => string): string[] =>
    values
      .all(keyword)
      .filter((text) => lowerCase(text) !== 'none')
      .map(expand);
  const given = (keyword: string): boolean =>
    values.all(keyword).join('\n') !== (host.baseline.get(keyword) ?? []).join('\n');
  const jumps = values.some('proxyjump');
  const connectTimeout = values.some('connecttimeout');
  const agent = agentOf(values.one('identityagent'), (text) => text, env);
  const bindAddress = values.one('bindaddress');
  const command = values.some('knownhostscommand');
  const proxyCommand = jumps === undefined ? values.some('proxycommand') : undefined;
  const revoked = values.some('revokedhostkeys');
  return {
    ...{ name, hostname, port, user },
    identityFiles: files('identityfile', path),
    identityFilesGiven: given('identityfile'),
    certificateFiles: files('certificatefile', path),
    identitiesOnly: values.on('identitiesonly'),
    ...(agent !== undefined && { identityAgent: agent }),
    addKeysToAgent: values.one('addkeystoagent') ?? 'false',
    pubkeyAuthentication: values.on('pubkeyauthentication'),
    passwordAuthentication: values.on('passwordauthentication'),
    kbdInteractiveAuthentication: values.on('kbdinteractiveauthentication'),
    gssapiAuthentication: values.on('gssapiauthentication'),
    hostbasedAuthentication: values.on('hostbasedauthentication'),
    preferredAuthentications:
      values.one('preferredauthentications') === undefined ? METHODS : values.list('preferredauthentications'),
    numberOfPasswordPrompts: values.count('numberofpasswordprompts', 3),
    batchMode: values.on('batchmode'),
    ...(alias !== undefined && { hostKeyAlias: alias }),
    hostKeyAlgorithms: values.list('hostkeyalgorithms'),
    hostKeyAlgorithmsGiven: given('hostkeyalgorithms'),
    kexAlgorithms: values.list('kexalgorithms'),
    ciphers: values.list('ciphers'),
    macs: values.list('macs'),
    pubkeyAcceptedAlgorithms: values.list('pubkeyacceptedalgorithms'),
    compression: values.on('compression'),
    userKnownHostsFiles: files('userknownhostsfile', printed),
    globalKnownHostsFiles: files('globalknownhostsfile', printed),
    hashKnownHosts: values.on('hashknownhosts'),
    strictHostKeyChecking: STRICT[values.one('stricthostkeychecking') ?? 'ask'] ?? 'yes',
    ...(command !== undefined && { knownHostsCommand: command }),
    ...(revoked !== undefined && { revokedHostKeys: revoked }),
    ...(connectTimeout !== undefined && { connectTimeout: values.count('connecttimeout', 0) }),
    serverAliveInterval: values.count('serveraliveinterval', 0),
    serverAliveCountMax: values.count('serveralivecountmax', 3),
    tcpKeepAlive: values.on('tcpkeepalive'),
    addressFamily: addressFamily(values.one('addressfamily')),
    ...(bindAddress !== undefined && { bindAddress }),
    proxyJump:
      jumps === undefined
        ? []
        : parseJumps(jumps).map((jump) => ({ ...jump, host: expandTokens(jump.host, tokens, 'hnpr') })),
    ...(proxyCommand !== undefined && { proxyCommand }),
    resolvedBy: host.resolvedBy,
    ...(host.configFile !== undefined && { configFile: host.configFile }),
  };
}
