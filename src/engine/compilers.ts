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
];

/** Share of the time in which the event loop does something; ticks alone take a tenth of that. */
const WORK_SHARE = 0.05;
/** Periods in a row: the start is not work, nor is one in which somebody else had the processor. */
const WORK_PERIODS = 5;

let set = false;
let busyPeriods = 0;

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
