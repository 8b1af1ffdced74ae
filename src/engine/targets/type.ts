/**
 * What every type of target is, and what its sessions are given. One file per type implements {@link TargetType}; the
 * manager knows nothing else of them.
 */

import type { Duplex } from 'node:stream';
import type { LiveAlarms } from '../../shared/api/live.ts';
import type { JobDesc } from '../../shared/model/job.ts';
import type { Label } from '../../shared/model/metric.ts';
import type { Scope } from '../live/scope.ts';

export type TargetTypeName = 'prometheus' | 'proxy' | 'vigie' | 'system';

/** Where a target answers, taken apart by `parseTargetUrl`. */
export interface TargetUrl {
  /** As it is shown and kept: never with credentials. */
  readonly href: string;
  readonly protocol: 'http:' | 'https:';
  /** Without the brackets of an IPv6 address. `localhost` for a unix socket. */
  readonly hostname: string;
  readonly port: number;
  /** The user wrote the port; else it is the scheme's. */
  readonly portGiven: boolean;
  /** Path and query, beginning with a slash. */
  readonly path: string;
  /** The user wrote a path other than `/`. */
  readonly pathGiven: boolean;
  /** Path of the unix socket to connect to, or null. */
  readonly socketPath: string | null;
  /** Host of the list of connections in whose eyes all of this is; null: this one. */
  readonly ssh: string | null;
}

/**
 * Opens a way to a place behind a host that is reached by SSH, which must be connected within so many ms. Throws
 * {@link TargetError}.
 */
export type Dial = (url: TargetUrl, within: number, signal: AbortSignal) => Promise<Duplex>;

export interface TargetLimits {
  /** Largest answer, unpacked, in bytes. Packed it may not be larger either. */
  readonly bytes: number;
  /** Most series of one answer that the filter leaves. */
  readonly series: number;
  /** Private, loopback and link-local addresses and unix sockets may be asked. */
  readonly allowPrivate: boolean;
}

export const DEFAULT_LIMITS: TargetLimits = { bytes: 16 * 1024 * 1024, series: 50_000, allowPrivate: true };

/** How a target is reached: what is shown to it, what it must show, and how much it may say. */
export interface Access {
  readonly bearer?: string;
  readonly basic?: { readonly user: string; readonly password: string };
  /** Certificates (PEM) that may have signed the target's, instead of the system's. */
  readonly ca?: string;
  /** SHA-256 fingerprint of the one certificate to accept, as `AB:CD:…`; nothing else of it is looked at then. */
  readonly fingerprint?: string;
  /** For all of one question, in ms: connecting, waiting, reading. */
  readonly timeoutMs: number;
  /** This engine: an answer that has its own numbers in it is refused. */
  readonly engineId?: string;
  /** To places behind hosts; absent: none can be reached. */
  readonly dial?: Dial;
  readonly limits: TargetLimits;
}

/** Which metrics are taken, by name: globs (`node_cpu_*`) or regular expressions between slashes (`/^go_/`). */
export interface MetricFilter {
  /** Empty: all. */
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

export interface TargetSpec {
  readonly id: string;
  readonly url: TargetUrl;
  readonly access: Access;
  readonly periodMs: number;
  /** Put on each series; a label of the same name that the target sends becomes `exported_NAME`. */
  readonly labels: readonly Label[];
  readonly filter: MetricFilter;
}

/** What a scope below a target's own holds: the numbers of a host, or of a job that runs elsewhere. */
export type ScopeAbout =
  | { readonly kind: 'node'; readonly host: string }
  | {
      readonly kind: 'run';
      readonly desc: JobDesc;
      /** Hosts that it is known to run on. */
      readonly nodes: readonly string[];
      /** How many there are, as far as it is known. */
      readonly ranks: number;
    };

/** What a session may write to. */
export interface TargetHost {
  /** `target/ID`, or a scope below it such as `target/ID/node/HOST`; made at the first call, the same one afterwards. */
  scope(below?: string): Scope;
  /** Says what a scope below the target's own is about; may be called again when that changes. */
  about(below: string, about: ScopeAbout): void;
  /** The other engine's alarms: another list (`all`), or what changed of it. */
  alarms?(update: LiveAlarms): void;
  /**
   * Takes away a scope below the target's own, while its last values are still in it. Of a run: it is over, or nobody
   * knows how it goes on.
   */
  drop(below: string, how?: 'finished' | 'interrupted'): void;
  /** A job that is not listed any more may come back within this time and is the same run then, ms. */
  readonly grace: number;
  /** This host, for what the target says of none. */
  readonly hostname: string;
  /** This engine, so that a target can be recognised as itself. */
  readonly engineId: string;
  /** This engine answers at that URL. */
  isSelf(url: string): boolean;
}

/** One metric that a probe saw. */
export interface ProbedMetric {
  /** As it stands in the answer, without labels: what a filter looks at. */
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
  readonly help: string;
  readonly series: number;
}

/** What a look at a target found. */
export interface Probe {
  readonly type: TargetTypeName;
  /** What to ask from now on: for example with `/metrics` where no path was given. */
  readonly url: TargetUrl;
  readonly series: number;
  readonly bytes: number;
  /** Milliseconds that the answer took. */
  readonly duration: number;
  /** In the order of the answer. */
  readonly metrics: readonly ProbedMetric[];
}

export interface Scraped {
  /** Of the answer, unpacked. */
  readonly bytes: number;
  /** Values in the answer. */
  readonly samples: number;
  /** Series that count now: without those that the filter left out or that were refused. */
  readonly series: number;
  /** Series that were seen for the first time. */
  readonly newSeries: number;
  /** Values that the filter left out. */
  readonly filtered: number;
  /** Values that were not taken, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** What people should know although it works. */
  readonly notes?: readonly string[];
  /** Ids of the engines that the values come from, also through others. */
  readonly engines?: readonly string[];
}

export interface TargetType {
  readonly name: TargetTypeName;
  /** Looks at what answers. Null: something else does. Throws {@link TargetError} when nothing does, or it must not. */
  probe(url: TargetUrl, access: Access, signal: AbortSignal): Promise<Probe | null>;
  /** Asks nothing yet. */
  open(spec: TargetSpec, host: TargetHost): TargetSession;
}

export interface TargetSession {
  /**
   * Asks once and writes into the host's scopes when all of the answer was good: it counts whole or not at all. Never
   * called while an earlier call is at work. Throws {@link TargetError}, or the signal's reason.
   */
  scrape(signal: AbortSignal): Promise<Scraped>;
  /** Its values leave live sums, except what its counters counted. */
  close(): void;
}

/** Why a target gave nothing. The message is for people: what is wrong and what to look at. */
export class TargetError extends Error {
  override readonly name = 'TargetError';
  /** `down`: nothing (whole) came. `refused`: something answered, but it is not taken or does not take us. */
  readonly kind: 'down' | 'refused';
  /** Fingerprint of a certificate that could not be verified, to look at and to pin. */
  readonly fingerprint: string | null;

  constructor(kind: 'down' | 'refused', message: string, fingerprint: string | null = null) {
    super(message);
    this.kind = kind;
    this.fingerprint = fingerprint;
  }
}
