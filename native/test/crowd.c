/*
 * PROCESSES COUNTERS: so many processes, each of which adds 3 to each of its counters ten times a second, until a line or
 * the end comes on stdin; the next such line ends it. Prints a line when all of them count, and, after they have stopped,
 * what all of them have added to each counter. Begins at phases spread over the tenth of a second, as ranks do.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <vigie.h>

#define PERIOD 100000000L

static void fail(const char *what) {
  perror(what);
  _exit(1);
}

static void wait_until(struct timespec *at, long nanoseconds) {
  at->tv_nsec += nanoseconds;
  at->tv_sec += at->tv_nsec / 1000000000L;
  at->tv_nsec %= 1000000000L;
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, at, NULL) != 0) {
  }
}

static void wait_for_line(void) {
  char byte;
  while (read(0, &byte, 1) == 1 && byte != '\n') {
  }
}

static volatile sig_atomic_t stopped;
static void stop(int signal) {
  (void)signal;
  stopped = 1;
}

/* Leaves when `held` is closed. */
static void count(int number, int processes, int counters, int ready, int done, int held) {
  vigie_counter **made = calloc((size_t)counters, sizeof *made);
  struct timespec at;
  long added = 0;
  for (int i = 0; i < counters; i++) {
    char name[64];
    snprintf(name, sizeof name, "mpi___hits___mpi_call_number_%d", i);
    if (!made || vigie_counter_new(&made[i], name, "Number of calls") != VIGIE_OK) fail("counter");
  }
  clock_gettime(CLOCK_MONOTONIC, &at);
  wait_until(&at, PERIOD / processes * number);
  if (write(ready, "r", 1) != 1) fail("ready");
  while (!stopped) {
    for (int i = 0; i < counters; i++) vigie_counter_add(made[i], 3);
    added += 3;
    wait_until(&at, PERIOD);
  }
  vigie_flush();
  if (write(done, &added, sizeof added) != sizeof added) fail("done");
  char byte;
  while (read(held, &byte, 1) < 0) {
  }
  exit(0);
}

int main(int argc, char **arguments) {
  int processes = argc == 3 ? atoi(arguments[1]) : 0, counters = argc == 3 ? atoi(arguments[2]) : 0;
  int ready[2], done[2], held[2];
  if (processes < 1 || counters < 1 || pipe(ready) || pipe(done) || pipe(held)) return 2;
  struct sigaction action = {.sa_handler = stop, .sa_flags = SA_RESTART};
  sigaction(SIGUSR1, &action, NULL);
  pid_t *children = calloc((size_t)processes, sizeof *children);
  for (int i = 0; i < processes; i++) {
    if ((children[i] = fork()) < 0) fail("fork");
    if (children[i] == 0) {
      close(held[1]);
      count(i, processes, counters, ready[1], done[1], held[0]);
    }
  }
  char byte;
  for (int i = 0; i < processes; i++)
    if (read(ready[0], &byte, 1) != 1) fail("ready");
  puts("ready");
  fflush(stdout);
  wait_for_line();
  long all = 0, added;
  for (int i = 0; i < processes; i++) kill(children[i], SIGUSR1);
  for (int i = 0; i < processes; i++, all += added)
    if (read(done[0], &added, sizeof added) != sizeof added) fail("done");
  printf("%ld\n", all);
  fflush(stdout);
  wait_for_line();
  close(held[1]);
  for (int i = 0; i < processes; i++) waitpid(children[i], NULL, 0);
  return 0;
}
