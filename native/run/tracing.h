/* How system calls are counted. */
#ifndef VIGIE_RUN_TRACING_H
#define VIGIE_RUN_TRACING_H

#include "image.h"
#include "options.h"

enum tracing {
  TRACING_OFF,    /* nobody asked for it, or it cannot be */
  TRACING_INSIDE, /* by the library, in the program */
  TRACING_PTRACE, /* by a tracer */
};

/* What was asked for, what the program is and what this kernel can. With -v, or when nothing can be counted, it says on
 * stderr what and why. `folder`: of our libraries. */
enum tracing tracing_choose(const struct options *options, const struct image *image, const char *folder);

/* Starts a tracer of this process, which is about to become the program. Without one it says so. `alone`: no library of
 * ours will be in the program, so that the tracer tells its start and its end, too. */
void tracing_start(const char *folder, bool alone, bool verbose);

/* -S: becomes a tracer of that process. Returns the exit status when that is not possible. */
int tracing_attach(const char *folder, const char *pid, bool verbose);

#endif
