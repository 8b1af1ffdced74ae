/* What counts in a program: libraries beside vigie-run, libvigie-exporter-NAME.so. */
#ifndef VIGIE_RUN_EXPORTERS_H
#define VIGIE_RUN_EXPORTERS_H

#include <stddef.h>

enum exporter_state {
  EXPORTER_ALWAYS,  /* part of every run */
  EXPORTER_READY,   /* its library is there */
  EXPORTER_MISSING, /* belongs to Vigie, but this build does not have it */
  EXPORTER_LATER,   /* comes with a later version */
  EXPORTER_UNKNOWN,
};

enum exporter_state exporter_state(const char *folder, const char *name);

/* Path of the exporter's library, or of the tracer, in `folder`. */
void exporter_library(char *buffer, size_t capacity, const char *folder, const char *name);

/* Prints name, state and meaning of each exporter on stdout, one per line. */
void exporters_list(const char *folder);

#endif
