/* The command line of vigie-run: the options of the launchers that it replaces. */
#ifndef VIGIE_RUN_OPTIONS_H
#define VIGIE_RUN_OPTIONS_H

#include <stdbool.h>

enum { MAX_EXPORTERS = 32, EXPORTER_NAME_BYTES = 64 };

struct options {
  bool list;
  bool verbose;
  bool help;
  bool version;
  const char *attach; /* -S: pid to attach to, or NULL */
  const char *jobid;  /* NULL: as the scheduler says */
  const char *socket; /* NULL: as the environment says */
  char exporters[MAX_EXPORTERS][EXPORTER_NAME_BYTES];
  int exporter_count;
  char **command; /* ended by NULL; empty when there is none */
};

/* Returns 0, or -1 after it has said on stderr what is wrong. */
int options_parse(struct options *options, int argc, char **argv);

extern const char usage[];

#endif
