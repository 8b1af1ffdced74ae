/* Where libc lies in memory: what comes next behind a wrapper may be its function, or another library's. */
#ifndef VIGIE_EXPORTERS_LIBC_H
#define VIGIE_EXPORTERS_LIBC_H

#include <link.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory_range {
  uintptr_t begin, bytes; /* 0 bytes: not known */
};

static inline bool range_has(const struct memory_range *range, uintptr_t at) { return at - range->begin < range->bytes; }

/* The part of an object that has its code; by a function that no tool stands before. */
static inline int look_for_libc(struct dl_phdr_info *object, size_t size, void *range) {
  uintptr_t inside = (uintptr_t)&sched_yield;
  (void)size;
  for (int i = 0; i < object->dlpi_phnum; i++) {
    uintptr_t begin = object->dlpi_addr + object->dlpi_phdr[i].p_vaddr, bytes = object->dlpi_phdr[i].p_memsz;
    if (object->dlpi_phdr[i].p_type != PT_LOAD || inside - begin >= bytes) continue;
    *(struct memory_range *)range = (struct memory_range){begin, bytes};
    return 1;
  }
  return 0;
}

/* In a constructor. Not dladdr: it goes through all symbols of the object, which takes as long as starting a program. */
static inline struct memory_range find_libc(void) {
  struct memory_range range = {0, 0};
  (void)dl_iterate_phdr(look_for_libc, &range);
  return range;
}

#endif
