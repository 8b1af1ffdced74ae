/**
 * What of a configuration runs programs: asked for before `ssh -G` reads it, since a `Match exec` runs while it reads.
 * It looks wider than OpenSSH does: a line that is asked for in vain costs a click, one that is missed runs a program.
 */

import { createHash } from 'node:crypto';
import { plainWords } from './error.ts';
import type { ConfigLine } from './line.ts';
import { allLines, type LoadedConfig } from './load.ts';
import { lowerCase } from './pattern.ts';

export type AskKind = 'match-exec' | 'proxy-command' | 'known-hosts-command' | 'local-command' | 'unreadable';

export interface ConfigAsk {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly what: AskKind;
  /** As written, without control characters. */
  readonly text: string;
  /** Of kind and text, SHA-256 in hex: a yes is remembered by it, so that a changed command is asked for again. */
  readonly hash: string;
}

export interface ScannedConfig {
  readonly asks: readonly ConfigAsk[];
}

const COMMANDS: Readonly<Record<string, AskKind>> = {
  proxycommand: 'proxy-command',
  knownhostscommand: 'known-hosts-command',
  localcommand: 'local-command',
};

export function hashOfAsk(what: AskKind, text: string): string {
  return createHash('sha256').update(`${what}\0${text}`).digest('hex');
}

function askOf(line: ConfigLine): { what: AskKind; text: string } | undefined {
  // Quotes do not keep OpenSSH from seeing a word, wherever they stand in it.
  const bare = lowerCase(`${line.keyword} ${line.rest}`)
    .replaceAll(/["'\\]/g, '')
    .trim();
  const keyword = line.keyword === '' ? /^[^\s=]*/.exec(bare)![0] : line.keyword;
  const rest = line.keyword === '' ? bare.slice(keyword.length).replace(/^[\s=]+/, '') : line.rest;
  if (keyword === 'match') {
    return /exec|command/.test(bare.slice('match'.length)) ? { what: 'match-exec', text: rest } : undefined;
  }
  const what = COMMANDS[keyword];
  if (what === undefined || lowerCase(rest) === 'none' || rest === '') return undefined;
  return { what, text: rest };
}

export function scanConfig(loaded: LoadedConfig): ScannedConfig {
  const asks: ConfigAsk[] = [];
  const seen = new Set<string>();
  const add = (file: string, line: number, what: AskKind, text: string): void => {
    const hash = hashOfAsk(what, text);
    // The same command twice is one question.
    if (seen.has(hash)) return;
    seen.add(hash);
    asks.push({ file, line, what, text: plainWords(text, 2000), hash });
  };
  for (const line of allLines(loaded.files)) {
    const ask = askOf(line);
    if (ask !== undefined) add(line.file, line.line, ask.what, ask.text);
  }
  // A file that could not be looked into may have anything.
  for (const { file, at, text } of loaded.problems) add(file, at?.line ?? 0, 'unreadable', text);
  return { asks };
}
