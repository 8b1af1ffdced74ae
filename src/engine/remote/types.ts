/** What the parts of `remote/` agree on: how a host is to be reached, and what is known of the key that it shows. */

import type { Duplex, Readable, Writable } from 'node:stream';
import type { Prompter } from './session/prompts.ts';

/** One hop of `ProxyJump`, as written: its own name is resolved again, with the same configuration. */
export interface Jump {
  readonly host: string;
  readonly user?: string;
  readonly port?: number;
}

/** `off` of a configuration is `no` here. */
export type StrictHostKeyChecking = 'yes' | 'accept-new' | 'ask' | 'no';

/**
 * A host as its configuration resolves it, tokens and `~` expanded. Names are those of `ssh_config(5)`; durations are
 * in seconds, as there. A value that the configuration does not set is OpenSSH's default.
 */
export interface ResolvedHost {
  /** As the user wrote it: the pattern that `Host` lines are matched with. */
  readonly name: string;
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  /** In the order in which they are tried. Files of the default list need not exist. */
  readonly identityFiles: readonly string[];
  /** True when the configuration names at least one: only then `identitiesOnly` leaves something to try. */
  readonly identityFilesGiven: boolean;
  readonly certificateFiles: readonly string[];
  readonly identitiesOnly: boolean;
  /** `none`, a path, or undefined: `SSH_AUTH_SOCK`. `$NAME` is expanded already. */
  readonly identityAgent?: string;
  readonly addKeysToAgent: string;
  readonly pubkeyAuthentication: boolean;
  readonly passwordAuthentication: boolean;
  readonly kbdInteractiveAuthentication: boolean;
  readonly gssapiAuthentication: boolean;
  readonly hostbasedAuthentication: boolean;
  /** Names of methods, first to last. */
  readonly preferredAuthentications: readonly string[];
  readonly numberOfPasswordPrompts: number;
  readonly batchMode: boolean;
  readonly hostKeyAlias?: string;
  readonly hostKeyAlgorithms: readonly string[];
  /** False: `HostKeyAlgorithms` is OpenSSH's default, and what is in known_hosts may go first. */
  readonly hostKeyAlgorithmsGiven: boolean;
  readonly kexAlgorithms: readonly string[];
  readonly ciphers: readonly string[];
  readonly macs: readonly string[];
  readonly pubkeyAcceptedAlgorithms: readonly string[];
  readonly compression: boolean;
  /** Empty: none is read or written (`none`). */
  readonly userKnownHostsFiles: readonly string[];
  readonly globalKnownHostsFiles: readonly string[];
  readonly hashKnownHosts: boolean;
  readonly strictHostKeyChecking: StrictHostKeyChecking;
  readonly knownHostsCommand?: string;
  /** A file of revoked keys (KRL): only OpenSSH reads it. */
  readonly revokedHostKeys?: string;
  /** Absent or 0: the default of the connection. */
  readonly connectTimeout?: number;
  /** 0: none are sent. */
  readonly serverAliveInterval: number;
  readonly serverAliveCountMax: number;
  readonly tcpKeepAlive: boolean;
  readonly addressFamily: 'any' | 'inet' | 'inet6';
  readonly bindAddress?: string;
  /** The nearest to us first; empty for none. Never together with `proxyCommand`. */
  readonly proxyJump: readonly Jump[];
  /** As written: whoever runs it expands its tokens. */
  readonly proxyCommand?: string;
  /** Which way it was resolved, and the file that a child `ssh` is to be given with `-F`. */
  readonly resolvedBy: 'openssh' | 'fallback';
  readonly configFile?: string;
}

/** A line of a known_hosts file; lines count from 1. */
export interface KnownHostsLine {
  readonly file: string;
  readonly line: number;
}

/** A key of a known_hosts file. `fingerprint` is `SHA256:…` as `ssh-keygen -l` prints it. */
export interface KnownKey extends KnownHostsLine {
  readonly keyType: string;
  readonly fingerprint: string;
}

/**
 * What the known_hosts files say of a key.
 *
 * - `known`: this key is listed for the host.
 * - `unknown`: nothing is listed; `others` are keys of the same host on its usual port, which are shown with the question.
 * - `changed`: other keys are listed, of any type, as OpenSSH takes it: `knownTypes` are to be asked for first.
 * - `revoked`: the key is marked `@revoked`; nothing else counts.
 * - `needs-ca`: only a `@cert-authority` line is there for the host: the host proves itself by a certificate.
 */
export type HostKeyVerdict =
  | { readonly kind: 'known'; readonly at: KnownHostsLine }
  | { readonly kind: 'unknown'; readonly others: readonly KnownKey[] }
  | { readonly kind: 'changed'; readonly was: readonly KnownKey[] }
  | { readonly kind: 'revoked'; readonly at: KnownHostsLine }
  | { readonly kind: 'needs-ca'; readonly at: KnownHostsLine };

