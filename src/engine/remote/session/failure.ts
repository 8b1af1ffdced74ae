/** What can go wrong on the way to a host, and where: one class for all of `session/`, its message made for people. */

/** The steps of a connection, in their order. Each has a timeout of its own. */
export type Phase = 'dns' | 'tcp' | 'banner' | 'key-exchange' | 'host-key' | 'authentication' | 'channel' | 'connected';

/**
 * - `timeout`, `unreachable`, `lost`: of the network; another attempt may succeed.
 * - `protocol`: something answers, and it is not SSH as it should be.
 * - `host-key`, `refused`, `cancelled`: somebody said no; nothing is tried again by itself.
 * - `unsupported`: the built-in SSH cannot do it; the user's own `ssh` may.
 * - `remote`: the connection stands, and the host would not open what was asked for.
 */
export type FailureKind =
  'timeout' | 'unreachable' | 'lost' | 'protocol' | 'host-key' | 'refused' | 'cancelled' | 'unsupported' | 'remote';

export class SshFailure extends Error {
  readonly code: string;
  readonly kind: FailureKind;
  readonly phase: Phase;
  /** The hop's name, as the user knows it. */
  readonly host: string;

  constructor(kind: FailureKind, phase: Phase, host: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SshFailure';
    this.code = `SSH_${kind.toUpperCase().replace('-', '_')}`;
    this.kind = kind;
    this.phase = phase;
    this.host = host;
  }
}

/** Whether another attempt, without anybody doing anything, may go better: never one that would ask or lock out. */
export function mayRetry(error: unknown): boolean {
  return error instanceof SshFailure && ['timeout', 'unreachable', 'lost', 'protocol'].includes(error.kind);
}

export function asFailure(error: unknown, kind: FailureKind, phase: Phase, host: string): SshFailure {
  if (error instanceof SshFailure) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new SshFailure(kind, phase, host, `${host}: ${withoutHost(host, message)}`, { cause: error });
}

/** Reasons name their host, to stand alone; where it stands before them anyway it is not said twice. */
export const withoutHost = (host: string, text: string): string =>
  text.startsWith(`${host}: `) ? text.slice(host.length + 2) : text;
