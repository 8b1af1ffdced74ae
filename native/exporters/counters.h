/* Counters that an exporter makes when it first needs them: null where there is no room, and adding to null does nothing. */
#ifndef VIGIE_EXPORTERS_COUNTERS_H
#define VIGIE_EXPORTERS_COUNTERS_H

#include <stdio.h>

#include "../client/tally.h"

static inline vigie_counter *integer_counter(const char *name, const char *doc) {
  vigie_counter *counter = NULL;
  vigie_counter_new(&counter, name, doc);
  return counter;
}

static inline vigie_counter *real_counter(const char *name, const char *doc) {
  vigie_counter *counter = NULL;
  vigie_counter_new_double(&counter, name, doc);
  return counter;
}

/* How an exporter names its calls, and what people read. */
struct call_words {
  const char *group; /* of LAYER___hits___CALL */
  const char *number, *seconds, *bytes, *all_number, *all_seconds; /* the first three: with the call's name behind */
};

/* A call's counters, and those of all calls; that of its bytes only when it moves some. */
static inline void name_call(const struct call_words *words, const char *call, bool moves, struct tally_counters *counters) {
  char name[128], doc[160];
  snprintf(name, sizeof name, "%s___hits___%s", words->group, call);
  snprintf(doc, sizeof doc, "%s %s", words->number, call);
  counters->hits = integer_counter(name, doc);
  snprintf(name, sizeof name, "%s___time___%s", words->group, call);
  snprintf(doc, sizeof doc, "%s %s", words->seconds, call);
  counters->time = real_counter(name, doc);
  snprintf(name, sizeof name, "total___%s___hits___total", words->group);
  counters->all_hits = integer_counter(name, words->all_number);
  snprintf(name, sizeof name, "total___%s___time___total", words->group);
  counters->all_time = real_counter(name, words->all_seconds);
  if (!moves) return;
  snprintf(name, sizeof name, "%s___size___%s", words->group, call);
  snprintf(doc, sizeof doc, "%s %s", words->bytes, call);
  counters->bytes = integer_counter(name, doc);
}

#endif
