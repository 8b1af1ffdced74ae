/**
 * The part of a sample between braces. `check` walks over it once per new name and makes no objects; `decodeLabels` makes
 * the labels of what was checked.
 */

import { MAX_LABELS, type Label } from '../../shared/model/metric.ts';
import type { NumberReader } from './scan-number.ts';
import { excerpt } from './scan-error.ts';

const [TAB, NEWLINE, SPACE, QUOTE, COMMA, EQUALS, BACKSLASH, CLOSE, COLON, UNDERSCORE] = [
  0x09, 0x0a, 0x20, 0x22, 0x2c, 0x3d, 0x5c, 0x7d, 0x3a, 0x5f,
];

/** Which bytes may stand in names: 1 in a label's at its start, 2 after it, 4 and 8 in a metric's. */
const NAME = new Uint8Array(256);
for (let c = 0; c < 128; c++) {
  const letter = (c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a;
  const digit = c >= 0x30 && c <= 0x39;
  if (letter || c === UNDERSCORE) NAME[c] = 15;
  else if (digit) NAME[c] = 10;
  else if (c === COLON) NAME[c] = 12;
}

/** Where a metric's name that begins at `at` ends; `at`: there is none. */
export function metricNameEnd(bytes: Uint8Array, at: number): number {
  if ((NAME[bytes[at]!]! & 4) === 0) return at;
  let i = at + 1;
  while ((NAME[bytes[i]!]! & 8) !== 0) i++;
  return i;
}

function labelNameEnd(bytes: Uint8Array, at: number): number {
  if ((NAME[bytes[at]!]! & 1) === 0) return at;
  let i = at + 1;
  while ((NAME[bytes[i]!]! & 2) !== 0) i++;
  return i;
}

function isAt(bytes: Uint8Array, from: number, to: number, word: string): boolean {
  if (to - from !== word.length) return false;
  for (let i = 0; i < word.length; i++) if (bytes[from + i] !== word.charCodeAt(i)) return false;
  return true;
}

/** `le` is there and is no number: not allowed in a histogram. */
export const BAD_LE = 1;
/** The same for a summary's `quantile`. */
export const BAD_QUANTILE = 2;
export const TOO_MANY_LABELS = 4;

/**
 * Walks over labels of a line that ends at a newline. `strict` is OpenMetrics: no blanks, and any escape. Throws a text
 * that says what is wrong.
 */
export class LabelWalk {
  /** BAD_LE, BAD_QUANTILE, TOO_MANY_LABELS of the labels that were walked over last. */
  flags = 0;
  readonly #numbers: NumberReader;
  /** Where the names of a series' labels stand, to find one that comes twice. */
  readonly #spans = new Int32Array(2 * MAX_LABELS);

  constructor(numbers: NumberReader) {
    this.#numbers = numbers;
  }

  /** `at` is behind the brace that opens. Returns where the part behind the closing one begins. */
  check(bytes: Uint8Array, at: number, strict: boolean): number {
    this.flags = 0;
    let count = 0;
    let i = strict ? at : skipBlanks(bytes, at);
    for (;;) {
      // OpenMetrics has no comma behind the last one.
      if (bytes[i] === CLOSE && (count === 0 || !strict)) return i + 1;
      const nameEnd = labelNameEnd(bytes, i);
      if (nameEnd === i) throw what('a label name', bytes, i);
      this.#note(bytes, i, nameEnd, count++);
      const nameFrom = i;
      i = strict ? nameEnd : skipBlanks(bytes, nameEnd);
      if (bytes[i] !== EQUALS) throw what('= after a label name', bytes, i);
      i = strict ? i + 1 : skipBlanks(bytes, i + 1);
      if (bytes[i] !== QUOTE) throw what('a label value in quotes', bytes, i);
      const valueFrom = i + 1;
      i = valueEnd(bytes, valueFrom, strict);
      this.#noteNumber(bytes, nameFrom, nameEnd, valueFrom, i);
      i = strict ? i + 1 : skipBlanks(bytes, i + 1);
      if (bytes[i] === CLOSE) return i + 1;
      if (bytes[i] !== COMMA) throw what(', or } after a label value', bytes, i);
      i = strict ? i + 1 : skipBlanks(bytes, i + 1);
    }
  }

  #note(bytes: Uint8Array, from: number, to: number, count: number): void {
    if (isAt(bytes, from, to, '__name__')) throw new Error('the label name __name__ is reserved');
    if (count >= MAX_LABELS) {
      // Not taken anyway; looking for equal names among thousands would take long.
      this.flags |= TOO_MANY_LABELS;
      return;
    }
    const spans = this.#spans;
    for (let k = 0; k < count; k++) {
      const [other, end] = [spans[2 * k]!, spans[2 * k + 1]!];
      if (end - other !== to - from) continue;
      let j = 0;
      while (j < to - from && bytes[other + j] === bytes[from + j]) j++;
      if (j === to - from) throw new Error(`the label ${excerpt(bytes, from, to)} is there twice`);
    }
    spans[2 * count] = from;
    spans[2 * count + 1] = to;
  }

  #noteNumber(bytes: Uint8Array, nameFrom: number, nameEnd: number, from: number, to: number): void {
    const flag = isAt(bytes, nameFrom, nameEnd, 'le')
      ? BAD_LE
      : isAt(bytes, nameFrom, nameEnd, 'quantile')
        ? BAD_QUANTILE
        : 0;
    if (flag === 0) return;
    this.#numbers.read(bytes, from, to);
    if (this.#numbers.end !== to) this.flags |= flag;
  }
}

const what = (expected: string, bytes: Uint8Array, at: number): Error =>
  new Error(
    `expected ${expected}, found ${bytes[at] === NEWLINE ? 'the end of the line' : excerpt(bytes, at, lineEnd(bytes, at))}`,
  );

/** Where the line that `at` is in ends. There is one. */
function lineEnd(bytes: Uint8Array, at: number): number {
  const end = bytes.indexOf(NEWLINE, at);
  return end < 0 ? bytes.length : end;
}

export function skipBlanks(bytes: Uint8Array, at: number): number {
  let i = at;
  while (bytes[i] === SPACE || bytes[i] === TAB) i++;
  return i;
}

/** Place of the quote that ends a label value. */
function valueEnd(bytes: Uint8Array, at: number, strict: boolean): number {
  for (let i = at; ; i++) {
    const c = bytes[i];
    if (c === QUOTE) return i;
    if (c === NEWLINE) throw new Error('a label value does not end on its line');
    if (c !== BACKSLASH) continue;
    const escaped = bytes[++i];
    if (escaped === NEWLINE) throw new Error('a label value does not end on its line');
    if (!strict && escaped !== BACKSLASH && escaped !== QUOTE && escaped !== 0x6e) {
      throw new Error(`${excerpt(bytes, i - 1, i + 1)} is no escape sequence`);
    }
  }
}

/** Name and labels of a series as it stood in the text, and was checked. In the order of the text. */
export function decodeSeries(raw: string): { family: string; labels: Label[] } {
  const brace = raw.indexOf('{');
  if (brace < 0) return { family: raw, labels: [] };
  const labels: Label[] = [];
  for (const [, name, value] of raw.slice(brace).matchAll(/([A-Za-z_]\w*)[ \t]*=[ \t]*"((?:\\.|[^\\"])*)"/gs)) {
    // An escape that means nothing stands for itself.
    const unescaped = value!.replaceAll(/\\([\\"n])/g, (_, c: string) => (c === 'n' ? '\n' : c));
    labels.push([name!, unescaped]);
  }
  return { family: raw.slice(0, brace).trimEnd(), labels };
}
