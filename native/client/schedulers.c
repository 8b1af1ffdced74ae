/* One function per scheduler, one table of them in the order of preference. A function only adds what is still unknown:
 * a batch system knows nodes and partition even where a launcher inside it (mpirun) gives the job id. */
#define _GNU_SOURCE
#include "schedulers.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Null when the variable is not set or empty. */
static const char *get(const struct job_facts *facts, const char *name) {
  size_t length = strlen(name);
  for (char *const *entry = facts->environment; *entry != NULL; entry++)
    if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
      return (*entry)[length + 1] == '\0' ? NULL : *entry + length + 1;
  return NULL;
}

static const char *first_of(const struct job_facts *facts, const char *const *names) {
  for (; *names != NULL; names++) {
    const char *value = get(facts, *names);
    if (value != NULL) return value;
  }
  return NULL;
}

#define FIRST_OF(facts, ...) first_of(facts, (const char *const[]){__VA_ARGS__, NULL})

static void take(char *field, size_t capacity, const char *value) {
  if (field[0] == '\0' && value != NULL) snprintf(field, capacity, "%s", value);
}

#define TAKE(job, field, value) take((job)->field, sizeof(job)->field, value)

static void take_size(struct job *job, const char *value) {
  if (job->size > 0 || value == NULL) return;
  char *end;
  long long size = strtoll(value, &end, 10);
  if (*end == '\0' && size > 0 && size <= INT_MAX) job->size = size;
}

/* The batch script and what lies around it are steps with numbers near 2^32: no steps to a user. */
#define NO_STEP 4294967280ULL

static void named(struct job *job, const struct job_facts *facts) { TAKE(job, jobid, get(facts, "PROXY_JOB_ID")); }

static void slurm(struct job *job, const struct job_facts *facts) {
  const char *id = FIRST_OF(facts, "SLURM_JOB_ID", "SLURM_JOBID");
  if (id == NULL) return;
  const char *step = FIRST_OF(facts, "SLURM_STEP_ID", "SLURM_STEPID");
  if (step != NULL && strtoull(step, NULL, 10) >= NO_STEP) step = NULL;
  /* mpirun starts its own daemons as a step, but the ranks of the first node without one: the step would split the job. */
  int mpirun = get(facts, "OMPI_COMM_WORLD_SIZE") != NULL || get(facts, "MPI_LOCALNRANKS") != NULL;
  char name[JOB_ID_BYTES + 1];
  snprintf(name, sizeof name, "%s%s%s", id, step != NULL && !mpirun ? "-" : "", step != NULL && !mpirun ? step : "");
  TAKE(job, jobid, name);
  if (mpirun) take_size(job, FIRST_OF(facts, "OMPI_COMM_WORLD_SIZE", "PMI_SIZE"));
  take_size(job, FIRST_OF(facts, "SLURM_STEP_NUM_TASKS", "SLURM_NTASKS", "SLURM_NPROCS"));
  TAKE(job, nodelist, FIRST_OF(facts, "SLURM_STEP_NODELIST", "SLURM_JOB_NODELIST", "SLURM_NODELIST"));
  TAKE(job, partition, get(facts, "SLURM_JOB_PARTITION"));
  TAKE(job, cluster, get(facts, "SLURM_CLUSTER_NAME"));
}

static void pmix(struct job *job, const struct job_facts *facts) {
  const char *space = get(facts, "PMIX_NAMESPACE");
  char name[JOB_ID_BYTES + 1];
  if (space == NULL) {
    /* PMIX_ID is the namespace, a point and the rank. */
    const char *id = get(facts, "PMIX_ID");
    const char *point = id == NULL ? NULL : strrchr(id, '.');
    if (point == NULL) return;
    snprintf(name, sizeof name, "%.*s", (int)(point - id), id);
    space = name;
  }
  TAKE(job, jobid, space);
  take_size(job, FIRST_OF(facts, "OMPI_COMM_WORLD_SIZE", "PMIX_SIZE", "PMI_SIZE"));
}

static void open_mpi(struct job *job, const struct job_facts *facts) {
  const char *size = get(facts, "OMPI_COMM_WORLD_SIZE");
  if (size == NULL) return;
  TAKE(job, jobid, FIRST_OF(facts, "OMPI_MCA_ess_base_jobid", "OMPI_MCA_orte_ess_jobid"));
  take_size(job, size);
}

static void hydra(struct job *job, const struct job_facts *facts) {
  const char *size = get(facts, "PMI_SIZE");
  if (size == NULL) return;
  take_size(job, size);
  /* The environment has no id. The address of the launcher, which all its proxies were given, is one: HOST:PORT. */
  static const char flag[] = "--control-port ";
  const char *address = strstr(facts->parent, flag);
  if (address == NULL || strstr(facts->parent, "hydra") == NULL) return;
  address += sizeof flag - 1;
  char name[JOB_ID_BYTES + 1];
  snprintf(name, sizeof name, "hydra-%.*s", (int)strcspn(address, " "), address);
  for (char *c = name; *c != '\0'; c++)
    if (*c == ':') *c = '-';
  TAKE(job, jobid, name);
}

static void pbs(struct job *job, const struct job_facts *facts) {
  const char *id = get(facts, "PBS_JOBID");
  if (id == NULL) return;
  TAKE(job, jobid, id);
  take_size(job, FIRST_OF(facts, "PBS_NP", "PBS_TASKNUM"));
  TAKE(job, partition, FIRST_OF(facts, "PBS_QUEUE", "PBS_O_QUEUE"));
  TAKE(job, cluster, FIRST_OF(facts, "PBS_SERVER", "PBS_O_SERVER"));
}

