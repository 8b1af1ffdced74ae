/**
 * When V8's optimizing compilers are used. They take some 8 MB, and the ticks of an engine that only looks at its node
 * would bring them in within seconds, to save nothing. So `bin/vigie` starts with thresholds that no tick reaches, and the
 * usual ones are set as soon as there is real work: for good, since the memory is taken then.
 */

import { setFlagsFromString } from 'node:v8';

/** V8's own defaults. Functions that run for the first time, as those that read messages do, go by these at once. */
const USUAL = [
  '--invocation-count-for-maglev=400',
  '--invocation-count-for-maglev-osr=100',
  '--invocation-count-for-turbofan=3000',
  '--invocation-count-for-osr=500',
  '--bytecode-old-age=6',
  '--no-flush-baseline-code',
];

/** Share of the time in which the event loop does something; ticks alone take a tenth of that. */
const WORK_SHARE = 0.05;
/** Periods in a row: the start is not work, nor is one in which somebody else had the processor. */
const WORK_PERIODS = 5;

/**
 * Text of targets, bytes per ms, from which on reading it is work: a thousand values per second. The exporters of a few
 * nodes are less. What had run before needs a million calls more until it is optimized, which is why this is not left to
 * the share of time: that is small even where it could be a quarter.
 */
const MUCH_TEXT = 60;
/** Text in small pieces is added up for so long, ms. */
const TEXT_WITHIN = 60_000;

let set = false;
let busyPeriods = 0;
let textBytes = 0;
let textSince = -Infinity;

/** There is work: functions that are called often are to be optimized. */
export function useCompilers(): void {
  if (set) return;
  set = true;
  for (const flag of USUAL) setFlagsFromString(flag);
}

/** Once per period: the share of it in which the event loop was busy, whatever with. */
export function noteBusy(share: number): void {
  busyPeriods = share > WORK_SHARE ? busyPeriods + 1 : 0;
  if (busyPeriods >= WORK_PERIODS) useCompilers();
}

/** So much text of a target is to be read, and again each `periodMs`. Before it is: what reads it may not have run yet. */
export function noteText(bytes: number, periodMs: number): void {
  if (set) return;
  const now = performance.now();
  if (now - textSince > TEXT_WITHIN) {
    textSince = now;
    textBytes = 0;
  }
  textBytes += bytes;
  if (bytes >= MUCH_TEXT * periodMs || textBytes >= MUCH_TEXT * TEXT_WITHIN) useCompilers();
}
