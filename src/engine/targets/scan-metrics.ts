/**
 * What an answer says of its metrics: types, descriptions, and which metric a sample's name belongs to
 * (`rpc_seconds_bucket` is a histogram's). Kept by number from one answer to the next; what an answer has said is told by
 * the answer's own number beside it, so that nothing needs to be cleared.
 */

import { growFloat64, growInt32, NO_DOUBLES, NO_INTS } from '../live/columns.ts';
import { SharedNames } from '../live/name-pool.ts';
import { hashBytes } from '../live/name-table.ts';
import type { Format } from './scan-error.ts';

const TYPES = [
  '',
  'counter',
  'gauge',
  'histogram',
  'summary',
  'unknown',
  'gaugehistogram',
  'info',
  'stateset',
] as const;
/** What a metric is said to be; 0: nothing yet. */
export type MetricType = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;
const [COUNTER, GAUGE, HISTOGRAM, SUMMARY, UNKNOWN, GAUGE_HISTOGRAM, INFO]: MetricType[] = [1, 2, 3, 4, 5, 6, 7];

const SUFFIXES = ['_bucket', '_count', '_sum', '_total', '_created', '_gcount', '_gsum', '_info'] as const;
type Suffix = (typeof SUFFIXES)[number];

/** Samples with these suffixes belong to a metric of this type. The others, and other names, are metrics of their own. */
const OWNED: Readonly<Record<Format, Partial<Record<MetricType, readonly Suffix[]>>>> = {
  text: { [SUMMARY!]: ['_count', '_sum'], [HISTOGRAM!]: ['_count', '_sum', '_bucket'] },
  openmetrics: {
    [COUNTER!]: ['_total', '_created'],
    [HISTOGRAM!]: ['_bucket', '_count', '_sum', '_created'],
    [SUMMARY!]: ['_count', '_sum', '_created'],
    [GAUGE_HISTOGRAM!]: ['_bucket', '_gcount', '_gsum'],
    [INFO!]: ['_info'],
  },
};

/** A type by its name in a TYPE line, or 0. */
export function typeNamed(name: string, format: Format): MetricType {
  if (format === 'openmetrics') return Math.max(0, TYPES.indexOf(name as 'counter')) as MetricType;
  // In Prometheus text, upper and lower case are the same.
  const lower = name.toLowerCase();
  if (lower === 'untyped') return UNKNOWN!;
  if (lower === 'gauge_histogram') return GAUGE!;
  const type = TYPES.indexOf(lower as 'counter');
  return type >= 1 && type <= 4 ? (type as MetricType) : 0;
}

export class Metrics {
  readonly names = new SharedNames();
  readonly #docs = new SharedNames();
  #format: Format = 'text';
  #answer = 0;
  /** By metric. The answer in which each was last seen as a metric of its own, and what was said of it there. */
  #seen = NO_DOUBLES;
  #types = NO_INTS;
  #described = NO_DOUBLES;
  #united = NO_DOUBLES;
  /** Entry of the last description in `#docs`, or -1. */
  #doc = NO_INTS;
  /** The metric that this one's name without its suffix is; -1: it has none. And the suffix. */
  #stems = NO_INTS;
  #suffixes = NO_INTS;
  /** The answer for which `#owner` and `#counts` are right. */
  #resolved = NO_DOUBLES;
  #owner = NO_INTS;
  #counts = NO_INTS;
  /** 1: the filter takes its samples, 0: it does not, -1: nobody has asked. */
  #kept = NO_INTS;

  /** It is not used any more. */
  release(): void {
    this.names.release();
    this.#docs.release();
  }

  begin(format: Format): void {
    this.#format = format;
    this.#answer++;
  }

  /** Number of a metric, by its name in bytes[from, to). */
  numberOf(bytes: Uint8Array, from: number, to: number): number {
    const hash = hashBytes(bytes, from, to);
    const known = this.names.find(bytes, from, to, hash);
    if (known >= 0) return known;
    const number = this.names.add(bytes, from, to, hash);
    this.#grow(number + 1);
    this.#doc[number] = -1;
    this.#kept[number] = -1;
    const suffix = SUFFIXES.findIndex((text) => endsWith(bytes, from, to, text));
    this.#suffixes[number] = suffix;
    this.#stems[number] = -1;
    if (suffix >= 0) {
      const stem = this.numberOf(bytes, from, to - SUFFIXES[suffix]!.length);
      this.#stems[number] = stem;
    }
    return number;
  }

