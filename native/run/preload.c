/* What vigie-run loads into the program: it tells the engine that the program started and, when it leaves through libc,
 * that it ended and with which status. In between it only keeps its socket open: that is how the engine knows that the
 * program lives.
 *
 * Only the process that vigie-run became does this (VIGIE_ROOT has its pid); its children load the library and do
 * nothing. The process may replace its image (`exec` in a script): then the new image connects again, but the start is
 * not counted again. The mark for that is the last character of VIGIE_ROOT, changed in place, since programs may take
 * their environment from main's argument, where setenv is not seen.
 *
 * The socket has a high number, since programs may count on getting 3 for their first file, and is kept from programs
 * that close all descriptors. Nothing is ever written anywhere but to the engine, nothing blocks, no error is reported.
 * All of the goodbye is allowed in signal handlers, as _exit is: it makes no allocation and takes no lock. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "socket.h"
#include "text.h"

#define EXPORT __attribute__((visibility("default")))

#define DESC(name, doc) "{\"Desc\":{\"name\":\"" name "\",\"doc\":\"" doc "\",\"ctype\":{\"Counter\":{\"ts\":0,\"value\":0}}}}"
#define ONE(name) "{\"Value\":{\"name\":\"" name "\",\"value\":{\"Counter\":{\"ts\":0,\"value\":1}}}}"
#define GAUGE(n) "\"Gauge\":{\"min\":" n ",\"max\":" n ",\"hits\":" n ",\"total\":" n "}"
#define VERSION_DESC(doc) "{\"Desc\":{\"name\":\"" VERSION "\",\"doc\":\"" doc "\",\"ctype\":{" GAUGE("0.0") "}}}"
#define VERSION_ONE "{\"Value\":{\"name\":\"" VERSION "\",\"value\":{" GAUGE("1.0") "}}}"
#define VERSION "vigie_run_build_info{version=\\\"" VIGIE_VERSION "\\\"}"
#define RUNS "tau_metric_proxy_run_total{operation=\\\"exec\\\"}"

enum { HIGH_DESCRIPTOR = 960, JOB_BYTES = 100000 };

static pid_t owner;              /* the process that owns the socket; 0 when none does */
static atomic_int engine = -1;   /* the socket */
static dev_t engine_device;      /* with engine_inode: tells whether the number is still our socket */
static ino_t engine_inode;
static char socket_path[128];
static bool socket_by_us;        /* no variable named it */
static char announce[JOB_BYTES]; /* JobDesc message, its NUL included */
static size_t announce_length;
static atomic_flag left = ATOMIC_FLAG_INIT;

static int (*real_close)(int);
static int (*real_dup2)(int, int);
static int (*real_dup3)(int, int, int);
/* libvigie's, where an exporter has brought it: what we do is not the program's. */
static unsigned (*aside)(void);
static void (*back)(unsigned);

/* Programs may close descriptors without libc and open their own under the same number. */
static int is_ours(int fd) {
  struct stat status;
  return fd >= 0 && fstat(fd, &status) == 0 && status.st_dev == engine_device && status.st_ino == engine_inode;
}

static int send_all(int fd, const char *bytes, size_t length) {
  ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent >= 0 && (size_t)sent == length ? 0 : -1;
}

/* Connects and introduces the process. */
static int join_engine(void) {
  int low = engine_connect(socket_path, socket_by_us);
  if (low < 0) return -1;
  struct rlimit limit;
  int wanted = HIGH_DESCRIPTOR;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur <= (rlim_t)wanted)
    wanted = limit.rlim_cur > 16 ? (int)limit.rlim_cur - 8 : 3;
  int fd = fcntl(low, F_DUPFD_CLOEXEC, wanted);
  (void)syscall(SYS_close, low);
  struct stat status;
  if (fd < 0) return -1;
  if (fstat(fd, &status) != 0 || send_all(fd, announce, announce_length) != 0) {
    (void)syscall(SYS_close, fd);
    return -1;
  }
  engine_device = status.st_dev;
  engine_inode = status.st_ino;
  return fd;
}

static size_t append(char *to, size_t at, const char *message) {
  size_t length = strlen(message) + 1;
  memcpy(to + at, message, length);
  return at + length;
}

