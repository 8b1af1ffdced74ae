/*
 * Time of calls: the processor's counter where the kernel itself trusts it, else CLOCK_MONOTONIC. How long a tick is comes
 * from readings of both a while apart; nobody sleeps for it. Before MPI_Init that while is short (200 µs: right to 1 in
 * 1,000), afterwards it is the time that MPI_Init took.
 */
#ifndef VIGIE_MPI_CLOCK_H
#define VIGIE_MPI_CLOCK_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

static bool clock_counter; /* fixed before the first call is counted */
static double clock_tick = 1e-9; /* seconds */

struct clock_pair {
  uint64_t ticks, ns;
};
static struct clock_pair clock_first;

static inline uint64_t clock_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static inline uint64_t clock_ticks(void) {
#if defined(__x86_64__)
  if (__builtin_expect(clock_counter, 1)) return __rdtsc();
#elif defined(__aarch64__)
  if (__builtin_expect(clock_counter, 1)) {
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
  }
#endif
  return clock_ns();
}

/* Counters of two processors may differ by a few ticks. */
static inline double clock_seconds(uint64_t start, uint64_t stop) {
  double tick;
  __atomic_load(&clock_tick, &tick, __ATOMIC_RELAXED);
  int64_t ticks = (int64_t)(stop - start);
  return ticks > 0 ? (double)ticks * tick : 0;
}

/* The best of a few: between the two readings the process may lose its processor. */
static struct clock_pair clock_read(void) {
  struct clock_pair best = {0, 0};
  uint64_t narrowest = UINT64_MAX;
  for (int i = 0; i < 5; i++) {
    uint64_t before = clock_ticks(), ns = clock_ns(), after = clock_ticks();
    if (after - before >= narrowest) continue;
    narrowest = after - before;
    best = (struct clock_pair){before + (after - before) / 2, ns};
  }
  return best;
}

static void clock_refine(void) {
  if (!clock_counter) return;
  struct clock_pair last = clock_read();
  if (last.ticks <= clock_first.ticks || last.ns <= clock_first.ns) return;
  double tick = (double)(last.ns - clock_first.ns) * 1e-9 / (double)(last.ticks - clock_first.ticks);
  __atomic_store(&clock_tick, &tick, __ATOMIC_RELAXED);
}

static void clock_begin(void) {
#if defined(__x86_64__)
  char source[8] = "";
  int fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  ssize_t got = read(fd, source, sizeof source - 1);
  close(fd);
  if (got < 4 || memcmp(source, "tsc\n", 4) != 0) return;
#elif !defined(__aarch64__)
  return;
#endif
  clock_counter = true;
  clock_first = clock_read();
  while (clock_ns() - clock_first.ns < 200000) continue;
  clock_refine();
}

#endif
