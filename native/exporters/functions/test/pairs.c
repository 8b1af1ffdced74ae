/* How long one call of an empty function takes, in ns: the median of eleven rounds. Built with and without the hooks. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

__attribute__((noinline)) void empty(void) { __asm__ volatile(""); }

__attribute__((no_instrument_function)) static int by_value(const void *a, const void *b) {
  double one = *(const double *)a, other = *(const double *)b;
  return one < other ? -1 : one > other;
}

__attribute__((no_instrument_function)) int main(int argc, char **argv) {
  long calls = argc > 1 ? atol(argv[1]) : 1000000;
  double rounds[11];
  for (int round = 0; round < 11; round++) {
    struct timespec start, stop;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    for (long i = 0; i < calls; i++) empty();
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &stop);
    rounds[round] = ((double)(stop.tv_sec - start.tv_sec) * 1e9 + (double)(stop.tv_nsec - start.tv_nsec)) / (double)calls;
  }
  qsort(rounds, 11, sizeof *rounds, by_value);
  printf("%.2f\n", rounds[5]);
  return 0;
}