/* Counts the end of the process, once. */
static void leave(int status) {
  int saved = errno;
  unsigned outer = aside != NULL ? aside() : 0;
  int fd = atomic_load(&engine);
  if (owner != 0 && owner == getpid() && !atomic_flag_test_and_set(&left)) {
    char bytes[1024];
    char code[4];
    unsigned value = (unsigned)status & 0xFF;
    size_t digits = 0;
    if (value >= 100) code[digits++] = (char)('0' + value / 100);
    if (value >= 10) code[digits++] = (char)('0' + value / 10 % 10);
    code[digits++] = (char)('0' + value % 10);
    code[digits] = '\0';
    char exit_desc[256] = "{\"Desc\":{\"name\":\"vigie_exit_total{code=\\\"";
    strcat(exit_desc, code);
    strcat(exit_desc, "\\\"}\",\"doc\":\"Programs that ended with this exit status\",");
    strcat(exit_desc, "\"ctype\":{\"Counter\":{\"ts\":0,\"value\":0}}}}");
    char exit_value[256] = "{\"Value\":{\"name\":\"vigie_exit_total{code=\\\"";
    strcat(exit_value, code);
    strcat(exit_value, "\\\"}\",\"value\":{\"Counter\":{\"ts\":0,\"value\":1}}}}");
    size_t length = append(bytes, 0, DESC("has_finished", "Programs that ended by themselves"));
    length = append(bytes, length, ONE("has_finished"));
    length = append(bytes, length, exit_desc);
    length = append(bytes, length, exit_value);
    if (!is_ours(fd) || send_all(fd, bytes, length) != 0) {
      /* The program closed it behind libc, or the engine was restarted: it goes on with the same run. */
      int again = join_engine();
      if (again >= 0) (void)send_all(again, bytes, length);
    }
  }
  if (back != NULL) back(outer);
  errno = saved;
}

#ifdef __GLIBC__
static void at_exit(int status, void *unused) {
  (void)unused;
  leave(status);
}
#endif

/* The socket stands for the process that vigie-run became, not for its children. */
static void in_child(void) {
  unsigned outer = aside != NULL ? aside() : 0;
  int fd = atomic_exchange(&engine, -1);
  if (is_ours(fd)) (void)syscall(SYS_close, fd);
  owner = 0;
  if (back != NULL) back(outer);
}

/* Promises the goodbye: without it the engine takes the process for killed. An older proxy, `plain`, gets the nine members
 * that it knows. */
static void add_job(struct text *message, const char *job, bool plain) {
  const char *more = strstr(job, ",\"launch\":\"");
  const char *end = more != NULL && plain ? more : job + strlen(job) - 1;
  text_add(message, "{\"JobDesc\":");
  for (const char *c = job; c < end; c++) text_add_char(message, *c);
  text_add(message, more != NULL && !plain ? ",\"goodbye\":true}}" : "}}");
}

__attribute__((constructor)) static void begin(void) {
  /* In children, too. */
  aside = (unsigned (*)(void))dlsym(RTLD_DEFAULT, "vigie_aside");
  back = (void (*)(unsigned))dlsym(RTLD_DEFAULT, "vigie_back");
  /* A libc without one of them is no error of the program's. */
  (void)dlerror();
  char *root = getenv("VIGIE_ROOT");
  const char *job = getenv("VIGIE_JOB");
  if (root == NULL || job == NULL || job[0] != '{') return;
  char *mark;
  long pid = strtol(root, &mark, 10);
  if (pid != (long)getpid() || mark[0] != ' ' || (mark[1] != '0' && mark[1] != '1')) return;
  int saved = errno;

  char buffer[128];
  const char *path = engine_socket(buffer, sizeof buffer);
  struct text message = text_over(announce, sizeof announce);
  add_job(&message, job, path == getenv("PROXY_PATH"));
  if (!message.full && strlen(path) < sizeof socket_path) {
    strcpy(socket_path, path);
    socket_by_us = path == buffer;
    announce_length = message.length + 1;
    real_close = (int (*)(int))dlsym(RTLD_NEXT, "close");
    real_dup2 = (int (*)(int, int))dlsym(RTLD_NEXT, "dup2");
    real_dup3 = (int (*)(int, int, int))dlsym(RTLD_NEXT, "dup3");
    int fd = join_engine();
    if (fd >= 0) {
      owner = getpid();
      atomic_store(&engine, fd);
      if (mark[1] == '0') {
        char bytes[1024];
        size_t length = append(bytes, 0, DESC("has_started", "Programs that started"));
        length = append(bytes, length, ONE("has_started"));
        length = append(bytes, length, DESC(RUNS, "Number of launch with the tau_metric_proxy_run command"));
        length = append(bytes, length, ONE(RUNS));
        length = append(bytes, length, VERSION_DESC("1; the version of vigie-run"));
        length = append(bytes, length, VERSION_ONE);
        (void)send_all(fd, bytes, length);
        mark[1] = '1';
      }
      pthread_atfork(NULL, NULL, in_child);
#ifdef __GLIBC__
      on_exit(at_exit, NULL);
#endif
    }
  }
  errno = saved;
}

