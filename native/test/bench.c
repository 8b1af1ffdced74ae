/* Cost of one addition in CPU ns: one thread, 8 threads on one counter, 8 threads on eight. A JSON line. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <vigie.h>

#define ADDITIONS 50000000L
#define THREADS 8

static double seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void *add(void *counter) {
  for (long i = 0; i < ADDITIONS; i++) vigie_counter_add(counter, 1);
  return NULL;
}

static double run(vigie_counter **counters, int threads, int different) {
  pthread_t started[THREADS];
  double before = seconds(CLOCK_PROCESS_CPUTIME_ID);
  for (int i = 0; i < threads; i++) pthread_create(&started[i], NULL, add, counters[different ? i : 0]);
  for (int i = 0; i < threads; i++) pthread_join(started[i], NULL);
  return (seconds(CLOCK_PROCESS_CPUTIME_ID) - before) * 1e9 / ((double)ADDITIONS * threads);
}

int main(void) {
  vigie_counter *counters[THREADS];
  for (int i = 0; i < THREADS; i++) {
    char name[32];
    snprintf(name, sizeof name, "bench_%d_total", i);
    if (vigie_counter_new(&counters[i], name, "") != VIGIE_OK) return 1;
  }
  double one = run(counters, 1, 0), shared = run(counters, THREADS, 0), apart = run(counters, THREADS, 1);
  printf("{\"one_thread_ns\":%.2f,\"eight_threads_one_counter_ns\":%.2f,\"eight_threads_eight_counters_ns\":%.2f}\n", one,
         shared, apart);
  return 0;
}
