/*
 * The writer's side of a shared table. Bytes and memory ordering: docs/protocol.md. Every page is allocated before it is
 * used (posix_fallocate), since a write to a page that a full tmpfs cannot give would kill the program with SIGBUS.
 */
#define _GNU_SOURCE
#include "table.h"
#include "schedulers.h"
#include "sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#define HEADER 4096u
#define SEGMENT 64u
#define STRINGS 8192u
#define GAUGES 16u
#define GROW 16384u
/* Room for the metrics of most programs: a tmpfs without it is as good as none. */
#define FIRST 65536u
#define TMPFS 0x01021994

enum { ENTRIES_SEGMENT = 1, BANK_SEGMENT, GAUGES_SEGMENT, STRINGS_SEGMENT };

struct header {
  char magic[8];
  uint32_t version, order, header_size, entry_size;
  unsigned char nonce[NONCE_SIZE];
  uint32_t pid, uid;
  uint64_t start;
  int32_t rank, ranks;
  uint64_t made;
  uint32_t state, changes;
  uint64_t used;
  uint64_t cpu, peak; /* µs and bytes; 0: not told */
};

struct segment {
  uint32_t kind, length, first, count;
  uint32_t changes; /* of the first bank: the header's, so that who reads values sees it too */
};

struct entry {
  uint32_t published, kind;
  uint64_t name, doc;
  uint32_t name_length, doc_length;
  uint64_t gauge, reserved;
};

_Static_assert(sizeof(struct header) == 104, "header as documented");
_Static_assert(sizeof(struct entry) == 48, "entry as documented");
_Static_assert(sizeof(struct gauge_cell) == 64, "gauge as documented");

static struct header *header(struct table *table) { return (struct header *)table->base; }

/* Something other than a value is new: readers, who look at values only, are told. */
static void changed(struct table *table) {
  uint32_t changes = header(table)->changes + 1;
  __atomic_store_n(&header(table)->changes, changes, __ATOMIC_RELEASE);
  if (!table->bank) return;
  __atomic_store_n(&((struct segment *)(table->base + table->bank))->changes, changes, __ATOMIC_RELEASE);
}

static bool on_tmpfs(const char *path) {
  struct statfs found;
  return statfs(path, &found) == 0 && found.f_type == TMPFS;
}

/* Somebody else may have made it before us: then it is not used. */
static bool private_directory(const char *path) {
  struct stat found;
  if (mkdir(path, 0700) != 0 && errno != EEXIST) return false;
  return lstat(path, &found) == 0 && S_ISDIR(found.st_mode) && found.st_uid == geteuid() && (found.st_mode & 077) == 0;
}

static bool directory(char *path, size_t size) {
  const char *runtime = getenv("XDG_RUNTIME_DIR");
  size_t length = runtime ? strlen(runtime) : 0;
  /* The engine knows the directory by its name without a slash at the end. */
  while (length > 1 && runtime[length - 1] == '/') length--;
  if (length > 0 && runtime[0] == '/' && length < 300 && on_tmpfs(runtime)) {
    snprintf(path, size, "%.*s/vigie", (int)length, runtime);
    if (private_directory(path)) return true;
  }
  if (!on_tmpfs("/dev/shm")) return false;
  snprintf(path, size, "/dev/shm/vigie-%u", (unsigned)geteuid());
  return private_directory(path);
}

static int make_file(struct table *table) {
  char folder[320], hex[2 * NONCE_SIZE + 1];
  if (!directory(folder, sizeof folder)) return -1;
  /* One process in sixteen looks: hundreds may start at once. */
  if (table->nonce[0] % 16 == 0) sweep(folder);
  for (int i = 0; i < NONCE_SIZE; i++) snprintf(hex + 2 * i, 3, "%02x", table->nonce[i]);
  snprintf(table->path, sizeof table->path, "%s/%d-%s.table", folder, (int)getpid(), hex);
  int fd = open(table->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) {
    table->path[0] = 0;
    return -1;
  }
  /* The program's umask may take away what we need. */
  (void)fchmod(fd, 0600);
  return fd;
}

