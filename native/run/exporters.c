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
    {"io", EXPORTER_MISSING, "file and socket calls of libc"},
    {"strace", EXPORTER_MISSING, "system calls: number, time, bytes"},
    {"ptrace", EXPORTER_MISSING, "system calls, always by a tracer"},
    {"functions", EXPORTER_MISSING, "functions of programs built with -finstrument-functions"},
};

enum { KNOWN = sizeof known / sizeof known[0] };

/* As `proxy_run` calls them. */
static const char *today(const char *name) { return strcmp(name, "finstrument") == 0 ? "functions" : name; }

void exporter_library(char *buffer, size_t capacity, const char *folder, const char *name) {
  name = today(name);
  if (strcmp(name, "ptrace") == 0) snprintf(buffer, capacity, "%s/vigie-tracer", folder);
  else snprintf(buffer, capacity, "%s/libvigie-exporter-%s.so", folder, name);
}

enum exporter_state exporter_state(const char *folder, const char *name) {
  name = today(name);
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
