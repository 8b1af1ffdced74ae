/** Sessions of tests: hosts as OpenSSH's defaults have them, known keys in memory, and a person who answers. */

import type { Hop, Question, Trust, TrustQuestion } from '../../src/engine/remote/session/prompts.ts';
import { openChain } from '../../src/engine/remote/session/chain.ts';
import { fingerprint } from '../../src/engine/remote/fingerprint.ts';
import { KeyRing } from '../../src/engine/remote/session/key-ring.ts';
import type { Link } from '../../src/engine/remote/session/link.ts';
import { createLog, type ConnectionLog } from '../../src/engine/remote/session/log.ts';
import type { Timeouts } from '../../src/engine/remote/session/phases.ts';
import { keyType } from '../../src/engine/remote/session/wire.ts';
import type {
  ConnectionPrompter,
  HostKeyName,
  HostKeys,
  HostKeyVerdict,
  KeyWarning,
  KnownHostsLine,
  ResolvedHost,
} from '../../src/engine/remote/types.ts';

/** As `ssh -G` says it where nothing is configured, but for files: a test reads none of its user's. */
export const DEFAULTS: Omit<ResolvedHost, 'name' | 'user' | 'port'> = {
  hostname: '127.0.0.1',
  identityFiles: [],
  identityFilesGiven: true,
  certificateFiles: [],
  identitiesOnly: false,
  addKeysToAgent: 'no',
  pubkeyAuthentication: true,
  passwordAuthentication: true,
  kbdInteractiveAuthentication: true,
  gssapiAuthentication: false,
  hostbasedAuthentication: false,
  preferredAuthentications: ['gssapi-with-mic', 'hostbased', 'publickey', 'keyboard-interactive', 'password'],
  numberOfPasswordPrompts: 3,
  batchMode: false,
  hostKeyAlgorithms: [
    'ssh-ed25519-cert-v01@openssh.com',
    'ssh-ed25519',
    'ecdsa-sha2-nistp256',
    'rsa-sha2-512',
    'rsa-sha2-256',
  ],
  hostKeyAlgorithmsGiven: false,
  kexAlgorithms: ['sntrup761x25519-sha512@openssh.com', 'curve25519-sha256', 'ecdh-sha2-nistp256'],
  ciphers: ['chacha20-poly1305@openssh.com', 'aes128-ctr', 'aes128-gcm@openssh.com'],
  macs: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-256'],
  pubkeyAcceptedAlgorithms: ['ssh-ed25519', 'rsa-sha2-512', 'ecdsa-sha2-nistp256'],
  compression: false,
  userKnownHostsFiles: [],
  globalKnownHostsFiles: [],
  hashKnownHosts: false,
  strictHostKeyChecking: 'ask',
  serverAliveInterval: 0,
  serverAliveCountMax: 3,
  tcpKeepAlive: true,
  addressFamily: 'any',
  proxyJump: [],
  resolvedBy: 'fallback',
};

/** known_hosts in memory. */
export class MemoryHostKeys implements HostKeys {
  readonly problems: readonly string[] = [];
  readonly known = new Map<string, Buffer[]>();
  readonly revoked: Buffer[] = [];
  readonly authorities = new Set<string>();
  readonly at: KnownHostsLine = { file: 'memory', line: 1 };

  #at({ hostname, port, alias }: HostKeyName): string {
    return alias ?? `${hostname}:${port}`;
  }

  learn(port: number, ...keys: Buffer[]): void {
    this.known.set(`127.0.0.1:${port}`, keys);
  }

  lookup(name: HostKeyName, key: Buffer): Promise<HostKeyVerdict> {
    if (this.revoked.some((one) => one.equals(key))) return Promise.resolve({ kind: 'revoked', at: this.at });
    const known = this.known.get(this.#at(name)) ?? [];
    if (known.some((one) => one.equals(key))) return Promise.resolve({ kind: 'known', at: this.at });
    const shown = known.map((one) => ({ ...this.at, keyType: keyType(one), fingerprint: fingerprint(one) }));
    const same = shown.filter((one) => one.keyType === keyType(key));
    return Promise.resolve(same.length > 0 ? { kind: 'changed', was: same } : { kind: 'unknown', others: shown });
  }

  knownTypes(name: HostKeyName): Promise<readonly string[]> {
    return Promise.resolve((this.known.get(this.#at(name)) ?? []).map(keyType));
  }

  hasAuthority(name: HostKeyName): Promise<boolean> {
    return Promise.resolve(this.authorities.has(this.#at(name)));
  }

  add(name: HostKeyName, key: Buffer): Promise<KnownHostsLine> {
    this.known.set(this.#at(name), [...(this.known.get(this.#at(name)) ?? []), key]);
    return Promise.resolve(this.at);
  }
}

/** A person: answers from a list, null (cancel) when it is used up, and remembers what was asked. */
export class Person implements ConnectionPrompter {
  readonly asked: Question[] = [];
  readonly trusted: TrustQuestion[] = [];
  readonly warned: KeyWarning[] = [];
  readonly answers: (readonly string[])[];
  trusts: Trust;

  constructor(answers: (readonly string[])[] = [], trusts: Trust = 'no') {
    this.answers = [...answers];
    this.trusts = trusts;
  }

  ask(question: Question, _signal: AbortSignal): Promise<readonly string[] | null> {
    this.asked.push(question);
    return Promise.resolve(this.answers.shift() ?? null);
  }

  trust(question: TrustQuestion, _signal: AbortSignal): Promise<Trust> {
    this.trusted.push(question);
    return Promise.resolve(this.trusts);
  }

  allow(): Promise<boolean> {
    return Promise.resolve(false);
  }

  refused(warning: KeyWarning): void {
    this.warned.push(warning);
  }

  hops(): Hop[] {
    return [...this.asked, ...this.trusted];
  }
}

export interface Attempt {
  readonly hosts: readonly ResolvedHost[];
  readonly keys: HostKeys;
  readonly person?: Person;
  readonly timeouts?: Partial<Timeouts>;
  readonly env?: NodeJS.ProcessEnv;
  readonly ssh?: string;
  readonly signal?: AbortSignal;
  readonly log?: ConnectionLog;
  readonly ring?: KeyRing;
}

/** Connects to the last of the hosts; the others are found by their names. */
export function connect(attempt: Attempt): Promise<Link> {
  const last = attempt.hosts.at(-1);
  if (last === undefined) throw new Error('no host');
  return openChain(last, {
    resolve: (name) => {
      const found = attempt.hosts.find((host) => host.name === name);
      return found === undefined ? Promise.reject(new Error(`no host ${name}`)) : Promise.resolve(found);
    },
    hostKeysFor: () => attempt.keys,
    prompter: attempt.person ?? new Person(),
    ring: attempt.ring ?? new KeyRing(),
    log: attempt.log ?? createLog(),
    signal: attempt.signal ?? new AbortController().signal,
    timeouts: attempt.timeouts ?? {},
    env: attempt.env ?? {},
    ssh: attempt.ssh,
    onHops: () => undefined,
    onHop: () => undefined,
    onProblem: () => undefined,
  });
}

/** All that a command says. */
export async function output(link: Link, command: string): Promise<string> {
  const { stdout, code, stdin } = await link.exec(command, new AbortController().signal);
  stdin.end();
  let text = '';
  stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  await code;
  return text.trim();
}
