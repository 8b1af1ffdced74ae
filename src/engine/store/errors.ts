/** What SQLite's errors mean for the store. */

export const codeOf = (error: unknown): string => (error as { code?: unknown } | null)?.code?.toString() ?? '';

export const isDamage = (error: unknown): boolean => /^SQLITE_(CORRUPT|NOTADB)/.test(codeOf(error));

/** A full disk, a file system that does not answer: may pass. */
export const isPassing = (error: unknown): boolean =>
  /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN|BUSY|LOCKED|NOMEM|PROTOCOL)/.test(codeOf(error));
