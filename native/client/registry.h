/* What the parts of libvigie share. */
#ifndef VIGIE_REGISTRY_H
#define VIGIE_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schedulers.h"
#include "table.h"
#include "tally.h"

struct value {
  double min, max, hits, total;
};

/* Made once, never freed. */
struct vigie_metric {
  uint32_t index;
  enum kind kind;
  char *name, *doc;
  struct gauge_cell *gauge; /* null in a child of a fork until the next use */
  struct vigie_metric *next; /* in its hash chain */
  /* Legacy messages: what was sent, and to which connection it was described. */
  uint64_t described;
  union {
    uint64_t integer;
    double real;
    uint64_t sequence;
  } sent;
};

/* Of metrics 0 to count − 1, for the sender; thread-safe. */
/* What the program has said; false: nothing of use. */
bool registry_rank(int *number, int *size);
uint32_t registry_count(void);
struct vigie_metric *registry_metric(uint32_t index);
uint64_t registry_integer(const struct vigie_metric *metric);
double registry_real(const struct vigie_metric *metric);
/* False while a thread writes. */
bool registry_gauge(const struct vigie_metric *metric, struct value *value, uint64_t *sequence);
/* Path ("" when there is no file) and nonce of the table. */
void registry_table(char *path, size_t size, unsigned char *nonce);
void registry_unlink(void);
/* `told`: with what the process has used. */
void registry_finish(bool told);
/* Notes what the process has used until now. */
void registry_usage(void);
/* Opens the table and starts the sender, as the first metric would. */
void registry_begin(void);
/* The end of the process, as its destructors would. */
void registry_end(void);
/* False when this thread itself may hold the registry's lock: a handler of a signal that came then leaves the process.
 * Better no last words than no end. */
bool registry_reachable(void);

/* What happens until registry_leave is libvigie's and none of the program's. Gives what registry_leave takes. */
static inline struct vigie_thread registry_enter(void) {
  struct vigie_thread outer = vigie_thread;
  vigie_thread.dispatch = 0;
  vigie_thread.own = 1;
  return outer;
}
static inline void registry_leave(struct vigie_thread outer) {
  vigie_thread.own = outer.own;
  vigie_thread.dispatch = outer.dispatch;
}

/* Tallies (tally.c): the last counts of all of them; whether one of them ends the table; ms between two collections, −1
 * when there is nothing to collect. */
void tally_leave(void);
bool tally_late(void);
/* The process may not make all system calls any more. */
bool tally_confined(void);
/* From now on none does. */
void tally_on_time(void);
int tally_period(void);

/* The sender (link.c). Started with the first metric of a process. */
void link_start(void);
/* Gives away what is left, for at most this many ms. With `leave` the table is final. */
void link_flush(int milliseconds, bool leave);
/* Ends the sender, and waits until it is gone, for at most this many ms. False: there was none. */
bool link_stop(int milliseconds);
/* The next one, after that. */
void link_go_on(void);
/* Whether the process is of a job; known once it has a table. */
bool link_has_job(void);
void link_before_fork(void);
void link_after_fork(bool child);

/* What this process is to the engine. */
struct description {
  struct job job;  /* without an id there is no job */
  char launch[64]; /* of vigie-run, which started it or a parent of it; empty: none */
  int rank;        /* MPI rank by its launcher, -1 when there is none */
  char traced[40]; /* pid and start time of the process that this one traces and counts for; empty: none */
};
/* Reads the environment: not in the sender, beside which the program may change it. */
void describe_process(struct description *is);

/* A growing text. After `failed` it takes nothing more. */
struct text {
  char *bytes;
  size_t length, size;
  bool failed;
};
void text_add(struct text *text, const char *bytes, size_t length);
void text_string(struct text *text, const char *string);
/* With quotes and escapes as JSON has them; bytes that are not UTF-8 become U+FFFD. */
void text_json(struct text *text, const char *string);
void text_integer(struct text *text, uint64_t value);
/* A finite double as serializers of the legacy messages write it: with a point or an exponent. */
void text_real(struct text *text, double value);

/* The job as a message; without `plain` also what only Vigie's engine knows. */
void legacy_job(struct text *text, const struct description *is, bool plain);
/* The same as an object. */
void legacy_fields(struct text *text, const struct description *is, bool plain);
void legacy_describe(struct text *text, const struct vigie_metric *metric);
/* Takes a counter's present value as sent. */
void legacy_skip(struct vigie_metric *metric);
/* Adds what has changed since the last call, and takes it as sent. */
void legacy_value(struct text *text, struct vigie_metric *metric, uint64_t microseconds);

#endif
