/**
 * Which metrics of a target are taken, by name: globs with `*` and `?`, or regular expressions between slashes. Names
 * come from the target and patterns from people: no pair of them may keep the engine busy.
 */

import { isRegex, refusePattern } from '../../shared/metric-pattern.ts';
import type { MetricFilter } from './type.ts';

/** A regular expression is not tried on longer names: what it costs grows with their length, and not only in proportion. */
const MAX_NAME = 200;

type Matches = (name: string) => boolean;

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
