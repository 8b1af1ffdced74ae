/** Commands that differ only in what is volatile: folded by rules, so that their runs are one group. */

import { createHash } from 'node:crypto';
import type { GroupRule } from '../../../shared/api/profiles.ts';
import { LinearPattern } from '../linear-pattern.ts';

/** Of a command so much is looked at, UTF-16 code units; of what comes out so much is kept, and a hash of the rest. */
const LOOKED_AT = 4096;
const KEPT = 380;
/**
 * States of one pattern; states that all rules together may look at in one command: a few milliseconds, whatever the
 * patterns. A count and no time, so that a command has the same group always: what is beyond it stays as it is.
 */
const MAX_STATES = 1000;
const EFFORT = 400_000;

export const DEFAULT_RULES: readonly GroupRule[] = [
  {
    pattern: '[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}',
    replacement: '<id>',
    note: 'UUIDs',
  },
  { pattern: '[^ =,;\'"]*/', replacement: '', note: 'paths: only the last part' },
  { pattern: 'tmp\\.[A-Za-z0-9]{6,}', replacement: '<tmp>', note: 'names of mktemp' },
  {
    pattern: '--(?:seed|port|pid|job-?id|run-?id|timestamp)[= ][^ ]+',
    replacement: '--<volatile>',
    note: 'options that are other ones each time',
  },
  {
    pattern: '[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T_ -]?[0-9]{2}[:-]?[0-9]{2}(?:[:-]?[0-9]{2})?)?',
    replacement: '<date>',
    note: 'dates',
  },
  { pattern: ':[0-9]{2,5}', replacement: ':<port>', note: 'ports' },
  { pattern: '0x[0-9a-fA-F]{4,}', replacement: '<hex>', note: 'addresses' },
  { pattern: '[0-9a-f]{12,64}', replacement: '<hex>', note: 'hashes' },
  { pattern: '[0-9]{5,}', replacement: '<n>', note: 'job ids, process ids and other long numbers' },
];

interface Compiled {
  readonly pattern: LinearPattern;
  readonly replacement: string;
}

/** What is wrong with a pattern, in words; null: nothing. */
export function patternFault(pattern: string): string | null {
  try {
    if (/^\^|(?:^|[^\\])\$$/.test(pattern))
      return 'it is looked for anywhere in a command: ^ and $ have no meaning; write \\^ or \\$';
    return new LinearPattern(pattern, MAX_STATES).matches('') ? 'it matches nothing at all, which is everywhere' : null;
  } catch (error) {
    return (error as Error).message;
  }
}

export class Normaliser {
  readonly #rules: readonly Compiled[];

  /** Rules with patterns that are none are left out. */
  constructor(rules: readonly GroupRule[] = DEFAULT_RULES) {
    this.#rules = rules
      .filter(({ pattern }) => patternFault(pattern) === null)
      .map(({ pattern, replacement }) => ({ pattern: new LinearPattern(pattern, MAX_STATES), replacement }));
  }

  /** What runs of this command are grouped by. */
  group(command: string): string {
    const effort = { left: EFFORT };
    let text = command.slice(0, LOOKED_AT);
    for (const { pattern, replacement } of this.#rules) text = replaced(text, pattern, replacement, effort);
    const group = text.trim().replaceAll(/\s+/g, ' ').toWellFormed();
    if (group.length <= KEPT && command.length <= LOOKED_AT) return group;
    const hash = createHash('sha256').update(group).update(command.slice(LOOKED_AT)).digest('hex').slice(0, 8);
    return `${group.slice(0, KEPT).toWellFormed()}… ${hash}`;
  }
}

function replaced(text: string, pattern: LinearPattern, replacement: string, effort: { left: number }): string {
  let out = '';
  let at = 0;
  for (let found = pattern.find(text, 0, effort); found; found = pattern.find(text, at, effort)) {
    out += text.slice(at, found.start) + replacement;
    at = found.end;
    // Replacements are at most 100 characters long, and there may be many.
    if (out.length > 4 * LOOKED_AT) break;
  }
  return at === 0 ? text : out + text.slice(at);
}
