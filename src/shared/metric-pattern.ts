/**
 * Which metrics are meant, by name: globs with `*` and `?`, or regular expressions between slashes. Names come from
 * targets and patterns from people: no pair of them may keep an engine busy. The page refuses what the engine refuses.
 */

/** Longest pattern, in characters. */
const MAX_PATTERN = 256;

/** Why a pattern cannot be used, in words, or null. */
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

/** It stands between slashes. */
export const isRegex = (pattern: string): boolean =>
  pattern.length > 2 && pattern.startsWith('/') && pattern.endsWith('/');

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
