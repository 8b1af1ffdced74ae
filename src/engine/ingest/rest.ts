/**
 * A short rest after small reads, so that the next read finds more.
 *
 * The old proxy's client library writes every JSON token with a system call of its own, some 40 per message. An engine
 * that wakes up for each of them spends 40 µs per message on waking up; one that waits for a moment spends little more
 * than what the kernel takes to hand over so many pieces (bench/ingest.ts measures both). Timers of the event loop are too
 * coarse: in a whole millisecond the sender fills its socket buffer and stands still, which would slow down the program
 * that is measured. So the thread itself sleeps, at most once per turn of the loop, much shorter than anything notices.
 */

/** Reads of fewer bytes come from such a client, or are so few that the rest costs nothing. */
export const SMALL_READ = 4096;
/** Milliseconds. */
const REST = 0.1;

const never = new Int32Array(new SharedArrayBuffer(4));
let due = false;

/**
 * Rests once, after all that is readable in this turn of the loop was read. Not to be called for the first read of a
 * connection: a loop turn accepts few connections, so that the rests would hold up many that come at once.
 */
export function rest(): void {
  if (due) return;
  due = true;
  setImmediate(() => {
    due = false;
    Atomics.wait(never, 0, 0, REST);
  });
}
