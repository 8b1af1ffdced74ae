/**
 * Regular expressions of strangers: what Prometheus users write (literals, `.`, classes, groups, `|`, `*`, `+`, `?`,
 * `{n,m}`), always about the whole text, and in time that grows with the text only: all ways through the pattern are
 * gone at once, none is tried and taken back (Thompson's construction).
 */

const MAX_PATTERN = 1000;
const MAX_STATES = 5000;
const MAX_REPEAT = 100;

type Test = (code: number) => boolean;
/** A state: a test that leads to `next`, or (`test` null) a fork; the end has neither. */
interface State {
  test: Test | null;
  next: number;
  other: number;
}
/** A part of the pattern: makes its states before `next` and returns where it begins. */
type Node = (next: number) => number;

export class LinearPattern {
  readonly #states: State[] = [];
  readonly #start: number;

  readonly #most: number;
  /** What every text that matches begins with: most others are told by it alone. */
  readonly #prefix: string;
  /** Of a look at a text: the round in which each state was reached last, those that it is in, and room to find them. */
  #seen = new Uint32Array(0);
  #round = 0;
  #here = new Int32Array(0);
  #next = new Int32Array(0);
  #stack = new Int32Array(0);

  /** `states`: how many it may have. Throws an error in words. */
  constructor(pattern: string, states = MAX_STATES) {
    this.#most = Math.min(states, MAX_STATES);
    if (pattern.length > MAX_PATTERN) throw new Error(`a pattern is at most ${MAX_PATTERN} characters long`);
    const parser = new Parser(
      pattern,
      (test, next, other) => this.#add(test, next, other),
      (fork, to) => {
        this.#states[fork]!.next = to;
      },
    );
    this.#prefix = literalPrefix(pattern);
    const end = this.#add(null, -1, -1);
    this.#start = parser.whole()(end);
  }

  #add(test: Test | null, next: number, other: number): number {
    if (this.#states.length >= this.#most) throw new Error('the pattern is too large');
    return this.#states.push({ test, next, other }) - 1;
  }

  get states(): number {
    return this.#states.length;
  }

