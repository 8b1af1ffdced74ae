#include "calls.h"

#include "../counters.h"

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

static const struct call_words words = {
    .group = "strace",
    .number = "Number of system calls",
    .seconds = "Total seconds spent in system call",
    .bytes = "Total bytes moved by system call",
    .all_number = "Number of system calls",
    .all_seconds = "Total seconds spent in system calls",
};

void call_counters(enum architecture architecture, uint32_t number, struct tally_counters *counters) {
  const char *call = call_name(architecture, number);
  char unnamed[32] = "unknown";
  if (!call && number < MAX_CALLS && number != UNKNOWN_CALL) snprintf(unnamed, sizeof unnamed, "syscall_%u", number);
  if (!call) call = unnamed;
  enum direction where = direction(call);
  name_call(&words, call, where != NONE, counters);
  if (where == NONE) return;
  counters->all_bytes = where == IN ? integer_counter("total___strace___size___read", "Total bytes read by system calls")
                                    : integer_counter("total___strace___size___write", "Total bytes written by system calls");
}
