/*
 * Short cuts: functions of libc that make one system call and nothing else, here without the signal that a dispatched call
 * costs. What another library has put before libc is not passed over, and where a thread may be cancelled within a call
 * libc's own functions see to that.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>

#include "../../client/tally.h"
#include "dispatch.h"

#define EXPORT __attribute__((visibility("default")))

struct target {
  const char *name;
  void *function;
  bool is_libc;
};

__attribute__((noinline, cold)) static void find(struct target *target) {
  int before = errno;
  void *function = dlsym(RTLD_NEXT, target->name);
  target->is_libc = dispatch_in_libc((uintptr_t)function);
  __atomic_store_n(&target->function, function, __ATOMIC_RELEASE);
  errno = before;
}

/* Whether the call may be made here. */
static inline bool is_short(struct target *target, bool waits) {
  if (__builtin_expect(__atomic_load_n(&target->function, __ATOMIC_ACQUIRE) == NULL, 0)) find(target);
  return target->is_libc && vigie_thread.dispatch && !(waits && dispatch_threads);
}

static inline long result_of(long number, long a, long b, long c, long d) {
  const struct call call = {number, a, b, c, d, 0, 0};
  long result = dispatch_timed(&call);
  if (__builtin_expect((unsigned long)result < -4095ul, 1)) return result;
  errno = (int)-result;
  return -1;
}

/* `waits`: a thread may be cancelled in it. */
#define SHORT(entry, waits, ret, params, args, ...)                                   \
  EXPORT ret s_##entry params __asm__(#entry);                                        \
  ret s_##entry params {                                                              \
    static struct target next = {.name = #entry};                                     \
    if (is_short(&next, waits)) return (ret)result_of(__VA_ARGS__);   \
    return ((ret(*) params)next.function)args;                                        \
  }

SHORT(read, true, ssize_t, (int fd, void *to, size_t n), (fd, to, n), SYS_read, fd, (long)to, (long)n, 0)
SHORT(write, true, ssize_t, (int fd, const void *from, size_t n), (fd, from, n), SYS_write, fd, (long)from, (long)n, 0)
SHORT(pread, true, ssize_t, (int fd, void *to, size_t n, off_t at), (fd, to, n, at), SYS_pread64, fd, (long)to, (long)n, at)
SHORT(pread64, true, ssize_t, (int fd, void *to, size_t n, off64_t at), (fd, to, n, at), SYS_pread64, fd, (long)to, (long)n, at)
SHORT(pwrite, true, ssize_t, (int fd, const void *from, size_t n, off_t at), (fd, from, n, at), SYS_pwrite64, fd, (long)from, (long)n, at)
SHORT(pwrite64, true, ssize_t, (int fd, const void *from, size_t n, off64_t at), (fd, from, n, at), SYS_pwrite64, fd, (long)from, (long)n, at)
SHORT(lseek, false, off_t, (int fd, off_t at, int from), (fd, at, from), SYS_lseek, fd, at, from, 0)
SHORT(lseek64, false, off64_t, (int fd, off64_t at, int from), (fd, at, from), SYS_lseek, fd, at, from, 0)

#if __GLIBC_PREREQ(2, 33)
/* With an empty path some versions of libc make another call. */
#define FSTATAT(entry, buffer)                                                              \
  EXPORT int s_##entry(int at, const char *path, buffer *to, int flags) __asm__(#entry);    \
  int s_##entry(int at, const char *path, buffer *to, int flags) {                          \
    static struct target next = {.name = #entry};                                           \
    if (is_short(&next, false) && !(flags & AT_EMPTY_PATH))                                 \
      return (int)result_of(SYS_newfstatat, at, (long)path, (long)to, flags); \
    return ((int (*)(int, const char *, buffer *, int))next.function)(at, path, to, flags); \
  }
FSTATAT(fstatat, struct stat)
FSTATAT(fstatat64, struct stat64)
#endif

static inline bool plain(int command) {
  return command == F_GETFD || command == F_SETFD || command == F_GETFL || command == F_SETFL || command == F_DUPFD ||
         command == F_DUPFD_CLOEXEC;
}

/* Whatever follows the command is one word. */
#define FCNTL(entry)                                                                       \
  EXPORT int s_##entry(int fd, int command, ...) __asm__(#entry);                          \
  int s_##entry(int fd, int command, ...) {                                                \
    static struct target next = {.name = #entry};                                          \
    va_list rest;                                                                          \
    va_start(rest, command);                                                               \
    long word = va_arg(rest, long);                                                        \
    va_end(rest);                                                                          \
    if (is_short(&next, false) && plain(command))                                          \
      return (int)result_of(SYS_fcntl, fd, command, word, 0);                 \
    return ((int (*)(int, int, ...))next.function)(fd, command, word);                     \
  }
FCNTL(fcntl)
FCNTL(fcntl64)
