#include "exporters.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct exporter {
  const char *name;
  enum exporter_state otherwise; /* its state when there is no library */
  const char *doc;
} known[] = {
    {"run", EXPORTER_ALWAYS, "start, end and exit status of the program"},
    {"mpi", EXPORTER_MISSING, "MPI calls: number, time, bytes"},
    {"io", EXPORTER_LATER, "file and socket calls of libc"},
    {"strace", EXPORTER_LATER, "system calls, by a tracer"},
    {"finstrument", EXPORTER_LATER, "functions of programs built with -finstrument-functions"},
};

enum { KNOWN = sizeof known / sizeof known[0] };

void exporter_library(char *buffer, size_t capacity, const char *folder, const char *name) {
  snprintf(buffer, capacity, "%s/libvigie-exporter-%s.so", folder, name);
}

enum exporter_state exporter_state(const char *folder, const char *name) {
  for (int i = 0; i < KNOWN; i++) {
    if (strcmp(known[i].name, name) != 0) continue;
    if (known[i].otherwise == EXPORTER_ALWAYS) return EXPORTER_ALWAYS;
    char library[4352];
    exporter_library(library, sizeof library, folder, name);
    return access(library, R_OK) == 0 ? EXPORTER_READY : known[i].otherwise;
  }
  return EXPORTER_UNKNOWN;
}

void exporters_list(const char *folder) {
  static const char *const states[] = {"always on", "ready", "not in this build", "comes later", ""};
  for (int i = 0; i < KNOWN; i++)
    printf("%-12s %-18s %s\n", known[i].name, states[exporter_state(folder, known[i].name)], known[i].doc);
}
