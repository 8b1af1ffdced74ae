/** Which alarms a silence or a route is about: conditions on their labels, as Alertmanager has them. Pure. */

import type { Matcher } from '../api/silences.ts';

export type Labels = Readonly<Record<string, string>>;

/** Whether a text matches a pattern as a whole, in time that grows with the text only. */
export type Pattern = (text: string) => boolean;
/** Throws an error in words where a pattern cannot be used. */
export type CompilePattern = (pattern: string) => Pattern;

/** True for labels that meet all conditions. A label that is not there is an empty text. Throws what `compile` throws. */
export function compileMatchers(matchers: readonly Matcher[], compile: CompilePattern): (labels: Labels) => boolean {
  const tests = matchers.map(({ label, op, value }) => {
    const wanted = op === '=' || op === '=~';
    const test: Pattern = op === '=' || op === '!=' ? (text) => text === value : compile(value);
    return { label, wanted, test };
  });
  return (labels) =>
    tests.every(({ label, wanted, test }) => {
      const text = Object.hasOwn(labels, label) ? labels[label]! : '';
      return test(text) === wanted;
    });
}

/** As people write it: `severity="critical"`. */
export const matcherText = ({ label, op, value }: Matcher): string => `${label}${op}${JSON.stringify(value)}`;
