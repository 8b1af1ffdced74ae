/*
 * Metrics of the process and their values. Adding is a load, an addition and a store in a bank that only this thread
 * writes. Everything else (a thread's first addition, new metrics, thread exit, fork) takes one lock.
 */
#define _GNU_SOURCE
#include "registry.h"
#include "vigie.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define CHUNKS (MAX_ENTRIES / CHUNK)
#define BUCKETS 4096u
/* Of memory for metrics, bytes at a time: more than a metric or the banks of a thread need. */
#define ARENA 65536u

/* Banks of one thread at a time. After the thread's exit the next new thread goes on with them. */
struct banks {
  uint64_t *chunks[CHUNKS];
  struct banks *all, *free;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_key;
static struct table table;
static bool open_table;
static struct vigie_metric *metrics[MAX_ENTRIES], *buckets[BUCKETS];
static uint32_t count;
static struct banks *all_banks, *free_banks;
static int rank = -1, ranks = -1;
static bool link_wanted; /* the table is new */

static struct banks no_banks;
static _Thread_local struct banks *mine __attribute__((tls_model("initial-exec"))) = &no_banks;

static void thread_exit(void *banks_of_thread) {
  struct banks *banks = banks_of_thread;
  mine = &no_banks;
  pthread_mutex_lock(&lock);
  banks->free = free_banks;
  free_banks = banks;
  pthread_mutex_unlock(&lock);
}

static void before_fork(void) {
  link_before_fork();
  pthread_mutex_lock(&lock);
}

static void after_fork_parent(void) {
  pthread_mutex_unlock(&lock);
  link_after_fork(false);
}

/* The child starts with nothing: no file until it counts, all handles valid, all values zero. */
static void after_fork_child(void) {
  struct vigie_thread outer = registry_enter();
  table_forget(&table);
  open_table = false;
  rank = ranks = -1;
  mine = &no_banks;
  pthread_setspecific(thread_key, NULL);
  free_banks = NULL;
  for (struct banks *banks = all_banks; banks; banks = banks->all) {
    memset(banks->chunks, 0, sizeof banks->chunks);
    banks->free = free_banks;
    free_banks = banks;
  }
  for (uint32_t i = 0; i < count; i++) {
    metrics[i]->gauge = NULL;
    metrics[i]->described = 0;
    memset(&metrics[i]->sent, 0, sizeof metrics[i]->sent);
  }
  pthread_mutex_unlock(&lock);
  link_after_fork(true);
  registry_leave(outer);
}

static void at_start(void) {
  pthread_key_create(&thread_key, thread_exit);
  pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}

/* Held: lock. */
static bool ready(void) {
  if (open_table) return true;
  if (!table_open(&table)) return false;
  if (rank >= 0) table_rank(&table, rank, ranks);
  for (uint32_t i = 0; i < count; i++) {
    struct vigie_metric *metric = metrics[i];
    table_publish(&table, i, metric->kind, metric->name, metric->doc, &metric->gauge);
  }
  __atomic_store_n(&open_table, true, __ATOMIC_RELEASE);
  link_wanted = true;
  return true;
}

/* After what may have called ready(). The sender's lock is never taken with ours held: the sender takes them the other
 * way round. */
static void unlock(void) {
  bool start = link_wanted;
  link_wanted = false;
  pthread_mutex_unlock(&lock);
  if (start) link_start();
}

static char *arena;
static size_t arena_left;

/* Held: lock. Zeroes, never given back. Not of malloc: counts are given away by _exit, too, which the handler of a signal
 * that came within malloc may call. */
static void *memory(size_t size) {
  size = (size + 15) / 16 * 16;
  if (size > arena_left) {
    void *found = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (found == MAP_FAILED) return NULL;
    arena = found;
    arena_left = ARENA;
  }
  void *taken = memset(arena, 0, size);
  arena += size;
  arena_left -= size;
  return taken;
}

/* Held: lock. */
static char *copy_of(const char *text) {
  size_t length = strnlen(text, VIGIE_NAME_MAX);
  char *copy = memory(length + 1);
  if (copy) memcpy(copy, text, length);
  return copy;
}

static uint32_t hash(const char *name) {
  uint32_t sum = 2166136261u;
  for (; *name; name++) sum = (sum ^ (unsigned char)*name) * 16777619u;
  return sum % BUCKETS;
}

/* Held: lock. */
static int find_or_make(struct vigie_metric **found, enum kind kind, const char *name, const char *doc) {
  struct vigie_metric **bucket = &buckets[hash(name)];
  for (struct vigie_metric *metric = *bucket; metric; metric = metric->next) {
    if (strcmp(metric->name, name) != 0) continue;
    if (metric->kind != kind) return VIGIE_KIND;
    *found = metric;
    return VIGIE_OK;
  }
  if (count == MAX_ENTRIES || !ready()) return VIGIE_FULL;
  char *before = arena, *end = arena + arena_left;
  struct vigie_metric *metric = memory(sizeof *metric);
  if (!metric) return VIGIE_FULL;
  metric->index = count;
  metric->kind = kind;
  metric->name = copy_of(name);
  metric->doc = copy_of(doc);
  if (!metric->name || !metric->doc ||
      !table_publish(&table, count, kind, metric->name, metric->doc, &metric->gauge)) {
    /* The next one has their place, when they are of one piece. */
    if (before && arena + arena_left == end) {
      arena_left += (size_t)(arena - before);
      arena = before;
    }
    return VIGIE_FULL;
  }
  metric->next = *bucket;
  *bucket = metric;
  metrics[count] = metric;
  __atomic_store_n(&count, count + 1, __ATOMIC_RELEASE);
  *found = metric;
  return VIGIE_OK;
}

static int make(struct vigie_metric **metric, enum kind kind, const char *name, const char *doc) {
  if (!metric) return VIGIE_INVALID;
  *metric = NULL;
  if (!name || !*name || strlen(name) > VIGIE_NAME_MAX) return VIGIE_INVALID;
  int before = errno;
  struct vigie_thread outer = registry_enter();
  pthread_once(&once, at_start);
  pthread_mutex_lock(&lock);
  int result = find_or_make(metric, kind, name, doc ? doc : "");
  unlock();
  registry_leave(outer);
  errno = before;
  return result;
}

int vigie_counter_new(vigie_counter **counter, const char *name, const char *doc) {
  return make(counter, KIND_INTEGER, name, doc);
}

int vigie_counter_new_double(vigie_counter **counter, const char *name, const char *doc) {
  return make(counter, KIND_DOUBLE, name, doc);
}

int vigie_gauge_new(vigie_gauge **gauge, const char *name, const char *doc) {
  return make(gauge, KIND_GAUGE, name, doc);
}

/* The thread's bank for this counter, made now; null when there is no room: then the addition is lost. */
__attribute__((noinline, cold)) static uint64_t *make_bank(uint32_t chunk) {
  int before = errno;
  struct vigie_thread outer = registry_enter();
  pthread_mutex_lock(&lock);
  struct banks *banks = mine;
  if (ready() && banks == &no_banks) {
    banks = free_banks;
    if (banks) {
      free_banks = banks->free;
    } else if ((banks = memory(sizeof *banks))) {
      banks->all = all_banks;
      all_banks = banks;
    }
    if (banks && pthread_setspecific(thread_key, banks) == 0) mine = banks;
  }
  uint64_t *bank = NULL;
  if (open_table && banks && banks != &no_banks) {
    bank = banks->chunks[chunk];
    if (!bank) bank = banks->chunks[chunk] = table_bank(&table, chunk);
  }
  unlock();
  registry_leave(outer);
  errno = before;
  return bank;
}

int vigie_counter_add(vigie_counter *counter, uint64_t increase) {
  if (__builtin_expect(!counter || counter->kind != KIND_INTEGER, 0)) return counter ? VIGIE_KIND : VIGIE_INVALID;
  uint64_t *bank = mine->chunks[counter->index / CHUNK];
  if (__builtin_expect(!bank, 0) && !(bank = make_bank(counter->index / CHUNK))) return VIGIE_FULL;
  uint64_t *cell = bank + counter->index % CHUNK;
  __atomic_store_n(cell, __atomic_load_n(cell, __ATOMIC_RELAXED) + increase, __ATOMIC_RELAXED);
  return VIGIE_OK;
}

int vigie_counter_add_double(vigie_counter *counter, double increase) {
  if (__builtin_expect(!counter || counter->kind != KIND_DOUBLE, 0)) return counter ? VIGIE_KIND : VIGIE_INVALID;
  if (__builtin_expect(!(increase >= 0 && increase <= 1.7976931348623157e308), 0)) return VIGIE_INVALID;
  uint64_t *bank = mine->chunks[counter->index / CHUNK];
  if (__builtin_expect(!bank, 0) && !(bank = make_bank(counter->index / CHUNK))) return VIGIE_FULL;
  double *cell = (double *)(void *)(bank + counter->index % CHUNK), sum;
  __atomic_load(cell, &sum, __ATOMIC_RELAXED);
  sum += increase;
  /* A sum that is not finite would be refused for ever. */
  if (__builtin_expect(!(sum <= 1.7976931348623157e308), 0)) return VIGIE_INVALID;
  __atomic_store(cell, &sum, __ATOMIC_RELAXED);
  return VIGIE_OK;
}

static void store(double *cell, double value) { __atomic_store(cell, &value, __ATOMIC_RELAXED); }

static double load(const double *cell) {
  double value;
  __atomic_load(cell, &value, __ATOMIC_RELAXED);
  return value;
}

/* Writers exclude one another by the lock; readers look at the sequence. */
static int write_gauge(struct vigie_metric *gauge, double value, bool observe) {
  if (!gauge || !isfinite(value)) return VIGIE_INVALID;
  if (gauge->kind != KIND_GAUGE) return VIGIE_KIND;
  int before = errno;
  pthread_mutex_lock(&lock);
  struct gauge_cell *cell = ready() ? gauge->gauge : NULL;
  if (cell) {
    uint64_t sequence = cell->sequence;
    bool first = !observe || sequence == 0;
    double min = load(&cell->min), max = load(&cell->max);
    /* An exchange that acquires: no store below is seen before it. */
    __atomic_exchange_n(&cell->sequence, sequence + 1, __ATOMIC_ACQ_REL);
    store(&cell->min, first || value < min ? value : min);
    store(&cell->max, first || value > max ? value : max);
    store(&cell->hits, first ? 1 : load(&cell->hits) + 1);
    store(&cell->total, first ? value : load(&cell->total) + value);
    __atomic_store_n(&cell->sequence, sequence + 2, __ATOMIC_RELEASE);
  }
  unlock();
  errno = before;
  return cell ? VIGIE_OK : VIGIE_FULL;
}

int vigie_gauge_set(vigie_gauge *gauge, double value) { return write_gauge(gauge, value, false); }
int vigie_gauge_observe(vigie_gauge *gauge, double value) { return write_gauge(gauge, value, true); }

int vigie_set_rank(int number, int size) {
  if (number < 0 || size <= number) return VIGIE_INVALID;
  int before = errno;
  struct vigie_thread outer = registry_enter();
  pthread_once(&once, at_start);
  pthread_mutex_lock(&lock);
  rank = number;
  ranks = size;
  if (open_table) table_rank(&table, rank, ranks);
  pthread_mutex_unlock(&lock);
  registry_leave(outer);
  errno = before;
  return VIGIE_OK;
}

bool registry_rank(int *number, int *size) {
  pthread_mutex_lock(&lock);
  *number = rank;
  *size = ranks;
  pthread_mutex_unlock(&lock);
  /* Of a world of one it tells nothing: docs/protocol.md. */
  return *number >= 0 && *size > 1;
}

uint32_t registry_count(void) { return __atomic_load_n(&count, __ATOMIC_ACQUIRE); }
struct vigie_metric *registry_metric(uint32_t index) { return metrics[index]; }

uint64_t registry_integer(const struct vigie_metric *metric) {
  uint64_t sum = 0;
  pthread_mutex_lock(&lock);
  for (struct banks *banks = all_banks; banks; banks = banks->all) {
    uint64_t *bank = banks->chunks[metric->index / CHUNK];
    if (bank) sum += __atomic_load_n(bank + metric->index % CHUNK, __ATOMIC_RELAXED);
  }
  pthread_mutex_unlock(&lock);
  return sum;
}

double registry_real(const struct vigie_metric *metric) {
  double sum = 0;
  pthread_mutex_lock(&lock);
  for (struct banks *banks = all_banks; banks; banks = banks->all) {
    uint64_t *bank = banks->chunks[metric->index / CHUNK];
    if (bank) sum += load((double *)(void *)(bank + metric->index % CHUNK));
  }
  pthread_mutex_unlock(&lock);
  return sum;
}

bool registry_gauge(const struct vigie_metric *metric, struct value *value, uint64_t *sequence) {
  pthread_mutex_lock(&lock);
  const struct gauge_cell *cell = metric->gauge;
  *sequence = cell ? cell->sequence : 0;
  if (*sequence) *value = (struct value){cell->min, cell->max, cell->hits, cell->total};
  pthread_mutex_unlock(&lock);
  return *sequence != 0;
}

void registry_table(char *path, size_t size, unsigned char *nonce) {
  pthread_mutex_lock(&lock);
  size_t length = open_table ? strnlen(table.path, size - 1) : 0;
  memcpy(path, table.path, length);
  path[length] = 0;
  memcpy(nonce, table.nonce, NONCE_SIZE);
  pthread_mutex_unlock(&lock);
}

void registry_unlink(void) {
  pthread_mutex_lock(&lock);
  if (open_table) table_unlink(&table);
  pthread_mutex_unlock(&lock);
}

void registry_finish(bool told) {
  pthread_mutex_lock(&lock);
  if (open_table && told) table_usage(&table);
  if (open_table) table_finish(&table);
  pthread_mutex_unlock(&lock);
}

/* Without the lock, which a handler's thread may hold: two numbers, each stored whole. */
void registry_usage(void) {
  if (__atomic_load_n(&open_table, __ATOMIC_ACQUIRE)) table_usage(&table);
}

int vigie_flush(void) {
  int before = errno;
  vigie_tally_collect();
  struct vigie_thread outer = registry_enter();
  if (registry_count() > 0) link_flush(250, false);
  registry_leave(outer);
  errno = before;
  return VIGIE_OK;
}

void registry_begin(void) {
  pthread_once(&once, at_start);
  pthread_mutex_lock(&lock);
  (void)ready();
  unlock();
}

bool registry_reachable(void) {
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 1;
  if (pthread_mutex_timedlock(&lock, &until) != 0) return false;
  pthread_mutex_unlock(&lock);
  return true;
}

void registry_end(void) {
  if (__atomic_load_n(&open_table, __ATOMIC_ACQUIRE) && registry_reachable()) link_flush(250, true);
}

/* Late: constructors' counterparts and atexit handlers of the program have run and may have counted. */
__attribute__((destructor(101))) static void at_exit(void) {
  struct vigie_thread outer = registry_enter();
  if (!tally_confined() && !tally_late()) {
    tally_leave();
    registry_end();
  }
  registry_leave(outer);
}
