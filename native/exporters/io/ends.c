/*
 * Ways out of a process, or of its image, that no exit handler sees: what was counted since the last collection is given
 * away before. In a child of vfork, and in children of forks, that is another process's to do. And ways into a sandbox,
 * where neither the clock may be read nor a descriptor asked what it is: from there on nothing is counted.
 */
#define _GNU_SOURCE
#include <alloca.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../client/tally.h"
#include "io.h"
#include "mounts.h"

#define ALONE_FLAGS (CLONE_NEWUSER | CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)
#define EXPORT __attribute__((visibility("default")))

extern char **environ;

/* A child of vfork has closed and opened descriptors in its parent's memory: what is known of them is looked up anew. */
static void leave_image(void) {
  vigie_tally_collect();
  mounts_forget();
}

#define BEFORE(entry, params, args)                                               \
  EXPORT int entry params {                                                       \
    int (*const go) params = (int (*) params)dlsym(RTLD_NEXT, #entry);            \
    leave_image();                                                                \
    if (go) return go args;                                                       \
    errno = ENOSYS;                                                               \
    return -1;                                                                    \
  }

BEFORE(execve, (const char *path, char *const words[], char *const environment[]), (path, words, environment))
BEFORE(execv, (const char *path, char *const words[]), (path, words))
BEFORE(execvp, (const char *file, char *const words[]), (file, words))
BEFORE(execvpe, (const char *file, char *const words[], char *const environment[]), (file, words, environment))
BEFORE(fexecve, (int fd, char *const words[], char *const environment[]), (fd, words, environment))
BEFORE(execveat, (int at, const char *path, char *const words[], char *const environment[], int flags), (at, path, words, environment, flags))

static size_t count(va_list rest) {
  va_list copy;
  size_t words = 1;
  va_copy(copy, rest);
  while (va_arg(copy, char *)) words++;
  va_end(copy);
  return words;
}

#define WORDS                                                              \
  va_list rest;                                                            \
  va_start(rest, first);                                                   \
  size_t number = count(rest);                                             \
  char **words = alloca((number + 1) * sizeof *words);                     \
  words[0] = (char *)(ptrdiff_t)first;                                     \
  for (size_t i = 1; i <= number; i++) words[i] = va_arg(rest, char *)

EXPORT int execl(const char *path, const char *first, ...) {
  WORDS;
  va_end(rest);
  return execv(path, words);
}

EXPORT int execlp(const char *file, const char *first, ...) {
  WORDS;
  va_end(rest);
  return execvp(file, words);
}

EXPORT int execle(const char *path, const char *first, ...) {
  WORDS;
  char *const *environment = va_arg(rest, char *const *);
  va_end(rest);
  return execve(path, words, environment);
}

EXPORT _Noreturn void _exit(int status) {
  void (*const go)(int) = (void (*)(int))dlsym(RTLD_NEXT, "_exit");
  leave_image();
  if (go) go(status);
  for (;;) (void)syscall(SYS_exit_group, status);
}

EXPORT _Noreturn void _Exit(int status) { _exit(status); }

/* Namespaces, which only a process of one thread may change: containers begin so. */
#define ALONE(entry, params, args, needed)                                        \
  EXPORT int entry params {                                                       \
    int (*const go) params = (int (*) params)dlsym(RTLD_NEXT, #entry);            \
    bool stopped = go && (needed) && vigie_sender_stop();                         \
    int result = go ? go args : -1;                                               \
    if (!go) errno = ENOSYS;                                                      \
    vigie_sender_go_on(stopped);                                                  \
    return result;                                                                \
  }

ALONE(unshare, (int flags), (flags), flags & ALONE_FLAGS)
ALONE(setns, (int fd, int type), (fd, type), true)

/* Signals that the process sends itself. */

#define SENDS(entry, params, args, whom, number)                                  \
  EXPORT int entry params {                                                       \
    int (*const go) params = (int (*) params)dlsym(RTLD_NEXT, #entry);            \
    vigie_tally_before_signal(whom, number);                                      \
    if (go) return go args;                                                       \
    errno = ENOSYS;                                                               \
    return -1;                                                                    \
  }

SENDS(kill, (pid_t whom, int number), (whom, number), whom, number)
SENDS(raise, (int number), (number), 0, number)

EXPORT _Noreturn void abort(void) {
  void (*const go)(void) = (void (*)(void))dlsym(RTLD_NEXT, "abort");
  vigie_tally_before_signal(0, SIGABRT);
  if (go) go();
  for (;;) __builtin_trap();
}

static long seven(long (*go)(long, ...), long number, va_list rest) {
  long words[6];
  for (int i = 0; i < 6; i++) words[i] = va_arg(rest, long);
  if (number == SYS_seccomp && words[0] <= 1) io_confine(words[0] == 1 && (words[1] & SECCOMP_FILTER_FLAG_TSYNC));
  if (number == SYS_exit_group || number == SYS_execve || number == SYS_execveat) leave_image();
  if (number == SYS_kill) vigie_tally_before_signal((pid_t)words[0], (int)words[1]);
  if (number == SYS_tgkill) vigie_tally_before_signal((pid_t)words[0], (int)words[2]);
  bool stopped = (number == SYS_setns || (number == SYS_unshare && words[0] & ALONE_FLAGS)) && vigie_sender_stop();
  long result = go(number, words[0], words[1], words[2], words[3], words[4], words[5]);
  vigie_sender_go_on(stopped);
  return result;
}

EXPORT long syscall(long number, ...) {
  static long (*next)(long, ...);
  long (*go)(long, ...) = __atomic_load_n(&next, __ATOMIC_ACQUIRE);
  va_list rest;
  if (!go) __atomic_store_n(&next, go = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall"), __ATOMIC_RELEASE);
  va_start(rest, number);
  long result = seven(go, number, rest);
  va_end(rest);
  return result;
}

EXPORT int prctl(int option, ...) {
  int (*const go)(int, ...) = (int (*)(int, ...))dlsym(RTLD_NEXT, "prctl");
  unsigned long words[4];
  va_list rest;
  va_start(rest, option);
  for (int i = 0; i < 4; i++) words[i] = va_arg(rest, unsigned long);
  va_end(rest);
  if (option == PR_SET_SECCOMP) io_confine(false);
  return go(option, words[0], words[1], words[2], words[3]);
}
