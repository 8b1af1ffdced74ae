/**
 * Reads Prometheus text 0.0.4 and OpenMetrics 1.0 from bytes as they come, in pieces that may end anywhere.
 *
 * What it read lies in `staged` until the next answer: nothing counts before all of an answer was good. A series is known
 * by its bytes, so that one that was there last time costs neither an object nor a hash: where the line begins with the
 * same bytes as the series that followed this one last time, it is that series.
 *
 * What is well formed is what `promtool check metrics` accepts and, for OpenMetrics, what Prometheus does; docs/targets.md
 * names the differences.
 */

import { isUtf8 } from 'node:buffer';
import { growInt32, NO_INTS } from '../live/columns.ts';
import { SharedNames } from '../live/name-pool.ts';
import { hashBytes } from '../live/name-table.ts';
import { Metrics, typeNamed, type MetricType } from './scan-metrics.ts';
import { BAD_LE, BAD_QUANTILE, LabelWalk, metricNameEnd, skipBlanks, TOO_MANY_LABELS } from './scan-labels.ts';
import { NumberReader } from './scan-number.ts';
import { excerpt, ScanError, type Format } from './scan-error.ts';
import { Staged } from './scan-staged.ts';

const [TAB, NEWLINE, SPACE, HASH, BACKSLASH, OPEN] = [0x09, 0x0a, 0x20, 0x23, 0x5c, 0x7b];

/** Longest line in bytes. */
export const MAX_LINE = 64 * 1024;
/** A series whose name is longer than this, labels included, in bytes, is not even looked up. */
const MAX_RAW_NAME = 4096;
/** Names that were forgotten by the target may stay until there are more of them than this, beside as many as it has. */
const SPARE_NAMES = 10_000;

export interface ScanOptions {
  /** Series that one answer may have, after the filter. */
  readonly maxSeries: number;
  /** Whether samples of a metric are taken; asked once for each name. */
  readonly keep?: (metric: string) => boolean;
}

/** Samples that are well formed but not taken, by reason. */
export type ScanRefusal = 'name_too_long' | 'name_too_many_labels';

export class Scanner {
  readonly #options: ScanOptions;
  readonly #numbers = new NumberReader();
  readonly #labels = new LabelWalk(this.#numbers);
  /** Series as their bytes stand in the text: a name, with its labels if it has any. */
  names = new SharedNames();
  metrics = new Metrics();
  /** By entry of `names`: its metric, BAD_…, and which entry came after it. */
  #metric = NO_INTS;
  #flags = NO_INTS;
  #next = NO_INTS;
  #first = -1;
  /** Grows when entries of `names` mean something else than before. */
  generation = 0;

  #format: Format = 'text';
  #line = 0;
  #ended = false;
  #expected = -1;
  #previous = -1;
  /** What this answer gave. */
  staged: Staged | null = null;
  bytes = 0;
  samples = 0;
  filtered = 0;
  readonly refused: Record<ScanRefusal, number> = { name_too_long: 0, name_too_many_labels: 0 };

  constructor(options: ScanOptions) {
    this.#options = options;
  }

  /** Begins an answer; what the last one gave is gone. */
  begin(format: Format): void {
    const spare = this.names.count + this.metrics.remembered - 2 * this.samples;
    if (spare > SPARE_NAMES) this.#forget();
    this.metrics.begin(format);
    this.#format = format;
    this.#line = 0;
    this.#ended = false;
    this.#expected = this.#first;
    this.#previous = -1;
    this.staged ??= Staged.take();
    this.staged.clear();
    this.bytes = this.samples = this.filtered = 0;
    this.refused.name_too_long = this.refused.name_too_many_labels = 0;
  }

  /** Gives back what `staged` needs; it is gone then. */
  release(): void {
    this.staged?.giveBack();
    this.staged = null;
  }