static bool map(struct table *table, int fd) {
  int flags = MAP_NORESERVE | (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED) | (table->base ? MAP_FIXED : 0);
  void *base = mmap(table->base, MAX_TABLE, PROT_READ | PROT_WRITE, flags, fd, 0);
  if (base == MAP_FAILED) return false;
  table->base = base;
  return true;
}

/* Beyond the limit of a file's size the program would be killed (SIGXFSZ). */
static bool may_be(uint64_t size) {
  struct rlimit limit;
  return getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur >= size;
}

/* The file is opened anew: a program that closed our descriptor could have one of its own under the same number. */
static bool allocate(struct table *table, uint64_t size) {
  struct stat found;
  int fd = may_be(size) ? open(table->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC) : -1;
  if (fd < 0) return false;
  bool done = fstat(fd, &found) == 0 && found.st_dev == table->device && found.st_ino == table->inode &&
              posix_fallocate(fd, (off_t)table->size, (off_t)(size - table->size)) == 0;
  close(fd);
  return done;
}

static bool grow(struct table *table, uint64_t size) {
  if (size <= table->size) return true;
  if (size > MAX_TABLE) return false;
  uint64_t next = (size + GROW - 1) / GROW * GROW;
  if (table->file && !allocate(table, next)) return false;
  table->size = next;
  return true;
}

bool table_open(struct table *table) {
  unsigned char *base = table->base;
  memset(table, 0, sizeof *table);
  table->base = base;
  if (getrandom(table->nonce, NONCE_SIZE, GRND_NONBLOCK) != NONCE_SIZE) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    memcpy(table->nonce, &now, NONCE_SIZE);
  }
  int fd = make_file(table);
  struct stat found;
  if (fd >= 0) {
    table->file = fstat(fd, &found) == 0;
    if (table->file) {
      table->device = found.st_dev;
      table->inode = found.st_ino;
    }
    bool room = table->file && may_be(FIRST) && posix_fallocate(fd, 0, FIRST) == 0;
    table->size = room ? FIRST : 0;
    if (!room || !map(table, fd)) {
      table_unlink(table);
      table->file = false;
      table->size = 0;
    }
    close(fd);
  }
  if (!table->file && (!map(table, -1) || !grow(table, HEADER))) return false;
  struct rusage until_now;
  if (getrusage(RUSAGE_SELF, &until_now) == 0) table->peak_before = until_now.ru_maxrss;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  struct header *head = header(table);
  *head = (struct header){
      .version = 1,
      .order = 0x01020304,
      .header_size = HEADER,
      .entry_size = sizeof(struct entry),
      .pid = (uint32_t)getpid(),
      .uid = (uint32_t)geteuid(),
      .start = process_start((long)getpid()),
      .rank = -1,
      .ranks = -1,
      .made = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000,
      .state = 1,
  };
  memcpy(head->nonce, table->nonce, NONCE_SIZE);
  memcpy(head->magic, "VIGIETBL", 8);
  table->used = HEADER;
  __atomic_store_n(&head->used, table->used, __ATOMIC_RELEASE);
  return true;
}

