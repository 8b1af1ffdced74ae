/* Loads MPI itself, for itself: `dlopens LIBRARY`; with `dlopens LIBRARY all`, for all of the program. */
#include <dlfcn.h>
#include <stdio.h>

#include "did.h"

int main(int argc, char **argv) {
  void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW | (argc > 2 ? RTLD_GLOBAL : RTLD_LOCAL)) : NULL;
  if (!library) return fprintf(stderr, "%s\n", dlerror()), 7;
  int (*init)(int *, char ***), (*finalize)(void), (*initialized)(int *), flag = 0;
  *(void **)&init = dlsym(library, "MPI_Init");
  *(void **)&finalize = dlsym(library, "MPI_Finalize");
  *(void **)&initialized = dlsym(library, "MPI_Initialized");
  init(&argc, &argv), DID(init, 0, 0);
  initialized(&flag), DID(initialized, 0, 0);
  finalize(), DID(finalize, 0, 0);
  report();
  return flag ? 0 : 1;
}
