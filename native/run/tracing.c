#define _GNU_SOURCE
#include "tracing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exporters.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
#ifndef PR_SET_PTRACER
#define PR_SET_PTRACER 0x59616d61
#endif

enum { PATH_BYTES = 4352, NOT_STARTED = 127 };

static bool asked(const struct options *options, const char *name) {
  for (int i = 0; i < options->exporter_count; i++)
    if (strcmp(options->exporters[i], name) == 0) return true;
  return false;
}

/* Why the program's calls cannot be counted from within; null: they can. */
static const char *obstacle(const struct options *options, const struct image *image, const char *folder) {
  if (asked(options, "ptrace")) return "as asked for";
  if (!image->native) return "the program is of another architecture";
  if (image->is_static) return "the program is static";
  if (image->go) return "the program has a Go runtime";
  if (exporter_state(folder, "strace") != EXPORTER_READY) return "this build has no other way";
  if (prctl(PR_SET_SYSCALL_USER_DISPATCH, 0, 0, 0, 0) != 0) return "this kernel has no Syscall User Dispatch";
  return NULL;
}

enum tracing tracing_choose(const struct options *options, const struct image *image, const char *folder) {
  if (!asked(options, "strace") && !asked(options, "ptrace")) return TRACING_OFF;
  if (image->set_id) return TRACING_OFF;
  const char *why = obstacle(options, image, folder);
  if (why == NULL) {
    if (options->verbose)
      fputs("vigie-run: system calls: within the program (Syscall User Dispatch), from its constructors on; what its loader "
            "calls before is not counted\n",
            stderr);
    return TRACING_INSIDE;
  }
  if (exporter_state(folder, "ptrace") != EXPORTER_READY) {
    fprintf(stderr, "vigie-run: system calls are not counted: %s, and this build has no tracer\n", why);
    return TRACING_OFF;
  }
  if (options->verbose) fprintf(stderr, "vigie-run: system calls: by a tracer (ptrace): %s\n", why);
  return TRACING_PTRACE;
}

/* In the tracer to be. Streams of the program's stay open no longer than the program has them. */
static void become_tracer(const char *tracer, pid_t program, int ready, bool alone) {
  char pid[24], fd[24];
  int kept = fcntl(ready, F_DUPFD, 3);
  snprintf(pid, sizeof pid, "%ld", (long)program);
  snprintf(fd, sizeof fd, "%d", kept);
  int nothing = open("/dev/null", O_RDWR);
  for (int i = 0; i < 2; i++) (void)dup2(nothing, i);
  if (nothing > 2) close(nothing);
  /* Signals of the terminal are the program's. */
  (void)setpgid(0, 0);
  execl(tracer, "vigie-tracer", alone ? "--launch-alone" : "--launch", pid, fd, (char *)NULL);
  _exit(NOT_STARTED);
}

void tracing_start(const char *folder, bool alone, bool verbose) {
  char tracer[PATH_BYTES], ready = 0;
  int pipes[2][2];
  pid_t program = getpid(), found = 0;
  exporter_library(tracer, sizeof tracer, folder, "ptrace");
  if (pipe2(pipes[0], O_CLOEXEC) != 0 || pipe2(pipes[1], O_CLOEXEC) != 0) return;
  /* Twice, so that the program has no child that it knows nothing of. */
  pid_t first = fork();
  if (first == 0) {
    pid_t second = fork();
    if (second == 0) {
      /* Only now may it trace us. */
      close(pipes[1][1]);
      (void)!read(pipes[1][0], &ready, 1);
      become_tracer(tracer, program, pipes[0][1], alone);
    }
    (void)!write(pipes[0][1], &second, sizeof second);
    _exit(0);
  }
  close(pipes[0][1]);
  if (first > 0) (void)waitpid(first, NULL, 0);
  bool started = first > 0 && read(pipes[0][0], &found, sizeof found) == (ssize_t)sizeof found && found > 0;
  if (started) {
    (void)prctl(PR_SET_PTRACER, found, 0, 0, 0);
    (void)!write(pipes[1][1], "1", 1);
    close(pipes[1][0]);
    started = read(pipes[0][0], &ready, 1) == 1;
  }
  close(pipes[0][0]);
  close(pipes[1][1]);
  if (!started) fputs("vigie-run: system calls are not counted: no tracer may attach here\n", stderr);
  else if (verbose) fprintf(stderr, "vigie-run: tracer %ld\n", (long)found);
}

int tracing_attach(const char *folder, const char *pid, bool verbose) {
  char tracer[PATH_BYTES];
  if (exporter_state(folder, "ptrace") != EXPORTER_READY) {
    fputs("vigie-run: -S: this build has no tracer\n", stderr);
    return NOT_STARTED;
  }
  exporter_library(tracer, sizeof tracer, folder, "ptrace");
  execl(tracer, "vigie-tracer", "--attach", pid, verbose ? "-v" : (char *)NULL, (char *)NULL);
  fprintf(stderr, "vigie-run: %s: %s\n", tracer, strerror(errno));
  return NOT_STARTED;
}
