import type { Board } from '../../charts/board.ts';
import { panSpan, popZoom, pushZoom, sameRange, syncZoom, zoomSpan } from '../../charts/range.ts';
import type { Span, TimeRange, ZoomStack } from '../../charts/range.ts';
import type { BoardQuery } from './boardQuery.ts';

/** A gesture is over when the wheel has rested this long; its range is fetched then. */
const REST_MS = 140;
/** Steps to the side that follow one another this closely are one step of the browser's history. */
const ONE_MOVE_MS = 1500;

/** Zooms and moves all charts of a board. Every change of the width can be taken back step by step. */
export class ZoomControl {
  readonly #board: Board;
  readonly #changed: () => void;
  #query: BoardQuery;
  #stack: ZoomStack = [];
  #moved = -Infinity;
  #resting: ReturnType<typeof setTimeout> | null = null;
  /** The gesture that goes on has changed the width. */
  #widened = false;

  /** @param changed told when there is another number of steps back. */
  constructor(board: Board, query: BoardQuery, changed: () => void) {
    this.#board = board;
    this.#query = query;
    this.#changed = changed;
  }

  /** What the address says now. */
  follow(query: BoardQuery): void {
    const { range } = this.#query;
    this.#query = query;
    if (!sameRange(range, query.range)) this.#setStack(syncZoom(this.#stack, query.range));
  }

  close(): void {
    if (this.#resting) clearTimeout(this.#resting);
  }

  /** The wider range before the shown one; twice as wide where there was none. Null: that is all there is. */
  next(query: BoardQuery): TimeRange | null {
    const step = popZoom(this.#stack, query.range);
    if (step) return step.range;
    if (query.range.kind === 'live') return null;
    const wider: TimeRange = { kind: 'fixed', ...query.fit(zoomSpan(query.range, 2)) };
    return sameRange(wider, query.range) ? null : wider;
  }

  to(range: TimeRange): void {
    if (sameRange(range, this.#query.range)) return;
    this.#remember();
    this.#query.setRange(range, true);
  }

  /** What a brush has marked. */
  brush(from: number, to: number): void {
    this.to(this.#fitted({ from, to }));
  }

  /** A range `factor` times as wide, around its middle; what moves is narrowed to its newest part. */
  by(factor: number): void {
    const shown = this.#board.shown();
    // The end of what moves is now: there is nothing after it.
    this.to(this.#fitted(zoomSpan(shown, factor, this.#query.range.kind === 'live' ? shown.to : undefined)));
  }

  pan(share: number): void {
    const next = this.#fitted(panSpan(this.#board.shown(), share));
    if (sameRange(next, this.#query.range)) return;
    if (this.#query.range.kind === 'live') this.#remember();
    this.#query.setRange(next, this.#isNewMove());
  }

  /** A step out. */
  back(): void {
    const next = this.next(this.#query);
    if (!next) return;
    this.#setStack(popZoom(this.#stack, this.#query.range)?.stack ?? this.#stack);
    this.#query.setRange(next, true);
  }

  /** Live, or all of a finished run. */
  reset(): void {
    this.#setStack([]);
    this.#query.reset();
  }

  /** The wheel turns: `at` stays where it is. */
  wheel(factor: number, at: number): void {
    this.#widened = true;
    this.#pass(zoomSpan(this.#board.shown(), factor, at));
  }

  slide(share: number): void {
    this.#pass(panSpan(this.#board.shown(), share));
  }

  #fitted(span: Span): TimeRange {
    return { kind: 'fixed', ...this.#query.fit(span) };
  }

  #setStack(stack: ZoomStack): void {
    if (stack === this.#stack) return;
    this.#stack = stack;
    this.#changed();
  }

  #remember(): void {
    this.#setStack(pushZoom(this.#stack, this.#query.range));
  }

  /** Shows a span at once and has it fetched when the gesture is over. */
  #pass(span: Span): void {
    const next = this.#fitted(span);
    this.#board.show(next);
    if (this.#resting) clearTimeout(this.#resting);
    this.#resting = setTimeout(() => this.#rest(next), REST_MS);
  }

  #rest(next: TimeRange): void {
    this.#resting = null;
    const widened = this.#widened || this.#query.range.kind === 'live';
    this.#widened = false;
    if (sameRange(next, this.#query.range)) return;
    if (widened) this.#remember();
    this.#query.setRange(next, widened || this.#isNewMove());
  }

  #isNewMove(): boolean {
    const before = this.#moved;
    this.#moved = performance.now();
    return this.#moved - before > ONE_MOVE_MS;
  }
}
