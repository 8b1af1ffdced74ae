/**
 * Keeps an engine running: starts it, starts it again with growing waits when it dies, and says when it will not start.
 * It knows the process only as {@link EngineProcess}, so that it can be tested without one.
 */

import { FromEngine, KeyringAsk, type KeyringAnswer, type StartFailure, type ToEngine } from '../shared/host.ts';

export interface EngineProcess {
  send(message: ToEngine): void;
  /** Ends it at once. */
  kill(): void;
}

export interface ProcessListener {
  message(message: unknown): void;
  /** A line of its log. */
  line(line: string): void;
  /** It has ended; nothing comes after that. */
  exit(code: number | null): void;
}

type Ready = Extract<FromEngine, { type: 'ready' }>;

export type EngineState =
  | { readonly phase: 'starting' }
  | { readonly phase: 'ready'; readonly ready: Ready }
  /** It died; the next start is at `until`, ms on the supervisor's clock. */
  | { readonly phase: 'waiting'; readonly until: number }
  /** It will not start by itself any more. */
  | { readonly phase: 'failed'; readonly failure: StartFailure; readonly lines: readonly string[] }
  | { readonly phase: 'stopped' };

export interface SupervisorOptions {
  launch(listener: ProcessListener): EngineProcess;
  /** Settings as on the command line, and the configuration file. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly config: string | null;
  /** What the engine asks of the desktop's keyring; absent: there is none. */
  readonly keyring?: (ask: KeyringAsk) => KeyringAnswer;
  readonly now?: () => number;
  readonly setTimer?: (call: () => void, ms: number) => () => void;
}

/** The first wait after a death, and the longest one, in ms. */
const FIRST_WAIT = 250;
const LONGEST_WAIT = 30_000;
/** Having been ready for this long, in ms, it counts as well again. */
const WELL_AFTER = 60_000;
/** Starts in a row that came to nothing until that is shown; more when it ran before: its lock may need a moment. */
const FIRST_TRIES = 3;
const LATER_TRIES = 6;
const KEPT_LINES = 100;
/** The engine has this long to close in order, in ms. */
const STOP_WITHIN = 15_000;

const timer = (call: () => void, ms: number): (() => void) => {
  const id = setTimeout(call, ms);
  return () => clearTimeout(id);
};

/** Failures that another try does not mend. */
const LASTING = ['no_node', 'store_locked', 'store_newer', 'store_not_writable', 'in_use', 'not_ours', 'not_a_socket'];

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #now: () => number;
  readonly #setTimer: (call: () => void, ms: number) => () => void;
  readonly #listeners = new Set<(state: EngineState) => void>();
  #state: EngineState = { phase: 'stopped' };
  #process: EngineProcess | null = null;
  #cancelTimer: (() => void) | null = null;
  #lines: string[] = [];
  #failure: StartFailure | null = null;
  /** The port of the last start that was ready. */
  #port: number | null = null;
  #deaths = 0;
  #fruitless = 0;
  #readySince = 0;
  #stopping: (() => void)[] | null = null;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#setTimer = options.setTimer ?? timer;
  }

  get state(): EngineState {
    return this.#state;
  }

  onState(listener: (state: EngineState) => void): void {
    this.#listeners.add(listener);
  }

  /** Starts now: for the first time, after a failure, or without waiting any longer. */
  start(): void {
    if (this.#process !== null || this.#stopping !== null) return;
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    if (this.#state.phase !== 'waiting') this.#fruitless = 0;
    this.#launch();
  }

  /** Ends the engine in order, and then resolves. It is not started again. */
  stop(): Promise<void> {
    return new Promise((resolve) => {
      // The timer that runs then is the one that ends a process which does not stop.
      if (this.#stopping !== null) return void this.#stopping.push(resolve);
      this.#stopping = [resolve];
      this.#cancelTimer?.();
      this.#cancelTimer = null;
      const process = this.#process;
      if (process === null) return this.#stopped();
      process.send({ type: 'stop' });
      this.#cancelTimer = this.#setTimer(() => process.kill(), STOP_WITHIN);
    });
  }

  #launch(): void {
    this.#failure = null;
    this.#lines = [];
    this.#setState({ phase: 'starting' });
    let ended = false;
    const process = this.#options.launch({
      message: (message) => {
        if (!ended) this.#receive(message);
      },
      line: (line) => {
        this.#lines.push(line);
        if (this.#lines.length > KEPT_LINES) this.#lines.shift();
      },
      exit: (code) => {
        if (ended) return;
        ended = true;
        this.#ended(code);
      },
    });
    this.#process = process;
    const { settings, config } = this.#options;
    process.send({ type: 'start', settings: { ...settings }, config, port: this.#port });
  }

  #receive(message: unknown): void {
    const asked = KeyringAsk.safeParse(message);
    if (asked.success) {
      const answer = this.#options.keyring?.(asked.data);
      if (answer) this.#process?.send(answer);
      return;
    }
    const parsed = FromEngine.safeParse(message);
    // The engine's own process: what cannot be read is a fault of ours, which its end will show.
    if (!parsed.success)
      return void this.#lines.push(`a message of the engine is not understood: ${parsed.error.message}`);
    if (parsed.data.type === 'failed') {
      this.#failure = parsed.data;
      return;
    }
    // It became ready while it was told to stop.
    if (this.#stopping !== null) return;
    const ready = parsed.data;
    this.#port = Number(new URL(ready.engine.url).port);
    this.#fruitless = 0;
    this.#readySince = this.#now();
    this.#setState({ phase: 'ready', ready });
  }

  #ended(code: number | null): void {
    const wasReady = this.#state.phase === 'ready';
    this.#process = null;
    if (this.#stopping !== null) return this.#stopped();
    if (wasReady) {
      if (this.#now() - this.#readySince >= WELL_AFTER) this.#deaths = 0;
    } else {
      this.#fruitless++;
      const tries = this.#port === null ? FIRST_TRIES : LATER_TRIES;
      const lasting = this.#failure !== null && this.#port === null && LASTING.includes(this.#failure.code);
      if (lasting || this.#fruitless >= tries) return this.#fail(code);
    }
    const wait = Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(this.#deaths++, 20));
    this.#setState({ phase: 'waiting', until: this.#now() + wait });
    this.#cancelTimer = this.#setTimer(() => {
      this.#cancelTimer = null;
      this.#launch();
    }, wait);
  }

  #fail(code: number | null): void {
    const ended = code === null ? 'was ended by a signal' : `ended with status ${code}`;
    const message = `The engine ${ended} before it was ready.`;
    const failure = this.#failure ?? { type: 'failed', code: 'died', message, running: null };
    this.#deaths = 0;
    this.#setState({ phase: 'failed', failure, lines: [...this.#lines] });
  }

  #stopped(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    const waiting = this.#stopping ?? [];
    this.#stopping = null;
    this.#setState({ phase: 'stopped' });
    for (const resolve of waiting) resolve();
  }

  #setState(state: EngineState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }
}
