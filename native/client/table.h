/* The table's bytes, as docs/protocol.md ("Shared table") has them, and its memory. */
#ifndef VIGIE_TABLE_H
#define VIGIE_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#define CHUNK 256u       /* entries in a segment, and counters in a bank */
#define MAX_ENTRIES 65536u
#define MAX_TABLE (64u << 20)
#define NONCE_SIZE 16

enum kind { KIND_INTEGER = 1, KIND_DOUBLE = 2, KIND_GAUGE = 3 };

struct gauge_cell {
  uint64_t sequence;
  double min, max, hits, total;
  uint64_t reserved[3];
};

/* Not thread-safe: callers hold the registry's lock. */
struct table {
  unsigned char *base; /* MAX_TABLE bytes of address space, never moved; null before the first table */
  /* Whether there is a file, and which: no descriptor stays open, since programs close those that they do not know. */
  bool file;
  uint64_t device, inode;
  uint64_t used, size;
  uint64_t bank; /* offset of the first bank's segment, 0 when there is none yet */
  unsigned char nonce[NONCE_SIZE];
  char path[512]; /* empty without a file */
  long peak_before; /* KiB that the kernel's largest number has from the process's earlier images, and of its parents' */
  uint64_t entries[MAX_ENTRIES / CHUNK]; /* offsets of the entries segments, 0 when not made yet */
  uint64_t strings, strings_end;         /* free part of the last strings segment */
  uint64_t gauges, gauges_end;           /* free part of the last gauges segment */
};

/* False when there is no address space. Without tmpfs, or with a full one, memory takes the file's place. */
bool table_open(struct table *table);
/* After a fork: gives the parent's memory back to the parent. What pointed to it points to zeros. Signal-safe. */
void table_forget(struct table *table);
/* False when the table is full: then nothing is published. `gauge` is set for gauges. */
bool table_publish(struct table *table, uint32_t index, enum kind kind, const char *name, const char *doc,
                   struct gauge_cell **gauge);
/* CHUNK values that only one thread may add to, of the counters from CHUNK × chunk on; null when the table is full. */
uint64_t *table_bank(struct table *table, uint32_t chunk);
void table_rank(struct table *table, int rank, int size);
/* Notes CPU time and largest memory until now. Signal-safe. */
void table_usage(struct table *table);
/* All values are final. */
void table_finish(struct table *table);
/* Removes the file's name. */
void table_unlink(struct table *table);

#endif
