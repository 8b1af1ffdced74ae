/* Blocks of counts in shared memory, and what gives them to the counters. Who writes what: tally.h. */
#define _GNU_SOURCE
#include "tally.h"
#include "registry.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define MAX_BLOCKS 4096u
#define FEW_BLOCKS 64u
#define PAGE 4096u
/* Shortest time between two readings of the clocks that tells how long a tick is. */
#define CALIBRATION 50000u

struct given {
  uint64_t hits, ticks, bytes;
};

/* Shared by a process and the children of its forks. Blocks follow, each on cache lines of its own. */
struct tally_region {
  pid_t owner; /* gives the counts away; 0: it has ended */
  uint32_t blocks, limit; /* handed out so far; how many there is room for */
  uint64_t free; /* the first free one's number + 1 below, above it a count that tells a reused one from what it was */
  uint32_t next[MAX_BLOCKS];
  size_t block_bytes, blocks_at, given_at;
};

_Thread_local struct vigie_thread vigie_thread __attribute__((tls_model("initial-exec")));
bool vigie_tally_counter;

static struct tally *tallies;
static bool confined;
static double tick; /* s; 0 until it is known */
static uint64_t first_ticks, first_ns;
/* One collector at a time. After a fork it is the child's to begin anew. */
static pthread_mutex_t collecting = PTHREAD_MUTEX_INITIALIZER;

unsigned vigie_aside(void) {
  struct vigie_thread outer = registry_enter();
  return outer.dispatch | (unsigned)outer.own << 8;
}

void vigie_back(unsigned outer) {
  registry_leave((struct vigie_thread){.dispatch = outer & 1, .own = outer >> 8 & 1});
}

uint64_t vigie_tally_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void read_clocks(uint64_t *ticks, uint64_t *ns) {
  uint64_t narrowest = UINT64_MAX;
  for (int i = 0; i < 3; i++) {
    uint64_t before = tally_ticks(), now = vigie_tally_ns(), after = tally_ticks();
    if (after - before >= narrowest) continue;
    narrowest = after - before;
    *ticks = before + (after - before) / 2;
    *ns = now;
  }
}

static void begin_clock(void) {
  if (first_ns) return;
#if defined(__x86_64__)
  char source[8] = "";
  int fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource", O_RDONLY | O_CLOEXEC);
  ssize_t got = fd < 0 ? 0 : read(fd, source, sizeof source - 1);
  if (fd >= 0) close(fd);
  vigie_tally_counter = got >= 4 && memcmp(source, "tsc\n", 4) == 0;
#elif defined(__aarch64__)
  vigie_tally_counter = true;
#endif
  read_clocks(&first_ticks, &first_ns);
}

/* How long a tick is: the longer the process has run the better. */
static double tick_seconds(void) {
  if (!vigie_tally_counter) return 1e-9;
  if (tick > 0) return tick;
  uint64_t ticks = 0, ns = 0;
  do read_clocks(&ticks, &ns);
  while (ns - first_ns < CALIBRATION);
  double measured = (double)(ns - first_ns) * 1e-9 / (double)(ticks - first_ticks);
  if (ns - first_ns > 1000000000u) tick = measured;
  return measured;
}

static struct tally_cell *block_at(const struct tally *tally, uint32_t number) {
  struct tally_region *region = tally->region;
  return (struct tally_cell *)(void *)((char *)region + region->blocks_at + number * region->block_bytes);
}

void vigie_build_info(const char *exporter, const char *version) {
  const vigie_label label = {"version", version};
  char family[64], name[160];
  vigie_gauge *gauge = NULL;
  /* Without a job it counts into its node, which has such names of its own. */
  if (!link_has_job()) return;
  struct vigie_thread outer = registry_enter();
  snprintf(family, sizeof family, "vigie_%s_build_info", exporter);
  if (vigie_name(name, sizeof name, family, &label, 1) > 0 &&
      vigie_gauge_new(&gauge, name, "1; the version of Vigie's exporter that counts") == VIGIE_OK)
    vigie_gauge_set(gauge, 1);
  registry_leave(outer);
}

static size_t rounded(size_t bytes, size_t to) { return (bytes + to - 1) / to * to; }

static bool map_region(struct tally *tally, uint32_t limit) {
  size_t given_at = rounded(sizeof(struct tally_region) + tally->shared_bytes, PAGE);
  size_t blocks_at = given_at + rounded(tally->cells * sizeof(struct given), PAGE);
  size_t block_bytes = rounded(tally->cells * sizeof(struct tally_cell), 128);
  void *base = mmap(NULL, blocks_at + limit * block_bytes, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) return false;
  tally->region = base;
  tally->region->limit = limit;
  tally->region->blocks = 1; /* the first is everybody's */
  tally->region->block_bytes = block_bytes;
  tally->region->blocks_at = blocks_at;
  tally->region->given_at = given_at;
  tally->shared = (char *)base + sizeof(struct tally_region);
  return true;
}

