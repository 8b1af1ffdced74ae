/*
 * Counts the MPI calls of a process: one library per MPI library, since this file is compiled with its mpi.h. It is linked
 * with none: all functions and objects of MPI are those that the program has loaded (front.c finds them).
 *
 * A call costs two readings of the clock and four additions in this thread's part of the shared table. Metrics are made
 * with a function's first call. All of it is safe with MPI_THREAD_MULTIPLE.
 */
#define _GNU_SOURCE
#include <mpi.h>

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <vigie.h>

#include "../../client/tally.h"
#include "clock.h"
#include "exporter.h"

static const struct mpi_front *front;
static void *const *next_functions;

static struct {
  int (*type_size_x)(MPI_Datatype, MPI_Count *);
  int (*get_elements_x)(const MPI_Status *, MPI_Datatype, MPI_Count *);
  int (*comm_size)(MPI_Comm, int *);
  int (*comm_rank)(MPI_Comm, int *);
  int (*comm_test_inter)(MPI_Comm, int *);
  int (*comm_remote_size)(MPI_Comm, int *);
  int (*topo_test)(MPI_Comm, int *);
  int (*cartdim_get)(MPI_Comm, int *);
  int (*graph_neighbors_count)(MPI_Comm, int, int *);
  int (*dist_graph_neighbors_count)(MPI_Comm, int *, int *, int *);
  MPI_Datatype byte;
  MPI_Comm world;
  MPI_Op no_op;
} real;

#include "bytes.h"

/* Metrics of one function, made when they are first needed. */
struct call {
  vigie_counter *hits, *time, *size, *in, *out;
};
static struct call calls[1024];
static const char *name_of(int id);

static struct {
  vigie_counter *hits, *time, *wait, *size, *in, *out;
} total;

static bool disabled; /* by MPI_Pcontrol */

/* Calls that this thread is in: callbacks of MPI call MPI, and their time is in the outer call's. */
static _Thread_local int depth __attribute__((tls_model("initial-exec")));
/* For one call, the function that takes the place of the next one. */
static _Thread_local void *instead __attribute__((tls_model("initial-exec")));

static inline void *take_next(int id) {
  void *function = instead;
  if (__builtin_expect(function == NULL, 1)) return next_functions[id];
  instead = NULL;
  return function;
}

static inline uint64_t begin(void) {
  depth++;
  return clock_ticks();
}

__attribute__((noinline, cold)) static void make(int id) {
  struct call *call = &calls[id];
  const char *function = name_of(id);
  char lower[80], name[128], doc[128];
  snprintf(lower, sizeof lower, "%s", function);
  for (char *at = lower; *at; at++)
    if (*at >= 'A' && *at <= 'Z') *at += 'a' - 'A';
  vigie_counter *counter;
  snprintf(name, sizeof name, "mpi___time___%s", lower);
  snprintf(doc, sizeof doc, "Total seconds spent for %s", function);
  vigie_counter_new_double(&counter, name, doc);
  __atomic_store_n(&call->time, counter, __ATOMIC_RELEASE);
  snprintf(name, sizeof name, "mpi___hits___%s", lower);
  snprintf(doc, sizeof doc, "Number of function calls for %s", function);
  vigie_counter_new(&counter, name, doc);
  __atomic_store_n(&call->hits, counter, __ATOMIC_RELEASE);
}

static inline void end(int id, uint64_t start, bool waits) {
  uint64_t stop = clock_ticks();
  depth--;
  if (__builtin_expect(__atomic_load_n(&disabled, __ATOMIC_RELAXED), 0)) return;
  struct call *call = &calls[id];
  if (__builtin_expect(__atomic_load_n(&call->hits, __ATOMIC_ACQUIRE) == NULL, 0)) make(id);
  double seconds = clock_seconds(start, stop);
  vigie_counter_add(call->hits, 1);
  vigie_counter_add_double(call->time, seconds);
  vigie_counter_add(total.hits, 1);
  if (__builtin_expect(depth > 0, 0)) return;
  vigie_counter_add_double(total.time, seconds);
  if (waits) vigie_counter_add_double(total.wait, seconds);
}