static void lsf(struct job *job, const struct job_facts *facts) {
  const char *id = get(facts, "LSB_JOBID");
  if (id == NULL) return;
  const char *index = get(facts, "LSB_JOBINDEX");
  if (index != NULL && strcmp(index, "0") == 0) index = NULL; /* not an array */
  char name[JOB_ID_BYTES + 1];
  snprintf(name, sizeof name, "%s%s%s%s", id, index ? "[" : "", index ? index : "", index ? "]" : "");
  TAKE(job, jobid, name);
  take_size(job, get(facts, "LSB_DJOB_NUMPROC"));
  TAKE(job, nodelist, get(facts, "LSB_HOSTS"));
  TAKE(job, partition, get(facts, "LSB_QUEUE"));
}

/* HTCondor names the job only in the classad's file; submit files pass CLUSTER.PROC as CONDOR_ID or the like, the slot's
 * scratch folder is always there. */
static void htcondor(struct job *job, const struct job_facts *facts) {
  const char *scratch = get(facts, "_CONDOR_SCRATCH_DIR");
  if (scratch == NULL) return;
  const char *ad = get(facts, "_CONDOR_JOB_AD");
  char name[JOB_ID_BYTES + 1] = "";
  FILE *file = ad == NULL ? NULL : fopen(ad, "re");
  if (file != NULL) {
    char line[4096];
    long cluster = -1, process = -1;
    while (fgets(line, sizeof line, file) != NULL) {
      (void)sscanf(line, "ClusterId = %ld", &cluster);
      (void)sscanf(line, "ProcId = %ld", &process);
    }
    fclose(file);
    if (cluster >= 0 && process >= 0) snprintf(name, sizeof name, "%ld.%ld", cluster, process);
  }
  if (name[0] == '\0') {
    const char *id = get(facts, "CONDOR_ID");
    const char *folder = strrchr(scratch, '/');
    snprintf(name, sizeof name, "%s%s", id == NULL ? "condor-" : id, id == NULL ? (folder ? folder + 1 : scratch) : "");
  }
  TAKE(job, jobid, name);
  TAKE(job, partition, get(facts, "_CONDOR_SLOT"));
}

static void launcher(struct job *job, const struct job_facts *facts) { TAKE(job, jobid, facts->fallback); }

/* Where the rank stands, by launcher; a step of srun comes last, since an mpirun within it has ranks of its own. */
int job_rank(const struct job_facts *facts) {
  const char *value = FIRST_OF(facts, "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK");
  const char *step = FIRST_OF(facts, "SLURM_STEP_ID", "SLURM_STEPID");
  if (value == NULL && step != NULL && strtoull(step, NULL, 10) < NO_STEP) value = get(facts, "SLURM_PROCID");
  if (value == NULL) return -1;
  char *end;
  long rank = strtol(value, &end, 10);
  return *end == '\0' && rank >= 0 && rank < INT_MAX ? (int)rank : -1;
}

static const struct scheduler {
  const char *name;
  void (*describe)(struct job *job, const struct job_facts *facts);
} schedulers[] = {
    {"$PROXY_JOB_ID", named}, {"Slurm", slurm}, {"PMIx", pmix}, {"Open MPI", open_mpi}, {"Hydra", hydra},
    {"PBS", pbs},             {"LSF", lsf},     {"HTCondor", htcondor}, {"launcher", launcher},
};

enum { SCHEDULERS = sizeof schedulers / sizeof schedulers[0] };

void job_describe(struct job *job, const struct job_facts *facts) {
  for (int i = 0; i < SCHEDULERS; i++) schedulers[i].describe(job, facts);
  if (job->size == 0) job->size = 1;
}

const char *job_id_source(const struct job_facts *facts) {
  static struct job job;
  memset(&job, 0, sizeof job);
  int i = 0;
  do schedulers[i].describe(&job, facts);
  while (job.jobid[0] == '\0' && ++i < SCHEDULERS - 1);
  return schedulers[i].name;
}

/* Reads a small file of /proc into `buffer`; its length, 0 when it cannot be read. */
static size_t read_small(const char *path, char *buffer, size_t capacity) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = fd < 0 ? 0 : read(fd, buffer, capacity - 1);
  if (fd >= 0) close(fd);
  if (length < 0) length = 0;
  buffer[length] = '\0';
  return (size_t)length;
}

uint64_t process_start(long pid) {
  char path[64], stat[1024];
  unsigned long long start = 0;
  snprintf(path, sizeof path, "/proc/%ld/stat", pid);
  read_small(path, stat, sizeof stat);
  /* The name in brackets may hold anything: fields are counted from the last bracket. The start is field 22. */
  const char *fields = strrchr(stat, ')');
  if (fields != NULL)
    (void)sscanf(fields + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &start);
  return start;
}

void job_fallback_id(char *buffer, size_t capacity) {
  char host[128] = "";
  if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0') strcpy(host, "host");
  host[strcspn(host, ".")] = '\0';
  long parent = (long)getppid();
  snprintf(buffer, capacity, "%s-%ld-%llu", host, parent, (unsigned long long)process_start(parent));
}

void job_parent_command(char *buffer, size_t capacity) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%ld/cmdline", (long)getppid());
  size_t length = read_small(path, buffer, capacity);
  for (size_t i = 0; i + 1 < length; i++)
    if (buffer[i] == '\0') buffer[i] = ' ';
}
