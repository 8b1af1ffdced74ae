/*
 * Mounts by device number, as stat has it, with the names of /proc/self/mountinfo. File systems whose files have other
 * device numbers than their mount (btrfs with subvolumes) are found by the file's path.
 */
#define _GNU_SOURCE
#include "mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { OTHER, SOCKET, PIPE, PSEUDO };

uint8_t mounts_of_descriptors[DESCRIPTORS];
static struct mounts *all;
static uint8_t working; /* mount of the working directory + 1; 0: not known */

/* One line of mountinfo at a time, without memory of our own but this. */
struct reader {
  int fd;
  size_t at, end;
  char bytes[4096];
};

/* The next line without its newline, cut when it is longer than the buffer; null at the end. */
static char *next_line(struct reader *reader) {
  for (;;) {
    char *start = reader->bytes + reader->at, *newline = memchr(start, '\n', reader->end - reader->at);
    if (newline) {
      *newline = 0;
      reader->at = (size_t)(newline - reader->bytes) + 1;
      return start;
    }
    memmove(reader->bytes, start, reader->end - reader->at);
    reader->end -= reader->at;
    reader->at = 0;
    if (reader->end == sizeof reader->bytes) reader->end = 0;
    long got = syscall(SYS_read, reader->fd, reader->bytes + reader->end, sizeof reader->bytes - reader->end);
    if (got <= 0) return NULL;
    reader->end += (size_t)got;
  }
}

/* mountinfo has blanks and the like as \040. Ends at a blank; gives what follows it. */
static const char *copy_field(char *to, size_t size, const char *from) {
  size_t length = 0;
  while (*from && *from != ' ') {
    char c = *from;
    if (c == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] && from[3]) {
      c = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
      from += 3;
    }
    if (length + 1 < size) to[length++] = c;
    from++;
  }
  to[length] = 0;
  return *from ? from + 1 : from;
}

struct entry {
  uint64_t device;
  bool whole; /* the file system's root is mounted there, not one of its folders or files */
  char name[MOUNT_NAME], type[MOUNT_TYPE];
};

/* ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [FIELDS…] - TYPE … */
static bool parse(const char *line, struct entry *entry) {
  unsigned major_number, minor_number;
  int root = 0, length = 0;
  if (sscanf(line, "%*d %*d %u:%u %n%*s %n", &major_number, &minor_number, &root, &length) != 2 || length == 0) return false;
  entry->whole = line[root] == '/' && line[root + 1] == ' ';
  const char *rest = copy_field(entry->name, sizeof entry->name, line + length), *dash = strstr(rest, " - ");
  if (!dash) return false;
  copy_field(entry->type, sizeof entry->type, dash + 3);
  entry->device = makedev(major_number, minor_number);
  return true;
}

/* What has no files of the user's: there may be dozens of them. */
static bool of_kernel(const char *type) {
  static const char *const types[] = {"proc",   "sysfs",      "cgroup",     "cgroup2", "devpts", "mqueue",  "debugfs",
                                      "tracefs", "securityfs", "pstore",     "bpf",     "nsfs",   "configfs", "fusectl",
                                      "autofs", "hugetlbfs",  "binfmt_misc"};
  for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
    if (strcmp(type, types[i]) == 0) return true;
  return false;
}

static size_t covers(const char *mount, const char *path) {
  size_t length = strlen(mount);
  if (strcmp(mount, "/") == 0) return path[0] == '/' ? 1 : 0;
  return strncmp(mount, path, length) == 0 && (path[length] == '/' || path[length] == 0) ? length : 0;
}

/* How well a mount fits: of the file's device, its root, and by how much of the path. */
static size_t fits(const struct entry *entry, uint64_t device, const char *path) {
  size_t length = covers(entry->name, path);
  return entry->device != device ? length : length + (entry->whole ? 2 : 1) * (size_t)MOUNT_NAME * 16;
}

