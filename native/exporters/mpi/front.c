/*
 * What vigie-run preloads for MPI. It stands between the program and its MPI library, is linked with neither, and knows
 * no mpi.h: arguments are passed on as machine words, which all arguments of MPI are. In programs without MPI it does
 * nothing.
 *
 * With the first call it looks which MPI library the process has, and loads the exporter that was built with such an
 * mpi.h (libvigie-exporter-mpi-openmpi.so, -mpich.so). So the choice is made where it cannot be wrong: in the process,
 * also below a shell script, and when Python loads MPI late. Without a fitting exporter all calls go straight on.
 *
 * Fortran: an entry such as mpi_send_ marks the thread with the function that it stands for, and calls the library's
 * entry. That calls MPI_Send or PMPI_Send in turn, with arguments that have been converted: it comes by here again and is
 * counted. Whatever else the entry calls (conversions, sizes) is the library's own and is not counted.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exporter.h"

#define EXPORT __attribute__((visibility("default")))
#define MPI_ERR_OTHER_ANY 16

/* 0: calls are the program's; n + 1: only function n is, which a Fortran entry stands for; −1: none is. */
static _Thread_local int inside __attribute__((tls_model("initial-exec")));

enum { OUTSIDE = 0, HIDDEN = -1, MAX_FUNCTIONS = 1024 };

static void *targets[MAX_FUNCTIONS]; /* where a call goes: wrapper or next */
static void *next[MAX_FUNCTIONS];    /* MPI_X of the next library: another tool's, or MPI's */
static void *plain[MAX_FUNCTIONS];   /* PMPI_X */
static bool untaken[MAX_FUNCTIONS];  /* Fortran entries that call no C function */
static const struct mpi_exporter *exporter;

struct fortran {
  int before;
  uint64_t start;
};

static void *called(int id);
static void *called_inside(int id);
static struct fortran fortran_enter(int id, void **entry, const char *name);
static void fortran_leave(int id, const struct fortran *fortran);

#include "stubs.inc"

_Static_assert((int)FUNCTIONS <= (int)MAX_FUNCTIONS, "room for all functions");

#ifdef __GLIBC__
static void *(*libc_dlsym(void))(void *, const char *) {
  static void *(*found)(void *, const char *);
  void *(*symbol)(void *, const char *) = __atomic_load_n(&found, __ATOMIC_RELAXED);
  static const char *const versions[] = {"GLIBC_2.34", "GLIBC_2.2.5", "GLIBC_2.17", "GLIBC_2.27", "GLIBC_2.36"};
  for (size_t i = 0; !symbol && i < sizeof versions / sizeof versions[0]; i++)
    *(void **)&symbol = dlvsym(RTLD_NEXT, "dlsym", versions[i]);
  __atomic_store_n(&found, symbol, __ATOMIC_RELAXED);
  return symbol;
}
#else
static void *(*libc_dlsym(void))(void *, const char *) { return dlsym; }
#endif

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static bool mpi_library(const char *path) {
  const char *name = base_name(path);
  return strncmp(name, "libmpi", 6) == 0 && strstr(name, ".so") != NULL;
}

/* Paths of the MPI libraries in the process. */
struct libraries {
  char paths[8][512];
  int count;
};

static int note_library(struct dl_phdr_info *info, size_t size, void *data) {
  struct libraries *libraries = data;
  (void)size;
  if (!info->dlpi_name || !mpi_library(info->dlpi_name)) return 0;
  if (strlen(info->dlpi_name) < sizeof libraries->paths[0]) strcpy(libraries->paths[libraries->count++], info->dlpi_name);
  return libraries->count == 8;
}

