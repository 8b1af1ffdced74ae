/* The job that this process belongs to, from what its launcher and scheduler left in the environment. */
#define _GNU_SOURCE
#include "registry.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *variable(const char *name) {
  const char *value = getenv(name);
  return value ? value : "";
}

static int first_number(const char *const *names) {
  for (; *names; names++) {
    long value = strtol(variable(*names), NULL, 10);
    if (value > 0 && value <= 100000000) return (int)value;
  }
  return 1;
}

static const char *identify(struct job *job) {
  const char *given = variable("PROXY_JOB_ID");
  if (*given) {
    snprintf(job->id_text, sizeof job->id_text, "%.256s", given);
    return job->id_text;
  }
  static const char *const names[] = {"SLURM_JOBID", "SLURM_JOB_ID", "PMIX_ID", "METRIC_PROXY_LAUNCHER_PPID", NULL};
  for (const char *const *name = names; *name; name++) {
    const char *value = variable(*name), *step = variable("SLURM_STEP_ID");
    if (!*value) continue;
    /* What follows the first point is the rank. */
    int length = (int)strcspn(value, ".");
    bool slurm = strncmp(*name, "SLURM", 5) == 0;
    snprintf(job->id_text, sizeof job->id_text, "%.*s%s%.20s", length > 200 ? 200 : length, value,
             slurm && *step ? "-" : "", slurm ? step : "");
    return job->id_text;
  }
  return NULL;
}

static void read_command(char *command, size_t size) {
  int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 ? 0 : read(fd, command, size - 1);
  if (fd >= 0) close(fd);
  if (got < 0) got = 0;
  while (got > 0 && command[got - 1] == 0) got--;
  for (ssize_t i = 0; i < got; i++)
    if (command[i] == 0) command[i] = ' ';
  command[got] = 0;
}

bool job_describe(struct job *job) {
  static const char *const sizes[] = {"SLURM_NTASKS", "OMPI_COMM_WORLD_SIZE", "PMI_SIZE", NULL};
  struct timespec now;
  job->id = identify(job);
  if (!job->id) return false;
  job->nodelist = variable("SLURM_JOB_NODELIST");
  job->partition = variable("SLURM_JOB_PARTITION");
  job->cluster = variable("SLURM_CLUSTER_NAME");
  job->size = first_number(sizes);
  read_command(job->command, sizeof job->command);
  if (!getcwd(job->run_dir, sizeof job->run_dir)) job->run_dir[0] = 0;
  clock_gettime(CLOCK_REALTIME, &now);
  job->start_time = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
  return true;
}