static vigie_counter *make_size(vigie_counter **place, int id, const char *part, const char *doc_part) {
  char lower[80], name[128], doc[128];
  snprintf(lower, sizeof lower, "%s", name_of(id));
  for (char *at = lower; *at; at++)
    if (*at >= 'A' && *at <= 'Z') *at += 'a' - 'A';
  snprintf(name, sizeof name, "mpi___%s___%s", part, lower);
  snprintf(doc, sizeof doc, "Total size (%s) for %s", doc_part, name_of(id));
  vigie_counter *counter = NULL;
  vigie_counter_new(&counter, name, doc);
  __atomic_store_n(place, counter, __ATOMIC_RELEASE);
  return counter;
}

static inline vigie_counter *size_counter(vigie_counter **place, int id, const char *part, const char *doc_part) {
  vigie_counter *counter = __atomic_load_n(place, __ATOMIC_ACQUIRE);
  return __builtin_expect(counter != NULL, 1) ? counter : make_size(place, id, part, doc_part);
}

static void add_bytes(int id, struct bytes bytes) {
  if (bytes.out + bytes.in == 0 || __atomic_load_n(&disabled, __ATOMIC_RELAXED)) return;
  struct call *call = &calls[id];
  vigie_counter_add(size_counter(&call->size, id, "size", "IN + OUT"), bytes.out + bytes.in);
  vigie_counter_add(total.size, bytes.out + bytes.in);
  if (bytes.in) {
    vigie_counter_add(size_counter(&call->in, id, "size_in", "IN"), bytes.in);
    vigie_counter_add(total.in, bytes.in);
  }
  if (bytes.out) {
    vigie_counter_add(size_counter(&call->out, id, "size_out", "OUT"), bytes.out);
    vigie_counter_add(total.out, bytes.out);
  }
}

/* Bytes of each start of a persistent request, by the request's handle. */
static struct persistent {
  MPI_Request request;
  struct bytes bytes;
  struct persistent *next;
} *persistent[256];
static pthread_mutex_t persistent_lock = PTHREAD_MUTEX_INITIALIZER;
static int persistent_count;

static struct persistent **persistent_place(MPI_Request request) {
  uint64_t key = 0;
  memcpy(&key, &request, sizeof request);
  struct persistent **place = &persistent[key * 0x9e3779b97f4a7c15u >> 56];
  while (*place && (*place)->request != request) place = &(*place)->next;
  return place;
}

static void remember(MPI_Request request, struct bytes bytes) {
  if (bytes.out + bytes.in == 0) return;
  pthread_mutex_lock(&persistent_lock);
  struct persistent **place = persistent_place(request);
  if (!*place && (*place = calloc(1, sizeof **place))) {
    (*place)->request = request;
    __atomic_add_fetch(&persistent_count, 1, __ATOMIC_RELAXED);
  }
  if (*place) (*place)->bytes = bytes;
  pthread_mutex_unlock(&persistent_lock);
}

static void forget(MPI_Request request) {
  if (__atomic_load_n(&persistent_count, __ATOMIC_RELAXED) == 0) return;
  pthread_mutex_lock(&persistent_lock);
  struct persistent **place = persistent_place(request), *found = *place;
  if (found) {
    *place = found->next;
    free(found);
    __atomic_sub_fetch(&persistent_count, 1, __ATOMIC_RELAXED);
  }
  pthread_mutex_unlock(&persistent_lock);
}

static void add_started(int id, const MPI_Request *requests, int number) {
  struct bytes sum = {0, 0};
  if (__atomic_load_n(&persistent_count, __ATOMIC_RELAXED) == 0) return;
  pthread_mutex_lock(&persistent_lock);
  for (int i = 0; i < number; i++) {
    const struct persistent *found = *persistent_place(requests[i]);
    if (!found) continue;
    sum.out += found->bytes.out;
    sum.in += found->bytes.in;
  }
  pthread_mutex_unlock(&persistent_lock);
  add_bytes(id, sum);
}

static void give_rank(void) {
  int rank = -1, size = 0;
  if (real.comm_rank(real.world, &rank) == MPI_SUCCESS && real.comm_size(real.world, &size) == MPI_SUCCESS)
    vigie_set_rank(rank, size);
}

/* MPI_Pcontrol: 0 stops counting, 1 goes on with it, 2 gives what was counted to a legacy proxy at once. */
static void control(int level) {
  if (level == 0 || level == 1) __atomic_store_n(&disabled, level == 0, __ATOMIC_RELAXED);
  if (level == 2) vigie_flush();
}

