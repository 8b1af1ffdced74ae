/* Another tool of the profiling interface: counts MPI_Send and MPI_Barrier, and says so at the end. */
#include <mpi.h>
#include <stdio.h>

static int sends, barriers;

int MPI_Send(const void *buffer, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm) {
  sends++;
  return PMPI_Send(buffer, count, type, to, tag, comm);
}

int MPI_Barrier(MPI_Comm comm) {
  barriers++;
  return PMPI_Barrier(comm);
}

int MPI_Finalize(void) {
  fprintf(stderr, "tool: %d %d\n", sends, barriers);
  /* What a tool asks for itself is not the program's. */
  PMPI_Barrier(MPI_COMM_WORLD);
  return PMPI_Finalize();
}
