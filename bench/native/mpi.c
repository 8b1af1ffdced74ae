/*
 * What MPI calls take. A JSON line from rank 0: wall time of MPI_Init and MPI_Finalize in ms, wall and CPU time of one
 * call (or round trip) in ns.
 *
 *     mpi probe N       N times MPI_Iprobe on MPI_COMM_SELF: nothing but the call
 *     mpi pingpong N    N round trips of 8 bytes between two ranks: 4 calls each, 2 of them on either rank
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double at(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  long number = atol(argv[2]);
  if (number < 1) return 2;
  double message = 0, start = at(CLOCK_MONOTONIC);
  int rank, flag;
  MPI_Init(&argc, &argv);
  double init = at(CLOCK_MONOTONIC) - start;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Barrier(MPI_COMM_WORLD);
  double cpu = at(CLOCK_THREAD_CPUTIME_ID);
  start = at(CLOCK_MONOTONIC);
  if (strcmp(argv[1], "probe") == 0) {
    for (long i = 0; i < number; i++) MPI_Iprobe(MPI_ANY_SOURCE, 0, MPI_COMM_SELF, &flag, MPI_STATUS_IGNORE);
  } else {
    for (long i = 0; i < number; i++) {
      if (rank == 0) MPI_Send(&message, 1, MPI_DOUBLE, 1, 0, MPI_COMM_WORLD);
      MPI_Recv(&message, 1, MPI_DOUBLE, 1 - rank, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
      if (rank == 1) MPI_Send(&message, 1, MPI_DOUBLE, 0, 0, MPI_COMM_WORLD);
    }
  }
  double each = (at(CLOCK_MONOTONIC) - start) / (double)number;
  cpu = (at(CLOCK_THREAD_CPUTIME_ID) - cpu) / (double)number;
  MPI_Barrier(MPI_COMM_WORLD);
  start = at(CLOCK_MONOTONIC);
  MPI_Finalize();
  double finalize = at(CLOCK_MONOTONIC) - start;
  if (rank == 0)
    printf("{\"init\":%.3f,\"finalize\":%.3f,\"each\":%.2f,\"cpu\":%.2f}\n", init / 1e6, finalize / 1e6, each, cpu);
  return 0;
}
