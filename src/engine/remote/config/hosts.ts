/** The hosts that configuration files name, to choose from. */

import { userInfo } from 'node:os';
import { plainWords } from './error.ts';
import { allLines, configRoots, loadConfig } from './load.ts';

/** Most hosts that are told. */
const MAX_HOSTS = 5000;

export interface ListedHost {
  /** To be resolved as it is. */
  readonly name: string;
  readonly file: string;
  /** From 1. */
  readonly line: number;
}

export interface ListedHosts {
  /** Each name once, in the order of the files. */
  readonly hosts: readonly ListedHost[];
  /** In words: files that could not be read, lines that were passed over. */
  readonly problems: readonly string[];
}

/** A name that stands for one host, and that cannot be taken for an option or for anything else. */
export function isHostName(name: string): boolean {
  return name.length <= 255 && /^[^\s\p{Cc}'"`$;&|<>\\(){}*?!#,%@/-][^\s\p{Cc}'"`$;&|<>\\(){}*?!#,@/]*$/u.test(name);
}

export interface ListOptions {
  readonly home?: string;
  /** Instead of `~/.ssh/config` and the system's file. */
  readonly configFile?: string;
}

export async function listHosts({ home = userInfo().homedir, configFile }: ListOptions = {}): Promise<ListedHosts> {
  const { files, problems } = await loadConfig(configRoots(home, configFile), home);
  const hosts = new Map<string, ListedHost>();
  const words = problems.map(({ text, at }) => (at === undefined ? text : `${at.file} line ${at.line}: ${text}`));
  let left = 0;
  for (const { keyword, words: patterns, file, line } of allLines(files)) {
    if (keyword !== 'host') continue;
    if (patterns === undefined) words.push(`${file} line ${line}: quoted in a way that is not understood here`);
    for (const name of patterns ?? []) {
      if (!isHostName(name) || hosts.has(name)) continue;
      if (hosts.size < MAX_HOSTS) hosts.set(name, { name, file, line });
      else left++;
    }
  }
  if (left > 0) words.push(`${left} more hosts are not listed: ${MAX_HOSTS} are the most`);
  return { hosts: [...hosts.values()], problems: words.slice(0, 100).map((text) => plainWords(text)) };
}
