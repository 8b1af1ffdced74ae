/* Why a process cannot be traced, in words. */
#define _GNU_SOURCE
#include "tracer.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A number of /proc/PID/status, −1 when there is none. */
static long status_number(pid_t pid, const char *name) {
  char path[64], line[256];
  long number = -1;
  snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
  FILE *file = fopen(path, "re");
  if (!file) return -1;
  while (fgets(line, sizeof line, file))
    if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':') number = atol(line + strlen(name) + 1);
  fclose(file);
  return number;
}

static int yama(void) {
  int scope = 0;
  FILE *file = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
  if (!file) return 0;
  if (fscanf(file, "%d", &scope) != 1) scope = 0;
  fclose(file);
  return scope;
}

void explain_refusal(pid_t pid, int error) {
  char whose[64];
  long owner = status_number(pid, "Uid"), tracer = status_number(pid, "TracerPid");
  const struct passwd *user = owner >= 0 ? getpwuid((uid_t)owner) : NULL;
  if (user) snprintf(whose, sizeof whose, "%s", user->pw_name);
  else snprintf(whose, sizeof whose, "user %ld", owner);
  if (error == ESRCH || owner < 0) fprintf(stderr, "vigie-run: -S: there is no process %d\n", (int)pid);
  else if (tracer > 0) fprintf(stderr, "vigie-run: -S: process %d is traced already, by process %ld\n", (int)pid, tracer);
  else if (geteuid() != 0 && (uid_t)owner != geteuid())
    fprintf(stderr, "vigie-run: -S: process %d belongs to %s: only they and root may attach to it\n", (int)pid, whose);
  else if (yama() > 0)
    fprintf(stderr, "vigie-run: -S: this system lets nobody attach to process %d (kernel.yama.ptrace_scope is %d)\n", (int)pid, yama());
  else fprintf(stderr, "vigie-run: -S: cannot attach to process %d: %s\n", (int)pid, strerror(error));
}
