/**
 * A reader of both metric formats, written from their specifications and strict: whatever is not allowed throws. It
 * shares nothing with the writer.
 */

export interface ReadSeries {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

export interface ReadFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string | null;
  readonly series: ReadSeries[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*/;
const VALUE = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]Inf|NaN)$/;
const TEXT_TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];
const OPEN_TYPES = ['counter', 'gauge', 'histogram', 'gaugehistogram', 'stateset', 'info', 'summary', 'unknown'];

const unescape = (text: string, allowed: string): string =>
  text.replace(/\\([\s\S]?)/g, (_all, c: string) => {
    if (c === '' || !allowed.includes(c)) throw new Error(`bad escape \\${c} in ${JSON.stringify(text)}`);
    return c === 'n' ? '\n' : c;
  });

export function readExposition(text: string, open: boolean): ReadFamily[] {
  if (text !== '' && !text.endsWith('\n')) throw new Error('the last line does not end');
  const lines = text.split('\n').slice(0, -1);
  if (open && lines.pop() !== '# EOF') throw new Error('no # EOF at the end');
  const families = new Map<string, ReadFamily>();
  const seen = new Set<string>();
  let current: ReadFamily | null = null;
  let help: { name: string; text: string } | null = null;
  for (const line of lines) {
    // oxlint-disable-next-line no-control-regex -- exactly these
    if (/[\u0000-\u0009\u000b-\u001f\u007f]/.test(line))
      throw new Error(`control character in ${JSON.stringify(line)}`);
    // Not `.`: that ends at line separators, which are letters here.
    const meta = /^# (HELP|TYPE) (\S+) ([^\n]*)$/.exec(line);
    if (line.startsWith('#') && !meta) throw new Error(`not a comment that is known: ${line}`);
    if (meta) {
      const [, what, name, rest] = meta as unknown as [string, string, string, string];
      if (NAME.exec(name)?.[0] !== name) throw new Error(`family name ${name}`);
      if (what === 'HELP') {
        if (help !== null) throw new Error(`HELP of ${help.name} without a TYPE`);
        help = { name, text: unescape(rest, open ? 'n\\"' : 'n\\') };
        continue;
      }
      if (!(open ? OPEN_TYPES : TEXT_TYPES).includes(rest)) throw new Error(`type ${rest}`);
      if (families.has(name)) throw new Error(`family ${name} comes twice`);
      if (help !== null && help.name !== name) throw new Error(`HELP of ${help.name} before TYPE of ${name}`);
      current = { name, type: rest, help: help?.text ?? null, series: [] };
      help = null;
      families.set(name, current);
      continue;
    }
    const series = readSeries(line);
    if (current === null || help !== null) throw new Error(`no TYPE before ${line}`);
    const expected = open && current.type === 'counter' ? `${current.name}_total` : current.name;
    if (series.name !== expected)
      throw new Error(`${series.name} stands in the family ${current.name} (${current.type})`);
    const identity = identityOf(series);
    if (seen.has(identity)) throw new Error(`the series ${identity} comes twice`);
    seen.add(identity);
    if (current.type === 'counter' && !(series.value >= 0)) throw new Error(`a counter of ${series.value}`);
    current.series.push(series);
  }
  for (const { name, series } of families.values()) if (series.length === 0) throw new Error(`family ${name} is empty`);
  return [...families.values()];
}

/** The name and the labels, whatever their order. */
export const identityOf = ({ name, labels }: ReadSeries): string =>
  JSON.stringify([name, ...Array.from(labels, (label) => JSON.stringify(label)).toSorted()]);

function readSeries(line: string): ReadSeries {
  const name = NAME.exec(line)?.[0];
  if (name === undefined) throw new Error(`no name in ${line}`);
  let at = name.length;
  const labels = new Map<string, string>();
  if (line[at] === '{') {
    at++;
    for (;;) {
      const label = LABEL.exec(line.slice(at))?.[0];
      if (label === undefined) throw new Error(`no label at ${at} of ${line}`);
      if (label.startsWith('__')) throw new Error(`the label ${label} is reserved`);
      if (labels.has(label)) throw new Error(`the label ${label} comes twice in ${line}`);
      at += label.length;
      if (line.slice(at, at + 2) !== '="') throw new Error(`no value of ${label} in ${line}`);
      const start = (at += 2);
      while (at < line.length && line[at] !== '"') at += line[at] === '\\' ? 2 : 1;
      if (line[at] !== '"') throw new Error(`the value of ${label} does not end in ${line}`);
      labels.set(label, unescape(line.slice(start, at), 'n\\"'));
      at++;
      if (line[at] === ',') at++;
      else if (line[at] === '}') break;
      else throw new Error(`neither , nor } at ${at} of ${line}`);
    }
    at++;
  }
  if (line[at] !== ' ') throw new Error(`no blank before the value of ${line}`);
  // A timestamp would be a further word.
  const value = line.slice(at + 1);
  if (!VALUE.test(value)) throw new Error(`the value ${JSON.stringify(value)} in ${line}`);
  return { name, labels, value: value === '+Inf' ? Infinity : value === '-Inf' ? -Infinity : Number(value) };
}
