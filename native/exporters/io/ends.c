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
#include <stdarg.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../client/tally.h"
#include "io.h"

#define EXPORT __attribute__((visibility("default")))

extern char **environ;

#define BEFORE(entry, params, args)                                               \
  EXPORT int entry params {                                                       \
    int (*const go) params = (int (*) params)dlsym(RTLD_NEXT, #entry);            \
    vigie_tally_collect();                                                        \
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
  vigie_tally_collect();
  if (go) go(status);
  for (;;) (void)syscall(SYS_exit_group, status);
}

EXPORT _Noreturn void _Exit(int status) { _exit(status); }

static long seven(long (*go)(long, ...), long number, va_list rest) {
  long words[6];
  for (int i = 0; i < 6; i++) words[i] = va_arg(rest, long);
  if (number == SYS_seccomp && words[0] <= 1) io_confine(words[0] == 1 && (words[1] & SECCOMP_FILTER_FLAG_TSYNC));
  return go(number, words[0], words[1], words[2], words[3], words[4], words[5]);
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
