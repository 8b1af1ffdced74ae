/**
 * Which series are meant: `family{a="b",c!="d",e=~"f.*",g!~"h"}`, as Prometheus has it. A label that a series does not
 * have is an empty text. The family may be left out; then something must be said of a label.
 */

import { parseMetric, type ParsedMetric } from '../../shared/model/metric.ts';
import { LinearPattern } from './linear-pattern.ts';

const MAX_SELECTOR = 4096;
const MAX_MATCHERS = 64;
/** Of all patterns of a question together: they are made, and tried, by the thread that answers others too. */
const MAX_STATES = 10_000;

/** How many states the patterns that follow may have. */
interface Room {
  states: number;
}

type Operator = '=' | '!=' | '=~' | '!~';

interface Matcher {
  readonly label: string;
  readonly test: (value: string) => boolean;
  /** The only text that passes; null: there are others. */
  readonly only: string | null;
  readonly isPattern: boolean;
}

/** Not a selector, in words for people. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError';
}

export class Selector {
  /** Null: any. */
  readonly family: string | null;
  readonly #matchers: readonly Matcher[];

  private constructor(family: string | null, matchers: readonly Matcher[]) {
    this.family = family;
    this.#matchers = matchers;
  }

  /** All series of a family. */
  static family(family: string): Selector {
    return new Selector(family, []);
  }

  /** Throws {@link SelectorError}. */
  static parse(text: string): Selector {
    return Selector.#parse(text, { states: MAX_STATES });
  }

  /** Those of one question. Throws {@link SelectorError}. */
  static all(texts: readonly string[]): Selector[] {
    const room = { states: MAX_STATES };
    return texts.map((text) => Selector.#parse(text, room));
  }

  static #parse(text: string, room: Room): Selector {
    if (text.length > MAX_SELECTOR) throw new SelectorError(`a selector is at most ${MAX_SELECTOR} characters long`);
    const brace = text.indexOf('{');
    const family = (brace < 0 ? text : text.slice(0, brace)).trim();
    const matchers = brace < 0 ? [] : parseMatchers(text, brace + 1, room);
    if (family === '' && matchers.length === 0) {
      throw new SelectorError('a selector is a family, labels in braces or both, such as node_load1{mode=~"u.*"}');
    }
    return new Selector(family === '' ? null : family, matchers);
  }

  matches(name: string): boolean {
    return this.fits(parseMetric(name));
  }

  /** The same of a name that was parsed. */
  fits({ family, labels }: ParsedMetric): boolean {
    if (this.family !== null && this.family !== family) return false;
    const byName = new Map(labels);
    byName.set('__name__', family);
    return this.meets(byName);
  }

  /** It has regular expressions, which take longer. */
  get hasPatterns(): boolean {
    return this.#matchers.some(({ isPattern }) => isPattern);
  }

  /** A label that only one text passes: for an index of many selectors. Null: there is none. */
  exact(): { readonly label: string; readonly value: string } | null {
    for (const { label, only } of this.#matchers) if (only !== null && only !== '') return { label, value: only };
    return null;
  }

  /** Whether labels, `__name__` among them, are meant; the family is not looked at. For one name and many selectors. */
  meets(labels: ReadonlyMap<string, string>): boolean {
    return this.#matchers.every(({ label, test }) => test(labels.get(label) ?? ''));
  }
}

const LABEL = /[A-Za-z_][A-Za-z0-9_]*/y;
const OPERATOR = /\s*(=~|!~|!=|=)\s*/y;

function parseMatchers(text: string, start: number, room: Room): Matcher[] {
  const matchers: Matcher[] = [];
  let at = start;
  const skip = (): void => {
    while (text[at] === ' ') at++;
  };
  const take = (what: RegExp, name: string): RegExpExecArray => {
    what.lastIndex = at;
    const found = what.exec(text);
    if (!found) throw new SelectorError(`expected ${name} at character ${at + 1} of ${JSON.stringify(text)}`);
    at = what.lastIndex;
    return found;
  };
  skip();
  while (text[at] !== '}') {
    if (matchers.length === MAX_MATCHERS) throw new SelectorError(`a selector has at most ${MAX_MATCHERS} labels`);
    const [label] = take(LABEL, 'the name of a label');
    const operator = take(OPERATOR, '=, !=, =~ or !~')[1] as Operator;
    const value = quoted();
    const [only, isPattern] = [operator === '=' ? value : null, operator === '=~' || operator === '!~'];
    matchers.push({ label, test: testOf(operator, value, room), only, isPattern });
    skip();
    if (text[at] === ',') at++;
    else if (text[at] !== '}') throw new SelectorError(`expected , or } at character ${at + 1}`);
    skip();
  }
  if (text.slice(at + 1).trim() !== '') throw new SelectorError('nothing may follow the closing brace');
  return matchers;

  function quoted(): string {
    if (text[at] !== '"') throw new SelectorError(`expected a text in double quotes at character ${at + 1}`);
    let out = '';
    for (at++; text[at] !== '"'; at++) {
      if (text[at] === undefined) throw new SelectorError('a text is not closed');
      if (text[at] !== '\\') out += text[at];
      else {
        at++;
        const c = text[at];
        if (c === 'n') out += '\n';
        // What only a pattern knows stays as it is.
        else out += c === '"' || c === '\\' ? c : `\\${c ?? ''}`;
      }
    }
    at++;
    return out;
  }
}

function testOf(operator: Operator, value: string, room: Room): Matcher['test'] {
  if (operator === '=') return (text) => text === value;
  if (operator === '!=') return (text) => text !== value;
  let pattern: LinearPattern;
  try {
    pattern = new LinearPattern(value, room.states);
    room.states -= pattern.states;
  } catch (error) {
    throw new SelectorError(`${JSON.stringify(value)}: ${(error as Error).message}`);
  }
  return operator === '=~' ? (text) => pattern.matches(text) : (text) => !pattern.matches(text);
}