  #forget(): void {
    this.names.release();
    this.metrics.release();
    this.names = new SharedNames();
    this.metrics = new Metrics();
    this.#metric = this.#flags = this.#next = NO_INTS;
    this.#first = -1;
    this.generation++;
  }

  /** Name and labels of an entry as they stand in the text. */
  rawName(entry: number): string {
    const start = this.names.start(entry);
    return this.names.bytes.toString('utf8', start, start + this.names.length(entry));
  }

  metricOf(entry: number): number {
    return this.#metric[entry]!;
  }

  /** The next piece. Throws {@link ScanError}; the answer is lost then. */
  push(chunk: Uint8Array): void {
    const carry = this.staged!.carry;
    this.bytes += chunk.length;
    let at = 0;
    if (carry.length > 0) {
      const end = chunk.indexOf(NEWLINE);
      at = end < 0 ? chunk.length : end + 1;
      if (carry.length + (end < 0 ? at : end) > MAX_LINE) throw this.#tooLong();
      carry.append(chunk.subarray(0, at));
      if (end < 0) return;
      this.#lines(carry.bytes, 0, carry.length);
      carry.length = 0;
    }
    const end = chunk.lastIndexOf(NEWLINE) + 1;
    if (end > at) this.#lines(chunk, at, end);
    at = Math.max(at, end);
    if (chunk.length - at > MAX_LINE) throw this.#tooLong();
    carry.append(chunk.subarray(at));
  }

  /** There is no more. */
  end(): void {
    const { carry } = this.staged!;
    if (carry.length > 0) {
      const blank = skipBlanks(carry.bytes.fill(0, carry.length, carry.length + 1), 0) === carry.length;
      if (this.#format === 'openmetrics' || !blank) {
        // OpenMetrics may leave out what ends its last line.
        const isEof = this.#format === 'openmetrics' && carry.bytes.toString('latin1', 0, carry.length) === '# EOF';
        if (!isEof) throw this.#wrong(this.#line + 1, 'the text ends in the middle of it');
        carry.append(Uint8Array.of(NEWLINE));
        this.#lines(carry.bytes, 0, carry.length);
      }
      carry.length = 0;
    }
    if (this.#format === 'openmetrics' && !this.#ended) {
      throw new ScanError('the text is not whole: OpenMetrics ends with "# EOF"', 0);
    }
    if (this.#previous >= 0) this.#next[this.#previous] = -1;
  }

  #wrong(line: number, what: string): ScanError {
    return ScanError.syntax(this.#format, line, what);
  }

  #tooLong(): ScanError {
    return this.#wrong(this.#line + 1, `it is longer than ${MAX_LINE / 1024} kB`);
  }

  /** Whole lines: bytes[from, end). */
  #lines(bytes: Uint8Array, from: number, end: number): void {
    if (isUtf8(bytes.subarray(from, end))) {
      this.#scan(bytes, from, end);
      return;
    }
    let at = from;
    for (;;) {
      const next = bytes.indexOf(NEWLINE, at) + 1;
      if (!isUtf8(bytes.subarray(at, next))) break;
      at = next;
    }
    // What is wrong before it is told first.
    if (at > from) this.#scan(bytes, from, at);
    throw this.#wrong(this.#line + 1, 'it is not UTF-8');
  }

  #scan(bytes: Uint8Array, from: number, end: number): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const numbers = this.#numbers;
    let at = from;
    while (at < end) {
      const entry = this.#expected;
      if (entry >= 0 && !this.#ended) {
        const valueAt = at + this.names.length(entry) + 1;
        if (valueAt < end && bytes[valueAt - 1] === SPACE && this.names.standsAt(entry, view, at)) {
          const value = numbers.read(bytes, valueAt, end);
          const stop = numbers.end;
          if (stop > 0 && bytes[stop] === NEWLINE) {
            this.#line++;
            this.#expected = this.#next[entry]!;
            this.#previous = entry;
            this.#take(entry, value, NaN);
            at = stop + 1;
            continue;
          }
        }
      }
      const stop = bytes.indexOf(NEWLINE, at);
      this.#line++;
      if (stop - at > MAX_LINE) {
        this.#line--;
        throw this.#tooLong();
      }
      if (this.#format === 'text') this.#textLine(bytes, at, stop);
      else this.#openLine(bytes, at, stop);
      at = stop + 1;
    }
  }

  /** A value of a series; `time` in ms, NaN: none was given. */
  #take(entry: number, value: number, time: number): void {
    this.samples++;
    const metric = this.#metric[entry]!;
    const counts = this.metrics.isCounter(metric);
    const flags = this.#flags[entry]!;
    if (flags !== 0) {
      const buckets = this.metrics.bucketsOf(metric);
      if (buckets === 1 && (flags & BAD_LE) !== 0) throw this.#wrong(this.#line, "a histogram's le is a number");
      if (buckets === 2 && (flags & BAD_QUANTILE) !== 0)
        throw this.#wrong(this.#line, "a summary's quantile is a number");
    }
    const { keep, maxSeries } = this.#options;
    if (keep && !this.metrics.isKept(metric, keep)) {
      this.filtered++;
      return;
    }
    const staged = this.staged!;
    if (staged.count >= maxSeries) {
      const limit = maxSeries.toLocaleString('en');
      throw new ScanError(`more than ${limit} series: a filter can leave out some of them`, 0);
    }
    staged.add(counts ? 2 * entry : 2 * entry + 1, value, time);
  }

  #textLine(bytes: Uint8Array, from: number, end: number): void {
    const at = skipBlanks(bytes, from);
    if (at === end) return;
    if (bytes[at] === HASH) {
      this.#textComment(bytes, at + 1, end);
      return;
    }
    const nameEnd = metricNameEnd(bytes, at);
    if (nameEnd === at) throw this.#unexpected('the name of a metric', bytes, at, end);
    let i = skipBlanks(bytes, nameEnd);
    const labelled = bytes[i] === OPEN;
    if (labelled) i = this.#walkLabels(bytes, i + 1, false);
    else this.#labels.flags = 0;
    const seriesEnd = labelled ? i : nameEnd;
    i = skipBlanks(bytes, i);
    const value = this.#numbers.read(bytes, i, end);
    const stop = this.#numbers.end;
    if (stop < 0 || !isBlankOrEnd(bytes[stop])) throw this.#unexpected('a number', bytes, i, end);
    let time = NaN;
    if (stop !== end) {
      const timeFrom = skipBlanks(bytes, stop);
      const text = latin1(bytes, timeFrom, end);
      if (!isInt64(text))
        throw this.#unexpected('a time in whole milliseconds or the end of the line', bytes, timeFrom, end);
      time = Number(text);
    }
    this.#series(bytes, at, nameEnd, seriesEnd, value, time);
  }

  #walkLabels(bytes: Uint8Array, at: number, strict: boolean): number {
    try {
      return this.#labels.check(bytes, at, strict);
    } catch (error) {
      throw this.#wrong(this.#line, (error as Error).message);
    }
  }

  #unexpected(expected: string, bytes: Uint8Array, at: number, end: number): ScanError {
    const found = at >= end ? 'the end of the line' : excerpt(bytes, at, end);
    return this.#wrong(this.#line, `expected ${expected}, found ${found}`);
  }

  /** Looks up the series of a sample, or learns it. */
  #series(bytes: Uint8Array, from: number, nameEnd: number, end: number, value: number, time: number): void {
    const { flags } = this.#labels;
    if (end - from > MAX_RAW_NAME || (flags & TOO_MANY_LABELS) !== 0) {
      this.samples++;
      this.refused[end - from > MAX_RAW_NAME ? 'name_too_long' : 'name_too_many_labels']++;
      return;
    }
    const hash = hashBytes(bytes, from, end);
    let entry = this.names.find(bytes, from, end, hash);
    const isNew = entry < 0;
    if (isNew) {
      const metric = this.metrics.numberOf(bytes, from, nameEnd);
      entry = this.names.add(bytes, from, end, hash);
      this.#metric = growInt32(this.#metric, entry + 1);
      this.#flags = growInt32(this.#flags, entry + 1);
      this.#next = growInt32(this.#next, entry + 1);
      this.#metric[entry] = metric;
      this.#flags[entry] = flags & (BAD_LE | BAD_QUANTILE);
    }
    // After a new one the same is expected as before it.
    if (isNew) this.#next[entry] = this.#expected;
    if (this.#previous < 0) this.#first = entry;
    else this.#next[this.#previous] = entry;
    this.#previous = entry;
    this.#expected = this.#next[entry]!;
    this.#take(entry, value, time);
  }

  /** `at` is behind the hash. */
  #textComment(bytes: Uint8Array, at: number, end: number): void {
    let i = skipBlanks(bytes, at);
    const word = bytes[i] === 0x48 ? 'HELP' : bytes[i] === 0x54 ? 'TYPE' : null;
    if (word === null || !isWord(bytes, i, word) || bytes[i + 4] === NEWLINE || !isBlankOrEnd(bytes[i + 4])) return;
    i = skipBlanks(bytes, i + 4);
    if (i === end) return;
    const nameEnd = metricNameEnd(bytes, i);
    if (nameEnd === end && nameEnd > i) return;
    if (nameEnd === i || !isBlankOrEnd(bytes[nameEnd])) throw this.#unexpected('the name of a metric', bytes, i, end);
    const owner = this.metrics.ownerOf(this.metrics.numberOf(bytes, i, nameEnd));
    const rest = skipBlanks(bytes, nameEnd);
    if (rest === end) return;
    if (word === 'TYPE') this.#setType(owner, bytes, rest, end);
    else {
      this.#checkHelp(bytes, rest, end);
      if (!this.metrics.describe(owner, bytes, rest, end)) throw this.#second('HELP', owner);
    }
  }

  #second(word: string, owner: number): ScanError {
    return this.#wrong(this.#line, `a second ${word} line for ${this.metrics.nameOf(owner)}`);
  }

  #setType(owner: number, bytes: Uint8Array, from: number, end: number): void {
    const type: MetricType = typeNamed(latin1(bytes, from, Math.min(end, from + 64)), this.#format);
    if (type === 0) throw this.#unexpected('the type of a metric', bytes, from, end);
    if (!this.metrics.setType(owner, type)) {
      const name = this.metrics.nameOf(owner);
      throw this.#wrong(this.#line, `a second TYPE line for ${name}, or one behind its values`);
    }
  }

  #checkHelp(bytes: Uint8Array, from: number, end: number): void {
    for (let i = from; i < end; i++) {
      if (bytes[i] !== BACKSLASH) continue;
      i++;
      if (bytes[i] !== BACKSLASH && bytes[i] !== 0x6e) {
        throw this.#wrong(this.#line, `${excerpt(bytes, i - 1, Math.min(end, i + 1))} is no escape sequence`);
      }
    }
  }

  #openLine(bytes: Uint8Array, at: number, end: number): void {
    if (this.#ended) throw this.#wrong(this.#line, 'something comes after "# EOF"');
    if (bytes[at] === HASH) {
      this.#openComment(bytes, at, end);
      return;
    }
    const nameEnd = metricNameEnd(bytes, at);
    if (nameEnd === at) throw this.#unexpected('the name of a metric', bytes, at, end);
    const labelled = bytes[nameEnd] === OPEN;
    const seriesEnd = labelled ? this.#walkLabels(bytes, nameEnd + 1, true) : nameEnd;
    // Those of an exemplar are not the series'.
    const flags = labelled ? this.#labels.flags : 0;
    const value = this.#openNumber('a number', bytes, seriesEnd, end);
    let time = NaN;
    let i = this.#numbers.end;
    if (i !== end && !(bytes[i + 1] === HASH && bytes[i + 2] === SPACE)) {
      time = 1000 * this.#openNumber('a time in seconds', bytes, i, end);
      if (!Number.isFinite(time)) throw this.#unexpected('a time in seconds', bytes, i + 1, end);
      i = this.#numbers.end;
    }
    if (i !== end) this.#skipExemplar(bytes, at, nameEnd, i, end);
    this.#labels.flags = flags;
    this.#series(bytes, at, nameEnd, seriesEnd, value, time);
  }

  /** A space and a number. */
  #openNumber(expected: string, bytes: Uint8Array, at: number, end: number): number {
    if (bytes[at] !== SPACE) throw this.#unexpected(`a space and ${expected}`, bytes, at, end);
    const value = this.#numbers.read(bytes, at + 1, end);
    const stop = this.#numbers.end;
    if (stop < 0 || (stop !== end && bytes[stop] !== SPACE)) throw this.#unexpected(expected, bytes, at + 1, end);
    return value;
  }

  /** ` # {labels} value` and perhaps a time. */
  #skipExemplar(bytes: Uint8Array, nameFrom: number, nameEnd: number, at: number, end: number): void {
    const opened = bytes[at] === SPACE && bytes[at + 1] === HASH && bytes[at + 2] === SPACE && bytes[at + 3] === OPEN;
    if (!opened) throw this.#unexpected('an exemplar or the end of the line', bytes, at, end);
    if (!/_(?:total|bucket)$/.test(latin1(bytes, nameFrom, nameEnd))) {
      throw this.#wrong(
        this.#line,
        `${excerpt(bytes, nameFrom, nameEnd)} has no exemplars: only _total and _bucket do`,
      );
    }
    const labelsEnd = this.#walkLabels(bytes, at + 4, true);
    this.#openNumber("an exemplar's number", bytes, labelsEnd, end);
    const i = this.#numbers.end;
    if (i === end) return;
    const time = this.#openNumber("an exemplar's time", bytes, i, end);
    if (!Number.isFinite(time) || this.#numbers.end !== end)
      throw this.#unexpected("an exemplar's time", bytes, i, end);
  }

  #openComment(bytes: Uint8Array, at: number, end: number): void {
    if (end - at === 5 && isWord(bytes, at, '# EOF')) {
      this.#ended = true;
      return;
    }
    const word = ['HELP', 'TYPE', 'UNIT'].find((one) => isWord(bytes, at, `# ${one} `));
    if (word === undefined) throw this.#unexpected('HELP, TYPE, UNIT or EOF behind "# "', bytes, at, end);
    const from = at + 7;
    const nameEnd = metricNameEnd(bytes, from);
    if (nameEnd === from) throw this.#unexpected('the name of a metric', bytes, from, end);
    if (bytes[nameEnd] !== SPACE) throw this.#unexpected('a space behind the name', bytes, nameEnd, end);
    const owner = this.metrics.ownerOf(this.metrics.numberOf(bytes, from, nameEnd));
    const rest = nameEnd + 1;
    if (word === 'TYPE') this.#setType(owner, bytes, rest, end);
    else if (word === 'HELP') {
      if (!this.metrics.describe(owner, bytes, rest, end)) throw this.#second('HELP', owner);
    } else {
      if (!this.metrics.setUnit(owner)) throw this.#second('UNIT', owner);
      const unit = latin1(bytes, rest, end);
      if (unit !== '' && !latin1(bytes, from, nameEnd).endsWith(`_${unit}`)) {
        throw this.#wrong(
          this.#line,
          `the name of a metric ends with its unit, but ${excerpt(bytes, from, nameEnd)} does not`,
        );
      }
    }
  }
}

const isBlankOrEnd = (c: number | undefined): boolean => c === SPACE || c === TAB || c === NEWLINE;

function isWord(bytes: Uint8Array, at: number, word: string): boolean {
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word.charCodeAt(i)) return false;
  return true;
}

const latin1 = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.max(0, to - from)).toString('latin1');

/** A decimal integer of 64 bits. */
function isInt64(text: string): boolean {
  if (/^\d{1,15}$/.test(text)) return true;
  if (!/^[+-]?\d{1,400}$/.test(text)) return false;
  const value = BigInt(text.replace(/^\+/, ''));
  return BigInt.asIntN(64, value) === value;
}
