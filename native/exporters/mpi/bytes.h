/*
 * Bytes of calls, by rule of functions.txt: out is what this process gives by the definition of the call, in what it
 * takes, its own part included (docs/mpi.md). They are worked out after the call: then all arguments are known to be valid.
 * What only the root's arguments say is asked of the root only.
 */
#ifndef VIGIE_MPI_BYTES_H
#define VIGIE_MPI_BYTES_H

struct bytes {
  uint64_t out, in;
};

struct group {
  int size;  /* processes that data is exchanged with: of an intercommunicator, the other side */
  int rank;
  bool inter;
};

static uint64_t type_size(MPI_Datatype type) {
  MPI_Count size = 0;
  return real.type_size_x(type, &size) == MPI_SUCCESS && size > 0 ? (uint64_t)size : 0;
}

/* Nothing is asked about the type of nothing: it need not be valid. */
static uint64_t amount(int64_t count, MPI_Datatype type) { return count > 0 ? (uint64_t)count * type_size(type) : 0; }

static uint64_t received(const MPI_Status *status) {
  MPI_Count bytes = 0;
  return real.get_elements_x(status, real.byte, &bytes) == MPI_SUCCESS && bytes > 0 ? (uint64_t)bytes : 0;
}

static struct group group_of(MPI_Comm comm) {
  struct group group = {0, -1, false};
  int inter = 0;
  real.comm_test_inter(comm, &inter);
  group.inter = inter != 0;
  if (inter) real.comm_remote_size(comm, &group.size);
  else real.comm_size(comm, &group.size);
  real.comm_rank(comm, &group.rank);
  return group;
}

/* Whether this process is the one that all others give to or take from. */
static bool is_root(struct group group, int root) { return group.inter ? root == MPI_ROOT : root == group.rank; }

struct neighbours {
  int in, out;
};

static struct neighbours neighbours_of(MPI_Comm comm) {
  struct neighbours found = {0, 0};
  int kind = MPI_UNDEFINED, rank = 0, dimensions = 0, weighted = 0;
  real.topo_test(comm, &kind);
  real.comm_rank(comm, &rank);
  if (kind == MPI_CART && real.cartdim_get(comm, &dimensions) == MPI_SUCCESS) found.in = found.out = 2 * dimensions;
  else if (kind == MPI_GRAPH && real.graph_neighbors_count(comm, rank, &found.in) == MPI_SUCCESS) found.out = found.in;
  else if (kind == MPI_DIST_GRAPH) real.dist_graph_neighbors_count(comm, &found.in, &found.out, &weighted);
  return found;
}

/* Sums over arrays of int or MPI_Count. */
#define SUM(counts, number)                                    \
  __extension__({                                              \
    uint64_t sum_ = 0;                                         \
    for (int i_ = 0; i_ < (number); i_++) sum_ += (uint64_t)(counts)[i_]; \
    sum_;                                                      \
  })
#define SUM_TYPES(counts, types, number)                                       \
  __extension__({                                                              \
    uint64_t sum_ = 0;                                                         \
    for (int i_ = 0; i_ < (number); i_++) sum_ += amount((int64_t)(counts)[i_], (types)[i_]); \
    sum_;                                                                      \
  })

/* Each rule fills `bytes`. Point to point, one-sided, files: */
#define MEASURE_send(id, count, type, peer) \
  if ((peer) != MPI_PROC_NULL) bytes.out = amount((int64_t)(count), type)
#define MEASURE_post(id, count, type, peer) \
  if ((peer) != MPI_PROC_NULL) bytes.in = amount((int64_t)(count), type)
#define MEASURE_psend(id, partitions, count, type, peer) MEASURE_send(id, (int64_t)(partitions) * (int64_t)(count), type, peer)
#define MEASURE_ppost(id, partitions, count, type, peer) MEASURE_post(id, (int64_t)(partitions) * (int64_t)(count), type, peer)
#define MEASURE_arrived(id, count, type, message) bytes.in = amount((int64_t)(count), type)
#define MEASURE_recv(id, status) bytes.in = received(status)
#define MEASURE_sendrecv(id, count, type, peer, status) \
  MEASURE_send(id, count, type, peer);                  \
  bytes.in = received(status)
#define MEASURE_isendrecv(id, count, type, peer, in_count, in_type, in_peer) \
  MEASURE_send(id, count, type, peer);                                       \
  MEASURE_post(id, in_count, in_type, in_peer)
