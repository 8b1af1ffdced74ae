#include <stdbool.h>
#include <stddef.h>

struct reading {
  unsigned state, kind, pid;
  double value; /* of a counter */
  double gauge[4];
};

/* Reads one metric of a table file, by docs/protocol.md and without the library's own declarations. False: not there. */
bool read_metric(const char *path, const char *name, struct reading *reading);
