/*
 * Counts a program's I/O through libc, by standing before it. What libc calls within itself does not pass here: a call of
 * fwrite is one call of fwrite, and the write that empties its buffer is none of the program's. So nothing is counted twice.
 *
 * A call costs two readings of the clock and a few additions in this thread's block of a tally (client/tally.h). Nothing
 * allocates or locks: allocators call mmap, and signal handlers write.
 */
#define _GNU_SOURCE
#include <aio.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "../../client/tally.h"
#include "../counters.h"
#include "../libc.h"
#include "io.h"
#include "mounts.h"

#define EXPORT __attribute__((visibility("default")))
#define COLD __attribute__((noinline, cold))

enum kind { READ, WRITE, METADATA, KINDS };
static const char *const kind_names[KINDS] = {"read", "write", "metadata"};

/* Upper limits of the classes of sizes, bytes; the last class has none. */
enum { CLASSES = 6 };
static const uint64_t class_limits[CLASSES - 1] = {512, 4096, 65536, 1 << 20, 16 << 20};

#define OPENERS(X) X(open) X(open64) X(openat) X(openat64) X(mmap) X(mmap64)

enum {
#define WRAP(entry, ...) ID_##entry,
#define WRAP_BEFORE(entry, ...) ID_##entry,
#define WRAP_DIRECT(entry, ...) ID_##entry,
#define WRAP_BYTE(entry, ...) ID_##entry,
#define WRAP_WAIT(entry, ...) ID_##entry,
#include "functions.def"
#undef WRAP
#undef WRAP_BEFORE
#undef WRAP_DIRECT
#undef WRAP_BYTE
#undef WRAP_WAIT
#define OPENER(entry) ID_##entry,
  OPENERS(OPENER)
#undef OPENER
  ENTRIES,
  MOUNT_CELLS = ENTRIES,
  SIZE_CELLS = MOUNT_CELLS + MAX_MOUNTS * KINDS,
  CELLS = SIZE_CELLS + 2 * CLASSES,
};

static const char *const entry_names[ENTRIES] = {
#define WRAP(entry, counter, ...) [ID_##entry] = #entry,
#define WRAP_BEFORE(entry, counter, ...) [ID_##entry] = #entry,
#define WRAP_DIRECT(entry, counter, ...) [ID_##entry] = #entry,
#define WRAP_BYTE(entry, counter, ...) [ID_##entry] = #entry,
#define WRAP_WAIT(entry, counter, ...) [ID_##entry] = #entry,
#include "functions.def"
#undef WRAP
#undef WRAP_BEFORE
#undef WRAP_DIRECT
#undef WRAP_BYTE
#undef WRAP_WAIT
#define OPENER(entry) [ID_##entry] = #entry,
    OPENERS(OPENER)
#undef OPENER
};

static const char *const counter_names[ENTRIES] = {
#define WRAP(entry, counter, ...) [ID_##entry] = #counter,
#define WRAP_BEFORE(entry, counter, ...) [ID_##entry] = #counter,
#define WRAP_DIRECT(entry, counter, ...) [ID_##entry] = #counter,
#define WRAP_BYTE(entry, counter, ...) [ID_##entry] = #counter,
#define WRAP_WAIT(entry, counter, ...) [ID_##entry] = #counter,
#include "functions.def"
#undef WRAP
#undef WRAP_BEFORE
#undef WRAP_DIRECT
#undef WRAP_BYTE
#undef WRAP_WAIT
    [ID_open] = "open",     [ID_open64] = "open", [ID_openat] = "openat",
    [ID_openat64] = "openat", [ID_mmap] = "mmap",   [ID_mmap64] = "mmap",
};

/* What waits for a file or a socket moves nothing: time in it is no time of I/O. */
static const bool waits[ENTRIES] = {
#define WRAP(...)
#define WRAP_BEFORE(...)
#define WRAP_DIRECT(...)
#define WRAP_BYTE(...)
#define WRAP_WAIT(entry, ...) [ID_##entry] = true,
#include "functions.def"
#undef WRAP
#undef WRAP_BEFORE
#undef WRAP_DIRECT
#undef WRAP_BYTE
#undef WRAP_WAIT
};

static void describe(uint32_t cell, struct tally_counters *counters);
static struct tally tally = {
    .cells = CELLS, .shared_bytes = sizeof(struct mounts), .describe = describe, .exporter = "io", .version = VIGIE_VERSION};
static bool ready, all_confined;
static pthread_key_t thread_end;
static uint64_t next_look; /* ticks; when a follower looks whether its ancestor lives */

