/** Short within `npm test`, long with `npm run test:faults`; both say how much they did. */

export const LONG = process.env['VIGIE_FAULTS'] === 'long';

/** `short` in the short form, `long` in the long one. */
export const either = (short: number, long: number): number => (LONG ? long : short);

/** Said at the end, whichever form. */
export const figure = (text: string): void => void process.stdout.write(`faults: ${text}\n`);

/** Some numbers from 0 to below `count`, all of them in the long form. */
export function* some(count: number, short: number): Generator<number, void> {
  const step = LONG ? 1 : Math.max(1, count / short);
  // Not the same ones each time, so that many runs see them all.
  for (let at = LONG ? 0 : Math.random() * step; at < count; at += step) yield Math.floor(at);
}
