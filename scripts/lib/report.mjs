/** What people see of a script: one line per phase on stderr, and failures that say what to do next. */

import { performance } from 'node:perf_hooks';

/** A step that failed for a reason a person can act on. */
export class StepError extends Error {
  /**
   * @param {string} what What failed, one line.
   * @param {string} next What to do now.
   * @param {string} [details] Output of the failed program.
   */
  constructor(what, next, details = '') {
    super(what);
    this.name = 'StepError';
    this.next = next;
    this.details = details;
  }
}

/** A failure that the program that failed has told itself. */
export class SaidError extends Error {}

/** @param {string} line */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/**
 * Prints an error as people need it: the output of the program, what failed, what to do.
 *
 * @param {unknown} error
 */
export function sayError(error) {
  if (error instanceof SaidError) return;
  if (!(error instanceof StepError)) {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return;
  }
  if (error.details.trim() !== '') say(error.details.trimEnd());
  say(`vigie: ${error.message}`);
  say(`  ${error.next}`);
}

/**
 * Runs a phase and shows it: on a terminal one line whose seconds count up, elsewhere a line at the start, one every
 * 20 s (a silent pipeline looks hung and some are killed for it) and one at the end.
 *
 * @template T
 * @param {string} name
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function phase(name, work) {
  const start = performance.now();
  const seconds = () => ((performance.now() - start) / 1000).toFixed(1);
  const terminal = process.stderr.isTTY;
  const line = terminal ? `\r\u001b[K` : '';
  if (!terminal) say(`${name} …`);
  const timer = setInterval(
    () => (terminal ? process.stderr.write(`${line}${name} … ${seconds()} s`) : say(`${name} … ${seconds()} s`)),
    terminal ? 500 : 20_000,
  );
  try {
    const result = await work();
    say(`${line}${name}: done (${seconds()} s)`);
    return result;
  } catch (error) {
    say(`${line}${name}: failed (${seconds()} s)`);
    throw error;
  } finally {
    clearInterval(timer);
  }
}

/**
 * The main function of a script: errors become text and exit status 1.
 *
 * @param {() => Promise<void>} work
 */
export async function main(work) {
  try {
    await work();
  } catch (error) {
    sayError(error);
    process.exitCode = 1;
  }
}
