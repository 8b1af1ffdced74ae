/* Which mount a descriptor or a path belongs to. Nothing here allocates or changes errno. */
#ifndef VIGIE_IO_MOUNTS_H
#define VIGIE_IO_MOUNTS_H

#include <stddef.h>
#include <stdint.h>

enum { MAX_MOUNTS = 48, MOUNT_NAME = 224, MOUNT_TYPE = 32, DESCRIPTORS = 65536 };

/* Shared with children of forks: a number means the same mount in all of them. */
struct mounts {
  uint32_t loaded;
  struct mount {
    uint32_t state; /* 0: free; 1: being written; 2: valid */
    uint64_t device;
    char name[MOUNT_NAME]; /* where it is mounted; of what is no file: socket, pipe, other */
    char type[MOUNT_TYPE]; /* of the file system, as the kernel names it; empty of what is no file */
  } mount[MAX_MOUNTS];
};

void mounts_begin(struct mounts *mounts);

/* Number + 1 of each descriptor's mount; 0: not known yet. */
extern uint8_t mounts_of_descriptors[DESCRIPTORS];

/* Asks the kernel. */
uint8_t mounts_look_up(int fd);

static inline uint8_t mount_of(int fd) {
  /* A stream in memory has no descriptor: the kernel need not be asked for each of its bytes. */
  if (__builtin_expect(fd < 0, 0)) return 0;
  if (__builtin_expect((unsigned)fd < DESCRIPTORS && mounts_of_descriptors[fd] != 0, 1)) return mounts_of_descriptors[fd] - 1;
  return mounts_look_up(fd);
}

/* A descriptor is another file than before, or none. */
static inline void mount_forget(int fd) {
  if ((unsigned)fd < DESCRIPTORS) mounts_of_descriptors[fd] = 0;
}

/* The same of all below 1024, and of the working directory. */
void mounts_forget(void);

/* Of a path as it stands: links in it are not followed. */
uint8_t mount_of_path(int directory, const char *path);
/* The working directory is another one. */
void mount_moved(void);

#endif