#define MEASURE_fread(id, status) bytes.in = received(status)
#define MEASURE_fwrite(id, status) bytes.out = received(status)
#define MEASURE_filesend(id, count, type) bytes.out = amount((int64_t)(count), type)
#define MEASURE_filepost(id, count, type) bytes.in = amount((int64_t)(count), type)
#define MEASURE_getacc(id, count, type, in_count, in_type, target, op)                 \
  if ((target) != MPI_PROC_NULL) {                                                     \
    if ((op) != real.no_op) bytes.out = amount((int64_t)(count), type);                \
    bytes.in = amount((int64_t)(in_count), in_type);                                   \
  }
#define MEASURE_fetchop(id, type, target, op)                        \
  if ((target) != MPI_PROC_NULL) {                                   \
    bytes.in = type_size(type);                                      \
    bytes.out = (op) != real.no_op ? bytes.in : 0;                   \
  }
#define MEASURE_cas(id, type, target)                                \
  if ((target) != MPI_PROC_NULL) {                                   \
    bytes.in = type_size(type);                                      \
    bytes.out = 2 * bytes.in;                                        \
  }

/* Collectives: */
#define MEASURE_bcast(id, count, type, root, comm)                                  \
  struct group group = group_of(comm);                                              \
  if (is_root(group, root)) bytes.out = amount((int64_t)(count), type);             \
  else if ((root) != MPI_PROC_NULL) bytes.in = amount((int64_t)(count), type)
#define MEASURE_reduce(id, count, type, root, comm)                                 \
  struct group group = group_of(comm);                                              \
  uint64_t part = (root) == MPI_PROC_NULL ? 0 : amount((int64_t)(count), type);     \
  if (is_root(group, root)) bytes.in = part;                                        \
  if ((root) != MPI_ROOT) bytes.out = part
#define MEASURE_allreduce(id, count, type) bytes.out = bytes.in = amount((int64_t)(count), type)
#define MEASURE_exscan(id, count, type, comm)            \
  bytes.out = amount((int64_t)(count), type);            \
  if (group_of(comm).rank > 0) bytes.in = bytes.out
#define MEASURE_gather(id, sendbuf, count, type, in_count, in_type, root, comm)                  \
  struct group group = group_of(comm);                                                           \
  if (is_root(group, root)) {                                                                    \
    uint64_t part = amount((int64_t)(in_count), in_type);                                        \
    bytes.in = part * (uint64_t)group.size;                                                      \
    if (!group.inter) bytes.out = (sendbuf) == MPI_IN_PLACE ? part : amount((int64_t)(count), type); \
  } else if ((root) != MPI_PROC_NULL) bytes.out = amount((int64_t)(count), type)
#define MEASURE_gatherv(id, sendbuf, count, type, in_counts, in_type, root, comm)                \
  struct group group = group_of(comm);                                                           \
  if (is_root(group, root)) {                                                                    \
    uint64_t size = type_size(in_type);                                                          \
    bytes.in = SUM(in_counts, group.size) * size;                                                \
    if (!group.inter)                                                                            \
      bytes.out = (sendbuf) == MPI_IN_PLACE ? (uint64_t)(in_counts)[group.rank] * size           \
                                            : amount((int64_t)(count), type);                    \
  } else if ((root) != MPI_PROC_NULL) bytes.out = amount((int64_t)(count), type)
#define MEASURE_scatter(id, count, type, recvbuf, in_count, in_type, root, comm)                 \
  struct group group = group_of(comm);                                                           \
  if (is_root(group, root)) {                                                                    \
    uint64_t part = amount((int64_t)(count), type);                                              \
    bytes.out = part * (uint64_t)group.size;                                                     \
    if (!group.inter) bytes.in = (recvbuf) == MPI_IN_PLACE ? part : amount((int64_t)(in_count), in_type); \
  } else if ((root) != MPI_PROC_NULL) bytes.in = amount((int64_t)(in_count), in_type)
#define MEASURE_scatterv(id, counts, type, recvbuf, in_count, in_type, root, comm)               \
  struct group group = group_of(comm);                                                           \
  if (is_root(group, root)) {                                                                    \
    uint64_t size = type_size(type);                                                             \
    bytes.out = SUM(counts, group.size) * size;                                                  \
    if (!group.inter)                                                                            \
      bytes.in = (recvbuf) == MPI_IN_PLACE ? (uint64_t)(counts)[group.rank] * size               \
                                           : amount((int64_t)(in_count), in_type);               \
  } else if ((root) != MPI_PROC_NULL) bytes.in = amount((int64_t)(in_count), in_type)
