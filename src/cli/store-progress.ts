/** Work of `vigie store` that takes its time: what is told meanwhile, and how it is ended. */

import { setImmediate as turn } from 'node:timers/promises';

/** Between two lines, ms. */
const EVERY = 200;
/** Steps go on for so long without a turn for signals, ms. */
const WITHOUT_TURN = 50;

/** One line on a terminal, written over each time. */
export class Progress {
  readonly #on = process.stderr.isTTY;
  #next = 0;
  #shown = false;

  say(text: string): void {
    if (!this.#on || performance.now() < this.#next) return;
    this.#next = performance.now() + EVERY;
    this.#shown = true;
    process.stderr.write(`\r\u001b[K${text}`);
  }

  end(): void {
    if (this.#shown) process.stderr.write('\r\u001b[K');
    this.#shown = false;
  }
}

/** Ctrl-C was pressed. */
class Stopped extends Error {
  override readonly name = 'Stopped';
}

/** Aborted by Ctrl-C or SIGTERM, so that what was begun can be taken back; the second time ends at once. */
export function stopped(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => controller.abort(new Stopped('stopped; nothing was changed')));
  }
  return controller.signal;
}

/** Takes all steps, with turns for signals in between. Throws the signal's reason; the steps then end early. */
export async function toTheEnd<S, T>(
  steps: Generator<S, T>,
  each: (step: S) => void,
  signal?: AbortSignal,
): Promise<T> {
  try {
    for (let since = performance.now(); ;) {
      const step = steps.next();
      if (step.done) return step.value;
      each(step.value);
      if (performance.now() - since < WITHOUT_TURN) continue;
      await turn();
      since = performance.now();
      signal?.throwIfAborted();
    }
  } finally {
    steps.return(undefined as T);
  }
}
