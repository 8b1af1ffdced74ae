/** Node sets as schedulers write them: `node[001-128,130]:9100`, several brackets, several sets in a list. */

/** A text that is no node set, or one of too many. The message says which part. */
export class NodeSetError extends Error {
  override readonly name = 'NodeSetError';
}

/** A bracket of numbers; `[::1]` is an address. */
const SET = /\[([0-9,\-\s]*)\]/g;

/** The parts of a list: separated by blanks, commas outside brackets, semicolons, line ends. `#` begins a comment. */
export function splitList(text: string): string[] {
  const parts: string[] = [];
  let part = '';
  let depth = 0;
  for (const c of text.replace(/(^|\s)#.*$/gm, '$1')) {
    if (c === '[') depth++;
    else if (c === ']') depth = Math.max(0, depth - 1);
    const separates = /\s/.test(c) ? depth === 0 || c === '\n' : depth === 0 && (c === ',' || c === ';');
    if (!separates) {
      part += c;
      continue;
    }
    if (c === '\n') depth = 0;
    if (part !== '') parts.push(part);
    part = '';
  }
  if (part !== '') parts.push(part);
  return parts;
}

interface Range {
  readonly first: number;
  readonly last: number;
  /** Digits, zeros in front; 0: as many as it has. */
  readonly width: number;
}

function readRanges(inside: string, whole: string): Range[] {
  return inside.split(',').map((piece) => {
    const match = /^\s*(\d{1,15})(?:-(\d{1,15}))?\s*$/.exec(piece);
    if (!match) throw new NodeSetError(`"${piece.trim()}" in ${whole} is no number and no range such as 001-128`);
    const [, from = '', to = from] = match;
    const [first, last] = [Number(from), Number(to)];
    if (last < first) throw new NodeSetError(`the range ${piece.trim()} in ${whole} runs backwards`);
    return { first, last, width: from.length > 1 && from.startsWith('0') ? from.length : 0 };
  });
}

/** All names of one set, in order; a text without brackets is itself. At most `most`. */
export function expandNodeSet(set: string, most: number): string[] {
  let names = [''];
  let at = 0;
  for (const match of set.matchAll(SET)) {
    const ranges = readRanges(match[1]!, set);
    const numbers = ranges.reduce((sum, { first, last }) => sum + (last - first + 1), 0);
    if (numbers * names.length > most) throw new NodeSetError(`${set} are more than ${most} targets`);
    const between = set.slice(at, match.index);
    const next: string[] = [];
    for (const name of names) {
      for (const { first, last, width } of ranges) {
        for (let n = first; n <= last; n++) next.push(name + between + String(n).padStart(width, '0'));
      }
    }
    names = next;
    at = match.index + match[0].length;
  }
  const rest = set.slice(at);
  const open = rest.indexOf('[');
  if (open >= 0 && !rest.includes(']', open)) throw new NodeSetError(`the bracket in ${set} has no end`);
  return names.map((name) => name + rest);
}

/** All names of a list of sets, each once, in order. */
export function expandList(text: string, most: number): string[] {
  const names = new Set<string>();
  for (const part of splitList(text)) {
    for (const name of expandNodeSet(part, most)) names.add(name);
    if (names.size > most) throw new NodeSetError(`these are more than ${most} targets`);
  }
  return [...names];
}