static _Thread_local struct tally_cell *mine __attribute__((tls_model("initial-exec")));
/* What the thread still does after its block has gone back is counted in the common one. */
static _Thread_local bool ended __attribute__((tls_model("initial-exec")));

static void *next[ENTRIES];
static struct memory_range libc;
/* The program has had a second thread, or has cancelled one. */
static bool threaded;

COLD static void *find(int id) {
  int before = errno;
  void *function = dlsym(RTLD_NEXT, entry_names[id]);
  __atomic_store_n(&next[id], function, __ATOMIC_RELEASE);
  errno = before;
  return function;
}

static inline void *next_of(int id) {
  void *function = __atomic_load_n(&next[id], __ATOMIC_ACQUIRE);
  return __builtin_expect(function != NULL, 1) ? function : find(id);
}

COLD static struct tally_cell *take_block(void) {
  if (!ready) return NULL;
  if (ended) return (mine = vigie_tally_block(&tally));
  int before = errno;
  mine = vigie_tally_block(&tally);
  pthread_setspecific(thread_end, mine);
  errno = before;
  return mine;
}

void io_confine(bool every_thread) {
  vigie_confine(every_thread);
  ready = false;
  vigie_thread.own = 1;
  if (every_thread) __atomic_store_n(&all_confined, true, __ATOMIC_RELEASE);
}

COLD static void look_at_owner(uint64_t now) {
  if (now < __atomic_load_n(&next_look, __ATOMIC_RELAXED)) return;
  __atomic_store_n(&next_look, now + FOLLOW_EVERY, __ATOMIC_RELAXED);
  vigie_tally_follow(&tally);
}

/* This thread's block, or null when the call is not the program's. */
static inline struct tally_cell *begin(void) {
  if (__builtin_expect(vigie_thread.own | all_confined, 0)) return NULL;
  struct tally_cell *block = mine;
  return __builtin_expect(block != NULL, 1) ? block : take_block();
}

static inline void add(struct tally_cell *cell, uint64_t ticks, uint64_t bytes) {
  cell->hits++;
  cell->ticks += ticks;
  cell->bytes += bytes;
}

struct call {
  struct tally_cell *block, *cell;
  uint64_t ticks;
};

static inline struct call end(struct tally_cell *block, int id, uint64_t start) {
  uint64_t stop = tally_ticks();
  int64_t ticks = (int64_t)(stop - start);
  struct call call = {block, block + id, ticks > 0 ? (uint64_t)ticks : 0};
  call.cell->hits++;
  call.cell->ticks += call.ticks;
  if (__builtin_expect(tally.follower, 0)) look_at_owner(stop);
  return call;
}

static inline void at_mount(const struct call *call, uint8_t mount, enum kind kind, uint64_t bytes) {
  add(call->block + MOUNT_CELLS + mount * KINDS + kind, call->ticks, bytes);
}

static inline void moved(const struct call *call, enum kind kind, int fd, int64_t result) {
  uint64_t bytes = result > 0 ? (uint64_t)result : 0;
  unsigned class = 0;
  call->cell->bytes += bytes;
  at_mount(call, mount_of(fd), kind, bytes);
  while (class < CLASSES - 1 && bytes >= class_limits[class]) class++;
  call->block[SIZE_CELLS + kind * CLASSES + class].hits++;
}

static int64_t message_bytes(const struct mmsghdr *messages, int count) {
  int64_t sum = 0;
  for (int i = 0; i < count; i++) sum += messages[i].msg_len;
  return sum;
}

/* As libc's, without a jump to it: predictors of jumps have forgotten all after a system call. */
static inline long call_kernel(long number, long a, long b, long c) {
  long result;
#if defined(__x86_64__)
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
  result = x0;
#endif
  if (__builtin_expect((unsigned long)result < -4095ul, 1)) return result;
  errno = (int)-result;
  return -1;
}

COLD static long missing(void) {
  errno = ENOSYS;
  return -1;
}

#define READS(fd, bytes) moved(&call, READ, fd, (int64_t)(bytes))
#define WRITES(fd, bytes) moved(&call, WRITE, fd, (int64_t)(bytes))
/* One call and its bytes, which were read here and written there. */
#define COPIES(from, to, bytes) copied(&call, from, to, (int64_t)(bytes))
#define OF(fd) at_mount(&call, mount_of(fd), METADATA, 0)
/* A path that the kernel could not read cannot be read here. */
#define AT(directory, path) \
  at_mount(&call, (long)r == -1 && errno == EFAULT ? 0 : mount_of_path(directory, path), METADATA, 0)
