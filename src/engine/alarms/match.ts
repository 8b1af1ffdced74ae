/** Which series a rule is about: of which scopes, and which of theirs. Names come from strangers, patterns from users. */

import type { RuleScope } from '../../shared/api/alarms.ts';
import { parseMetric } from '../../shared/model/metric.ts';
import type { ScopeId } from '../../shared/model/scope.ts';
import type { Kind } from '../../shared/model/values.ts';
import { Selector, SelectorError } from '../store/selector.ts';

/** What numbers are read from: a live scope, a merge of several, or what a preview replays. */
export interface Source {
  readonly id: ScopeId;
  readonly counterCount: number;
  readonly gaugeCount: number;
  readonly counters: Float64Array;
  readonly gauges: Float64Array;
  readonly table: { key(kind: Kind, index: number): string; name(kind: Kind, index: number): string };
  /** Of a sum: how many of its parts have the series at a place (2 × index + 1 for a gauge). */
  holders?(place: number): number;
}

/** What patterns are compared with. */
export interface SourceAbout {
  readonly kind: 'run' | 'node' | 'target';
  /** For people: job id and command, host name, address. */
  readonly place: string;
  /** Of runs. */
  readonly jobid?: string;
  readonly command?: string;
  readonly user?: string;
  /** Host names of a node; of a target its address and each of its labels as `name=value`. */
  readonly names?: readonly string[];
}

/** Whether a text as a whole matches a pattern with `*` for anything and `?` for one character. */
export function matchesGlob(pattern: string, text: string): boolean {
  let [p, t, star, mark] = [0, 0, -1, 0];
  while (t < text.length) {
    if (pattern[p] === '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.length && (pattern[p] === '?' || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      // The last star takes one more character: what an earlier one took need not be tried again.
      p = star + 1;
      t = ++mark;
    } else return false;
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

const fits = (pattern: string | undefined, text: string | undefined): boolean =>
  pattern === undefined || (text !== undefined && matchesGlob(pattern, text));

/** Merges are no scopes: they match none. */
export function matchesScope(scope: RuleScope, about: SourceAbout): boolean {
  switch (scope.kind) {
    case 'all':
      return true;
    case 'merge':
      return false;
    case 'run':
      return (
        about.kind === 'run' &&
        fits(scope.jobid, about.jobid) &&
        fits(scope.command, about.command) &&
        fits(scope.user, about.user)
      );
    case 'node':
    case 'target': {
      const { name } = scope;
      return (
        about.kind === scope.kind && (name === undefined || (about.names ?? []).some((one) => matchesGlob(name, one)))
      );
    }
  }
}

/** A metric that was parsed once for many selectors. */
export interface Named {
  readonly family: string;
  readonly labels: ReadonlyMap<string, string>;
}

export function named(key: string): Named {
  const { family, labels } = parseMetric(key);
  return { family, labels: new Map([...labels, ['__name__', family]]) };
}

export const meets = (selector: Selector, { family, labels }: Named): boolean =>
  (selector.family === null || selector.family === family) && selector.meets(labels);

/** A selector, or why the text is none, in words. */
export function parseSelector(text: string): Selector | string {
  try {
    return Selector.parse(text);
  } catch (error) {
    if (error instanceof SelectorError) return error.message;
    throw error;
  }
}
