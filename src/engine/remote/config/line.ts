/** One line of an `ssh_config` file, as `ssh-config` reads it where that is what OpenSSH reads. */

import { SSHConfig } from 'ssh-config';
import { lowerCase } from './pattern.ts';

export interface ConfigLine {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** In lower case. */
  readonly keyword: string;
  /** What follows the keyword, as written. */
  readonly rest: string;
  /** The arguments; undefined: quoted in a way that only OpenSSH reads. */
  readonly words: readonly string[] | undefined;
}

const SPACE = ' \t\r\f\n';
/** What both read alike: words without quotes or escapes, words in double quotes, a comment behind a space. */
const PLAIN = /^(?:(?:"[^"\\]+"|[^\s"'\\#=][^\s"'\\#=]*)(?:[ \t]+|$))*(?:#.*)?$/;
/** The same for one argument, which may have `=`, and for `Match`, where `=` may stand before one. */
const ONE = /^(?:"[^"\\]*"|[^\s"'\\#=][^\s"'\\#]*)(?:[ \t]+#.*|[ \t]*)$/;
const MATCH = /^(?:(?:[^\s"'\\#=]+=)?(?:"[^"\\]+"|[^\s"'\\#=]+)(?:[ \t]+|$))*(?:#.*)?$/;

/** These take the rest of the line as it is, quotes and `#` included. */
const RAW = new Set(['proxycommand', 'localcommand', 'remotecommand', 'knownhostscommand', 'proxyjump']);

/** Of these `ssh-config` makes a list of words; of all others one text. */
const LISTS = new Set(['host', 'match', 'include', 'userknownhostsfile', 'globalknownhostsfile', 'canonicaldomains']);

function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && SPACE.includes(text[end - 1]!)) end--;
  return text.slice(0, end);
}

function wordsOf(keyword: string, text: string, rest: string): readonly string[] | undefined {
  if (rest === '') return [];
  if (RAW.has(keyword)) return [rest];
  if (rest.startsWith('#')) return [];
  if (!LISTS.has(keyword) && ONE.test(rest)) return parse(text);
  // Several words where there should be one: OpenSSH counts them, so they are counted. As those of an Include: what
  // `ssh-config` thinks of conditions of Match is not what OpenSSH does.
  return (keyword === 'match' ? MATCH : PLAIN).test(rest) ? parse(`Include ${rest}`) : undefined;
}

function parse(text: string): readonly string[] | undefined {
  let nodes: SSHConfig;
  try {
    nodes = SSHConfig.parse(text);
  } catch {
    // It refuses some of what OpenSSH takes.
    return undefined;
  }
  const node = nodes.find((one) => one.type === SSHConfig.DIRECTIVE);
  if (node === undefined || !('value' in node)) return undefined;
  return typeof node.value === 'string' ? [node.value] : node.value.map(({ val }) => val);
}

/** The lines of a file that say something. Never throws: what is not understood has no words. */
export function readLines(file: string, text: string): ConfigLine[] {
  const lines: ConfigLine[] = [];
  text.split('\n').forEach((raw, index) => {
    // OpenSSH reads a line as a C string.
    const zero = raw.indexOf('\0');
    const line = trimEnd(zero < 0 ? raw : raw.slice(0, zero)).replace(/^[ \t\r]+/, '');
    if (line === '' || line.startsWith('#')) return;
    const [, name, rest] = /^([^ \t\r="]*)[ \t\r]*=?[ \t\r]*([^]*)$/.exec(line) ?? [];
    if (name === undefined || name === '' || rest === undefined) {
      // A keyword in quotes, or none.
      lines.push({ file, line: index + 1, keyword: '', rest: line, words: undefined });
      return;
    }
    const keyword = lowerCase(name);
    lines.push({ file, line: index + 1, keyword, rest, words: wordsOf(keyword, line, rest) });
  });
  return lines;
}
