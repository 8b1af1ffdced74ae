/*
 * Counts that exporters may take anywhere, in a signal handler or with an allocator's lock held, too: an addition touches
 * a block that only one thread writes, and nothing else. What stands in the blocks is given to libvigie's counters by its
 * own sender, every tenth of a second and when the process ends.
 *
 * The blocks are shared with children of forks: these count into them, and their first ancestor that executed this image
 * gives their counts away with its own. Whoever is left when it ends takes its place. So a fork costs nothing.
 *
 * Not for programs: this interface is the exporters' own and changes with them.
 */
#ifndef VIGIE_TALLY_H
#define VIGIE_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <vigie.h>

struct tally_cell {
  uint64_t hits, ticks, bytes;
};

/* Counters that a cell's increases are added to; null: not wanted. */
struct tally_counters {
  vigie_counter *hits, *time, *bytes;
  vigie_counter *all_hits, *all_time, *all_bytes;
};

struct tally_region;

/* Filled by the exporter before vigie_tally_open, but for what says otherwise; static, never moved. */
struct tally {
  uint32_t cells;      /* of a block */
  size_t shared_bytes; /* of memory for the exporter itself, shared in the same way */
  /* Makes a cell's counters. Called once per cell, on the sender's thread or that of the end, after its first hit. */
  void (*describe)(uint32_t cell, struct tally_counters *counters);
  /* The exporter ends the process's table by vigie_tally_end: calls after the destructors count, too. */
  bool late;
  /* Told with its first counts, as vigie_build_info has them. */
  const char *exporter, *version;

  /* Set by vigie_tally_open. */
  void *shared;
  struct tally_region *region;
  struct tally_counters *counters;
  bool *described;
  struct tally *next;
  bool follower; /* in a child of a fork: another process gives the counts away */
  bool told;     /* its version */
};

/*
 * Tells which exporter counts in this process: the gauge vigie_EXPORTER_build_info{version="VERSION"}, 1. Only of a process
 * that is of a job, and after its first metric: programs that count without an exporter have no such series.
 */
VIGIE_API void vigie_build_info(const char *exporter, const char *version);

/* What libvigie does on a thread is no deed of the program's: exporters look here. */
struct vigie_thread {
  /* As Syscall User Dispatch has it: system calls are dispatched (1) or not (0). Off within libvigie. */
  volatile unsigned char dispatch;
  volatile unsigned char own; /* within libvigie */
};
VIGIE_API extern _Thread_local struct vigie_thread vigie_thread __attribute__((tls_model("initial-exec")));

/* What the thread does between the two is none of the program's deeds, either; libraries of ours that are not linked with
 * this one look them up by name. */
VIGIE_API unsigned vigie_aside(void);
VIGIE_API void vigie_back(unsigned outer);

/* In a constructor. False: no memory, nothing may be counted. */
VIGIE_API bool vigie_tally_open(struct tally *tally);

/* A block for this thread, used by no other one; the first one, which may be shared, when there are too many threads.
 * Signal-safe. */
VIGIE_API struct tally_cell *vigie_tally_block(struct tally *tally);
/* The next thread may have it. Signal-safe. */
VIGIE_API void vigie_tally_release(struct tally *tally, struct tally_cell *block);

/* Gives away what has been counted so far, when that is for this process to do. */
VIGIE_API void vigie_tally_collect(void);
/* The same, when this process, -1, 0 or a group is sent a signal that ends this process. */
VIGIE_API void vigie_tally_before_signal(pid_t whom, int number);
/* The same, for the last time: afterwards the table is final. */
VIGIE_API void vigie_tally_end(void);

/* Before a thread gives up rights to make system calls (seccomp): what has been counted is given away, and libvigie makes
 * none at the end of the process. `every_thread`: the sender is one of them, and is gone afterwards. */
VIGIE_API void vigie_confine(bool every_thread);

/* Around a call that the kernel refuses to processes of several threads (unshare, setns): the sender is one of libvigie's.
 * To the second what the first gave. */
VIGIE_API bool vigie_sender_stop(void);
VIGIE_API void vigie_sender_go_on(bool stopped);

/* Called by followers now and then: takes the place of an ancestor that has ended. It starts a thread and allocates. */
VIGIE_API void vigie_tally_follow(struct tally *tally);
/* Ticks from one time to the next: a tenth of a second or so, since a run ends when nobody has counted for the grace time. */
#if defined(__aarch64__)
#define FOLLOW_EVERY 2500000u /* of a clock of 25 MHz; the fastest have 1 GHz */
#else
#define FOLLOW_EVERY 250000000u
#endif

/* Ticks of the clock of all tallies: the processor's counter where the kernel itself trusts it, else ns. */
VIGIE_API extern bool vigie_tally_counter;
VIGIE_API uint64_t vigie_tally_ns(void);

static inline uint64_t tally_ticks(void) {
#if defined(__x86_64__)
  if (__builtin_expect(vigie_tally_counter, 1)) return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
  if (__builtin_expect(vigie_tally_counter, 1)) {
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
  }
#endif
  return vigie_tally_ns();
}

#endif
