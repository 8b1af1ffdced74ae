/*
 * Cost of one addition in CPU ns: one thread, 8 threads on one counter, 8 threads on eight. Each beside the loop alone and
 * beside the least that a client with a lock does: a mutex around a sum of doubles. All take turns in each round, so that
 * what else the machine does meets all of them. Prints a JSON line per round.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <vigie.h>

#define THREADS 8

struct locked {
  pthread_mutex_t lock;
  double sum;
  char apart[64]; /* its own cache line, as an allocator would give it */
};

struct work {
  void (*add)(const struct work *, long additions);
  vigie_counter *counter;
  struct locked *locked;
  long additions;
};

static vigie_counter *counters[THREADS];
static struct locked locks[THREADS];

static double cpu_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void nothing(const struct work *work, long additions) {
  (void)work;
  for (long i = 0; i < additions; i++) __asm__ volatile("" ::: "memory");
}

static void ours(const struct work *work, long additions) {
  for (long i = 0; i < additions; i++) vigie_counter_add(work->counter, 1);
}

static void mutex(const struct work *work, long additions) {
  for (long i = 0; i < additions; i++) {
    pthread_mutex_lock(&work->locked->lock);
    work->locked->sum += 1;
    pthread_mutex_unlock(&work->locked->lock);
  }
}

static void *run_thread(void *given) {
  struct work *work = given;
  work->add(work, work->additions);
  return NULL;
}

/* CPU ns per addition. */
static double measure(void (*add)(const struct work *, long), int threads, int different, long additions) {
  pthread_t started[THREADS];
  struct work work[THREADS];
  double before = cpu_seconds();
  for (int i = 0; i < threads; i++) {
    int which = different ? i : 0;
    work[i] = (struct work){add, counters[which], &locks[which], additions};
    if (pthread_create(&started[i], NULL, run_thread, &work[i]) != 0) exit(1);
  }
  for (int i = 0; i < threads; i++) pthread_join(started[i], NULL);
  return (cpu_seconds() - before) * 1e9 / ((double)additions * threads);
}

int main(int count, char **arguments) {
  static const struct {
    const char *name;
    void (*add)(const struct work *, long);
    long additions; /* contended locks are slow */
  } clients[] = {{"plain", nothing, 10000000}, {"vigie", ours, 10000000}, {"mutex", mutex, 2000000}};
  int rounds = count > 1 ? atoi(arguments[1]) : 1;
  for (int i = 0; i < THREADS; i++) {
    char name[32];
    snprintf(name, sizeof name, "bench_%d_total", i);
    if (vigie_counter_new(&counters[i], name, "") != VIGIE_OK) return 1;
    pthread_mutex_init(&locks[i].lock, NULL);
  }
  for (int round = 0; round < rounds; round++) {
    for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++) {
      double one = measure(clients[i].add, 1, 0, clients[i].additions);
      double shared = measure(clients[i].add, THREADS, 0, clients[i].additions);
      double apart = measure(clients[i].add, THREADS, 1, clients[i].additions);
      printf("%s\"%s\":{\"one_thread\":%.2f,\"one_counter\":%.2f,\"eight_counters\":%.2f}%s", i ? "," : "{",
             clients[i].name, one, shared, apart, i == 2 ? "}\n" : "");
    }
    fflush(stdout);
  }
  return 0;
}
