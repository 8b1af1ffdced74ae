/* dlsym as a program sees it that the exporter is loaded into: what is not MPI's is untouched. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The next definition, seen from here, is libc's. */
pid_t getppid(void) { return -7; }

int main(void) {
  pid_t (*next)(void);
  int (*initialized)(int *);
  *(void **)&next = dlsym(RTLD_NEXT, "getppid");
  if (!next || next == getppid || next() == -7) return fputs("RTLD_NEXT finds something else\n", stderr), 1;
  if (dlsym(RTLD_DEFAULT, "no_such_symbol") || dlsym(RTLD_NEXT, "no_such_symbol")) return 2;
  if (!dlerror() || strcmp((*(void **)&next = dlsym(RTLD_DEFAULT, "strcmp")) ? "" : "x", "") != 0) return 3;
  /* Without an MPI library a program that asks is told that MPI is not there. */
  int flag = 1;
  *(void **)&initialized = dlsym(RTLD_DEFAULT, "MPI_Initialized");
  return initialized && initialized(&flag) == 0 && flag == 0 ? 0 : 4;
}
