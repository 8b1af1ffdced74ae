/*
 * Programs that do not do as they should. `failures before|after|exit|abort|kill|threads`: each reports what it did before
 * it ends.
 */
#include <mpi.h>
#include <signal.h>
#include <stdlib.h>

#include "did.h"

#define THREADS 4
#define MESSAGES 500

static int rank;

static void *talk(void *number) {
  int tag = (int)(size_t)number, sum;
  for (int i = 0; i < MESSAGES; i++) {
    MPI_Sendrecv(&i, 1, MPI_INT, rank ^ 1, tag, &sum, 1, MPI_INT, rank ^ 1, tag, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    DID(sendrecv, 4, 4);
  }
  return NULL;
}

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "";
  int flag, major, minor, provided, value = 7;
  if (strcmp(mode, "before") == 0) {
    MPI_Initialized(&flag), DID(initialized, 0, 0);
    MPI_Get_version(&major, &minor), DID(get_version, 0, 0);
    if (flag) return 9;
  }
  if (strcmp(mode, "threads") == 0) {
    MPI_Init_thread(&argc, &argv, MPI_THREAD_MULTIPLE, &provided), DID(init_thread, 0, 0);
    if (provided != MPI_THREAD_MULTIPLE) return 8;
  } else {
    MPI_Init(&argc, &argv), DID(init, 0, 0);
  }
  MPI_Comm_rank(MPI_COMM_WORLD, &rank), DID(comm_rank, 0, 0);
  if (strcmp(mode, "threads") == 0) {
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, talk, (void *)i);
    for (size_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  }
  MPI_Allreduce(MPI_IN_PLACE, &value, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD), DID(allreduce, 4, 4);
  if (strcmp(mode, "kill") == 0) {
    for (int i = 0; i < 1000; i++) MPI_Iprobe(MPI_ANY_SOURCE, 1, MPI_COMM_WORLD, &flag, MPI_STATUS_IGNORE), DID(iprobe, 0, 0);
    report();
    raise(SIGKILL);
  }
  if (strcmp(mode, "exit") == 0) {
    report();
    exit(5);
  }
  if (strcmp(mode, "abort") == 0) {
    MPI_Barrier(MPI_COMM_WORLD), DID(barrier, 0, 0);
    if (rank == 0) DID(abort, 0, 0);
    report();
    /* A launcher that is told to end drops what it has not passed on yet. */
    MPI_Barrier(MPI_COMM_WORLD);
    usleep(500000);
    if (rank == 0) MPI_Abort(MPI_COMM_WORLD, 6);
    for (;;) pause();
  }
  MPI_Finalize(), DID(finalize, 0, 0);
  if (strcmp(mode, "after") == 0) {
    MPI_Finalized(&flag), DID(finalized, 0, 0);
    if (!flag) return 9;
  }
  report();
  return 0;
}
