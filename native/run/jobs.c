#define _GNU_SOURCE
#include "jobs.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

void launch_id(char *buffer, size_t capacity) {
  uint64_t random = 0;
  if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    random = (uint64_t)now.tv_sec << 30 ^ (uint64_t)now.tv_nsec;
  }
  long pid = (long)getpid();
  snprintf(buffer, capacity, "%016llx-%ld-%llu", (unsigned long long)random, pid, (unsigned long long)process_start(pid));
}

void job_to_json(const struct job *job, const char *launch, int rank, struct text *json) {
  text_add(json, "{\"jobid\":");
  text_add_json(json, job->jobid, sizeof job->jobid);
  text_add(json, ",\"command\":");
  text_add_json(json, job->command, sizeof job->command);
  text_add(json, ",\"size\":");
  text_add_number(json, job->size);
  text_add(json, ",\"nodelist\":");
  text_add_json(json, job->nodelist, sizeof job->nodelist);
  text_add(json, ",\"partition\":");
  text_add_json(json, job->partition, sizeof job->partition);
  text_add(json, ",\"cluster\":");
  text_add_json(json, job->cluster, sizeof job->cluster);
  text_add(json, ",\"run_dir\":");
  text_add_json(json, job->run_dir, sizeof job->run_dir);
  text_add(json, ",\"start_time\":");
  text_add_number(json, job->start_time);
  text_add(json, ",\"end_time\":0,\"launch\":");
  text_add_json(json, launch, LAUNCH_BYTES);
  if (rank >= 0) {
    text_add(json, ",\"rank\":");
    text_add_number(json, rank);
  }
  text_add(json, "}");
}
