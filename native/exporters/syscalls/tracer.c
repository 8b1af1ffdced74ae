/*
 * Counts the system calls of other processes by ptrace: of static programs, of other architectures, on kernels that cannot
 * do better, and of processes that run already.
 *
 *     vigie-tracer --launch PID FD     PID becomes the program when FD is written to; --launch-alone: without our libraries
 *     vigie-tracer --attach PID        until it ends, or SIGINT or SIGTERM come
 *
 * The tracer is no parent of the program, which notices nothing: its pid, its parent and its children are its own. When the
 * tracer is gone, for whatever reason, the kernel lets all go on by themselves.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../counters.h"
#include "tracer.h"

enum {
  OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC,
  /* Not in all headers' sys/ptrace.h. */
  STOPPED = 128,
};

static volatile sig_atomic_t leaving;
static bool attaching, told, verbose;
/* The program of vigie-run, when no library of ours is in it to tell its start and end; else 0. */
static pid_t alone;
static struct tally_counters counters[ARCHITECTURES][MAX_CALLS];

static void on_signal(int number) {
  (void)number;
  leaving = 1;
}

static struct tally_counters *counters_of(const struct tracee *tracee) {
  uint32_t number = tracee->number < UNKNOWN_CALL ? tracee->number : UNKNOWN_CALL;
  struct tally_counters *found = &counters[tracee->architecture][number];
  if (!found->hits) {
    call_counters(tracee->architecture, number, found);
    static bool version_told;
    if (!version_told) vigie_build_info("ptrace", VIGIE_VERSION);
    version_told = true;
  }
  return found;
}

static void count(const struct tracee *tracee, uint64_t ns, int64_t result) {
  if (!tracee->counted) return;
  struct tally_counters *to = counters_of(tracee);
  vigie_counter_add(to->hits, 1);
  vigie_counter_add(to->all_hits, 1);
  vigie_counter_add_double(to->time, (double)ns * 1e-9);
  vigie_counter_add_double(to->all_time, (double)ns * 1e-9);
  if (!to->bytes || result <= 0) return;
  vigie_counter_add(to->bytes, (uint64_t)result);
  vigie_counter_add(to->all_bytes, (uint64_t)result);
}

static void count_one(const char *name, const char *doc) { vigie_counter_add(integer_counter(name, doc), 1); }

static void count_end(int status) {
  char name[64];
  if (WIFEXITED(status)) {
    count_one("has_finished", "Programs that ended by themselves");
    snprintf(name, sizeof name, "vigie_exit_total{code=\"%d\"}", WEXITSTATUS(status));
  } else snprintf(name, sizeof name, "vigie_exit_total{code=\"killed\"}");
  count_one(name, "Programs that ended with this exit status");
}

static void resume(const struct tracee *tracee, int signal) { (void)ptrace(PTRACE_SYSCALL, tracee->tid, 0, signal); }

/* The process that this thread belongs to, and all of its threads. */
static void let_go(struct tracee *tracee) {
  if (!told) {
    told = true;
    fprintf(stderr, "vigie-run: a program with set-id rights runs unmonitored: under a tracer it would lose them\n");
  }
  (void)ptrace(PTRACE_DETACH, tracee->tid, 0, 0);
  tracee_remove(tracee->tid);
}

static void at_call(struct tracee *tracee) {
  struct stop stop;
  if (!stop_read(tracee, &stop)) return resume(tracee, 0);
  if (stop.entry) {
    tracee->inside = true;
    tracee->architecture = stop.architecture;
    tracee->number = stop.number;
    if (geteuid() != 0 && executes_set_id(tracee)) return let_go(tracee);
    /* Somebody may have attached because of a call that does not return: it is there, counted 0 times. */
    if (attaching && tracee->counted) (void)counters_of(tracee);
    tracee->start = vigie_tally_ns();
  } else {
    /* Without the entry this is a call that was under way when we came. */
    if (tracee->inside) count(tracee, vigie_tally_ns() - tracee->start, stop.result);
    tracee->inside = false;
  }
  resume(tracee, 0);
}

/* A thread that executes takes its process's number, and the others are gone. */
static void at_exec(struct tracee *tracee) {
  unsigned long former = 0;
  (void)ptrace(PTRACE_GETEVENTMSG, tracee->tid, 0, &former);
  if (former != 0 && (pid_t)former != tracee->tid) {
    const struct tracee *executing = tracee_find((pid_t)former);
    if (executing) {
      struct tracee *next = tracee->next;
      pid_t tid = tracee->tid;
      *tracee = *executing;
      tracee->tid = tid;
      tracee->next = next;
      tracee_remove((pid_t)former);
    }
  }
  tracee->counted = true;
  resume(tracee, 0);
}

