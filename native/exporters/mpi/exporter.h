/* Between what is preloaded (front.c, one for all MPI libraries) and what counts (exporter.c, one per MPI library). */
#ifndef VIGIE_MPI_EXPORTER_H
#define VIGIE_MPI_EXPORTER_H

#include <stdint.h>

/* What the front offers. Functions are numbered as in functions.txt. */
struct mpi_front {
  int functions;
  /* The program's MPI functions behind ours, each set before its wrapper is called. */
  void *const *next;
  /* A symbol of the program's MPI library, null when it has none. */
  void *(*find)(const char *name);
  /* From here on calls are the library's own, until the state is given back. */
  int (*hide_inner)(void);
  void (*show_inner)(int state);
};

/* What an exporter offers under the name vigie_mpi_exporter. */
struct mpi_exporter {
  int functions;
  void *const *wrappers;             /* null: this mpi.h does not have the function */
  int (*load)(const struct mpi_front *front); /* 0, or an error */
  void (*bypass)(void *function);    /* the next wrapped call of this thread calls this in place of next */
  uint64_t (*now)(void);             /* clock ticks */
  void (*count)(int function, uint64_t start); /* a call that began at `start` and passed no wrapper */
};

#endif
