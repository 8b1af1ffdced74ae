/**
 * Which metrics of a target are taken, by name: globs with `*` and `?`, or regular expressions between slashes. Names
 * come from the target and patterns from people: no pair of them may keep the engine busy.
 */

import type { MetricFilter } from './type.ts';

const MAX_PATTERN = 256;
/** A regular expression is not tried on longer names: what it costs grows with their length, and not only in proportion. */
const MAX_NAME = 200;

type Matches = (name: string) => boolean;

/** Why a pattern cannot be used, or null. */
export function refusePattern(pattern: string): string | null {
  if (pattern === '') return 'a pattern is not empty';
  if (pattern.length > MAX_PATTERN) return `a pattern has ${MAX_PATTERN} characters at most`;
  if (!isRegex(pattern)) {
    return /^[\w:*?]+$/.test(pattern) ? null : 'a pattern is a name with * and ?, or a regular expression as in /^go_/';
  }
  const source = pattern.slice(1, -1);
  try {
    void new RegExp(source);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return refuseSlow(source);
}

const isRegex = (pattern: string): boolean => pattern.length > 2 && pattern.startsWith('/') && pattern.endsWith('/');

/** Repetitions multiply what a name costs: few are enough to tell names apart. */
function refuseSlow(source: string): string | null {
  // Escapes and classes are one character each.
  const bare = source
    .replaceAll(/\\[kK0-9]/g, '\u0001')
    .replaceAll(/\\./g, 'x')
    .replaceAll(/\[\^?\]?[^\]]*\]/g, 'x');
  if (bare.includes('\u0001')) return 'a pattern does not refer back to a group';
  if (/\)(?:[*+?]|\{)/.test(bare)) return 'a pattern repeats single characters, not groups';
  if (/\{\d*,?\d{3,}/.test(bare)) return 'a pattern repeats a character 99 times at most';
  const repeats = bare.match(/[*+]|\{/g)?.length ?? 0;
  const most = bare.startsWith('^') ? 2 : 1;
  if (repeats <= most) return null;
  return most === 2 ? 'a pattern has two repetitions at most' : 'a pattern with two repetitions begins with ^';
}

function compile(pattern: string): Matches {
  const refused = refusePattern(pattern);
  if (refused !== null) throw new Error(`${JSON.stringify(pattern)}: ${refused}`);
  if (!isRegex(pattern)) return (name) => globMatches(pattern, name);
  const regex = new RegExp(pattern.slice(1, -1));
  return (name) => name.length <= MAX_NAME && regex.test(name);
}

/** `*` is anything, `?` one character. Goes back to the last `*` only: the time is the product of the lengths at most. */
function globMatches(glob: string, name: string): boolean {
  let [g, n, star, from] = [0, 0, -1, 0];
  while (n < name.length) {
    if (glob[g] === '*') {
      star = g++;
      from = n;
    } else if (glob[g] === '?' || glob[g] === name[n]) {
      g++;
      n++;
    } else if (star >= 0) {
      g = star + 1;
      n = ++from;
    } else return false;
  }
  while (glob[g] === '*') g++;
  return g === glob.length;
}

/** Tells whether a metric is taken: one of `include` matches, or there is none, and none of `exclude` does. */
export function metricFilter({ include, exclude }: MetricFilter): Matches {
  const [taken, left] = [include.map(compile), exclude.map(compile)];
  return (name) =>
    (taken.length === 0 || taken.some((matches) => matches(name))) && !left.some((matches) => matches(name));
}
