/** What is wrong with an answer's text, in words that name the line. */

/** Characters of the text that an error shows. */
const SHOWN = 40;

export type Format = 'text' | 'openmetrics';

const FORMAT_NAMES: Readonly<Record<Format, string>> = { text: 'Prometheus text', openmetrics: 'OpenMetrics' };

export class ScanError extends Error {
  override readonly name = 'ScanError';
  /** From 1; 0: the text as a whole. */
  readonly line: number;

  constructor(message: string, line: number) {
    super(message);
    this.line = line;
  }

  static syntax(format: Format, line: number, what: string): ScanError {
    return new ScanError(`line ${line} is not ${FORMAT_NAMES[format]}: ${what}`, line);
  }
}

/** A piece of the text for an error, in quotes: short, on one line, without anything that a terminal would obey. */
export function excerpt(bytes: Uint8Array, from: number, to: number): string {
  const cut = Math.min(to, from + SHOWN + 4);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + from, Math.max(0, cut - from)).toString('utf8');
  const shown = text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
  return JSON.stringify(shown.toWellFormed()).replaceAll(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    '\ufffd',
  );
}