#define MEASURE_allgather(id, sendbuf, count, type, in_count, in_type, comm)                     \
  uint64_t part = amount((int64_t)(in_count), in_type);                                          \
  bytes.in = part * (uint64_t)group_of(comm).size;                                               \
  bytes.out = (sendbuf) == MPI_IN_PLACE ? part : amount((int64_t)(count), type)
#define MEASURE_allgatherv(id, sendbuf, count, type, in_counts, in_type, comm)                   \
  struct group group = group_of(comm);                                                           \
  uint64_t size = type_size(in_type);                                                            \
  bytes.in = SUM(in_counts, group.size) * size;                                                  \
  bytes.out = (sendbuf) == MPI_IN_PLACE ? (uint64_t)(in_counts)[group.rank] * size : amount((int64_t)(count), type)
#define MEASURE_alltoall(id, sendbuf, count, type, in_count, in_type, comm)                      \
  uint64_t size = (uint64_t)group_of(comm).size, part = amount((int64_t)(in_count), in_type);    \
  bytes.in = part * size;                                                                        \
  bytes.out = ((sendbuf) == MPI_IN_PLACE ? part : amount((int64_t)(count), type)) * size
#define MEASURE_alltoallv(id, sendbuf, counts, type, in_counts, in_type, comm)                   \
  int size = group_of(comm).size;                                                                \
  bytes.in = SUM(in_counts, size) * type_size(in_type);                                          \
  bytes.out = (sendbuf) == MPI_IN_PLACE ? bytes.in : SUM(counts, size) * type_size(type)
#define MEASURE_alltoallw(id, sendbuf, counts, types, in_counts, in_types, comm)                 \
  int size = group_of(comm).size;                                                                \
  bytes.in = SUM_TYPES(in_counts, in_types, size);                                               \
  bytes.out = (sendbuf) == MPI_IN_PLACE ? bytes.in : SUM_TYPES(counts, types, size)
/* The counts are those of this side's processes, also in an intercommunicator. */
#define MEASURE_reducescatter(id, counts, type, comm)                                            \
  int size = 0, rank = 0;                                                                        \
  uint64_t each = type_size(type);                                                               \
  real.comm_size(comm, &size);                                                                   \
  real.comm_rank(comm, &rank);                                                                   \
  bytes.out = SUM(counts, size) * each;                                                          \
  bytes.in = (uint64_t)(counts)[rank] * each
#define MEASURE_reduceblock(id, count, type, comm)                                               \
  int size = 0;                                                                                  \
  real.comm_size(comm, &size);                                                                   \
  bytes.in = amount((int64_t)(count), type);                                                     \
  bytes.out = bytes.in * (uint64_t)size
#define MEASURE_nallgather(id, count, type, in_count, in_type, comm)                             \
  bytes.out = amount((int64_t)(count), type);                                                    \
  bytes.in = amount((int64_t)(in_count), in_type) * (uint64_t)neighbours_of(comm).in
#define MEASURE_nallgatherv(id, count, type, in_counts, in_type, comm)                           \
  bytes.out = amount((int64_t)(count), type);                                                    \
  bytes.in = SUM(in_counts, neighbours_of(comm).in) * type_size(in_type)
#define MEASURE_nalltoall(id, count, type, in_count, in_type, comm)                              \
  struct neighbours neighbours = neighbours_of(comm);                                            \
  bytes.out = amount((int64_t)(count), type) * (uint64_t)neighbours.out;                         \
  bytes.in = amount((int64_t)(in_count), in_type) * (uint64_t)neighbours.in
#define MEASURE_nalltoallv(id, counts, type, in_counts, in_type, comm)                           \
  struct neighbours neighbours = neighbours_of(comm);                                            \
  bytes.out = SUM(counts, neighbours.out) * type_size(type);                                     \
  bytes.in = SUM(in_counts, neighbours.in) * type_size(in_type)
#define MEASURE_nalltoallw(id, counts, types, in_counts, in_types, comm)                         \
  struct neighbours neighbours = neighbours_of(comm);                                            \
  bytes.out = SUM_TYPES(counts, types, neighbours.out);                                          \
  bytes.in = SUM_TYPES(in_counts, in_types, neighbours.in)

#endif
