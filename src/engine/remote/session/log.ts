/** What a connection did, in words, for its user and to send to support: few lines, and no secrets by construction. */

import { withoutHost } from './failure.ts';
import { cleanText } from './prompts.ts';

export interface LogLine {
  /** ms since the epoch. */
  readonly at: number;
  readonly host: string;
  readonly text: string;
}

export interface ConnectionLog {
  add(host: string, text: string): void;
  /** From now on this text is shown as `•••` wherever it would stand, in lines of before, too. */
  hide(secret: string): void;
  /** Text as a line of the log would show it: for reasons, which are told to more people than the log is. */
  scrub(text: string): string;
  lines(): readonly LogLine[];
}

const MOST_LINES = 500;
const MOST_SECRETS = 64;
/** A shorter one would blacken every second line, and says nothing when it is seen. */
const SHORTEST = 4;

/**
 * Answers of people are never handed to the log. Hosts and programs may say them again, though (an echoed password in
 * a banner, a command that complains about its input): whoever gives an answer away tells `hide` before.
 */
export function createLog(now: () => number = Date.now): ConnectionLog {
  const lines: LogLine[] = [];
  const secrets: string[] = [];
  const scrub = (text: string): string => {
    let shown = text;
    for (const secret of secrets) shown = shown.replaceAll(secret, '•••');
    return shown
      .replaceAll(/-----BEGIN [^-]*PRIVATE KEY-----[\s\S]*?(-----END [^-]*-----|$)/g, '••• (private key)')
      .replaceAll(/\b(bearer|token|password|passphrase|secret)([=:]\s*|\s+)[^\s,;"']{6,}/gi, '$1$2•••');
  };
  return {
    add(host, text) {
      lines.push({ at: now(), host, text: cleanText(withoutHost(host, text)) });
      if (lines.length > MOST_LINES) lines.splice(0, lines.length - MOST_LINES);
    },
    hide(secret) {
      const text = secret.trim();
      if (text.length < SHORTEST || secrets.includes(text)) return;
      secrets.push(text);
      // The longest first: a secret may be part of another.
      secrets.sort((one, other) => other.length - one.length);
      if (secrets.length > MOST_SECRETS) secrets.pop();
    },
    scrub,
    lines: () => lines.map((line) => ({ ...line, text: scrub(line.text) })),
  };
}
