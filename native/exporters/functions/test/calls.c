/* Calls whose numbers and times are known. The first argument says what happens besides. */
#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define PLAIN __attribute__((no_instrument_function, noinline))
#define KEPT __attribute__((noinline))

PLAIN static void spin(long milliseconds) {
  struct timespec now, start;
  clock_gettime(CLOCK_MONOTONIC, &start);
  do clock_gettime(CLOCK_MONOTONIC, &now);
  while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < milliseconds);
}

static volatile int sink;
static jmp_buf place;
static volatile sig_atomic_t handled;

KEPT static void leaf(void) { sink++; }
KEPT static void hidden_worker(void) {
  spin(20);
  leaf();
}
KEPT void outer(void) {
  spin(10);
  hidden_worker();
}
KEPT int recursive(int depth) { return depth == 0 ? 0 : 1 + recursive(depth - 1); }
KEPT void jumps(void) { longjmp(place, 1); }
KEPT void enters_jump(void) { jumps(); }
KEPT void loop_of_jumps(int times) {
  for (volatile int i = 0; i < times; i++)
    if (setjmp(place) == 0) enters_jump();
    else leaf();
}
KEPT void on_signal(int number) {
  (void)number;
  handled++;
  leaf();
}
KEPT void *thread(void *unused) {
  for (int i = 0; i < 1000; i++) leaf();
  return unused;
}

static ucontext_t here, there;
KEPT void coroutine(void) {
  for (int i = 0; i < 10; i++) {
    leaf();
    swapcontext(&there, &here);
  }
}

KEPT static void threads(int number) {
  pthread_t *all = calloc((size_t)number, sizeof *all);
  int made = 0;
  while (made < number && pthread_create(&all[made], NULL, thread, NULL) == 0) made++;
  for (int i = 0; i < made; i++) pthread_join(all[i], NULL);
  free(all);
  printf("%d threads\n", made);
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "plain";
  for (int i = 0; i < 3; i++) outer();
  printf("recursive: %d\n", recursive(argc > 2 ? atoi(argv[2]) : 100));
  if (strcmp(what, "jump") == 0) loop_of_jumps(100000);
  if (strcmp(what, "threads") == 0) threads(1000);
  if (strcmp(what, "fork") == 0) {
    pid_t child = fork();
    if (child == 0) {
      outer();
      _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    child = vfork();
    if (child == 0) {
      leaf();
      _exit(0);
    }
    waitpid(child, &status, 0);
  }
  if (strcmp(what, "signals") == 0) {
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGALRM, &action, NULL);
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    struct itimerspec often = {{0, 50000}, {0, 50000}};
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) != 0 || timer_settime(timer, 0, &often, NULL) != 0) return 3;
    while (handled < 2000) recursive(10);
    timer_delete(timer);
  }
  if (strcmp(what, "coroutines") == 0) {
    static char stack[65536];
    getcontext(&there);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = sizeof stack;
    there.uc_link = &here;
    makecontext(&there, coroutine, 0);
    for (int i = 0; i < 10; i++) swapcontext(&here, &there);
  }
  if (strcmp(what, "exit") == 0) exit(7);
  printf("done: %d\n", sink);
  return 0;
}
