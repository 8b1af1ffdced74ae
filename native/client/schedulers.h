/* What job a program belongs to, from the environment that its scheduler or launcher gave it. */
#ifndef VIGIE_SCHEDULERS_H
#define VIGIE_SCHEDULERS_H

#include <stddef.h>
#include <stdint.h>

/* Longest job id in bytes; the engine takes 256 characters. */
enum { JOB_ID_BYTES = 256, JOB_TEXT_BYTES = 4096 };

/* For vigie-run and for libvigie, whose programs may have been started without it.
 * Empty strings and a size of 0 mean: not known. Times are milliseconds since the epoch. */
struct job {
  char jobid[JOB_ID_BYTES + 1];
  char command[JOB_TEXT_BYTES];
  char nodelist[JOB_TEXT_BYTES];
  char partition[256];
  char cluster[256];
  char run_dir[JOB_TEXT_BYTES];
  long long size;
  long long start_time;
};

/* Where the facts come from; tests give recorded ones. */
struct job_facts {
  char *const *environment; /* NAME=VALUE, ended by NULL */
  const char *parent;       /* command line of the parent process, words separated by blanks; may be empty */
  const char *fallback;     /* job id when nobody gives one; may be null */
};

/* Fills what the schedulers tell and `job` does not know yet: each field is taken from the first that has it. */
void job_describe(struct job *job, const struct job_facts *facts);

/* The MPI rank that the launcher gave this process, -1 when there is none. */
int job_rank(const struct job_facts *facts);

/* Name of the scheduler or launcher that gave the job id; for people. */
const char *job_id_source(const struct job_facts *facts);

/* The launcher's own job id, HOST-PID-TIME: pid of the parent process and its start in clock ticks since boot, so that
 * what one shell loop or one launcher starts is one job. */
void job_fallback_id(char *buffer, size_t capacity);

/* Command line of the parent process, or an empty string. */
void job_parent_command(char *buffer, size_t capacity);

/* Start of a process in clock ticks after boot, field 22 of /proc/PID/stat; 0 when it cannot be read. */
uint64_t process_start(long pid);

#endif
