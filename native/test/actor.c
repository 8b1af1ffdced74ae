/*
 * Does what its arguments say, one after the other, and counts into acted_total: what programs do that a library in them
 * must bear. Ends with 0 after the last one.
 *
 *   add N         adds to the counter            new NAME      from here on another counter
 *   say TEXT      a line on stdout               wait          until a line comes on stdin
 *   threads N M   N threads add M times 1        close         closes descriptors from 3 on
 *   fork          the child does the rest, then the parent does
 *   exec          replaces itself by itself, which does the rest
 *   setuid UID    chroot FOLDER    exit CODE    abort
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vigie.h>

static vigie_counter *counter;

static void must(int done, const char *what) {
  if (done) return;
  perror(what);
  exit(90);
}

static void *add_ones(void *times) {
  for (long i = 0; i < *(long *)times; i++) vigie_counter_add(counter, 1);
  return NULL;
}

static void run_threads(int threads, long times) {
  pthread_t started[64];
  for (int i = 0; i < threads && i < 64; i++) must(pthread_create(&started[i], NULL, add_ones, &times) == 0, "thread");
  for (int i = 0; i < threads && i < 64; i++) pthread_join(started[i], NULL);
}

static void forked(void) {
  pid_t child = fork();
  must(child >= 0, "fork");
  if (child != 0) must(waitpid(child, NULL, 0) == child, "child");
}

static void wait_for_line(void) {
  char byte;
  while (read(0, &byte, 1) == 1 && byte != '\n') {
  }
}

int main(int count, char **arguments) {
  vigie_counter_new(&counter, "acted_total", "what was asked for");
  for (int i = 1; i < count; i++) {
    const char *action = arguments[i];
    if (strcmp(action, "wait") == 0) wait_for_line();
    else if (strcmp(action, "close") == 0) closefrom(3);
    else if (strcmp(action, "fork") == 0) forked();
    else if (strcmp(action, "abort") == 0) abort();
    else if (strcmp(action, "exec") == 0) {
      arguments[i] = arguments[0];
      execv("/proc/self/exe", arguments + i);
      must(0, "exec");
    } else if (i + 1 == count) return 91;
    else if (strcmp(action, "add") == 0) vigie_counter_add(counter, strtoull(arguments[++i], NULL, 10));
    else if (strcmp(action, "new") == 0) vigie_counter_new(&counter, arguments[++i], "another one");
    else if (strcmp(action, "say") == 0) must(puts(arguments[++i]) >= 0 && fflush(stdout) == 0, "say");
    else if (strcmp(action, "setuid") == 0) must(setuid((uid_t)atoi(arguments[++i])) == 0, "setuid");
    else if (strcmp(action, "chroot") == 0) must(chroot(arguments[++i]) == 0 && chdir("/") == 0, "chroot");
    else if (strcmp(action, "exit") == 0) exit(atoi(arguments[++i]));
    else if (strcmp(action, "threads") == 0 && i + 2 < count) {
      run_threads(atoi(arguments[i + 1]), atol(arguments[i + 2]));
      i += 2;
    } else return 91;
  }
  return 0;
}
