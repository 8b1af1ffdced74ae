/** Text that somebody over there had a part in, made fit to be shown and logged. */

import { cleanText } from './session/prompts.ts';

/** At most so many UTF-16 code units, without control characters; line ends stay. */
export function plainText(text: string, most: number): string {
  const plain = cleanText(text);
  if (plain.length <= most) return plain;
  // Not in the middle of a pair.
  return `${plain.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

export const wordsOf = (error: unknown): string =>
  plainText(error instanceof Error ? error.message : String(error), 1000);
