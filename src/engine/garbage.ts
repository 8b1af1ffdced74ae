/** Collects garbage at a moment of our choosing, in whichever thread it is called. */

/** All of it, and what no function needed lately, within some 20 ms. `bin/vigie` passes --expose-gc; without it, nothing. */
export function collectGarbage(): void {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** What became garbage a moment ago, within a millisecond or two: buffers, which the collector does not see growing. */
export function collectYoung(): void {
  globalThis.gc?.({ type: 'minor', execution: 'sync' });
}

/** All of it, but nothing that may be needed again: for work that makes large buffers which live longer than a moment. */
export function collectOld(): void {
  globalThis.gc?.({ type: 'major', execution: 'sync' });
}
