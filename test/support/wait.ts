/** Waiting for something that becomes true, instead of sleeping. */

import { setTimeout as sleep } from 'node:timers/promises';

export interface Patience {
  /** Milliseconds; at least ten times what it takes on an idle machine. Default 20 s. */
  readonly timeout?: number;
  /** Milliseconds between two attempts. Default 25. */
  readonly interval?: number;
}

/**
 * Calls `attempt` until it neither throws nor gives `false` or `undefined`, and gives its result.
 *
 * @throws The last failure of `attempt`, as cause, when the time is over.
 */
export async function eventually<T>(
  attempt: () => T | Promise<T>,
  { timeout = 20_000, interval = 25 }: Patience = {},
): Promise<Exclude<T, undefined | false>> {
  const end = performance.now() + timeout;
  for (;;) {
    let failure: unknown = new Error('it stayed false or undefined');
    try {
      const value = await attempt();
      if (value !== undefined && value !== false) return value as Exclude<T, undefined | false>;
    } catch (error) {
      failure = error;
    }
    if (performance.now() > end) {
      const reason = failure instanceof Error ? failure.message : String(failure);
      throw new Error(`not within ${timeout} ms: ${reason}`, { cause: failure });
    }
    await sleep(interval);
  }
}