static bool find_entry(uint64_t device, const char *path, struct entry *best) {
  struct reader reader = {.fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/mountinfo", O_RDONLY | O_CLOEXEC, 0)};
  if (reader.fd < 0) return false;
  size_t most = 0;
  struct entry entry;
  for (char *line = next_line(&reader); line; line = next_line(&reader)) {
    size_t fit = parse(line, &entry) ? fits(&entry, device, path) : 0;
    if (fit == 0 || fit < most) continue;
    most = fit;
    *best = entry;
  }
  (void)syscall(SYS_close, reader.fd);
  return most > 0;
}

static uint8_t add(uint64_t device, const char *name, const char *type) {
  for (uint8_t i = PSEUDO; i < MAX_MOUNTS; i++) {
    struct mount *mount = &all->mount[i];
    uint32_t free = 0;
    if (!__atomic_compare_exchange_n(&mount->state, &free, 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) continue;
    mount->device = device;
    snprintf(mount->name, sizeof mount->name, "%s", name);
    snprintf(mount->type, sizeof mount->type, "%s", type);
    __atomic_store_n(&mount->state, 2, __ATOMIC_RELEASE);
    return i;
  }
  return OTHER;
}

static uint8_t mount_of_device(uint64_t device, int fd, const char *given) {
  for (uint8_t i = PSEUDO; i < MAX_MOUNTS; i++) {
    const struct mount *mount = &all->mount[i];
    uint32_t state = __atomic_load_n(&mount->state, __ATOMIC_ACQUIRE);
    if (state == 0) break;
    if (state == 2 && mount->device == device) return i;
  }
  char link[64], path[1024] = "";
  struct entry entry;
  if (fd >= 0) {
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = 0;
  } else if (given[0] == '/') {
    snprintf(path, sizeof path, "%s", given);
  }
  return find_entry(device, path, &entry) ? add(device, entry.name, entry.type) : OTHER;
}

/* A path's mount is found among those that are known: so all are. */
static void load_all(void) {
  if (__atomic_exchange_n(&all->loaded, 1, __ATOMIC_ACQ_REL)) return;
  struct reader reader = {.fd = (int)syscall(SYS_openat, AT_FDCWD, "/proc/self/mountinfo", O_RDONLY | O_CLOEXEC, 0)};
  if (reader.fd < 0) return;
  struct entry entry;
  for (char *line = next_line(&reader); line; line = next_line(&reader)) {
    bool known = !parse(line, &entry) || of_kernel(entry.type);
    for (uint8_t i = PSEUDO; i < MAX_MOUNTS && !known; i++)
      known = all->mount[i].state == 2 && strcmp(all->mount[i].name, entry.name) == 0;
    if (!known) add(entry.device, entry.name, entry.type);
  }
  (void)syscall(SYS_close, reader.fd);
}

void mounts_begin(struct mounts *mounts) {
  static const char *const names[PSEUDO] = {[OTHER] = "other", [SOCKET] = "socket", [PIPE] = "pipe"};
  all = mounts;
  for (int i = 0; i < PSEUDO; i++) {
    strcpy(all->mount[i].name, names[i]);
    all->mount[i].state = 2;
  }
}

uint8_t mounts_look_up(int fd) {
  struct stat found;
  int before = errno;
  uint8_t mount = OTHER;
  /* Not fstat: that is the wrapper here. */
  bool there = syscall(SYS_fstat, fd, &found) == 0;
  /* A descriptor of no file system: epoll and the like have the device of none that is mounted. */
  if (there) mount = S_ISSOCK(found.st_mode) ? SOCKET : S_ISFIFO(found.st_mode) && major(found.st_dev) == 0 ? PIPE
                     : mount_of_device(found.st_dev, fd, "");
  if (there && (unsigned)fd < DESCRIPTORS) mounts_of_descriptors[fd] = (uint8_t)(mount + 1);
  errno = before;
  return mount;
}

void mount_moved(void) { working = 0; }

void mounts_forget(void) {
  memset(mounts_of_descriptors, 0, 1024);
  working = 0;
}

static uint8_t of_working(void) {
  if (working) return (uint8_t)(working - 1);
  struct stat found;
  uint8_t mount = syscall(SYS_newfstatat, AT_FDCWD, ".", &found, 0) == 0 ? mount_of_device(found.st_dev, -1, "") : OTHER;
  working = (uint8_t)(mount + 1);
  return mount;
}

uint8_t mount_of_path(int directory, const char *path) {
  int before = errno;
  if (!path) return OTHER;
  uint8_t best = OTHER;
  if (path[0] != '/') {
    best = directory == AT_FDCWD ? of_working() : mount_of(directory);
  } else {
    size_t longest = 0;
    load_all();
    for (uint8_t i = PSEUDO; i < MAX_MOUNTS && __atomic_load_n(&all->mount[i].state, __ATOMIC_ACQUIRE) == 2; i++) {
      size_t length = covers(all->mount[i].name, path);
      if (length < longest || length == 0) continue;
      longest = length;
      best = i;
    }
  }
  errno = before;
  return best;
}