static void at_stop(pid_t tid, int status) {
  struct tracee *tracee = tracee_find(tid);
  int signal = WSTOPSIG(status), event = status >> 16;
  if (!tracee) {
    /* A child, which may stop before its parent says that it has one. */
    tracee = tracee_add(tid);
    tracee->counted = true;
  }
  tracee->attached = true;
  if (signal == (SIGTRAP | STOPPED)) return at_call(tracee);
  switch (event) {
    case 0: return resume(tracee, signal);
    case PTRACE_EVENT_EXEC: return at_exec(tracee);
    case PTRACE_EVENT_STOP:
      /* Stopped as by Ctrl-Z: it stays so until somebody else continues it. */
      if (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU)
        (void)ptrace(PTRACE_LISTEN, tid, 0, 0);
      else resume(tracee, 0);
      return;
    default: return resume(tracee, 0);
  }
}

static int seize(pid_t tid) {
  if (tracee_find(tid)) return 0;
  if (ptrace(PTRACE_SEIZE, tid, 0, OPTIONS) != 0) return errno;
  tracee_add(tid)->counted = attaching;
  (void)ptrace(PTRACE_INTERRUPT, tid, 0, 0);
  return 0;
}

/* All threads, also those that come while we look. */
static int seize_all(pid_t pid) {
  char path[64];
  int error = seize(pid);
  if (error != 0) return error;
  snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
  for (unsigned before = 0; before != tracee_count();) {
    before = tracee_count();
    DIR *folder = opendir(path);
    if (!folder) break;
    for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
      pid_t tid = (pid_t)atoi(entry->d_name);
      if (tid > 0) (void)seize(tid);
    }
    closedir(folder);
  }
  return 0;
}

static void interrupt(struct tracee *tracee) { (void)ptrace(PTRACE_INTERRUPT, tracee->tid, 0, 0); }

/* Each is brought to a stop, and goes on from there with the signal that it may have stopped for. */
static void detach_all(void) {
  tracee_each(interrupt);
  while (tracee_count() > 0) {
    int status;
    pid_t tid = waitpid(-1, &status, __WALL);
    if (tid < 0 && errno == EINTR) continue;
    if (tid < 0) return;
    if (WIFSTOPPED(status)) {
      int signal = WSTOPSIG(status);
      bool delivery = status >> 16 == 0 && signal != (SIGTRAP | STOPPED);
      (void)ptrace(PTRACE_DETACH, tid, 0, delivery ? signal : 0);
    }
    tracee_remove(tid);
  }
}

static void trace(void) {
  while (tracee_count() > 0) {
    int status;
    if (leaving) return detach_all();
    pid_t tid = waitpid(-1, &status, __WALL);
    if (tid < 0 && errno == EINTR) continue;
    if (tid < 0) return;
    if (WIFSTOPPED(status)) at_stop(tid, status);
    else {
      if (tid == alone) count_end(status);
      tracee_remove(tid);
    }
  }
}

static void catch_signals(void) {
  /* Not restarted: what waits has to look. The program's own Ctrl-C is not the tracer's. */
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGTERM, &action, NULL);
  if (attaching) sigaction(SIGINT, &action, NULL);
  else signal(SIGINT, SIG_IGN);
  signal(SIGQUIT, SIG_IGN);
  signal(SIGHUP, attaching ? SIG_DFL : SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
}

int main(int number, char **words) {
  if (number > 1 && strcmp(words[number - 1], "-v") == 0) {
    verbose = true;
    number--;
  }
  bool launch = number == 4 && (strcmp(words[1], "--launch") == 0 || strcmp(words[1], "--launch-alone") == 0);
  attaching = number == 3 && strcmp(words[1], "--attach") == 0;
  if (!launch && !attaching) {
    fputs("vigie-tracer: started by vigie-run -e strace, -e ptrace and -S\n", stderr);
    return 2;
  }
  pid_t pid = (pid_t)atoi(words[2]);
  if (pid <= 0 || pid == getpid()) {
    fprintf(stderr, "vigie-run: -S: '%s' is no process\n", words[2]);
    return 127;
  }
  if (launch && strcmp(words[1], "--launch-alone") == 0) alone = pid;
  /* What it counts is that process's. */
  setenv("VIGIE_TRACED", words[2], 1);
  catch_signals();
  int error = seize_all(pid);
  if (error != 0) {
    if (attaching) explain_refusal(pid, error);
    return 127;
  }
  if (attaching && verbose) fprintf(stderr, "vigie-run: attached to %u thread%s of process %d\n", tracee_count(), tracee_count() == 1 ? "" : "s", (int)pid);
  if (launch) {
    if (alone != 0) count_one("has_started", "Programs that started");
    int ready = atoi(words[3]);
    (void)!write(ready, "1", 1);
    close(ready);
  }
  trace();
  return 0;
}
