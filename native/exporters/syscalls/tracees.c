#include "tracer.h"

#include <stdlib.h>

#define BUCKETS 1024u

static struct tracee *buckets[BUCKETS];
static unsigned count;

static struct tracee **place(pid_t tid) {
  struct tracee **at = &buckets[(uint32_t)tid % BUCKETS];
  while (*at && (*at)->tid != tid) at = &(*at)->next;
  return at;
}

struct tracee *tracee_find(pid_t tid) { return *place(tid); }

struct tracee *tracee_add(pid_t tid) {
  struct tracee **at = place(tid);
  if (*at) return *at;
  *at = calloc(1, sizeof **at);
  if (!*at) abort();
  (*at)->tid = tid;
  count++;
  return *at;
}

void tracee_remove(pid_t tid) {
  struct tracee **at = place(tid), *found = *at;
  if (!found) return;
  *at = found->next;
  free(found);
  count--;
}

void tracee_each(void (*visit)(struct tracee *)) {
  for (unsigned i = 0; i < BUCKETS; i++) {
    struct tracee *next;
    for (struct tracee *at = buckets[i]; at; at = next) {
      next = at->next;
      visit(at);
    }
  }
}

unsigned tracee_count(void) { return count; }
