/* The job that this process belongs to, from what its launcher and scheduler left in the environment. */
#define _GNU_SOURCE
#include "registry.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void read_command(char *command, size_t size) {
  /* A tracer counts for another process. */
  const char *traced = getenv("VIGIE_TRACED");
  char path[64];
  snprintf(path, sizeof path, "/proc/%.20s/cmdline", traced ? traced : "self");
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 ? 0 : read(fd, command, size - 1);
  if (fd >= 0) close(fd);
  if (got < 0) got = 0;
  while (got > 0 && command[got - 1] == 0) got--;
  for (ssize_t i = 0; i < got; i++)
    if (command[i] == 0) command[i] = ' ';
  command[got] = 0;
}

/* What follows a member's name in the description by vigie-run, or null. A name within a string of it would have
 * backslashes before its quotes. */
static const char *given(const char *member) {
  const char *text = getenv("VIGIE_JOB");
  const char *found = text ? strstr(text, member) : NULL;
  return found ? found + strlen(member) : NULL;
}

void describe_process(struct description *is) {
  static uint64_t start; /* also of the children of forks: they are part of the same run */
  static char parent[JOB_TEXT_BYTES]; /* only Hydra's processes tell by it */
  struct job *job = &is->job;
  memset(is, 0, sizeof *is);
  if (getenv("PMI_SIZE")) job_parent_command(parent, sizeof parent);
  /* Without a launcher's id this is a program outside of any job. The Rust launcher gives its pid. */
  struct job_facts facts = {environ, parent, getenv("METRIC_PROXY_LAUNCHER_PPID")};
  job_describe(job, &facts);
  is->rank = job_rank(&facts);
  read_command(job->command, sizeof job->command);
  if (!getcwd(job->run_dir, sizeof job->run_dir)) job->run_dir[0] = 0;

  const char *traced = getenv("VIGIE_TRACED");
  long pid = traced ? strtol(traced, NULL, 10) : 0;
  if (traced) snprintf(is->traced, sizeof is->traced, "%ld-%llu", pid, (unsigned long long)process_start(pid));

  const char *launch = given(",\"launch\":\""), *started = given(",\"start_time\":");
  size_t length = launch ? strspn(launch, "0123456789abcdef-") : 0;
  if (length > 0 && length < sizeof is->launch && launch[length] == '"') memcpy(is->launch, launch, length);
  if (!start && started) start = strtoull(started, NULL, 10);
  if (!start) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    start = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
  }
  job->start_time = (long long)start;
}
