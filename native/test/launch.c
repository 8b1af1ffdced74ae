/* Times of starting a program until it has ended, in µs. ROUNDS PREFIX... -- PROGRAM...: in turns the program alone and
 * with the prefix before it. Prints a JSON line per round. */
#define _GNU_SOURCE
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double microseconds(char **command) {
  struct timespec from, to;
  pid_t child;
  int status;
  clock_gettime(CLOCK_MONOTONIC, &from);
  if (posix_spawn(&child, command[0], NULL, NULL, command, environ) != 0) exit(1);
  if (waitpid(child, &status, 0) != child || status != 0) exit(1);
  clock_gettime(CLOCK_MONOTONIC, &to);
  return (double)(to.tv_sec - from.tv_sec) * 1e6 + (double)(to.tv_nsec - from.tv_nsec) / 1e3;
}

int main(int count, char **arguments) {
  int program = 2;
  while (program < count && strcmp(arguments[program], "--") != 0) program++;
  if (program + 1 >= count) return 2;
  for (int round = 0; round < atoi(arguments[1]); round++) {
    double plain = microseconds(arguments + program + 1);
    printf("{\"plain\":%.1f,\"with\":%.1f}\n", plain, microseconds(arguments + 2));
  }
  return 0;
}