/* What leaves without exit handlers. */

EXPORT _Noreturn void _exit(int status) {
  leave(status);
  for (;;) syscall(SYS_exit_group, status);
}

EXPORT _Noreturn void _Exit(int status) { _exit(status); }

EXPORT _Noreturn void quick_exit(int status) {
  void (*const real_quick_exit)(int) = (void (*)(int))dlsym(RTLD_NEXT, "quick_exit");
  leave(status);
  if (real_quick_exit != NULL) real_quick_exit(status);
  _exit(status);
}

/* What closes descriptors that it did not open. */

EXPORT int close(int fd) {
  if (fd >= 0 && fd == atomic_load_explicit(&engine, memory_order_relaxed) && is_ours(fd)) {
    errno = EBADF;
    return -1;
  }
  return real_close != NULL ? real_close(fd) : (int)syscall(SYS_close, fd);
}

EXPORT int close_range(unsigned first, unsigned last, int flags) {
  int fd = atomic_load(&engine);
  if (fd < 0 || (unsigned)fd < first || (unsigned)fd > last || flags != 0 || !is_ours(fd))
    return (int)syscall(SYS_close_range, first, last, flags);
  int failed = 0;
  if (first < (unsigned)fd) failed = (int)syscall(SYS_close_range, first, (unsigned)fd - 1, 0);
  if (failed == 0 && last > (unsigned)fd) failed = (int)syscall(SYS_close_range, (unsigned)fd + 1, last, 0);
  return failed;
}

EXPORT void closefrom(int low) {
  if (close_range(low < 0 ? 0 : (unsigned)low, ~0U, 0) == 0) return;
  /* An older kernel: libc looks into /proc, since the limit may be a thousand million. */
  void (*const real_closefrom)(int) = (void (*)(int))dlsym(RTLD_NEXT, "closefrom");
  if (real_closefrom != NULL) return real_closefrom(low);
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  for (rlim_t fd = low < 0 ? 0 : (rlim_t)low; fd < limit.rlim_cur; fd++) (void)close((int)fd);
}

/* The program wants this number: the socket moves away from it. */
static void make_room(int wanted) {
  int fd = atomic_load(&engine);
  /* After vfork the variable is shared, the descriptors are not. */
  if (wanted < 0 || wanted != fd || owner != getpid() || !is_ours(fd)) return;
  int moved = fcntl(fd, F_DUPFD_CLOEXEC, fd + 1);
  if (moved < 0) moved = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  atomic_store(&engine, moved);
}

EXPORT int dup2(int from, int to) {
  if (from != to && to == atomic_load(&engine)) make_room(to);
  return real_dup2 != NULL ? real_dup2(from, to) : from == to ? fcntl(from, F_GETFD) < 0 ? -1 : to
                                                               : (int)syscall(SYS_dup3, from, to, 0);
}

EXPORT int dup3(int from, int to, int flags) {
  if (from != to && to == atomic_load(&engine)) make_room(to);
  return real_dup3 != NULL ? real_dup3(from, to, flags) : (int)syscall(SYS_dup3, from, to, flags);
}