static int hide_inner(void) { return front->hide_inner(); }
static void show_inner(int state) { front->show_inner(state); }

#define AFTER_init(id) give_rank(), clock_refine()
#define AFTER_start(id, request) add_started(id, request, 1)
#define AFTER_startall(id, number, requests) add_started(id, requests, number)
#define AFTER_pcontrol(id, level) control(level)
#define BEFORE_freed(id, request) forget(*(request))
/* It does not come back, and does not leave through exit handlers. */
#define BEFORE_abort(id, code) begin(), end(id, clock_ticks(), false), vigie_flush()

#include "wrappers.inc"

_Static_assert(FUNCTIONS <= sizeof calls / sizeof calls[0], "room for all functions");

static const char *name_of(int id) { return names[id]; }

/* Before MPI_Init the launcher knows it. */
static void rank_from_launcher(void) {
  static const char *const variables[][2] = {
      {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"}, {"MV2_COMM_WORLD_RANK", "MV2_COMM_WORLD_SIZE"},
      {"PMI_RANK", "PMI_SIZE"},                         {"PMIX_RANK", "SLURM_NTASKS"},
      {"SLURM_PROCID", "SLURM_NTASKS"},
  };
  for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
    const char *rank = getenv(variables[i][0]), *size = getenv(variables[i][1]);
    if (rank && size && vigie_set_rank(atoi(rank), atoi(size)) == VIGIE_OK) return;
  }
}

static void *function(const char *name, bool *complete) {
  void *found = front->find(name);
  if (!found) *complete = false;
  return found;
}

#ifdef OPEN_MPI
/* A program may have its own copy of the library's objects: that is the one that all use. */
static void *object(const char *name, bool *complete) {
  void *found = dlsym(RTLD_DEFAULT, name);
  return found ? found : function(name, complete);
}
#endif

static int load(const struct mpi_front *given) {
  bool complete = given->functions == FUNCTIONS;
  front = given;
  next_functions = given->next;
#define FIND(field, name) *(void **)&real.field = function("PMPI_" name, &complete)
  FIND(type_size_x, "Type_size_x");
  FIND(get_elements_x, "Get_elements_x");
  FIND(comm_size, "Comm_size");
  FIND(comm_rank, "Comm_rank");
  FIND(comm_test_inter, "Comm_test_inter");
  FIND(comm_remote_size, "Comm_remote_size");
  FIND(topo_test, "Topo_test");
  FIND(cartdim_get, "Cartdim_get");
  FIND(graph_neighbors_count, "Graph_neighbors_count");
  FIND(dist_graph_neighbors_count, "Dist_graph_neighbors_count");
#ifdef OPEN_MPI
  real.byte = object("ompi_mpi_byte", &complete);
  real.world = object("ompi_mpi_comm_world", &complete);
  real.no_op = object("ompi_mpi_op_no_op", &complete);
#else
  real.byte = MPI_BYTE;
  real.world = MPI_COMM_WORLD;
  real.no_op = MPI_NO_OP;
#endif
  if (!complete) return -1;
  clock_begin();
  rank_from_launcher();
  static const char doc[] = "Aggregated MPI metrics";
  vigie_counter_new_double(&total.time, "total___mpi___time___total", doc);
  vigie_counter_new_double(&total.wait, "total___mpi___time___wait", "Seconds in MPI calls that only wait");
  vigie_counter_new(&total.hits, "total___mpi___hits___total", doc);
  vigie_counter_new(&total.size, "total___mpi___size_total", doc);
  vigie_counter_new(&total.in, "total___mpi___size___total_in", doc);
  vigie_counter_new(&total.out, "total___mpi___size___total_out", doc);
  vigie_build_info("mpi", VIGIE_VERSION);
  return 0;
}

static void bypass(void *function) { instead = function; }

static uint64_t now(void) { return clock_ticks(); }

static void count(int id, uint64_t start) {
  depth++;
  end(id, start, false);
}

VIGIE_API extern const struct mpi_exporter vigie_mpi_exporter;
const struct mpi_exporter vigie_mpi_exporter = {FUNCTIONS, wrappers, load, bypass, now, count};
