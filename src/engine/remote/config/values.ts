/** One value of a configuration: as it is written → as `ssh -G` prints it. */

import { assembleList } from './algorithms.ts';
import { ConfigError, UnclaimedError, plainWords } from './error.ts';
import { parseJumps, printJumps } from './jumps.ts';
import { keywords } from './keywords.ts';
import { lowerCase } from './pattern.ts';

const UNITS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
const MAX_INT = 2 ** 31 - 1;

/** Seconds; undefined: not a time. */
function parseTime(text: string): number | undefined {
  if (text.length > 100 || !/^(?:\d+[smhdw])*(?:\d+[smhdw]?)$/i.test(text)) return undefined;
  let total = 0;
  for (const [, digits, unit] of text.matchAll(/(\d+)([smhdw]?)/gi)) total += Number(digits) * UNITS[lowerCase(unit!)]!;
  return total <= MAX_INT ? total : undefined;
}

function agentValue(words: readonly string[]): string | undefined {
  const [first, second] = words.map(lowerCase);
  const time = parseTime(second ?? first!);
  if (second !== undefined)
    return first === 'confirm' && time !== undefined ? `confirm${time > 0 ? ` ${time}` : ''}` : undefined;
  if (first === 'yes' || first === 'true') return 'true';
  if (first === 'no' || first === 'false') return 'false';
  if (first === 'ask' || first === 'confirm') return first;
  return time === undefined ? undefined : time === 0 ? 'true' : String(time);
}

function fewest(keyword: string, words: readonly string[]): void {
  if (words.length === 0) throw new ConfigError(`${keyword} needs an argument`);
  if (words.includes('')) throw new ConfigError(`${keyword} has an empty argument`);
  const most = keywords[keyword]!.kind === 'line' ? 32 : keyword === 'addkeystoagent' ? 2 : 1;
  if (words.length > most) throw new ConfigError(`${keyword} has too many arguments`);
}

/**
 * @param words The arguments; of a `command` or a `jump` one, the rest of the line.
 * @throws {ConfigError} When OpenSSH would not take it either.
 * @throws {UnclaimedError} When only OpenSSH knows.
 */
export function readValue(keyword: string, words: readonly string[]): string {
  fewest(keyword, words);
  const { kind, choices } = keywords[keyword]!;
  const text = words[0]!;
  const lower = lowerCase(text);
  const wrong = (): ConfigError => new ConfigError(`${keyword} cannot be ${plainWords(text, 100)}`);
  const found = (value: string | undefined): string => {
    if (value === undefined) throw wrong();
    return value;
  };
  switch (kind) {
    case 'flag':
      return found({ yes: 'yes', true: 'yes', no: 'no', false: 'no' }[lower]);
    case 'choice':
      return found(Object.hasOwn(choices!, lower) ? choices![lower] : undefined);
    case 'time':
      if (lower === 'none') return keyword === 'connecttimeout' ? 'none' : '0';
      return found(parseTime(text)?.toString());
    case 'count':
      if (!/^\d{1,9}$/.test(text)) throw wrong();
      return String(Number(text));
    case 'port':
      if (!/^\d{1,9}$/.test(text)) throw new UnclaimedError(`Port ${plainWords(text, 100)}`);
      if (Number(text) < 1 || Number(text) > 65_535) throw wrong();
      return String(Number(text));
    case 'list':
      return assembleList(keyword, text).join(',');
    case 'agent':
      return found(agentValue(words));
    case 'jump':
      if (/[\s"'\\#]/.test(text)) throw new UnclaimedError(`ProxyJump ${plainWords(text, 100)}`);
      if (lower === 'none') return 'none';
      parseJumps(text);
      return printJumps(text);
    case 'command':
      return lower === 'none' ? 'none' : text;
    case 'line':
      if (words.some((word) => lowerCase(word) === 'none')) {
        if (words.length > 1) throw new ConfigError(`${keyword}: none must stand alone`);
        return 'none';
      }
      return words.join('\n');
    case 'text':
    case 'many':
      return text;
  }
}
