/**
 * The language in which profiles are searched: words that all have to be met.
 *
 *   lulesh                 in job id, command, nodes, cluster, partition, user, tags or note, without case
 *   "srun -n 4"            quotes keep together; \" and \\ stand for themselves in them
 *   -debug  -tag:old       a minus before a word: not
 *   user: cmd: node: cluster: partition: job: note:    contains, without case
 *   tag:slow               this tag exactly, without case
 *   state:failed           finished, interrupted, ok or failed
 *   size:64 size:>64 size:<=8 size:8..64 size:8..
 *   duration:>10m duration:1m..1h30m
 *   from:2026-11-01 from:7d to:yesterday time:2026-11      start of the run; days are the engine's own
 */

export const TEXT_KEYWORDS = ['user', 'cmd', 'node', 'tag', 'cluster', 'partition', 'job', 'note'] as const;
export const RANGE_KEYWORDS = ['size', 'duration', 'from', 'to', 'time'] as const;
export const SEARCH_KEYWORDS = [...TEXT_KEYWORDS, 'state', ...RANGE_KEYWORDS] as const;
export type SearchKeyword = (typeof SEARCH_KEYWORDS)[number];
export const SEARCH_STATES = ['finished', 'interrupted', 'ok', 'failed'] as const;
export type SearchState = (typeof SEARCH_STATES)[number];

/** More are an error. */
export const MAX_TERMS = 32;

/** What a term asks of a profile. Texts are in lower case; ranges have both ends in them, times are ms since the epoch. */
export type SearchTest =
  | { readonly field: 'text' | (typeof TEXT_KEYWORDS)[number]; readonly value: string }
  | { readonly field: 'state'; readonly value: SearchState }
  | { readonly field: 'size' | 'duration' | 'start'; readonly low: number; readonly high: number };

export interface SearchTerm {
  /** Where it stands in the text, in UTF-16 code units: for marks below a field, and to take it out. */
  readonly start: number;
  readonly end: number;
  readonly negated: boolean;
  /** As it was written; null: a word without one. */
  readonly keyword: SearchKeyword | null;
  readonly test: SearchTest;
}

export interface SearchError {
  readonly start: number;
  readonly end: number;
  /** For people. */
  readonly message: string;
}

export interface ParsedSearch {
  readonly terms: readonly SearchTerm[];
  readonly errors: readonly SearchError[];
}

