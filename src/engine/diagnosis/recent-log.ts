/** The last lines that the log has written, as JSON, for the support bundle. A few hundred kilobytes at most. */

const LINES = 200;
/** A longer line is left out, in UTF-16 code units: a stack in it would be most of what is kept. */
const LENGTH = 4096;

export class RecentLog {
  readonly #lines: string[] = [];

  add(line: string): void {
    if (line.length > LENGTH) return;
    this.#lines.push(line);
    if (this.#lines.length > LINES) this.#lines.shift();
  }

  /** A place for the log to write to, which keeps what it passes on. */
  beside(out: { write(line: string): unknown }): { write(line: string): void } {
    return {
      write: (line) => {
        this.add(line);
        out.write(line);
      },
    };
  }

  /** Oldest first. */
  get lines(): readonly string[] {
    return this.#lines;
  }
}