  #grow(count: number): void {
    this.#seen = growFloat64(this.#seen, count);
    this.#described = growFloat64(this.#described, count);
    this.#united = growFloat64(this.#united, count);
    this.#resolved = growFloat64(this.#resolved, count);
    this.#types = growInt32(this.#types, count);
    this.#doc = growInt32(this.#doc, count);
    this.#stems = growInt32(this.#stems, count);
    this.#suffixes = growInt32(this.#suffixes, count);
    this.#owner = growInt32(this.#owner, count);
    this.#counts = growInt32(this.#counts, count);
    this.#kept = growInt32(this.#kept, count);
  }

  /** The metric that a name belongs to in this answer, as far as it has been read; it is made if need be. */
  ownerOf(number: number): number {
    if (this.#seen[number] === this.#answer) return number;
    const stem = this.#stems[number]!;
    if (stem >= 0 && this.#seen[stem] === this.#answer) {
      const owned = OWNED[this.#format][this.#types[stem] as MetricType];
      if (owned?.includes(SUFFIXES[this.#suffixes[number]!]!)) return stem;
    }
    this.#seen[number] = this.#answer;
    this.#types[number] = 0;
    return number;
  }

  /** False: it has a type already, or samples. */
  setType(owner: number, type: MetricType): boolean {
    if (this.#types[owner] !== 0) return false;
    this.#types[owner] = type;
    return true;
  }

  /** False: it has a description already. */
  describe(owner: number, bytes: Uint8Array, from: number, to: number): boolean {
    if (this.#described[owner] === this.#answer) return false;
    this.#described[owner] = this.#answer;
    const hash = hashBytes(bytes, from, to);
    const known = this.#docs.find(bytes, from, to, hash);
    this.#doc[owner] = known >= 0 ? known : this.#docs.add(bytes, from, to, hash);
    return true;
  }

  /** False: it has a unit already. */
  setUnit(owner: number): boolean {
    if (this.#united[owner] === this.#answer) return false;
    this.#united[owner] = this.#answer;
    return true;
  }

  /** The samples of this name are counters. Called for each sample; settles the type of what has none. */
  isCounter(number: number): boolean {
    if (this.#resolved[number] !== this.#answer) this.#resolve(number);
    return this.#counts[number] === 1;
  }

  #resolve(number: number): void {
    const owner = this.ownerOf(number);
    if (this.#types[owner] === 0) this.#types[owner] = UNKNOWN!;
    this.#resolved[number] = this.#answer;
    this.#owner[number] = owner;
    const type = this.#types[owner];
    const suffix = SUFFIXES[this.#suffixes[number]!];
    // A creation time is a time; of histograms and summaries only what adds up counts.
    const counts = owner === number ? type === COUNTER : type === HISTOGRAM || type === SUMMARY || type === COUNTER;
    this.#counts[number] = counts && (owner === number || suffix !== '_created') ? 1 : 0;
  }

  /** Its samples are a histogram's (1) or a summary's (2), else 0. After {@link isCounter}. */
  bucketsOf(number: number): number {
    const type = this.#types[this.#owner[number]!];
    return type === HISTOGRAM ? 1 : type === SUMMARY ? 2 : 0;
  }

  /** The description of what a sample's name belongs to. After {@link isCounter}. */
  docOf(number: number): string {
    const owner = this.#owner[number]!;
    if (this.#described[owner] !== this.#answer) return '';
    const entry = this.#doc[owner]!;
    const start = this.#docs.start(entry);
    const raw = this.#docs.bytes.toString('utf8', start, start + this.#docs.length(entry));
    return raw.replaceAll(/\\([\\n"])/g, (_, c: string) => (c === 'n' ? '\n' : c));
  }

  nameOf(number: number): string {
    const start = this.names.start(number);
    return this.names.bytes.toString('latin1', start, start + this.names.length(number));
  }

  /** What the filter says of a name, asked once. */
  isKept(number: number, keep: (name: string) => boolean): boolean {
    if (this.#kept[number] === -1) this.#kept[number] = keep(this.nameOf(number)) ? 1 : 0;
    return this.#kept[number] === 1;
  }

  /** Descriptions and names that it remembers. */
  get remembered(): number {
    return this.names.count + this.#docs.count;
  }
}

function endsWith(bytes: Uint8Array, from: number, to: number, suffix: string): boolean {
  const at = to - suffix.length;
  if (at <= from) return false;
  for (let i = 0; i < suffix.length; i++) if (bytes[at + i] !== suffix.charCodeAt(i)) return false;
  return true;
}