void table_forget(struct table *table) {
  if (!table->base) return;
  mmap(table->base, MAX_TABLE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  table->path[0] = 0;
  table->file = false;
}

/* Offset of a new segment, 0 when the table is full. */
static uint64_t add_segment(struct table *table, uint32_t kind, uint32_t body, uint32_t first, uint32_t count) {
  uint64_t at = table->used;
  uint32_t length = SEGMENT + (body + SEGMENT - 1) / SEGMENT * SEGMENT;
  if (!grow(table, at + length)) return 0;
  *(struct segment *)(table->base + at) = (struct segment){kind, length, first, count, 0};
  table->used = at + length;
  if (kind == BANK_SEGMENT && !table->bank) table->bank = at;
  __atomic_store_n(&header(table)->used, table->used, __ATOMIC_RELEASE);
  changed(table);
  return at;
}

static uint64_t place_strings(struct table *table, const char *name, size_t name_length, const char *doc,
                              size_t doc_length) {
  uint64_t need = name_length + doc_length;
  if (table->strings_end - table->strings < need) {
    uint32_t body = need > STRINGS ? (uint32_t)need : STRINGS - SEGMENT;
    uint64_t at = add_segment(table, STRINGS_SEGMENT, body, 0, 0);
    if (!at) return 0;
    table->strings = at + SEGMENT;
    table->strings_end = table->used;
  }
  uint64_t at = table->strings;
  memcpy(table->base + at, name, name_length);
  memcpy(table->base + at + name_length, doc, doc_length);
  table->strings += need;
  return at;
}

static uint64_t place_gauge(struct table *table) {
  if (table->gauges == table->gauges_end) {
    uint64_t at = add_segment(table, GAUGES_SEGMENT, GAUGES * sizeof(struct gauge_cell), 0, GAUGES);
    if (!at) return 0;
    table->gauges = at + SEGMENT;
    table->gauges_end = table->used;
  }
  uint64_t at = table->gauges;
  table->gauges += sizeof(struct gauge_cell);
  return at;
}

bool table_publish(struct table *table, uint32_t index, enum kind kind, const char *name, const char *doc,
                   struct gauge_cell **gauge) {
  uint64_t *segment = &table->entries[index / CHUNK];
  if (!*segment) *segment = add_segment(table, ENTRIES_SEGMENT, CHUNK * sizeof(struct entry), index / CHUNK * CHUNK, CHUNK);
  if (!*segment) return false;
  size_t name_length = strlen(name), doc_length = strlen(doc);
  uint64_t text = place_strings(table, name, name_length, doc, doc_length);
  uint64_t cell = kind == KIND_GAUGE ? place_gauge(table) : 0;
  if (!text || (kind == KIND_GAUGE && !cell)) return false;
  struct entry *entry = (struct entry *)(table->base + *segment + SEGMENT) + index % CHUNK;
  entry->kind = kind;
  entry->name = text;
  entry->doc = text + name_length;
  entry->name_length = (uint32_t)name_length;
  entry->doc_length = (uint32_t)doc_length;
  entry->gauge = cell;
  __atomic_store_n(&entry->published, 1, __ATOMIC_RELEASE);
  changed(table);
  if (cell) __atomic_store_n(gauge, (struct gauge_cell *)(table->base + cell), __ATOMIC_RELEASE);
  return true;
}

uint64_t *table_bank(struct table *table, uint32_t chunk) {
  uint64_t at = add_segment(table, BANK_SEGMENT, CHUNK * sizeof(uint64_t), chunk * CHUNK, CHUNK);
  return at ? (uint64_t *)(table->base + at + SEGMENT) : NULL;
}

void table_rank(struct table *table, int rank, int size) {
  __atomic_store_n(&header(table)->ranks, size, __ATOMIC_RELAXED);
  __atomic_store_n(&header(table)->rank, rank, __ATOMIC_RELEASE);
  changed(table);
}

void table_usage(struct table *table) {
  struct rusage used;
  /* A child of vfork has this memory, too. */
  if (header(table)->pid != (uint32_t)getpid() || getrusage(RUSAGE_SELF, &used) != 0) return;
  uint64_t seconds = (uint64_t)used.ru_utime.tv_sec + (uint64_t)used.ru_stime.tv_sec;
  uint64_t cpu = seconds * 1000000 + (uint64_t)used.ru_utime.tv_usec + (uint64_t)used.ru_stime.tv_usec;
  uint64_t peak = used.ru_maxrss > table->peak_before ? (uint64_t)used.ru_maxrss * 1024 : 0;
  __atomic_store_n(&header(table)->cpu, cpu, __ATOMIC_RELAXED);
  __atomic_store_n(&header(table)->peak, peak, __ATOMIC_RELAXED);
}

void table_finish(struct table *table) {
  __atomic_store_n(&header(table)->state, 2, __ATOMIC_RELEASE);
  changed(table);
}

void table_unlink(struct table *table) {
  if (table->path[0]) unlink(table->path);
  table->path[0] = 0;
}
