#include "calls.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* Made of tables/ARCHITECTURE.txt by the build. */
static const char *const names[ARCHITECTURES][MAX_CALLS] = {
    [X86_64] =
        {
#include "x86_64.inc"
        },
    [I386] =
        {
#include "i386.inc"
        },
    [AARCH64] =
        {
#include "aarch64.inc"
        },
};

enum direction { NONE, IN, OUT };

static enum direction direction(const char *name) {
  static const char *const in[] = {"read",     "pread64", "readv",    "preadv",          "preadv2", "recvfrom", "recvmsg",
                                   "recv",     "sendfile", "sendfile64", "copy_file_range", "splice",  "tee"};
  static const char *const out[] = {"write", "pwrite64", "writev", "pwritev", "pwritev2", "sendto", "sendmsg", "send", "vmsplice"};
  for (size_t i = 0; i < sizeof in / sizeof in[0]; i++)
    if (strcmp(name, in[i]) == 0) return IN;
  for (size_t i = 0; i < sizeof out / sizeof out[0]; i++)
    if (strcmp(name, out[i]) == 0) return OUT;
  return NONE;
}

const char *call_name(enum architecture architecture, uint32_t number) {
  return number < MAX_CALLS ? names[architecture][number] : NULL;
}

bool call_moves(enum architecture architecture, uint32_t number) {
  const char *name = call_name(architecture, number);
  return name && direction(name) != NONE;
}

static vigie_counter *integer(const char *name, const char *doc) {
  vigie_counter *counter = NULL;
  vigie_counter_new(&counter, name, doc);
  return counter;
}

static vigie_counter *real(const char *name, const char *doc) {
  vigie_counter *counter = NULL;
  vigie_counter_new_double(&counter, name, doc);
  return counter;
}

void call_counters(enum architecture architecture, uint32_t number, struct tally_counters *counters) {
  const char *call = call_name(architecture, number);
  char name[96], doc[128], unnamed[32] = "unknown";
  if (!call && number < MAX_CALLS && number != UNKNOWN_CALL) snprintf(unnamed, sizeof unnamed, "syscall_%u", number);
  if (!call) call = unnamed;
  snprintf(name, sizeof name, "strace___hits___%s", call);
  snprintf(doc, sizeof doc, "Number of system calls %s", call);
  counters->hits = integer(name, doc);
  snprintf(name, sizeof name, "strace___time___%s", call);
  snprintf(doc, sizeof doc, "Total seconds spent in system call %s", call);
  counters->time = real(name, doc);
  counters->all_hits = integer("total___strace___hits___total", "Number of system calls");
  counters->all_time = real("total___strace___time___total", "Total seconds spent in system calls");
  enum direction where = direction(call);
  if (where == NONE) return;
  snprintf(name, sizeof name, "strace___size___%s", call);
  snprintf(doc, sizeof doc, "Total bytes moved by system call %s", call);
  counters->bytes = integer(name, doc);
  counters->all_bytes = where == IN ? integer("total___strace___size___read", "Total bytes read by system calls")
                                    : integer("total___strace___size___write", "Total bytes written by system calls");
}
