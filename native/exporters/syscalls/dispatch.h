/* Between the handler of dispatched calls and the short cuts for some of them. */
#ifndef VIGIE_SYSCALLS_DISPATCH_H
#define VIGIE_SYSCALLS_DISPATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "../libc.h"

struct call {
  long number, a, b, c, d, e, f;
};

/* Makes the call through the gate and counts it. Gives what the kernel gave. */
long dispatch_timed(const struct call *call) __attribute__((visibility("hidden")));

/* Where libc lies; not known before the constructor has run. */
extern struct memory_range dispatch_libc __attribute__((visibility("hidden")));

static inline bool dispatch_in_libc(uintptr_t at) { return range_has(&dispatch_libc, at); }

/* The program has, or had, a second thread. */
extern bool dispatch_threads __attribute__((visibility("hidden")));

#endif
