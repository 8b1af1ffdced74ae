import type { RangeResult } from '../../shared/api/query.ts';
import { RequestError } from './api.ts';
import type { Range } from './api.ts';
import { retryDelay } from './backoff.ts';
import type { ScopeBuffer } from './scopeBuffer.ts';

/** After so many failures in a row people are told; one or two are usual while an engine starts. */
const TELL_AFTER = 3;

export interface HistoryFillOptions {
  readonly query: (range: Range) => Promise<RangeResult>;
  /** Samples have been put into the buffer. */
  readonly filled: (buffer: ScopeBuffer) => void;
  /** Its `missing` has changed. */
  readonly told: (buffer: ScopeBuffer) => void;
  readonly random?: () => number;
  readonly setTimer?: (call: () => void, ms: number) => () => void;
}

/** A span that the live socket left out, ms since the epoch. */
interface Span {
  readonly buffer: ScopeBuffer;
  readonly from: number;
  readonly to: number;
  /** Failures in a row. */
  failures: number;
  asking: boolean;
  cancel: (() => void) | null;
  problem: string | null;
}

const timer = (call: () => void, ms: number): (() => void) => {
  const id = setTimeout(call, ms);
  return () => clearTimeout(id);
};

/** Asking again may help without a new connection. */
export function passes(error: unknown): boolean {
  if (!(error instanceof RequestError)) return false;
  switch (error.code) {
    case 'unreachable':
    case 'not_understood':
    case 'request_timeout':
    case 'too_many_requests':
    case 'internal':
    case 'overloaded':
    case 'store_unavailable':
      return true;
    default:
      return false;
  }
}

/**
 * Spans that the live socket left out are asked for as history, with growing waits until they are here. Without a
 * connection nobody is asked; each new one begins at once and anew, also with what was refused before.
 */
export class HistoryFill {
  readonly #options: HistoryFillOptions;
  readonly #random: () => number;
  readonly #setTimer: (call: () => void, ms: number) => () => void;
  readonly #spans = new Set<Span>();
  #paused = false;

  constructor(options: HistoryFillOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
    this.#setTimer = options.setTimer ?? timer;
  }

  /** Never rejects; a failure is in the buffer's `missing`. */
  add(buffer: ScopeBuffer, from: number, to: number): void {
    const span: Span = { buffer, from, to, failures: 0, asking: false, cancel: null, problem: null };
    this.#spans.add(span);
    if (!this.#paused) void this.#ask(span);
  }

  /** The connection is gone. */
  pause(): void {
    this.#paused = true;
    for (const span of this.#spans) this.#stopTimer(span);
  }

  /** There is a connection, perhaps to another engine. */
  resume(): void {
    this.#paused = false;
    for (const span of [...this.#spans]) {
      this.#stopTimer(span);
      span.failures = 0;
      if (!span.asking) void this.#ask(span);
    }
  }

  /** Nobody looks at this buffer any more; without one, at none. */
  drop(buffer?: ScopeBuffer): void {
    for (const span of [...this.#spans]) {
      if (buffer && span.buffer !== buffer) continue;
      this.#stopTimer(span);
      this.#spans.delete(span);
    }
  }

  #stopTimer(span: Span): void {
    span.cancel?.();
    span.cancel = null;
  }

  async #ask(span: Span): Promise<void> {
    const { buffer, from, to } = span;
    span.asking = true;
    try {
      const result = await this.#options.query({
        ...{ scope: buffer.scope, series: [], from, to },
        maxPoints: buffer.ring.capacity,
      });
      if (!this.#spans.delete(span)) return;
      buffer.backfill(result);
      this.#options.filled(buffer);
      this.#tell(buffer);
    } catch (error) {
      span.asking = false;
      if (this.#spans.has(span)) this.#failed(span, error);
    }
  }

  #failed(span: Span, error: unknown): void {
    // Nothing is stored of it: nothing is missing.
    const nothing = error instanceof RequestError && error.code === 'scope_not_found';
    if (nothing) this.#spans.delete(span);
    span.failures++;
    const again = passes(error);
    if (!again || span.failures >= TELL_AFTER) {
      span.problem = error instanceof Error ? error.message : String(error);
    }
    if (again && !this.#paused) {
      span.cancel = this.#setTimer(() => void this.#ask(span), retryDelay(span.failures - 1, this.#random()));
    }
    this.#tell(span.buffer);
  }

  #tell(buffer: ScopeBuffer): void {
    const before = buffer.missing;
    buffer.missing = null;
    for (const span of this.#spans) if (span.buffer === buffer) buffer.missing ??= span.problem;
    if (buffer.missing !== before) this.#options.told(buffer);
  }
}
