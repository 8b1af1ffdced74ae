/** Writing to a disk that may hang: an alarm may be about that very disk, and nobody waits for it for ever. */

import type { Records } from './records.ts';

/** A disk that has not answered by then has refused, ms. */
const WITHIN = 10_000;

/**
 * Writes, and rejects what takes too long; until that comes to an end nothing else is handed to the store, so that nothing
 * piles up there. What was rejected may still be written: the caller writes it again, with all that came since.
 */
export function patiently(records: Pick<Records, 'write'>, within = WITHIN): Records['write'] {
  let hangs = false;
  return (changes, events) => {
    if (hangs) return Promise.reject(new Error('the disk does not answer'));
    const writing = records.write(changes, events);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        hangs = true;
        reject(new Error(`the disk did not answer within ${within / 1000} s`));
      }, within);
      late.unref();
      const ended = (tell: () => void) => (): void => {
        clearTimeout(late);
        hangs = false;
        tell();
      };
      writing.then(ended(resolve), (error: unknown) => ended(() => reject(error))());
    });
  };
}