/* Libraries that were loaded for one part of the program only (by Python, for its module) are asked one by one. */
static void *find(const char *name) {
  void *(*const look_up)(void *, const char *) = libc_dlsym();
  if (!look_up) return NULL;
  void *symbol = look_up(RTLD_NEXT, name);
  if (symbol) return symbol;
  struct libraries libraries = {.count = 0};
  dl_iterate_phdr(note_library, &libraries);
  for (int i = 0; i < libraries.count && !symbol; i++) {
    void *handle = dlopen(libraries.paths[i], RTLD_LAZY | RTLD_NOLOAD);
    if (!handle) continue;
    symbol = look_up(handle, name);
    dlclose(handle);
  }
  return symbol;
}

static int hide_inner(void) {
  int before = inside;
  inside = HIDDEN;
  return before;
}

static void show_inner(int state) { inside = state; }

/* Which of our exporters has the binary interface of this library; null when none has. */
static const char *interface_of(const char *library) {
  if (find("ompi_mpi_comm_world")) return "openmpi";
  /* MPICH, and all that keep to its interface: Intel MPI, MVAPICH, Cray. */
  const char *name = base_name(library);
  if (strncmp(name, "libmpi", 6) == 0 && strstr(name, ".so.12")) return "mpich";
  return NULL;
}

/* One rank says it, for all. */
static bool speaker(void) {
  static const char *const variables[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK", "SLURM_PROCID"};
  for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
    const char *rank = getenv(variables[i]);
    if (rank) return strcmp(rank, "0") == 0;
  }
  return true;
}

static void load(void *init) {
  Dl_info library, self;
  char path[4200];
  if (!dladdr(init, &library) || !library.dli_fname) return;
  if (!dladdr((void *)names, &self) || !self.dli_fname) return;
  const char *interface = interface_of(library.dli_fname);
  if (interface) {
    snprintf(path, sizeof path, "%.*s/libvigie-exporter-mpi-%s.so", (int)(base_name(self.dli_fname) - self.dli_fname - 1),
             self.dli_fname, interface);
    static const struct mpi_front front = {FUNCTIONS, next, find, hide_inner, show_inner};
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    const struct mpi_exporter *found = handle ? libc_dlsym()(handle, "vigie_mpi_exporter") : NULL;
    if (found && found->functions == FUNCTIONS && found->load(&front) == 0) {
      exporter = found;
      return;
    }
  }
  if (speaker())
    fprintf(stderr, "vigie-run: this build counts no MPI calls of programs with %s: they are not counted\n",
            base_name(library.dli_fname));
}

/* False while the process has no MPI library: a later call may find one. */
static bool start(void) {
  static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  static bool started;
  if (__atomic_load_n(&started, __ATOMIC_ACQUIRE)) return true;
  int before = errno, state = hide_inner();
  pthread_mutex_lock(&lock);
  void *init = started ? NULL : find("PMPI_Init");
  if (init) {
    load(init);
    __atomic_store_n(&started, true, __ATOMIC_RELEASE);
  }
  bool done = started;
  pthread_mutex_unlock(&lock);
  show_inner(state);
  errno = before;
  return done;
}

/*
 * What answers where no MPI is: programs that have weak references to MPI and ask whether it is initialized are told that
 * it is not; all else is an error.
 */
static long no_mpi(void) { return MPI_ERR_OTHER_ANY; }
static long no_mpi_flag(int *flag) { return *flag = 0; }
static double no_mpi_time(void) { return 0; }

static void *missing(int id) {
  const char *name = names[id];
  if (strcmp(name, "MPI_Initialized") == 0 || strcmp(name, "MPI_Finalized") == 0) return (void *)no_mpi_flag;
  return strcmp(name, "MPI_Wtime") == 0 || strcmp(name, "MPI_Wtick") == 0 ? (void *)no_mpi_time : (void *)no_mpi;
}

static void *resolve(void **place, const char *prefix, int id) {
  void *function = __atomic_load_n(place, __ATOMIC_ACQUIRE);
  if (function) return function;
  char name[80];
  snprintf(name, sizeof name, "%s%s", prefix, names[id]);
  if ((function = find(name))) __atomic_store_n(place, function, __ATOMIC_RELEASE);
  return function;
}

