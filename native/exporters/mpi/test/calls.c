/* Calls of all families, of 4 ranks. */
#include <mpi.h>
#include <stdint.h>
#include <stdlib.h>

#include "did.h"

#define N 10 /* ints */
#define B (N * 4L)

static int rank, size, send_buffer[64 * N], receive_buffer[64 * N];

static void point_to_point(void) {
  int right = (rank + 1) % size, left = (rank + size - 1) % size, flag = 0;
  MPI_Status status, statuses[2];
  MPI_Request requests[2];
  /* Sent and taken in another size than the buffer's: what came counts. */
  if (rank % 2 == 0) {
    MPI_Send(send_buffer, N, MPI_INT, right, 1, MPI_COMM_WORLD), DID(send, 0, B);
    MPI_Recv(receive_buffer, 2 * N, MPI_INT, left, 1, MPI_COMM_WORLD, &status), DID(recv, B, 0);
  } else {
    MPI_Recv(receive_buffer, 2 * N, MPI_INT, left, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE), DID(recv, B, 0);
    MPI_Ssend(send_buffer, N, MPI_INT, right, 1, MPI_COMM_WORLD), DID(ssend, 0, B);
  }
  MPI_Irecv(receive_buffer, N, MPI_INT, left, 2, MPI_COMM_WORLD, &requests[0]), DID(irecv, B, 0);
  MPI_Isend(send_buffer, N, MPI_INT, right, 2, MPI_COMM_WORLD, &requests[1]), DID(isend, 0, B);
  MPI_Waitall(2, requests, statuses), DID(waitall, 0, 0);
  MPI_Irecv(receive_buffer, N, MPI_DOUBLE, left, 3, MPI_COMM_WORLD, &requests[0]), DID(irecv, 2 * B, 0);
  MPI_Issend(send_buffer, N, MPI_DOUBLE, right, 3, MPI_COMM_WORLD, &requests[1]), DID(issend, 0, 2 * B);
  for (flag = 0; !flag;) MPI_Test(&requests[0], &flag, MPI_STATUS_IGNORE), DID(test, 0, 0);
  MPI_Wait(&requests[1], MPI_STATUS_IGNORE), DID(wait, 0, 0);
  MPI_Sendrecv(send_buffer, N, MPI_INT, right, 4, receive_buffer, 3 * N, MPI_INT, left, 4, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  DID(sendrecv, B, B);
  MPI_Sendrecv_replace(send_buffer, N, MPI_INT, right, 5, left, 5, MPI_COMM_WORLD, &status), DID(sendrecv_replace, B, B);
  /* Nobody to send to, nothing to send. */
  MPI_Send(send_buffer, N, MPI_INT, MPI_PROC_NULL, 6, MPI_COMM_WORLD), DID(send, 0, 0);
  MPI_Recv(receive_buffer, N, MPI_INT, MPI_PROC_NULL, 6, MPI_COMM_WORLD, &status), DID(recv, 0, 0);
  MPI_Isend(NULL, 0, MPI_INT, right, 7, MPI_COMM_WORLD, &requests[0]), DID(isend, 0, 0);
  MPI_Probe(left, 7, MPI_COMM_WORLD, &status), DID(probe, 0, 0);
  for (flag = 0; !flag;) MPI_Iprobe(left, 7, MPI_COMM_WORLD, &flag, &status), DID(iprobe, 0, 0);
  MPI_Recv(NULL, 0, MPI_INT, left, 7, MPI_COMM_WORLD, MPI_STATUS_IGNORE), DID(recv, 0, 0);
  MPI_Wait(&requests[0], &status), DID(wait, 0, 0);
  MPI_Message message;
  MPI_Isend(send_buffer, N, MPI_INT, right, 8, MPI_COMM_WORLD, &requests[0]), DID(isend, 0, B);
  MPI_Mprobe(left, 8, MPI_COMM_WORLD, &message, &status), DID(mprobe, 0, 0);
  MPI_Mrecv(receive_buffer, N, MPI_INT, &message, MPI_STATUS_IGNORE), DID(mrecv, B, 0);
  MPI_Wait(&requests[0], &status), DID(wait, 0, 0);
}

static void persistent(void) {
  int right = (rank + 1) % size, left = (rank + size - 1) % size;
  MPI_Request requests[2];
  MPI_Send_init(send_buffer, N, MPI_INT, right, 9, MPI_COMM_WORLD, &requests[0]), DID(send_init, 0, 0);
  MPI_Recv_init(receive_buffer, N, MPI_INT, left, 9, MPI_COMM_WORLD, &requests[1]), DID(recv_init, 0, 0);
  for (int i = 0; i < 5; i++) {
    MPI_Startall(2, requests), DID(startall, B, B);
    MPI_Waitall(2, requests, MPI_STATUSES_IGNORE), DID(waitall, 0, 0);
  }
  MPI_Start(&requests[1]), DID(start, B, 0);
  MPI_Start(&requests[0]), DID(start, 0, B);
  MPI_Waitall(2, requests, MPI_STATUSES_IGNORE), DID(waitall, 0, 0);
  for (int i = 0; i < 2; i++) MPI_Request_free(&requests[i]), DID(request_free, 0, 0);
}

static void collectives(void) {
  int counts[4] = {1, 2, 3, 4}, places[4] = {0, 1, 3, 6}, each[4] = {N, N, N, N}, apart[4] = {0, N, 2 * N, 3 * N};
  MPI_Datatype types[4] = {MPI_INT, MPI_INT, MPI_INT, MPI_INT};
  int bytes_apart[4] = {0, (int)B, 2 * (int)B, 3 * (int)B};
  long mine = counts[rank] * 4L;
  MPI_Request request;
  MPI_Barrier(MPI_COMM_WORLD), DID(barrier, 0, 0);
  MPI_Bcast(send_buffer, N, MPI_INT, 1, MPI_COMM_WORLD), DID(bcast, rank == 1 ? 0 : B, rank == 1 ? B : 0);
  MPI_Reduce(send_buffer, receive_buffer, N, MPI_INT, MPI_SUM, 2, MPI_COMM_WORLD), DID(reduce, rank == 2 ? B : 0, B);
  MPI_Allreduce(send_buffer, receive_buffer, N, MPI_INT, MPI_SUM, MPI_COMM_WORLD), DID(allreduce, B, B);
  MPI_Allreduce(MPI_IN_PLACE, receive_buffer, N, MPI_INT, MPI_MAX, MPI_COMM_WORLD), DID(allreduce, B, B);
  MPI_Scan(send_buffer, receive_buffer, N, MPI_INT, MPI_SUM, MPI_COMM_WORLD), DID(scan, B, B);
  MPI_Exscan(send_buffer, receive_buffer, N, MPI_INT, MPI_SUM, MPI_COMM_WORLD), DID(exscan, rank ? B : 0, B);
  MPI_Gather(send_buffer, N, MPI_INT, receive_buffer, N, MPI_INT, 0, MPI_COMM_WORLD), DID(gather, rank ? 0 : 4 * B, B);
  if (rank == 0) MPI_Gather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, receive_buffer, N, MPI_INT, 0, MPI_COMM_WORLD);
  else MPI_Gather(send_buffer, N, MPI_INT, NULL, 0, MPI_DATATYPE_NULL, 0, MPI_COMM_WORLD);
  DID(gather, rank ? 0 : 4 * B, B);
  MPI_Gatherv(send_buffer, counts[rank], MPI_INT, receive_buffer, rank == 3 ? counts : NULL, places, MPI_INT, 3, MPI_COMM_WORLD);
  DID(gatherv, rank == 3 ? 40 : 0, mine);
  MPI_Scatter(send_buffer, N, MPI_INT, receive_buffer, N, MPI_INT, 0, MPI_COMM_WORLD), DID(scatter, B, rank ? 0 : 4 * B);
  MPI_Scatterv(send_buffer, counts, places, MPI_INT, receive_buffer, counts[rank], MPI_INT, 1, MPI_COMM_WORLD);
  DID(scatterv, mine, rank == 1 ? 40 : 0);
  MPI_Allgather(send_buffer, N, MPI_INT, receive_buffer, N, MPI_INT, MPI_COMM_WORLD), DID(allgather, 4 * B, B);
  MPI_Allgatherv(send_buffer, counts[rank], MPI_INT, receive_buffer, counts, places, MPI_INT, MPI_COMM_WORLD);
  DID(allgatherv, 40, mine);
  MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, receive_buffer, counts, places, MPI_INT, MPI_COMM_WORLD);
  DID(allgatherv, 40, mine);
  MPI_Alltoall(send_buffer, N, MPI_INT, receive_buffer, N, MPI_INT, MPI_COMM_WORLD), DID(alltoall, 4 * B, 4 * B);
  MPI_Alltoallv(send_buffer, each, apart, MPI_INT, receive_buffer, each, apart, MPI_INT, MPI_COMM_WORLD);
  DID(alltoallv, 4 * B, 4 * B);
  MPI_Alltoallw(send_buffer, each, bytes_apart, types, receive_buffer, each, bytes_apart, types, MPI_COMM_WORLD);
  DID(alltoallw, 4 * B, 4 * B);
  MPI_Reduce_scatter(send_buffer, receive_buffer, counts, MPI_INT, MPI_SUM, MPI_COMM_WORLD), DID(reduce_scatter, mine, 40);
  MPI_Reduce_scatter_block(send_buffer, receive_buffer, N, MPI_INT, MPI_SUM, MPI_COMM_WORLD), DID(reduce_scatter_block, B, 4 * B);
  MPI_Iallreduce(send_buffer, receive_buffer, N, MPI_INT, MPI_SUM, MPI_COMM_WORLD, &request), DID(iallreduce, B, B);
  MPI_Wait(&request, MPI_STATUS_IGNORE), DID(wait, 0, 0);
  MPI_Ibcast(send_buffer, N, MPI_INT, 0, MPI_COMM_WORLD, &request), DID(ibcast, rank ? B : 0, rank ? 0 : B);
  MPI_Wait(&request, MPI_STATUS_IGNORE), DID(wait, 0, 0);
  MPI_Ibarrier(MPI_COMM_WORLD, &request), DID(ibarrier, 0, 0);
  MPI_Wait(&request, MPI_STATUS_IGNORE), DID(wait, 0, 0);
}

