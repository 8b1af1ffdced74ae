/* The tracer's parts. */
#ifndef VIGIE_SYSCALLS_TRACER_H
#define VIGIE_SYSCALLS_TRACER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "calls.h"

/* A thread that is traced. */
struct tracee {
  pid_t tid;
  bool inside;    /* of a call: between its two stops */
  bool attached;  /* it has stopped once, and is resumed by us since */
  bool counted;   /* what it does counts: not before the program itself was executed */
  enum architecture architecture;
  uint32_t number;
  uint64_t start; /* ticks */
  struct tracee *next;
};

struct tracee *tracee_find(pid_t tid);
struct tracee *tracee_add(pid_t tid);
void tracee_remove(pid_t tid);
void tracee_each(void (*visit)(struct tracee *));
unsigned tracee_count(void);

/* A stop at a system call. */
struct stop {
  bool entry;
  enum architecture architecture;
  uint32_t number;
  int64_t result;
};

/* What the thread has stopped for; false when it is gone. */
bool stop_read(const struct tracee *tracee, struct stop *stop);

/* Whether the program that the thread is about to execute is one that gets other rights by it, which a tracer would take
 * from it. */
bool executes_set_id(const struct tracee *tracee);

/* Says on stderr why this process cannot be traced. */
void explain_refusal(pid_t pid, int error);

#endif