/** Under which name a host's key is looked up: `hostKeyAlias` stands for name and port together, as in OpenSSH. */
export interface HostKeyName {
  readonly hostname: string;
  readonly port: number;
  readonly alias?: string;
}

/**
 * The known_hosts files of one resolved host: `new` for each attempt, so that a line added meanwhile counts.
 * A connection knows no more of the files than this; tests give it one in memory.
 */
export interface HostKeys {
  /** `key` is the key's blob as it is on the wire. A file that cannot be read is told in `problems`, and counts as empty. */
  lookup(name: HostKeyName, key: Buffer): Promise<HostKeyVerdict>;
  /** Types that are listed for the host, in the order of the files: they are asked for first. */
  knownTypes(name: HostKeyName): Promise<readonly string[]>;
  /** Whether a `@cert-authority` line is there for the host. */
  hasAuthority(name: HostKeyName): Promise<boolean>;
  /** Adds a line to the first of the user's files. @throws {Error} When it cannot be written; the message says why. */
  add(name: HostKeyName, key: Buffer): Promise<KnownHostsLine>;
  /** In words: files that are there and could not be read, lines that were skipped. */
  readonly problems: readonly string[];
}

/** Resolves a name with the user's configuration, jumps included when it is asked for them one by one. */
export type ResolveHost = (name: string, given?: { user?: string; port?: number }) => Promise<ResolvedHost>;

/** A key that is refused, whoever says yes. */
export interface KeyWarning {
  /** The hop. */
  readonly host: string;
  readonly keyType: string;
  /** `SHA256:…` */
  readonly fingerprint: string;
  readonly was: readonly KnownKey[];
  readonly why: 'changed' | 'revoked';
  /** Its name in known_hosts files, as `ssh-keygen -R` takes it. */
  readonly listedAs: string;
}

/** Beside what a login asks: whether commands of the configuration may run, and keys that are not taken. */
export interface ConnectionPrompter extends Prompter {
  allow(question: { readonly title: string; readonly text: string }, signal: AbortSignal): Promise<boolean>;
  /** Only tells: what can be done about it is done elsewhere. */
  refused(warning: KeyWarning): void;
}

export type SessionState = 'connecting' | 'asking' | 'up' | 'reconnecting' | 'down' | 'refused' | 'closed';

/** How one hop is; the last one is the host itself. */
export interface HopStatus {
  readonly name: string;
  readonly host: string;
  readonly state: SessionState;
  /** Which phase it is in, or why it failed; null: nothing to say. */
  readonly reason: string | null;
  /** Round trip of the last keepalive, ms; null: not measured. */
  readonly latency: number | null;
  /** Of the key that it showed; null: none yet. */
  readonly fingerprint: string | null;
  /** `ssh`: the user's own ssh carries it, since ssh2 cannot. */
  readonly through: 'ssh2' | 'ssh';
}

export interface Executed {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** The exit code, once all output was read; null: killed by a signal, or the connection went. */
  readonly code: Promise<number | null>;
  close(): void;
}

/**
 * One authenticated connection to a host, through its hops; everything goes over it. It reconnects by itself while it is
 * not closed: dialling meanwhile waits for it, as long as the signal allows.
 */
export interface Session {
  readonly state: SessionState;
  /** Why it is so, in words; null: nothing is wrong. */
  readonly reason: string | null;
  /** Since when it is in this state, ms since the epoch. */
  readonly since: number;
  readonly channels: number;
  /** What a person should look at although it may work, such as a known_hosts file that cannot be read; null: nothing. */
  readonly problem: string | null;
  /** The address of the host as it is in `dialTcp`'s eyes: names are looked up there. @throws {Error} In words. */
  dialTcp(host: string, port: number, signal: AbortSignal): Promise<Duplex>;
  dialUnix(path: string, signal: AbortSignal): Promise<Duplex>;
  /** A command line for the remote user's shell: whoever builds it quotes it. */
  exec(command: string, signal: AbortSignal): Promise<Executed>;
  hops(): readonly HopStatus[];
  /** Bytes so far, also of connections before a reconnect. */
  traffic(): { readonly in: number; readonly out: number };
  /** Without secrets, oldest first. */
  log(): readonly { readonly time: number; readonly text: string }[];
  /** Called after every change of state, hops or reason. Returns what ends it. */
  onState(listener: () => void): () => void;
  close(): Promise<void>;
}

export interface Sessions {
  /**
   * Begins to connect and answers at once: what becomes of it is told by the session's state. `host` is as in `ssh HOST`,
   * also `user@host` and `user@host:port`.
   */
  open(host: string, prompter: ConnectionPrompter): Session;
  close(): Promise<void>;
}