  matches(text: string): boolean {
    if (!text.startsWith(this.#prefix)) return false;
    this.#turn();
    let [here, next] = [this.#here, this.#next];
    let count = this.#follow(this.#start, here, 0);
    for (const character of text) {
      if (count === 0) return false;
      const code = character.codePointAt(0)!;
      this.#turn();
      let reached = 0;
      for (let i = 0; i < count; i++) {
        const state = this.#states[here[i]!]!;
        if (state.test!(code)) reached = this.#follow(state.next, next, reached);
      }
      [here, next] = [next, here];
      count = reached;
    }
    // The end is the first state that was made.
    return this.#seen[0] === this.#round;
  }

  /**
   * Where the text has it, from a place on: leftmost, and of those the longest; never nothing. Places are UTF-16 code
   * units. `effort.left`: so many states are looked at before it gives up, as if the rest of the text had none.
   */
  find(text: string, from: number, effort: { left: number }): { start: number; end: number } | null {
    this.#turn();
    let [here, next] = [this.#here, this.#next];
    let [begins, after] = [new Int32Array(here.length), new Int32Array(here.length)];
    let [start, end] = [-1, -1];
    let count = 0;
    for (let at = from; at < text.length && effort.left > 0;) {
      // Behind all that began before: of two that are in one state the first counts, which is the one further left.
      if (end < 0) {
        const reached = this.#follow(this.#start, here, count);
        begins.fill(at, count, reached);
        count = reached;
      } else if (count === 0) break;
      const code = text.codePointAt(at)!;
      at += code > 0xffff ? 2 : 1;
      this.#turn();
      let reached = 0;
      for (let i = 0; i < count; i++) {
        const begin = begins[i]!;
        if (end >= 0 && begin > start) break;
        const state = this.#states[here[i]!]!;
        if (!state.test!(code)) continue;
        const was = reached;
        reached = this.#follow(state.next, next, reached);
        after.fill(begin, was, reached);
        // The end is the first state that was made; whoever comes to it first is furthest left.
        if (this.#seen[0] === this.#round && end !== at) [start, end] = [begin, at];
      }
      effort.left -= count + 1;
      [here, next] = [next, here];
      [begins, after] = [after, begins];
      count = reached;
    }
    return end < 0 ? null : { start, end };
  }

  /** Nothing is reached yet. */
  #turn(): void {
    if (this.#seen.length !== this.#states.length) {
      const { length } = this.#states;
      this.#seen = new Uint32Array(length);
      [this.#here, this.#next] = [new Int32Array(length), new Int32Array(length)];
      this.#stack = new Int32Array(2 * length + 1);
    }
    if (++this.#round < 0xffff_ffff) return;
    this.#seen.fill(0);
    this.#round = 1;
  }

  /** Adds the tests that are reached from a state without another character; returns how many there are then. */
  #follow(from: number, list: Int32Array, count: number): number {
    const [stack, seen, round] = [this.#stack, this.#seen, this.#round];
    let [left, n] = [1, count];
    stack[0] = from;
    while (left > 0) {
      const s = stack[--left]!;
      if (s < 0 || seen[s] === round) continue;
      seen[s] = round;
      const { test, next, other } = this.#states[s]!;
      if (test !== null) list[n++] = s;
      else {
        stack[left++] = next;
        stack[left++] = other;
      }
    }
    return n;
  }
}

/** Characters that stand for themselves, up to the first that does not, or that need not be there. */
function literalPrefix(pattern: string): string {
  if (pattern.includes('|')) return '';
  const plain = /^[A-Za-z0-9_/:;,=@ -]*/.exec(pattern)![0];
  return /[*?{]/.test(pattern.charAt(plain.length)) ? plain.slice(0, -1) : plain;
}

type Add = (test: Test | null, next: number, other: number) => number;

const between =
  (low: string, high: string): Test =>
  (code) =>
    code >= low.codePointAt(0)! && code <= high.codePointAt(0)!;
const either =
  (...tests: readonly Test[]): Test =>
  (code) =>
    tests.some((test) => test(code));
const not =
  (test: Test): Test =>
  (code) =>
    !test(code);
const one =
  (character: string): Test =>
  (code) =>
    code === character.codePointAt(0);

const DIGIT = between('0', '9');
const WORD = either(DIGIT, between('a', 'z'), between('A', 'Z'), one('_'));
const SPACE = either(...[' ', '\t', '\n', '\r', '\f', '\v'].map(one));
const CLASSES: Readonly<Record<string, Test>> = {
  ...{ d: DIGIT, w: WORD, s: SPACE, D: not(DIGIT), W: not(WORD), S: not(SPACE) },
  ...{ n: one('\n'), t: one('\t'), r: one('\r') },
};

class Parser {
  readonly #text: readonly string[];
  readonly #add: Add;
  readonly #lead: (fork: number, to: number) => void;
  #at = 0;
  #depth = 0;

  constructor(text: string, add: Add, lead: (fork: number, to: number) => void) {
    this.#text = Array.from(text);
    this.#add = add;
    this.#lead = lead;
  }

  whole(): Node {
    const node = this.#choice();
    if (this.#at < this.#text.length) throw new Error('a ) closes nothing');
    return node;
  }

  #choice(): Node {
    if (++this.#depth > 100) throw new Error('the pattern is nested too deeply');
    let node = this.#sequence();
    while (this.#text[this.#at] === '|') {
      this.#at++;
      const [left, right] = [node, this.#sequence()];
      node = (next) => this.#add(null, left(next), right(next));
    }
    this.#depth--;
    return node;
  }

  #sequence(): Node {
    const nodes: Node[] = [];
    for (let c = this.#text[this.#at]; c !== undefined && c !== '|' && c !== ')'; c = this.#text[this.#at]) {
      nodes.push(this.#repeated(this.#atom()));
    }
    return (next) => nodes.reduceRight((after, node) => node(after), next);
  }

  #repeated(node: Node): Node {
    const c = this.#text[this.#at];
    let [least, most] = [0, Infinity];
    if (c === '+') least = 1;
    else if (c === '?') most = 1;
    else if (c === '{') [least, most] = this.#counts();
    else if (c !== '*') return node;
    if (c !== '{') this.#at++;
    // Greedy or not is the same where only the whole text counts.
    if (this.#text[this.#at] === '?') this.#at++;
    if (['*', '+', '?', '{'].includes(this.#text[this.#at] ?? '')) throw new Error('a repetition is repeated');
    return (next) => {
      let start = next;
      if (most === Infinity) {
        start = this.#add(null, -1, next);
        // The fork leads into what comes back to it.
        this.#lead(start, node(start));
      } else for (let n = least; n < most; n++) start = this.#add(null, node(start), next);
      for (let n = 0; n < least; n++) start = node(start);
      return start;
    };
  }

  #counts(): [number, number] {
    const end = this.#text.indexOf('}', this.#at);
    const found = /^\{(\d{1,4})(?:(,)(\d{0,4}))?\}$/.exec(this.#text.slice(this.#at, end + 1).join(''));
    if (end < 0 || !found) throw new Error('expected {n}, {n,} or {n,m}');
    this.#at = end + 1;
    const least = Number(found[1]);
    const most = found[2] === undefined ? least : found[3] === '' ? Infinity : Number(found[3]);
    if (least > MAX_REPEAT || (most !== Infinity && most > MAX_REPEAT) || most < least)
      throw new Error(`a repetition is between 0 and ${MAX_REPEAT} times`);
    return [least, most];
  }

  #atom(): Node {
    const c = this.#text[this.#at++]!;
    if (c === '(') {
      if (this.#text[this.#at] === '?') {
        if (this.#text[this.#at + 1] !== ':') throw new Error('of (?…) only (?:…) is known');
        this.#at += 2;
      }
      const node = this.#choice();
      if (this.#text[this.#at++] !== ')') throw new Error('a ( is not closed');
      return node;
    }
    if (c === '[') return this.#single(this.#set());
    if (c === '.') return this.#single(not(one('\n')));
    // The whole text is meant anyway.
    if ((c === '^' && this.#at === 1) || (c === '$' && this.#at === this.#text.length)) return (next) => next;
    if (c === '\\') return this.#single(this.#escaped());
    if ('*+?{^$'.includes(c)) throw new Error(`${c} has nothing to stand for; write \\${c}`);
    return this.#single(one(c));
  }

  #single(test: Test): Node {
    return (next) => this.#add(test, next, -1);
  }

  #escaped(): Test {
    const c = this.#text[this.#at++];
    if (c === undefined) throw new Error('a \\ has nothing behind it');
    const known = CLASSES[c];
    if (known) return known;
    if (/[A-Za-z0-9]/.test(c)) throw new Error(`\\${c} is not known`);
    return one(c);
  }

  #set(): Test {
    const negated = this.#text[this.#at] === '^';
    if (negated) this.#at++;
    const tests: Test[] = [];
    for (let first = true; first || this.#text[this.#at] !== ']'; first = false) {
      const c = this.#text[this.#at++];
      if (c === undefined) throw new Error('a [ is not closed');
      if (c === '\\') {
        tests.push(this.#escaped());
        continue;
      }
      const high = this.#text[this.#at + 1];
      if (this.#text[this.#at] === '-' && high !== undefined && high !== ']') {
        if (high === '\\' || high < c) throw new Error(`the range ${c}-${high} has no end`);
        tests.push(between(c, high));
        this.#at += 2;
      } else tests.push(one(c));
    }
    this.#at++;
    return negated ? not(either(...tests)) : either(...tests);
  }
}
