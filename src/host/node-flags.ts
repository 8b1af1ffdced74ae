/** What the project's Node is started with, as `bin/vigie` does, which says why. */

export const NODE_FLAGS = [
  '--max-semi-space-size=1',
  '--v8-pool-size=1',
  '--heap-growing-percent=30',
  '--expose-gc',
  '--invocation-count-for-maglev=1000000',
  '--invocation-count-for-maglev-osr=100000',
  '--invocation-count-for-turbofan=5000000',
  '--invocation-count-for-osr=1000000',
  '--bytecode-old-age=2',
  '--flush-baseline-code',
];

/** Settings of glibc's allocator, for who has not made any. */
export const MALLOC: Readonly<Record<string, string>> = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '32768',
  MALLOC_TRIM_THRESHOLD_: '131072',
};