static void communicators(void) {
  MPI_Comm half, other, ring;
  int dimensions[1] = {4}, periodic[1] = {1}, half_rank;
  MPI_Comm_split(MPI_COMM_WORLD, rank / 2, rank, &half), DID(comm_split, 0, 0);
  MPI_Comm_rank(half, &half_rank), DID(comm_rank, 0, 0);
  MPI_Allgather(send_buffer, N, MPI_INT, receive_buffer, N, MPI_INT, half), DID(allgather, 2 * B, B);
  /* Two groups of two: the root gives, the other side takes. */
  MPI_Intercomm_create(half, 0, MPI_COMM_WORLD, rank / 2 ? 0 : 2, 1, &other), DID(intercomm_create, 0, 0);
  int root = rank / 2 ? 0 : half_rank ? MPI_PROC_NULL : MPI_ROOT;
  MPI_Bcast(send_buffer, N, MPI_INT, root, other), DID(bcast, rank / 2 ? B : 0, rank == 0 ? B : 0);
  MPI_Cart_create(MPI_COMM_WORLD, 1, dimensions, periodic, 0, &ring), DID(cart_create, 0, 0);
  MPI_Neighbor_allgather(send_buffer, N, MPI_INT, receive_buffer, N, MPI_INT, ring), DID(neighbor_allgather, 2 * B, B);
  MPI_Neighbor_alltoall(send_buffer, N, MPI_INT, receive_buffer, N, MPI_INT, ring), DID(neighbor_alltoall, 2 * B, 2 * B);
  MPI_Comm_free(&ring), DID(comm_free, 0, 0);
  MPI_Comm_free(&other), DID(comm_free, 0, 0);
  MPI_Comm_free(&half), DID(comm_free, 0, 0);
}

