/** Something that is done over there in steps, each shown with how it is and how long it took. */

import type { EngineAction, EngineStep, EngineWork } from '../../../shared/api/connections.ts';
import { wordsOf } from '../words.ts';

/** Bytes that were sent are told this often at most, ms. */
const TELL_EVERY = 250;
/** What was begun is taken back within this, ms. */
const UNDO_WITHIN = 60_000;
/** Whoever cancels waits this long at most for what cannot be left in the middle, ms. */
const KNOWN_WITHIN = 15_000;

const TITLES: Readonly<Record<EngineStep['name'], string>> = {
  connect: 'Log in',
  host: 'Look at the host',
  package: 'Find the package for it',
  folder: 'Make a private folder',
  send: 'Send the package',
  check: 'Compare the checksum',
  unpack: 'Unpack and try it',
  stop: 'Stop the engine',
  run: 'Start the engine',
  reach: 'Reach the engine',
  clean: 'Remove what is not needed',
};

/** There is nothing to do in a step; the words say why. */
export class Skipped {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

class Cancelled extends Error {
  override readonly name = 'Cancelled';
}

type Step = { -readonly [K in keyof EngineStep]: EngineStep[K] } & { from: number };

export interface WorkOptions {
  readonly action: EngineAction;
  readonly steps: readonly EngineStep['name'][];
  /** Does them, in their order, and gives how it came out, in words. */
  readonly run: (work: Work) => Promise<string | null>;
  readonly changed: () => void;
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
}

type Undo = (signal: AbortSignal, why: 'failed' | 'cancelled') => Promise<unknown>;

export class Work {
  readonly #options: WorkOptions;
  readonly #began: number;
  readonly #steps: Step[];
  readonly #cancel = new AbortController();
  readonly #undo: Undo[] = [];
  #state: EngineWork['state'] = 'running';
  #reason: string | null = null;
  #told = 0;
  /** Fulfilled when all of it is over. */
  readonly over: Promise<void>;

  constructor(options: WorkOptions) {
    this.#options = options;
    this.#began = options.now();
    this.#steps = options.steps.map((name) => ({
      ...{ name, title: TITLES[name], state: 'waiting', reason: null, ms: null, progress: null, from: 0 },
    }));
    this.over = this.#run();
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  get signal(): AbortSignal {
    return this.#cancel.signal;
  }

  /** Of what has to be known to its end, to be taken back: it ends a while after it was cancelled. */
  get late(): AbortSignal {
    const late = new AbortController();
    const leave = (): void => void setTimeout(() => late.abort(this.signal.reason), KNOWN_WITHIN).unref();
    if (this.signal.aborted) leave();
    else this.signal.addEventListener('abort', leave, { once: true });
    return late.signal;
  }

  status(): EngineWork {
    return {
      ...{ action: this.#options.action, state: this.#state, began: this.#began, reason: this.#reason },
      steps: this.#steps.map(({ from, ...step }) => ({
        ...step,
        ms: step.state === 'running' ? performance.now() - from : step.ms,
      })),
    };
  }

  /** Takes back what was begun; `over` says when that is done. */
  cancel(): void {
    this.#cancel.abort(new Cancelled('cancelled'));
  }

  async #run(): Promise<void> {
    // Whoever made it has it by now.
    await Promise.resolve();
    try {
      const reason = await this.#options.run(this);
      this.#end('done', reason);
    } catch (error) {
      const why = this.signal.aborted ? 'cancelled' : 'failed';
      const words = why === 'cancelled' ? 'cancelled' : wordsOf(error);
      const left = await this.#takeBack(why);
      this.#end(why, left === null ? words : `${words}; and not all could be taken back over there: ${left}`);
    }
  }

  async #takeBack(why: 'failed' | 'cancelled'): Promise<string | null> {
    const signal = AbortSignal.timeout(UNDO_WITHIN);
    let left: string | null = null;
    for (const undo of this.#undo.toReversed()) {
      try {
        await undo(signal, why);
      } catch (error) {
        left ??= signal.aborted ? 'the host did not answer' : wordsOf(error);
      }
    }
    return left;
  }

  #end(state: EngineWork['state'], reason: string | null): void {
    this.#state = state;
    this.#reason = reason;
    this.#options.changed();
  }

  /** What takes the last step back, should a later one fail or be cancelled. The last is undone first. */
  onUndo(undo: Undo): void {
    this.#undo.push(undo);
  }

  /** Nothing is taken back from here on. */
  commit(): void {
    this.#undo.length = 0;
  }

  /** Words of what it found, or {@link Skipped}. */
  async step(
    name: EngineStep['name'],
    act: (progress: (done: number, total: number) => void) => Promise<string | null | Skipped>,
  ): Promise<void> {
    const step = this.#steps.find((one) => one.name === name);
    if (!step) throw new Error(`no step ${name}`);
    this.signal.throwIfAborted();
    Object.assign(step, { state: 'running', from: performance.now() });
    this.#options.changed();
    const end = (state: Step['state'], reason: string | null): void => {
      Object.assign(step, { state, reason, ms: performance.now() - step.from });
      this.#options.changed();
    };
    try {
      const found = await act((done, total) => this.#progress(step, done, total));
      this.signal.throwIfAborted();
      if (found instanceof Skipped) end('skipped', found.reason);
      else end('done', found);
    } catch (error) {
      if (this.signal.aborted) end('cancelled', null);
      else end('failed', wordsOf(error));
      throw error;
    }
  }

  #progress(step: Step, done: number, total: number): void {
    step.progress = { done, total };
    if (performance.now() - this.#told < TELL_EVERY) return;
    this.#told = performance.now();
    this.#options.changed();
  }
}
