/*
 * libvigie: counters and gauges that a Vigie engine (or a legacy metric proxy) shows while the program runs.
 *
 * All functions may be called from any thread, from constructors and destructors, and after a fork (a child counts into
 * a table of its own, from zero, once it uses one). None of them changes errno, raises a signal or ends the program. With
 * no engine they count into memory that nobody reads.
 *
 * Signal handlers: only vigie_counter_add and vigie_counter_add_double may be called, on a thread that has added to the
 * same counter before; an addition that interrupts another one to the same counter may be lost.
 *
 * A child made by vfork, _Fork or a bare clone must not call them before it has executed another program.
 */
#ifndef VIGIE_H
#define VIGIE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VIGIE_API __attribute__((visibility("default")))

/* What functions return. */
enum {
  VIGIE_OK = 0,
  VIGIE_INVALID = -1, /* a null pointer, a bad name, not a finite number, or a decrease */
  VIGIE_KIND = -2,    /* the name stands for a metric of another kind */
  VIGIE_FULL = -3,    /* no memory, or too many metrics: 65,536 */
};

/* Longest name (labels included) and longest text, in bytes. */
#define VIGIE_NAME_MAX 4096

/* Owned by the library and valid for the life of the process. */
typedef struct vigie_metric vigie_counter;
typedef struct vigie_metric vigie_gauge;

typedef struct vigie_label {
  const char *name;  /* letters, digits and underscores, not beginning with a digit */
  const char *value; /* any UTF-8 */
} vigie_label;

/*
 * Makes a counter, or finds the one that was made under this name. `name` may have labels: family{label="value"}. `doc` is
 * a text for people, or null. Integers are summed modulo 2^64.
 */
VIGIE_API int vigie_counter_new(vigie_counter **counter, const char *name, const char *doc);
/* The same for sums of doubles. */
VIGIE_API int vigie_counter_new_double(vigie_counter **counter, const char *name, const char *doc);
VIGIE_API int vigie_gauge_new(vigie_gauge **gauge, const char *name, const char *doc);

/*
 * Writes family{name="value",…} with quotes, backslashes and newlines escaped. Returns the length without the final
 * zero; VIGIE_FULL when `size` bytes are too few, VIGIE_INVALID for a bad label.
 */
VIGIE_API int vigie_name(char *buffer, size_t size, const char *family, const vigie_label *labels, size_t count);

/* Adds to a counter of integers. A null counter is ignored (VIGIE_INVALID): programs need not check vigie_counter_new. */
VIGIE_API int vigie_counter_add(vigie_counter *counter, uint64_t increase);
/* Adds to a counter of doubles: finite and not negative. */
VIGIE_API int vigie_counter_add_double(vigie_counter *counter, double increase);

/* Replaces what the gauge has: one observation of this value. */
VIGIE_API int vigie_gauge_set(vigie_gauge *gauge, double value);
/* Adds an observation: the gauge has the smallest, the largest, the number and the sum of all of them. */
VIGIE_API int vigie_gauge_observe(vigie_gauge *gauge, double value);

/*
 * Tells which rank of how many this process is: its row in the run has that number, with what it counted before. For
 * programs whose launcher does not say it (MPI's and srun do, and what they say is not changed by this).
 */
VIGIE_API int vigie_set_rank(int rank, int size);

/*
 * Gives what was counted to the engine now (legacy proxy), for at most 250 ms. With a shared table there is nothing to do.
 * Happens by itself when the process exits.
 */
VIGIE_API int vigie_flush(void);

#ifdef __cplusplus
}
#endif

#endif