#define STREAM(f) ((f) ? OF(file_of(f)) : NOWHERE)
#define NOWHERE (void)call
#define OPENS(fd) opened(&call, fd)
#define CLOSES(fd) closed(&call, fd)
#define PAIR(fds) (r == 0 ? opened_pair(&call, fds) : NOWHERE)
#define MOVES() moved_away(&call)

/* A stream without a descriptor is no error of the program's. */
static inline int file_of(FILE *stream) {
  int before = errno, fd = fileno(stream);
  errno = before;
  return fd;
}

static inline void opened(const struct call *call, int fd) {
  if (fd < 0) return;
  mount_forget(fd);
  at_mount(call, mount_of(fd), METADATA, 0);
}

static inline void opened_pair(const struct call *call, const int fds[2]) {
  opened(call, fds[0]);
  mount_forget(fds[1]);
}

/* It cannot be asked for any more. */
static inline void closed(const struct call *call, int fd) {
  uint8_t known = (unsigned)fd < DESCRIPTORS ? mounts_of_descriptors[fd] : 0;
  at_mount(call, known ? (uint8_t)(known - 1) : 0, METADATA, 0);
  mount_forget(fd);
}

static inline void copied(const struct call *call, int from, int to, int64_t bytes) {
  moved(call, READ, from, bytes);
  at_mount(call, mount_of(to), WRITE, bytes > 0 ? (uint64_t)bytes : 0);
}

static inline void moved_away(const struct call *call) {
  mount_moved();
  at_mount(call, mount_of_path(AT_FDCWD, "."), METADATA, 0);
}

#define WRAP(entry, counter, ret, params, args, did) WRAP_BEFORE(entry, counter, ret, params, args, , did)
#define WRAP_BEFORE(entry, counter, ret, params, args, before, did) WRAPPER(entry, ret, params, args, before, go args, did)
/*
 * libvigie's sender makes libc believe in threads, and prepare each call for a cancellation: an atomic exchange before and
 * after it. A program without threads is spared that.
 */
#define WRAP_DIRECT(entry, counter, ret, params, args, direct, did) \
  WRAPPER(entry, ret, params, args, , range_has(&libc, (uintptr_t)go) && !threaded ? (ret)direct : go args, did)
