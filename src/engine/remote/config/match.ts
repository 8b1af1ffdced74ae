/** Whether the conditions of a `Host` or a `Match` line hold. */

import { ConfigError, UnclaimedError, plainWords } from './error.ts';
import { lowerCase, matchesHost, matchesList, matchesPattern } from './pattern.ts';

export interface MatchState {
  /** The name that `Host` is matched with: as given, or in the final pass the host's own. */
  readonly host: string;
  readonly originalHost: string;
  /** As far as it is known until this line. */
  readonly hostname: string;
  readonly user: string;
  readonly localUser: string;
  readonly final: boolean;
}

export function hostMatches(patterns: readonly string[], host: string): boolean {
  let found = false;
  for (const item of patterns) {
    const negated = item.startsWith('!');
    if (!matchesPattern(host, negated ? item.slice(1) : item)) continue;
    if (negated) return false;
    found = true;
  }
  return found;
}

/** `wantsFinal`: a second pass is asked for, whether the line holds or not. */
export interface MatchResult {
  readonly holds: boolean;
  readonly wantsFinal: boolean;
}

const KNOWN_LATER = new Set(['tagged', 'localnetwork', 'version', 'sessiontype', 'command', 'canonical', 'exec']);

/**
 * @throws {ConfigError} When OpenSSH refuses the line.
 * @throws {UnclaimedError} For `exec`, and for what newer versions know.
 */
export function matchHolds(words: readonly string[], state: MatchState): MatchResult {
  let holds = true;
  let wantsFinal = false;
  let conditions = 0;
  for (let i = 0; i < words.length; i++) {
    const negated = words[i]!.startsWith('!');
    const name = lowerCase(negated ? words[i]!.slice(1) : words[i]!);
    const must = (value: boolean): void => {
      if (value === negated) holds = false;
    };
    if (name === 'all') {
      // OpenSSH lets one condition of any kind stand before it (its manual: `canonical` or `final`).
      if (conditions > 1 || i < words.length - 1)
        throw new ConfigError('Match all cannot be combined with other conditions');
      if (negated) holds = false;
      conditions++;
      continue;
    }
    conditions++;
    if (name === 'canonical' || name === 'final') {
      if (name === 'final') wantsFinal = true;
      must(state.final);
      continue;
    }
    const value = words[++i];
    if (value === undefined || value === '') throw new ConfigError(`Match ${plainWords(name, 100)} needs an argument`);
    if (name === 'host') must(matchesHost(state.hostname, value));
    else if (name === 'originalhost') must(matchesHost(state.originalHost, value));
    else if (name === 'user') must(matchesList(state.user, value));
    else if (name === 'localuser') must(matchesList(state.localUser, value));
    else if (KNOWN_LATER.has(name)) throw new UnclaimedError(`Match ${name}`);
    else throw new ConfigError(`Match ${plainWords(name, 100)} is not known`);
  }
  if (conditions === 0) throw new ConfigError('Match needs a condition');
  return { holds, wantsFinal };
}
