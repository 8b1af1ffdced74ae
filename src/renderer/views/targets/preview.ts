import type { BulkResult } from '../../../shared/api/targets.ts';
import { formatCount } from '../../format/units.ts';
import { shortUrl, targetsText } from './words.ts';

const HEAD = 4;
const TAIL = 2;

/** The first and the last of a long list, with how many are between. */
export function ends(urls: readonly string[]): { head: readonly string[]; between: number; tail: readonly string[] } {
  if (urls.length <= HEAD + TAIL + 1) return { head: urls, between: 0, tail: [] };
  return { head: urls.slice(0, HEAD), between: urls.length - HEAD - TAIL, tail: urls.slice(-TAIL) };
}

export interface PreviewWords {
  /** How many would be added, and how many would not. */
  readonly text: string;
  readonly adds: number;
  readonly urls: readonly string[];
  /** Addresses that would not be taken, with the reason. */
  readonly refused: readonly string[];
}

/** What a preview says. */
export function previewWords({ items }: BulkResult): PreviewWords {
  const fresh = items.filter(({ outcome }) => outcome === 'new');
  const known = items.filter(({ outcome }) => outcome === 'known').length;
  const refused = items.filter(({ outcome }) => outcome === 'refused');
  const parts = [
    `${targetsText(fresh.length, formatCount(fresh.length))} will be added`,
    ...(known === 0 ? [] : [`${formatCount(known)} ${known === 1 ? 'is' : 'are'} on the list already`]),
    ...(refused.length === 0 ? [] : [`${formatCount(refused.length)} cannot be added`]),
  ];
  return {
    text: parts.join(', '),
    adds: fresh.length,
    urls: fresh.map(({ url }) => shortUrl(url)),
    refused: refused.map(({ url, reason }) => `${url}: ${reason ?? 'not taken'}`),
  };
}