/** A value as it has to be written behind a keyword, or as a word. */
export function quoteSearch(value: string): string {
  return /^[^\s"\\:-][^\s"\\:]*$/.test(value) ? value : `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
}

interface Word {
  readonly start: number;
  readonly end: number;
  readonly negated: boolean;
  readonly keyword: string | null;
  readonly value: string;
  /** Some of the value stood in quotes. */
  readonly quoted: boolean;
}

/** `now`: ms since the epoch, for relative times. Never throws; terms with errors are not among the terms. */
export function parseSearch(text: string, now: number): ParsedSearch {
  const terms: SearchTerm[] = [];
  const errors: SearchError[] = [];
  for (const word of wordsOf(text)) {
    const { start, end, negated, keyword } = word;
    const test = testOf(word, now);
    if (typeof test === 'string') errors.push({ start, end, message: test });
    else if (terms.length === MAX_TERMS) {
      errors.push({ start, end: text.length, message: `a search has ${MAX_TERMS} terms at most` });
      break;
    } else terms.push({ start, end, negated, keyword: keyword as SearchKeyword | null, test });
  }
  return { terms, errors };
}

function* wordsOf(text: string): Generator<Word, void> {
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at]!)) {
      at++;
      continue;
    }
    const start = at;
    const negated = text[at] === '-' && at + 1 < text.length && !/\s/.test(text[at + 1]!);
    if (negated) at++;
    // Two slashes behind it: an address, and no keyword.
    const keyword = /^[A-Za-z]+(?=:(?!\/\/))/.exec(text.slice(at, at + 32))?.[0] ?? null;
    if (keyword !== null) at += keyword.length + 1;
    let value = '';
    let isQuoted = false;
    let quoted = false;
    for (; at < text.length && (isQuoted || !/\s/.test(text[at]!)); at++) {
      const c = text[at]!;
      if (c === '"') {
        isQuoted = !isQuoted;
        quoted = true;
      } else if (isQuoted && c === '\\' && at + 1 < text.length) value += text[++at]!;
      else value += c;
    }
    yield { start, end: at, negated, keyword: keyword?.toLowerCase() ?? null, value, quoted };
  }
}

/** What it asks for, or what is wrong with it. */
function testOf({ keyword, value, quoted }: Word, now: number): SearchTest | string {
  if (keyword === null)
    return value === '' ? 'there is nothing between the quotes' : { field: 'text', value: fold(value) };
  if (!isKeyword(keyword)) {
    return `${keyword}: is none of ${SEARCH_KEYWORDS.map((known) => `${known}:`).join(' ')}; in quotes it is looked for as text`;
  }
  if (value.trim() === '')
    return quoted ? `${keyword}: has nothing in its quotes` : `${keyword}: has nothing behind it`;
  switch (keyword) {
    case 'state': {
      const state = SEARCH_STATES.find((known) => known === value.toLowerCase());
      return state ? { field: 'state', value: state } : `state: is one of ${SEARCH_STATES.join(', ')}`;
    }
    case 'size':
      return range('size', value, numberSpan) ?? 'size: is a number of processes, as 64, >64, <=8 or 8..64';
    case 'duration':
      return range('duration', value, durationSpan) ?? 'duration: is a time with its unit, as >90s, <10m or 1m..1h30m';
    case 'time':
      return range('start', value, (text) => timeSpan(text, now)) ?? `time: is ${TIMES}`;
    case 'from':
    case 'to': {
      const span = timeSpan(value, now);
      if (!span) return range('start', value, (text) => timeSpan(text, now)) ?? `${keyword}: is ${TIMES}`;
      const [low, high] = keyword === 'from' ? [span[0], Infinity] : [-Infinity, span[1]];
      return { field: 'start', low, high };
    }
    default:
      return { field: keyword, value: fold(value) };
  }
}

const TIMES = 'a day (2026-11-01), a month, a moment (2026-11-01T14:30), today, yesterday, or so long ago (7d, 12h)';

const isKeyword = (text: string): text is SearchKeyword => (SEARCH_KEYWORDS as readonly string[]).includes(text);

/** Texts are compared without case and with single spaces. */
export const fold = (text: string): string => text.toLowerCase();

/** First and last value that a text stands for: a day is a span of times. */
type Span = readonly [low: number, high: number];

function range(
  field: 'size' | 'duration' | 'start',
  text: string,
  spanOf: (text: string) => Span | null,
): SearchTest | null {
  const compared = /^(<=|>=|<|>|=)\s*(.+)$/s.exec(text);
  if (compared) {
    const span = spanOf(compared[2]!);
    if (!span) return null;
    const [low, high] = span;
    switch (compared[1]) {
      case '<':
        return { field, low: -Infinity, high: below(low) };
      case '<=':
        return { field, low: -Infinity, high };
      case '>':
        return { field, low: above(high), high: Infinity };
      case '>=':
        return { field, low, high: Infinity };
      default:
        return { field, low, high };
    }
  }
  const dots = text.indexOf('..');
  if (dots < 0) {
    const span = spanOf(text);
    return span && { field, low: span[0], high: span[1] };
  }
  const [first, last] = [text.slice(0, dots), text.slice(dots + 2)];
  if (first === '' && last === '') return null;
  const from = first === '' ? ([-Infinity, 0] as const) : spanOf(first);
  const to = last === '' ? ([0, Infinity] as const) : spanOf(last);
  return from && to && { field, low: from[0], high: to[1] };
}

/** The next number, of those that are not negative. */
const above = (x: number): number => (x === 0 ? Number.MIN_VALUE : x * (1 + Number.EPSILON));
const below = (x: number): number => (x === 0 ? -Number.MIN_VALUE : x * (1 - Number.EPSILON));

function numberSpan(text: string): Span | null {
  if (!/^\d{1,15}(\.\d{1,9})?$/.test(text)) return null;
  return [Number(text), Number(text)];
}

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `90s`, `1h30m`; in ms. */
function duration(text: string): number | null {
  if (!/^(\d{1,9}(\.\d{1,6})?(ms|[smhdw]))+$/.test(text)) return null;
  let ms = 0;
  for (const [, number, , unit] of text.matchAll(/(\d+(\.\d+)?)(ms|[smhdw])/g)) ms += Number(number) * UNITS[unit!]!;
  return ms;
}

function durationSpan(text: string): Span | null {
  const ms = duration(text.toLowerCase());
  return ms === null ? null : [ms, ms];
}

function timeSpan(given: string, now: number): Span | null {
  const text = given.trim().toLowerCase();
  if (text === 'now') return [now, now];
  const date = new Date(now);
  if (text === 'today' || text === 'yesterday') {
    const back = text === 'today' ? 0 : 1;
    const day = (n: number): number =>
      new Date(date.getFullYear(), date.getMonth(), date.getDate() - back + n).getTime();
    return [day(0), day(1) - 1];
  }
  const ago = duration(text);
  if (ago !== null) return [now - ago, now - ago];
  const match = /^(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:[t ](\d{1,2}):(\d{2})(?::(\d{2}))?(z)?)?)?)?$/.exec(text);
  if (!match) return null;
  const [year, month, day, hour, minute, second] = match
    .slice(1, 7)
    .map((part) => (part === undefined ? null : Number(part)));
  const parts = [year!, (month ?? 1) - 1, day ?? 1, hour ?? 0, minute ?? 0, second ?? 0] as const;
  // What a calendar does not have (13th month, 31 February) rolls over: it is refused.
  const at = match[7] ? Date.UTC(...parts) : new Date(...parts).getTime();
  const back = new Date(at);
  const isReal = match[7] ? back.getUTCDate() === parts[2] : back.getDate() === parts[2];
  if (parts[1] < 0 || parts[1] > 11 || !isReal || parts[3] > 23 || parts[4] > 59 || parts[5] > 59) return null;
  // Up to the end of the finest part that is told.
  const last = [month, day, hour === null ? null : minute, second].findIndex(
    (part) => part === null || part === undefined,
  );
  const finest = last < 0 ? 4 : last;
  const next: [number, number, number, number, number, number] = [...parts];
  next[[0, 1, 2, 4, 5][finest]!]!++;
  const end = match[7] ? Date.UTC(...next) : new Date(...next).getTime();
  return [at, end - 1];
}
