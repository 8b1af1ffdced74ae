/** What the search field shows of what is typed: chips, errors, and what could come next. Pure functions. */

import { parseSearch, quoteSearch, SEARCH_KEYWORDS, SEARCH_STATES } from '../../../../shared/profiles/search.ts';
import type { SearchKeyword } from '../../../../shared/profiles/search.ts';

export interface Chip {
  readonly start: number;
  readonly end: number;
  /** As it was typed. */
  readonly text: string;
  readonly keyword: SearchKeyword | null;
  readonly negated: boolean;
}

export interface ShownSearch {
  readonly chips: readonly Chip[];
  /** One line each. */
  readonly errors: readonly { readonly text: string; readonly message: string }[];
}

export function showSearch(text: string, now: number): ShownSearch {
  const { terms, errors } = parseSearch(text, now);
  return {
    chips: terms.map(({ start, end, keyword, negated }) => ({
      start,
      end,
      text: text.slice(start, end),
      keyword,
      negated,
    })),
    errors: errors.map(({ start, end, message }) => ({ text: text.slice(start, end), message })),
  };
}

/** The search without one of its terms. */
export const without = (text: string, { start, end }: Pick<Chip, 'start' | 'end'>): string =>
  `${text.slice(0, start)} ${text.slice(end)}`.replaceAll(/\s+/g, ' ').trim();

/** The search with one more term, unless it has it. */
export function withTerm(text: string, keyword: SearchKeyword, value: string): string {
  const term = `${keyword}:${quoteSearch(value)}`;
  return text.split(/\s+/).includes(term) ? text : `${text} ${term}`.trim();
}

/** What each keyword is for, with an example. */
export const KEYWORD_HELP: Readonly<Record<SearchKeyword, readonly [what: string, example: string]>> = {
  cmd: ['part of the command', 'cmd:lulesh'],
  user: ['whose run it is', 'user:alice'],
  node: ['a node that took part', 'node:node07'],
  tag: ['a tag, whole', 'tag:"before the fix"'],
  cluster: ['the cluster', 'cluster:baltic'],
  partition: ['the partition', 'partition:gpu'],
  job: ['part of the job id', 'job:4711'],
  note: ['words of the note', 'note:network'],
  state: ['how it ended', 'state:failed'],
  size: ['number of processes', 'size:>=64'],
  duration: ['how long it ran', 'duration:1m..1h30m'],
  from: ['started then or later', 'from:7d'],
  to: ['started then or earlier', 'to:yesterday'],
  time: ['started in that day, month or year', 'time:2026-11-14'],
};

/** Values worth offering. Those of the engine (tags, users, nodes) come from what is on the screen. */
export type KnownValues = Partial<Readonly<Record<SearchKeyword, readonly string[]>>>;

const FIXED: KnownValues = {
  state: SEARCH_STATES,
  from: ['24h', '7d', '30d', 'today', 'yesterday'],
  to: ['today', 'yesterday', '7d', '30d'],
  time: ['today', 'yesterday'],
  size: ['>=64', '2..16'],
  duration: ['>10m', '<1m', '1m..1h'],
};

export interface Completion {
  /** The whole search when this is taken. */
  readonly text: string;
  /** What is shown: `tag:`, `tag:slow`. */
  readonly label: string;
  readonly hint: string;
}

const MOST = 12;

/** What could stand for the word that is being typed at the end. */
export function complete(text: string, known: KnownValues): Completion[] {
  // An open quote: spaces in it end no word.
  const word = /(?:^|\s)(-?(?:[^\s"]|"[^"]*"?)*)$/.exec(text)?.[1] ?? '';
  const before = text.slice(0, text.length - word.length);
  const minus = word.startsWith('-') ? '-' : '';
  const typed = word.slice(minus.length).toLowerCase();
  const colon = typed.indexOf(':');
  if (colon < 0) {
    return SEARCH_KEYWORDS.filter((keyword) => keyword.startsWith(typed)).map((keyword) => ({
      text: `${before}${minus}${keyword}:`,
      label: `${minus}${keyword}:`,
      hint: KEYWORD_HELP[keyword][0],
    }));
  }
  const keyword = SEARCH_KEYWORDS.find((one) => one === typed.slice(0, colon));
  if (!keyword) return [];
  const start = typed.slice(colon + 1).replaceAll('"', '');
  const values = [...new Set([...(known[keyword] ?? []), ...(FIXED[keyword] ?? [])])];
  return values
    .filter((value) => value.toLowerCase().includes(start) && value.toLowerCase() !== start)
    .slice(0, MOST)
    .map((value) => ({
      text: `${before}${minus}${keyword}:${quoteSearch(value)} `,
      label: `${minus}${keyword}:${quoteSearch(value)}`,
      hint: '',
    }));
}
