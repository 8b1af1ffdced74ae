/**
 * A history as the bytes of its JSON, made where it was read and a little at a time: a million points, made on the
 * engine's own thread, would let ticks wait for a second.
 */

import type { RangeFunction } from '../../shared/api/query.ts';
import type { RangeColumns } from './aggregate.ts';
import { MIN_MAX_AVG_LAST, moreColumns } from './range-result.ts';

/** Values of a step, a few milliseconds. */
const STEP_VALUES = 20_000;
/** Characters that are gathered before they become bytes. */
const TEXT = 1 << 16;

/** The bytes, in pieces: one buffer that grows would be copied again and again. */
class Pieces {
  readonly #pieces: Uint8Array[] = [];
  #text = '';

  add(text: string): void {
    this.#text += text;
    if (this.#text.length >= TEXT) this.#flush();
  }

  #flush(): void {
    this.#pieces.push(new TextEncoder().encode(this.#text));
    this.#text = '';
  }

  all(): Uint8Array<ArrayBuffer> {
    this.#flush();
    const out = new Uint8Array(this.#pieces.reduce((sum, { byteLength }) => sum + byteLength, 0));
    let at = 0;
    for (const piece of this.#pieces.splice(0)) {
      out.set(piece, at);
      at += piece.byteLength;
    }
    return out;
  }
}

/** What JSON has for a number; what is not finite: null. */
const textOf = (value: number): string => JSON.stringify(value);

/** What JSON.stringify makes of {@link toRangeResult}. Yields between steps. */
export function* rangeJson(
  columns: RangeColumns,
  functions: readonly RangeFunction[] = [],
): Generator<void, Uint8Array<ArrayBuffer>> {
  const { scope, from, to, step, targets, times } = columns;
  const points = times.length;
  const out = new Pieces();
  let made = 0;
  function* column(name: string, value: (at: number) => number, s: number): Generator<void, void> {
    out.add(`"${name}":[`);
    for (let at = 0; at < points;) {
      // Many at once: an array of numbers is made into text far faster than each of them by itself.
      const some: number[] = [];
      const end = Math.min(points, at + STEP_VALUES - made);
      made += end - at;
      for (; at < end; at++) some.push(value(s * points + at));
      const text = JSON.stringify(some).slice(1, -1);
      out.add(at === points ? text : `${text},`);
      if (made < STEP_VALUES) continue;
      made = 0;
      yield;
    }
    out.add(']');
  }
  out.add(`{"scope":${JSON.stringify(scope)},"from":${textOf(from)},"to":${textOf(to)},"step":${textOf(step)},`);
  yield* column('times', (i) => times[i]!, 0);
  out.add(',"series":[');
  for (const [s, { key, name, kind }] of targets.entries()) {
    out.add(`${s === 0 ? '' : ','}{"key":${JSON.stringify(key)},"name":${JSON.stringify(name)},"kind":"${kind}"`);
    for (const part of MIN_MAX_AVG_LAST) {
      // Samples that are points of their own have the one value only.
      const values = step === 0 && part !== 'last' ? columns.avg : columns[part];
      out.add(',');
      yield* column(part, (i) => values[i]!, s);
    }
    for (const [part, value] of moreColumns(columns, kind, functions)) {
      out.add(',');
      yield* column(part, value, s);
    }
    out.add('}');
  }
  out.add(']}');
  return out.all();
}