static void *target(int id) {
  void *function = __atomic_load_n(&targets[id], __ATOMIC_ACQUIRE);
  if (function) return function;
  if (!start() || !(function = resolve(&next[id], "", id))) return missing(id);
  if (exporter && exporter->wrappers[id]) function = exporter->wrappers[id];
  __atomic_store_n(&targets[id], function, __ATOMIC_RELEASE);
  return function;
}

__attribute__((noinline, cold)) static void *choose(int id) {
  if (inside == OUTSIDE) return target(id);
  if (inside == id + 1) {
    inside = HIDDEN;
    return target(id);
  }
  void *function = resolve(&next[id], "", id);
  return function ? function : missing(id);
}

static inline void *called(int id) {
  void *function = __atomic_load_n(&targets[id], __ATOMIC_ACQUIRE);
  return __builtin_expect(function != NULL && inside == OUTSIDE, 1) ? function : choose(id);
}

__attribute__((noinline, cold)) static void *choose_inside(int id) {
  void *function = resolve(&plain[id], "P", id);
  if (!function) return missing(id);
  if (inside != id + 1) return function;
  inside = HIDDEN;
  void *wrapper = target(id);
  /* Another tool would count this call only here: it is not to see it. */
  if (exporter && wrapper == exporter->wrappers[id] && next[id] != function) exporter->bypass(function);
  return wrapper == next[id] ? function : wrapper;
}

/* PMPI_X: from tools and MPI itself, which are not counted, or from a Fortran entry. */
static inline void *called_inside(int id) {
  void *function = __atomic_load_n(&plain[id], __ATOMIC_ACQUIRE);
  return __builtin_expect(function != NULL && inside <= OUTSIDE, 1) ? function : choose_inside(id);
}

__attribute__((noinline)) static struct fortran fortran_enter(int id, void **entry, const char *name) {
  struct fortran fortran = {.before = inside, .start = 0};
  if (!__atomic_load_n(entry, __ATOMIC_ACQUIRE)) {
    (void)start();
    __atomic_store_n(entry, find(name), __ATOMIC_RELEASE);
  }
  if (!*entry) return fortran;
  if (inside == OUTSIDE) inside = id + 1;
  if (__builtin_expect(untaken[id], 0) && exporter) fortran.start = exporter->now();
  return fortran;
}

__attribute__((noinline)) static void fortran_leave(int id, const struct fortran *fortran) {
  if (__builtin_expect(inside == id + 1, 0) && exporter) {
    /* The first such call has no time. */
    exporter->count(id, fortran->start ? fortran->start : exporter->now());
    untaken[id] = true;
  }
  inside = fortran->before;
}

#ifdef __GLIBC__
static bool of_mpi(void *symbol) {
  Dl_info library;
  return dladdr(symbol, &library) && library.dli_fname && mpi_library(library.dli_fname);
}

/*
 * Programs that load MPI themselves ask dlsym for its functions, and get ours; but a tool behind us that asks for what it
 * stands for gets the library's, or it would call itself through us. What is not meant for us goes on by a jump, since
 * dlsym looks at who calls it (RTLD_NEXT).
 */
__attribute__((noinline, cold)) static void *stub_for(void *handle, const char *name) {
  void *symbol = libc_dlsym()(handle, name), *behind = libc_dlsym()(RTLD_NEXT, name);
  if (!symbol || !of_mpi(symbol) || (behind && !of_mpi(behind))) return symbol;
  for (int i = 0; i < FUNCTIONS; i++)
    if (strcmp(names[i], name) == 0) return entries[i];
  return symbol;
}

EXPORT void *dlsym(void *restrict handle, const char *restrict name) {
  void *(*const look_up)(void *, const char *) = libc_dlsym();
  if (__builtin_expect(look_up == NULL, 0)) return NULL;
  if (handle != RTLD_NEXT && handle != RTLD_DEFAULT && strncmp(name, "MPI_", 4) == 0) return stub_for(handle, name);
  return look_up(handle, name);
}
#endif
