/** What a connection may have to ask a person, whoever shows it: a dialog of the desktop, a page, a terminal, a test. */

/** Which host asks, and where on the way it is. `hop` counts from 1; `path` has the names of all hops, ours first. */
export interface Hop {
  readonly host: string;
  readonly hop: number;
  readonly path: readonly string[];
}

/** One field of a question. Its text may come from the host: plain text, cleaned, never markup. */
export interface Field {
  readonly text: string;
  /** False: what is typed is not shown. */
  readonly echo: boolean;
}

export interface Question extends Hop {
  readonly kind: 'passphrase' | 'password' | 'interactive';
  /** Said by us. */
  readonly title: string;
  /** Said by the host, or ''. */
  readonly instruction: string;
  readonly fields: readonly Field[];
  /** Times that this was asked before in vain. */
  readonly failed: number;
  /** Its one answer can be kept, under this name: said by us, the same each time and of no other host. */
  readonly keep?: string;
}

export interface TrustQuestion extends Hop {
  readonly keyType: string;
  /** `SHA256:…` */
  readonly fingerprint: string;
  /** Keys of other types that are listed for the host, as `type fingerprint (file:line)`. */
  readonly others: readonly string[];
}

export type Trust = 'once' | 'always' | 'no';

/** Both give up when the signal aborts; the connection is gone by then. */
export interface Prompter {
  /** One answer per field, or null: cancelled. Answers are never logged or kept. */
  ask(question: Question, signal: AbortSignal): Promise<readonly string[] | null>;
  trust(question: TrustQuestion, signal: AbortSignal): Promise<Trust>;
}

const MOST = 2000;

/**
 * Text of a host as it may be shown: no control characters, no escapes, nothing that turns the reading direction or
 * hides letters, at most 2000 characters. Line ends stay.
 */
export function cleanText(text: string): string {
  const plain = text
    .slice(0, MOST * 2)
    .replaceAll(/\r\n?/g, '\n')
    // oxlint-disable-next-line no-control-regex -- they are what is taken out
    .replaceAll(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g, ' ')
    .trim();
  return plain.length > MOST ? `${plain.slice(0, MOST)}…` : plain;
}
