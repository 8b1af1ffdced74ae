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
 * Control characters but line ends; marks that turn the reading direction or are seen by nobody (category Cf, soft hyphens
 * and tags included); other ends of lines; letters without a shape.
 */
const UNSEEN = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\u{115f}\u{1160}\u{3164}\u{ffa0}]|\u{034f}|\u{17b4}|\u{17b5}/gu;

/**
 * Text of a host as it may be shown: no control characters, no escapes, nothing that turns the reading direction or
 * hides letters, at most 2000 characters. Line ends stay.
 */
export function cleanText(text: string): string {
  const plain = text
    .slice(0, MOST * 2)
    .replaceAll(/\r\n?/g, '\n')
    .replaceAll(UNSEEN, ' ')
    .trim();
  return plain.length > MOST ? `${plain.slice(0, MOST)}…` : plain;
}
