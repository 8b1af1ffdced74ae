/** Why a configuration could not be used: words for people, with the file and line where there is one. */

export class ConfigError extends Error {
  override readonly name: string = 'ConfigError';
}

/**
 * The configuration may be right, but only OpenSSH itself can tell what it means: nothing is guessed, since a guess may
 * reach another host, or reach it as somebody else.
 */
export class UnclaimedError extends ConfigError {
  override readonly name = 'UnclaimedError';

  constructor(what: string) {
    super(`${what}; only OpenSSH itself reads this: install its client (ssh), or write it more simply`);
  }
}

/** Without control characters, and not endless: it may have come from a file that anybody wrote. */
export function plainWords(text: string, most = 500): string {
  const clean = text.replaceAll(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]+/gu, ' ').trim();
  return clean.length > most ? `${clean.slice(0, most)}…` : clean;
}
