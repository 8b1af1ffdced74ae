/* Names of system calls, and the counters that stand for them. */
#ifndef VIGIE_SYSCALLS_CALLS_H
#define VIGIE_SYSCALLS_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "../../client/tally.h"

enum architecture { X86_64, I386, AARCH64, ARCHITECTURES };

/* One more than the largest number that is counted by itself; what is above is counted as `unknown`. */
enum { MAX_CALLS = 512, UNKNOWN_CALL = MAX_CALLS - 1 };

/* Null when the number is none. */
const char *call_name(enum architecture architecture, uint32_t number);

/* Makes the counters strace___{hits,time,size}___NAME and the totals. */
void call_counters(enum architecture architecture, uint32_t number, struct tally_counters *counters);

/* Whether what the call returns is a number of bytes that were moved. */
bool call_moves(enum architecture architecture, uint32_t number);

#endif