#define WRAPPER(entry, ret, params, args, before, made, did)         \
  EXPORT ret w_##entry params __asm__(#entry);                       \
  ret w_##entry params {                                             \
    ret(*const go) params = (ret(*) params)next_of(ID_##entry);      \
    if (__builtin_expect(go == NULL, 0)) return (ret)missing();      \
    struct tally_cell *const block = begin();                        \
    if (__builtin_expect(block == NULL, 0)) return go args;          \
    before;                                                          \
    uint64_t start = tally_ticks();                                  \
    ret r = made;                                                    \
    struct call call = end(block, ID_##entry, start);                \
    did;                                                             \
    return r;                                                        \
  }
#define WRAP_WAIT(entry, counter, ret, params, args) WRAP(entry, counter, ret, params, args, NOWHERE)

static inline void moved_byte(const struct call *call, enum kind kind, FILE *stream, bool done) {
  call->cell->bytes += done;
  at_mount(call, mount_of(stream->_fileno), kind, done);
  call->block[SIZE_CELLS + kind * CLASSES].hits++;
}

/* Of the bytes of a stream's buffer only number is counted: reading the clock would take far longer than they do. */
#define WRAP_BYTE(entry, counter, params, args, stream, kind, buffered)        \
  EXPORT int w_##entry params __asm__(#entry);                                \
  int w_##entry params {                                                      \
    int(*const go) params = (int (*) params)next_of(ID_##entry);              \
    if (__builtin_expect(go == NULL, 0)) return (int)missing();               \
    struct tally_cell *const block = begin();                                 \
    if (__builtin_expect(block == NULL, 0)) return go args;                   \
    FILE *const f = stream;                                                   \
    if (__builtin_expect(buffered, 1)) {                                      \
      int r = go args;                                                        \
      const struct call call = {block, block + ID_##entry, 0};                \
      call.cell->hits++;                                                      \
      moved_byte(&call, kind, f, r != EOF);                                   \
      return r;                                                               \
    }                                                                         \
    uint64_t start = tally_ticks();                                           \
    int r = go args;                                                          \
    const struct call call = end(block, ID_##entry, start);                   \
    moved_byte(&call, kind, f, r != EOF);                                     \
    return r;                                                                 \
  }
#include "functions.def"
#undef WRAP
#undef WRAP_BEFORE
#undef WRAP_DIRECT
#undef WRAP_BYTE
#undef WRAP_WAIT

/* Threads of the program's, and not libvigie's. */
EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument) {
  int (*const go)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = dlsym(RTLD_NEXT, "pthread_create");
  if (!vigie_thread.own) threaded = true;
  return go ? go(thread, attributes, run, argument) : ENOSYS;
}

EXPORT int thrd_create(thrd_t *thread, thrd_start_t run, void *argument) {
  int (*const go)(thrd_t *, thrd_start_t, void *) = dlsym(RTLD_NEXT, "thrd_create");
  threaded = true;
  return go ? go(thread, run, argument) : thrd_error;
}

EXPORT int pthread_cancel(pthread_t thread) {
  int (*const go)(pthread_t) = dlsym(RTLD_NEXT, "pthread_cancel");
  threaded = true;
  return go ? go(thread) : ENOSYS;
}

/* Their mode is there only when it is needed; as an argument it is passed in the same way. */
#define OPEN(entry, params, args, passed)                                          \
  EXPORT int w_##entry params __asm__(#entry);                                     \
  int w_##entry params {                                                           \
    int (*const go) params = (int (*) params)next_of(ID_##entry);                  \
    struct tally_cell *const block = begin();                                      \
    mode_t mode = 0;                                                               \
    if (flags & (O_CREAT | __O_TMPFILE)) {                                         \
      va_list rest;                                                                \
      va_start(rest, flags);                                                       \
      mode = va_arg(rest, mode_t);                                                 \
      va_end(rest);                                                                \
    }                                                                              \
    if (!go) return (int)missing();                                                \
    if (!block) return go passed;                                                  \
    uint64_t start = tally_ticks();                                                \
    int r = go passed;                                                             \
    struct call call = end(block, ID_##entry, start);                              \
    if (r >= 0) OPENS(r);                                                          \
    else AT(args);                                                                 \
    return r;                                                                      \
  }
#define PAIR_OF(a, b) a, b
OPEN(open, (const char *path, int flags, ...), PAIR_OF(AT_FDCWD, path), (path, flags, mode))
OPEN(open64, (const char *path, int flags, ...), PAIR_OF(AT_FDCWD, path), (path, flags, mode))
OPEN(openat, (int at, const char *path, int flags, ...), PAIR_OF(at, path), (at, path, flags, mode))
OPEN(openat64, (int at, const char *path, int flags, ...), PAIR_OF(at, path), (at, path, flags, mode))

/* Memory that is no file's is not I/O. */
static inline void *map(int id, void *place, size_t bytes, int access, int flags, int fd, off64_t at) {
  void *(*const go)(void *, size_t, int, int, int, off64_t) = (void *(*)(void *, size_t, int, int, int, off64_t))next_of(id);
  struct tally_cell *const block = fd < 0 ? NULL : begin();
  if (!block) return go(place, bytes, access, flags, fd, at);
  uint64_t start = tally_ticks();
  void *r = go(place, bytes, access, flags, fd, at);
  struct call call = end(block, id, start);
  OF(fd);
  return r;
}
EXPORT void *w_mmap(void *place, size_t bytes, int access, int flags, int fd, off_t at) __asm__("mmap");
EXPORT void *w_mmap64(void *place, size_t bytes, int access, int flags, int fd, off64_t at) __asm__("mmap64");
void *w_mmap(void *place, size_t bytes, int access, int flags, int fd, off_t at) {
  return map(ID_mmap, place, bytes, access, flags, fd, at);
}
void *w_mmap64(void *place, size_t bytes, int access, int flags, int fd, off64_t at) {
  return map(ID_mmap64, place, bytes, access, flags, fd, at);
}

#define VARIADIC(entry, params, last, call)        \
  EXPORT int w_##entry params __asm__(#entry);     \
  int w_##entry params {                           \
    va_list rest;                                  \
    va_start(rest, last);                          \
    int r = call;                                  \
    va_end(rest);                                  \
    return r;                                      \
  }
VARIADIC(fprintf, (FILE *f, const char *format, ...), format, w_vfprintf(f, format, rest))
VARIADIC(__fprintf_chk, (FILE *f, int flag, const char *format, ...), format, w___vfprintf_chk(f, flag, format, rest))
VARIADIC(printf, (const char *format, ...), format, w_vprintf(format, rest))
VARIADIC(__printf_chk, (int flag, const char *format, ...), format, w___vprintf_chk(flag, format, rest))
VARIADIC(dprintf, (int fd, const char *format, ...), format, w_vdprintf(fd, format, rest))
VARIADIC(__dprintf_chk, (int fd, int flag, const char *format, ...), format, w___vdprintf_chk(fd, flag, format, rest))
VARIADIC(fscanf, (FILE *f, const char *format, ...), format, w_vfscanf(f, format, rest))
VARIADIC(__isoc99_fscanf, (FILE *f, const char *format, ...), format, w___isoc99_vfscanf(f, format, rest))
VARIADIC(__isoc23_fscanf, (FILE *f, const char *format, ...), format, w___isoc23_vfscanf(f, format, rest))

static bool moves(const char *function) {
  static const char *const movers[] = {"read", "write", "recv", "send", "copy_file_range", "splice", "tee", "get", "put", "printf"};
  for (size_t i = 0; i < sizeof movers / sizeof movers[0]; i++) {
    const char *found = strstr(function, movers[i]);
    /* Not readdir, readlink, readahead, getdents64. */
    if (!found || strncmp(function, "readd", 5) == 0 || strncmp(function, "readl", 5) == 0 ||
        strncmp(function, "reada", 5) == 0 || strncmp(function, "getden", 6) == 0)
      continue;
    return true;
  }
  return false;
}

static void describe_wait(const char *function, struct tally_counters *counters) {
  const vigie_label label = {"call", function};
  char name[96];
  if (vigie_name(name, sizeof name, "io_wait_calls_total", &label, 1) > 0)
    counters->hits = integer_counter(name, "Calls that wait until a file or a socket is ready");
  if (vigie_name(name, sizeof name, "io_wait_seconds_total", &label, 1) > 0)
    counters->time = real_counter(name, "Seconds in calls that wait until a file or a socket is ready");
}

static const struct call_words words = {
    .group = "io",
    .number = "Number of calls of",
    .seconds = "Total seconds spent in",
    .bytes = "Total bytes moved by",
    .all_number = "Number of I/O calls",
    .all_seconds = "Total seconds spent in I/O calls",
};

static void describe_mount(const struct mount *mount, enum kind kind, struct tally_counters *counters) {
  const vigie_label labels[] = {{"mount", mount->name}, {"type", mount->type}, {"kind", kind_names[kind]}};
  char name[MOUNT_NAME * 2 + 160];
  if (vigie_name(name, sizeof name, "io_mount_calls_total", labels, 3) > 0)
    counters->hits = integer_counter(name, "I/O calls by where their file is mounted");
  if (vigie_name(name, sizeof name, "io_mount_seconds_total", labels, 3) > 0)
    counters->time = real_counter(name, "Seconds in I/O calls by where their file is mounted");
  if (kind == METADATA) return;
  if (vigie_name(name, sizeof name, "io_mount_bytes_total", labels, 3) > 0)
    counters->bytes = integer_counter(name, "Bytes moved by where their file is mounted");
  counters->all_bytes = kind == READ ? integer_counter("total___io___size___read", "Total bytes read")
                                     : integer_counter("total___io___size___write", "Total bytes written");
}

static void describe_size(enum kind kind, unsigned class, struct tally_counters *counters) {
  char limit[24] = "inf", name[128];
  if (class < CLASSES - 1) snprintf(limit, sizeof limit, "%llu", (unsigned long long)class_limits[class]);
  const vigie_label labels[] = {{"kind", kind_names[kind]}, {"below", limit}};
  if (vigie_name(name, sizeof name, "io_sizes_total", labels, 2) > 0)
    counters->hits = integer_counter(name, "Calls that moved data, by how many bytes (fewer than `below`)");
}

static void describe(uint32_t cell, struct tally_counters *counters) {
  if (cell < MOUNT_CELLS && waits[cell]) {
    describe_wait(counter_names[cell], counters);
  } else if (cell < MOUNT_CELLS) {
    name_call(&words, counter_names[cell], moves(counter_names[cell]), counters);
  } else if (cell < SIZE_CELLS) {
    uint32_t mount = (cell - MOUNT_CELLS) / KINDS;
    describe_mount(&((const struct mounts *)tally.shared)->mount[mount], (enum kind)((cell - MOUNT_CELLS) % KINDS), counters);
  } else {
    describe_size((enum kind)((cell - SIZE_CELLS) / CLASSES), (cell - SIZE_CELLS) % CLASSES, counters);
  }
}

static void end_thread(void *block) {
  mine = NULL;
  ended = true;
  vigie_tally_release(&tally, block);
}

/* The parent's thread goes on with its block. */
static void in_child(void) {
  mine = NULL;
  next_look = 0;
}

__attribute__((constructor)) static void start(void) {
  int before = errno;
  libc = find_libc();
  if (vigie_tally_open(&tally)) {
    mounts_begin(tally.shared);
    pthread_key_create(&thread_end, end_thread);
    pthread_atfork(NULL, NULL, in_child);
    ready = true;
  }
  errno = before;
}
