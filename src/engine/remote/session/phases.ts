/** How long each phase of a connection may take, and the clock that watches it. */

import { SshFailure, type Phase } from './failure.ts';

/** In ms. Time in which a person is asked does not count. */
export type Timeouts = Readonly<Record<Exclude<Phase, 'connected' | 'host-key'>, number>>;

export const TIMEOUTS: Timeouts = {
  dns: 10_000,
  tcp: 15_000,
  // Login nodes under load, and those that look up the name of whoever comes, are slow to say hello.
  banner: 20_000,
  'key-exchange': 20_000,
  authentication: 60_000,
  channel: 20_000,
};

/** `ConnectTimeout` of a configuration is for the way to the banner; OpenSSH counts the key exchange with it. */
export function timeoutsFor(connectTimeout: number | undefined, given: Partial<Timeouts> = {}): Timeouts {
  const ms = (connectTimeout ?? 0) * 1000;
  const named = ms > 0 ? { tcp: ms, banner: ms, 'key-exchange': ms } : {};
  return { ...TIMEOUTS, ...named, ...given };
}

const WORDS: Readonly<Record<keyof Timeouts, (host: string, seconds: string) => string>> = {
  dns: (host, s) => `${host}: its name was not found within ${s}: the name server does not answer`,
  tcp: (host, s) => `${host}: nothing answered within ${s}: the host is down, or a firewall drops what is sent to it`,
  banner: (host, s) => `${host}: took the connection but said nothing within ${s}: its sshd hangs or is overloaded`,
  'key-exchange': (host, s) =>
    `${host}: did not finish the key exchange within ${s}: its sshd hangs, or large packets are lost on the way (MTU)`,
  authentication: (host, s) => `${host}: did not answer to the authentication within ${s}: its directory or PAM hangs`,
  channel: (host, s) => `${host}: did not open the channel within ${s}: what is behind it does not answer`,
};

export function timeoutFailure(phase: keyof Timeouts, host: string, ms: number): SshFailure {
  const seconds = ms < 1000 ? `${ms} ms` : `${Math.round(ms / 100) / 10} s`;
  return new SshFailure('timeout', phase, host, WORDS[phase](host, seconds));
}

export interface PhaseClock {
  enter(phase: keyof Timeouts): void;
  /** The phase starts anew: the other side answered. */
  renew(): void;
  /** A person is asked meanwhile: the clock stands until the work is done, and the phase starts anew. */
  pausedFor<T>(work: Promise<T>): Promise<T>;
  /** Whether a person is asked at the moment. */
  readonly asking: boolean;
  readonly phase: keyof Timeouts | null;
  stop(): void;
}

export function phaseClock(host: string, timeouts: Timeouts, fail: (failure: SshFailure) => void): PhaseClock {
  let phase: keyof Timeouts | null = null;
  let timer: NodeJS.Timeout | undefined;
  let asking = 0;
  const start = (): void => {
    clearTimeout(timer);
    const current = phase;
    if (current === null || asking > 0) return;
    timer = setTimeout(() => fail(timeoutFailure(current, host, timeouts[current])), timeouts[current]);
  };
  return {
    enter(next) {
      phase = next;
      start();
    },
    renew: start,
    async pausedFor(work) {
      asking++;
      clearTimeout(timer);
      try {
        return await work;
      } finally {
        asking--;
        start();
      }
    },
    get asking() {
      return asking > 0;
    },
    get phase() {
      return phase;
    },
    stop() {
      phase = null;
      clearTimeout(timer);
    },
  };
}
