/** Begins what is done with the engine of one connection. */

import { setTimeout as delay } from 'node:timers/promises';
import type { EngineAction, EngineStart, PlacedEngine } from '../../../shared/api/connections.ts';
import { ApiError } from '../../../shared/errors.ts';
import type { Entry } from '../entry.ts';
import type { Session } from '../types.ts';
import { act, STEPS } from './actions.ts';
import { packageFolders } from './local-package.ts';
import { Work } from './work.ts';

export interface BeginParts {
  readonly entry: Entry;
  readonly engineId: string;
  /** Begins to connect where it is not connected. */
  readonly connect: () => void;
  readonly disconnect: () => void;
  readonly place: (placed: PlacedEngine | null) => void;
  readonly changed: () => void;
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
}

/** Errors: `bad_request` when it cannot be begun. */
export function beginWork(action: EngineAction, given: EngineStart, parts: BeginParts): Work {
  const { entry, engineId, changed, now } = parts;
  if (entry.work?.isRunning) {
    const { action: other } = entry.work.status();
    throw new ApiError(
      'bad_request',
      `something is done with this engine already (${other}): wait for it, or cancel it`,
    );
  }
  const { address, placed, host } = entry.record;
  if (address.kind !== 'auto') {
    throw new ApiError(
      'bad_request',
      'this connection is told where its engine is: let it look for one (engine: auto)',
    );
  }
  if (action !== 'start' && placed === null) {
    throw new ApiError(
      'bad_request',
      'no engine was put there by this one: what you started there yourself is left alone',
    );
  }
  return new Work({
    ...{ action, changed, now, steps: STEPS[action] },
    run: (work) =>
      act(work, action, given, {
        ...{ host, now, place: parts.place, by: engineId.slice(0, 8) },
        packages: packageFolders(process.env),
        session: (signal) => sessionOf(parts, signal),
        link: () => entry.link,
        placed: () => entry.record.placed,
      }),
  });
}

/**
 * Waits for a person where the login asks; a login that was begun for this is given up when it is cancelled.
 *
 * @throws {Error} In words, when it cannot be connected.
 */
async function sessionOf({ entry, connect, disconnect }: BeginParts, signal: AbortSignal): Promise<Session> {
  const before = entry.session;
  connect();
  const begun = entry.session;
  const giveUp = (): void => {
    if (begun !== null && begun !== before && entry.session === begun && begun.state !== 'up') disconnect();
  };
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    return await untilUp(entry, signal);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

async function untilUp(entry: Entry, signal: AbortSignal): Promise<Session> {
  for (;;) {
    const { session, failure, record } = entry;
    if (!session) throw new Error(failure ?? `${record.host} was disconnected`);
    if (session.state === 'up') return session;
    if (session.state === 'refused' || session.state === 'down' || session.state === 'closed') {
      throw new Error(session.reason ?? `${record.host} is not connected`);
    }
    await delay(50, undefined, { signal });
  }
}