static void in_child(void) {
  pthread_mutex_unlock(&collecting);
  for (struct tally *tally = tallies; tally; tally = tally->next) {
    tally->follower = true;
    tally->told = false;
    /* The child's own table has none of these counters yet. */
    if (tally->described) memset(tally->described, 0, tally->cells);
  }
}

static void before_fork(void) { pthread_mutex_lock(&collecting); }
static void in_parent(void) { pthread_mutex_unlock(&collecting); }

bool vigie_tally_open(struct tally *tally) {
  struct vigie_thread outer = registry_enter();
  size_t made = rounded(tally->cells * (sizeof(struct tally_counters) + 1), PAGE);
  void *memory = mmap(NULL, made, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  bool done = memory != MAP_FAILED && (map_region(tally, MAX_BLOCKS) || map_region(tally, FEW_BLOCKS));
  if (done) {
    begin_clock();
    tally->counters = memory;
    tally->described = (bool *)memory + tally->cells * sizeof(struct tally_counters);
    tally->region->owner = getpid();
    tally->follower = false;
    registry_begin();
    /* After the registry's own handlers, so that they are locked in the order in which a collection locks them. */
    if (!tallies) {
      pthread_atfork(before_fork, in_parent, in_child);
      /* The program's own handlers come later, and so run before. */
      at_quick_exit(vigie_tally_collect);
    }
    tally->next = tallies;
    __atomic_store_n(&tallies, tally, __ATOMIC_RELEASE);
  }
  registry_leave(outer);
  return done;
}

struct tally_cell *vigie_tally_block(struct tally *tally) {
  struct tally_region *region = tally->region;
  uint64_t head = __atomic_load_n(&region->free, __ATOMIC_ACQUIRE);
  while ((uint32_t)head != 0) {
    uint32_t number = (uint32_t)head - 1;
    uint64_t next = ((head >> 32) + 1) << 32 | __atomic_load_n(&region->next[number], __ATOMIC_RELAXED);
    if (__atomic_compare_exchange_n(&region->free, &head, next, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
      return block_at(tally, number);
  }
  if (__atomic_load_n(&region->blocks, __ATOMIC_RELAXED) >= region->limit) return block_at(tally, 0);
  uint32_t number = __atomic_fetch_add(&region->blocks, 1, __ATOMIC_ACQ_REL);
  if (number < region->limit) return block_at(tally, number);
  __atomic_store_n(&region->blocks, region->limit, __ATOMIC_RELAXED);
  return block_at(tally, 0);
}

void vigie_tally_release(struct tally *tally, struct tally_cell *block) {
  struct tally_region *region = tally->region;
  if (!block || block == block_at(tally, 0)) return;
  uint32_t number = (uint32_t)((size_t)((char *)block - (char *)block_at(tally, 0)) / region->block_bytes);
  uint64_t head = __atomic_load_n(&region->free, __ATOMIC_ACQUIRE), mine;
  do {
    __atomic_store_n(&region->next[number], (uint32_t)head, __ATOMIC_RELAXED);
    mine = ((head >> 32) + 1) << 32 | (number + 1);
  } while (!__atomic_compare_exchange_n(&region->free, &head, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
}

static uint64_t load(const uint64_t *value) { return __atomic_load_n(value, __ATOMIC_RELAXED); }

/* Held: collecting. */
static void collect_cell(struct tally *tally, uint32_t cell, struct given *given, const struct tally_cell *sum) {
  struct tally_counters *to = &tally->counters[cell];
  if (!tally->told && tally->exporter) vigie_build_info(tally->exporter, tally->version);
  tally->told = true;
  if (!tally->described[cell]) {
    memset(to, 0, sizeof *to);
    tally->describe(cell, to);
    tally->described[cell] = true;
  }
  uint64_t hits = sum->hits - given->hits, bytes = sum->bytes - given->bytes;
  /* A thread between its additions to a cell may be seen with a hit and without its time: never with less than before. */
  int64_t ticks = (int64_t)(sum->ticks - given->ticks);
  double seconds = ticks > 0 ? (double)ticks * tick_seconds() : 0;
  if (to->hits) vigie_counter_add(to->hits, hits);
  if (to->all_hits) vigie_counter_add(to->all_hits, hits);
  if (to->time) vigie_counter_add_double(to->time, seconds);
  if (to->all_time) vigie_counter_add_double(to->all_time, seconds);
  if (bytes && to->bytes) vigie_counter_add(to->bytes, bytes);
  if (bytes && to->all_bytes) vigie_counter_add(to->all_bytes, bytes);
  *given = (struct given){sum->hits, sum->ticks, sum->bytes};
}

/* Held: collecting. */
static void collect(struct tally *tally) {
  struct tally_region *region = tally->region;
  if (region->owner != getpid()) return;
  uint32_t blocks = __atomic_load_n(&region->blocks, __ATOMIC_ACQUIRE);
  if (blocks > region->limit) blocks = region->limit;
  struct given *given = (struct given *)(void *)((char *)region + region->given_at);
  for (uint32_t cell = 0; cell < tally->cells; cell++) {
    struct tally_cell sum = {0, 0, 0};
    for (uint32_t i = 0; i < blocks; i++) {
      const struct tally_cell *part = block_at(tally, i) + cell;
      sum.hits += load(&part->hits);
      sum.ticks += load(&part->ticks);
      sum.bytes += load(&part->bytes);
    }
    /* Nothing was given away of it either: pages that nobody has touched stay so. */
    if (sum.hits == 0 && sum.ticks == 0 && sum.bytes == 0) continue;
    if (sum.hits != given[cell].hits || sum.bytes != given[cell].bytes || sum.ticks != given[cell].ticks)
      collect_cell(tally, cell, &given[cell], &sum);
  }
}

void vigie_tally_collect(void) {
  if (!__atomic_load_n(&tallies, __ATOMIC_ACQUIRE)) return;
  struct vigie_thread outer = registry_enter();
  struct timespec until;
  int before = errno;
  /* Whoever leaves from a handler of a signal that came within this function goes without its last counts. */
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 1;
  if (pthread_mutex_timedlock(&collecting, &until) == 0) {
    if (registry_reachable())
      for (struct tally *tally = tallies; tally; tally = tally->next) collect(tally);
    pthread_mutex_unlock(&collecting);
  }
  /* A thread of the program's is about to leave the process, or its image. */
  if (!outer.own && !confined) registry_usage();
  errno = before;
  registry_leave(outer);
}

static bool ends(int number) {
  struct sigaction action;
  switch (number) {
    case SIGCHLD: case SIGCONT: case SIGURG: case SIGWINCH: case SIGSTOP: case SIGTSTP: case SIGTTIN: case SIGTTOU:
      return false;
    default: return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_DFL;
  }
}

void vigie_tally_before_signal(pid_t whom, int number) {
  if (number == 0) return;
  struct vigie_thread outer = registry_enter();
  int before = errno;
  if ((whom <= 0 || whom == getpid()) && ends(number)) vigie_tally_collect();
  errno = before;
  registry_leave(outer);
}

void tally_leave(void) {
  vigie_tally_collect();
  for (struct tally *tally = tallies; tally; tally = tally->next)
    if (tally->region->owner == getpid()) __atomic_store_n(&tally->region->owner, 0, __ATOMIC_RELEASE);
}

bool tally_late(void) {
  for (struct tally *tally = tallies; tally; tally = tally->next)
    if (tally->late && tally->region->owner == getpid()) return true;
  return false;
}

void tally_on_time(void) {
  for (struct tally *tally = tallies; tally; tally = tally->next) tally->late = false;
}

int tally_period(void) {
  for (struct tally *tally = __atomic_load_n(&tallies, __ATOMIC_ACQUIRE); tally; tally = tally->next)
    if (tally->region->owner == getpid()) return 100;
  return -1;
}

void vigie_tally_end(void) {
  struct vigie_thread outer = registry_enter();
  tally_leave();
  registry_end();
  registry_leave(outer);
}

void vigie_confine(bool every_thread) {
  vigie_tally_collect();
  struct vigie_thread outer = registry_enter();
  confined = true;
  if (every_thread) link_stop(250);
  registry_leave(outer);
}

bool vigie_sender_stop(void) {
  struct vigie_thread outer = registry_enter();
  int before = errno;
  bool stopped = link_stop(250);
  errno = before;
  registry_leave(outer);
  return stopped;
}

void vigie_sender_go_on(bool stopped) {
  if (!stopped || confined) return;
  struct vigie_thread outer = registry_enter();
  int before = errno;
  link_go_on();
  errno = before;
  registry_leave(outer);
}

bool tally_confined(void) { return confined; }

void vigie_tally_follow(struct tally *tally) {
  struct tally_region *region = tally->region;
  pid_t owner = __atomic_load_n(&region->owner, __ATOMIC_ACQUIRE);
  struct vigie_thread outer = registry_enter();
  int before = errno;
  bool gone = owner == 0 || (kill(owner, 0) != 0 && errno == ESRCH);
  if (owner == getpid()) tally->follower = false;
  if (gone && __atomic_compare_exchange_n(&region->owner, &owner, getpid(), false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
    tally->follower = false;
    registry_begin();
  }
  /* It is called behind the program's own call, whose error this would be. */
  errno = before;
  registry_leave(outer);
}