static void types_and_memory(void) {
  MPI_Datatype column;
  MPI_Win window;
  int right = (rank + 1) % size, one = 1, old;
  MPI_Type_vector(N, 1, 2, MPI_INT, &column), DID(type_vector, 0, 0);
  MPI_Type_commit(&column), DID(type_commit, 0, 0);
  MPI_Sendrecv(send_buffer, 2, column, right, 1, receive_buffer, 2 * N, MPI_INT, MPI_ANY_SOURCE, 1, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  DID(sendrecv, 2 * B, 2 * B);
  MPI_Type_free(&column), DID(type_free, 0, 0);
  MPI_Win_create(receive_buffer, sizeof receive_buffer, 4, MPI_INFO_NULL, MPI_COMM_WORLD, &window), DID(win_create, 0, 0);
  MPI_Win_fence(0, window), DID(win_fence, 0, 0);
  MPI_Put(send_buffer, N, MPI_INT, right, 0, N, MPI_INT, window), DID(put, 0, B);
  MPI_Win_fence(0, window), DID(win_fence, 0, 0);
  MPI_Get(send_buffer, N, MPI_INT, right, 0, N, MPI_INT, window), DID(get, B, 0);
  MPI_Win_fence(0, window), DID(win_fence, 0, 0);
  MPI_Accumulate(send_buffer, N, MPI_INT, right, 0, N, MPI_INT, MPI_SUM, window), DID(accumulate, 0, B);
  MPI_Win_fence(0, window), DID(win_fence, 0, 0);
  MPI_Win_lock(MPI_LOCK_SHARED, right, 0, window), DID(win_lock, 0, 0);
  MPI_Fetch_and_op(&one, &old, MPI_INT, right, 0, MPI_SUM, window), DID(fetch_and_op, 4, 4);
  MPI_Win_flush(right, window), DID(win_flush, 0, 0);
  MPI_Win_unlock(right, window), DID(win_unlock, 0, 0);
  MPI_Win_free(&window), DID(win_free, 0, 0);
}

static void files(const char *path) {
  MPI_File file;
  MPI_Request request;
  MPI_File_open(MPI_COMM_WORLD, path, MPI_MODE_CREATE | MPI_MODE_RDWR, MPI_INFO_NULL, &file), DID(file_open, 0, 0);
  MPI_File_write_at(file, rank * B, send_buffer, N, MPI_INT, MPI_STATUS_IGNORE), DID(file_write_at, 0, B);
  MPI_File_sync(file), DID(file_sync, 0, 0);
  MPI_Barrier(MPI_COMM_WORLD), DID(barrier, 0, 0);
  MPI_File_read_at_all(file, rank * B, receive_buffer, N, MPI_INT, MPI_STATUS_IGNORE), DID(file_read_at_all, B, 0);
  /* Only 5 ints are left there. */
  MPI_File_read_at(file, 4 * B - 20, receive_buffer, N, MPI_INT, MPI_STATUS_IGNORE), DID(file_read_at, 20, 0);
  MPI_File_iread_at(file, 0, receive_buffer, N, MPI_INT, &request), DID(file_iread_at, B, 0);
  MPI_Wait(&request, MPI_STATUS_IGNORE), DID(wait, 0, 0);
  MPI_File_close(&file), DID(file_close, 0, 0);
}

int main(int argc, char **argv) {
  char version[MPI_MAX_LIBRARY_VERSION_STRING];
  int length, flag;
  MPI_Init(&argc, &argv), DID(init, 0, 0);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank), DID(comm_rank, 0, 0);
  MPI_Comm_size(MPI_COMM_WORLD, &size), DID(comm_size, 0, 0);
  MPI_Get_library_version(version, &length), DID(get_library_version, 0, 0);
  if (size != 4 || argc < 2) return 3;
  point_to_point();
  persistent();
  collectives();
  communicators();
  types_and_memory();
  files(argv[1]);
  /* In between nothing counts, the call that ends it included. */
  MPI_Pcontrol(0), DID(pcontrol, 0, 0);
  MPI_Barrier(MPI_COMM_WORLD);
  MPI_Pcontrol(1);
  double time = MPI_Wtime();
  DID(wtime, 0, 0);
  MPI_Finalize(), DID(finalize, 0, 0);
  MPI_Finalized(&flag), DID(finalized, 0, 0);
  report();
  return time >= 0 && flag ? 0 : 4;
}
