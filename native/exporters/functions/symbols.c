#define _GNU_SOURCE
#include "symbols.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Larger tables are left alone: what has no name in the dynamic table is called after its place. */
enum { MAX_TABLE_BYTES = 512 << 20, MAX_SECTIONS = 1 << 16 };

struct entry {
  uintptr_t start, size;
  uint32_t name; /* offset in `names` */
  uint32_t order; /* 0 global, 1 weak, 2 local: aliases are called by the most public name */
};

/* One loaded file. */
struct object {
  uintptr_t base;
  struct entry *entries; /* by address */
  size_t count;
  char *names;
  size_t names_size;
  struct object *next;
};
static struct object *objects;

struct wanted {
  uintptr_t address, base;
  char path[4096];
  bool found;
};

static int look(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  struct wanted *wanted = data;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
    uintptr_t start = info->dlpi_addr + segment->p_vaddr;
    if (segment->p_type != PT_LOAD || wanted->address - start >= segment->p_memsz) continue;
    wanted->base = info->dlpi_addr;
    wanted->found = true;
    snprintf(wanted->path, sizeof wanted->path, "%s", info->dlpi_name);
    return 1;
  }
  return 0;
}

static bool read_at(int fd, void *buffer, size_t size, uint64_t offset) {
  char *to = buffer;
  while (size > 0) {
    ssize_t got = pread(fd, to, size, (off_t)offset);
    if (got <= 0) return false;
    to += got;
    size -= (size_t)got;
    offset += (uint64_t)got;
  }
  return true;
}

/* A part of the file in memory of its own: the file may be replaced while the program runs. */
static void *read_part(int fd, uint64_t file_size, uint64_t offset, uint64_t size) {
  if (size == 0 || size > MAX_TABLE_BYTES || offset > file_size || size > file_size - offset) return NULL;
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return NULL;
  if (read_at(fd, memory, size, offset)) return memory;
  munmap(memory, size);
  return NULL;
}

static int by_address(const void *one, const void *other) {
  const struct entry *a = one, *b = other;
  if (a->start != b->start) return a->start < b->start ? -1 : 1;
  return a->order < b->order ? -1 : a->order > b->order;
}

/* Every number of the file is checked: it is whatever stands there now. */
static void read_table(struct object *object, int fd) {
  struct stat status;
  ElfW(Ehdr) header;
  if (fstat(fd, &status) != 0 || !read_at(fd, &header, sizeof header, 0)) return;
  if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_shentsize != sizeof(ElfW(Shdr))) return;
  if (header.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)) return;
  uint64_t file_size = (uint64_t)status.st_size, sections_size = (uint64_t)header.e_shnum * sizeof(ElfW(Shdr));
  ElfW(Shdr) *sections = read_part(fd, file_size, header.e_shoff, sections_size);
  if (sections == NULL) return;
  for (unsigned i = 0; i < header.e_shnum; i++) {
    const ElfW(Shdr) *table = &sections[i];
    if (table->sh_type != SHT_SYMTAB || table->sh_entsize != sizeof(ElfW(Sym)) || table->sh_link >= header.e_shnum)
      continue;
    const ElfW(Shdr) *strings = &sections[table->sh_link];
    ElfW(Sym) *symbols = read_part(fd, file_size, table->sh_offset, table->sh_size);
    char *names = read_part(fd, file_size, strings->sh_offset, strings->sh_size);
    size_t total = table->sh_size / sizeof *symbols, functions = 0;
    for (size_t s = 0; symbols && s < total; s++) functions += ELF64_ST_TYPE(symbols[s].st_info) == STT_FUNC;
    struct entry *entries = symbols && names ? malloc((functions + 1) * sizeof *entries) : NULL;
    size_t count = 0;
    for (size_t s = 0; entries && s < total; s++) {
      const ElfW(Sym) *symbol = &symbols[s];
      if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || symbol->st_shndx == SHN_UNDEF) continue;
      if (symbol->st_name >= strings->sh_size) continue;
      unsigned bind = ELF64_ST_BIND(symbol->st_info);
      uint32_t order = bind == STB_GLOBAL ? 0 : bind == STB_WEAK ? 1 : 2;
      entries[count++] = (struct entry){symbol->st_value, symbol->st_size, symbol->st_name, order};
    }
    if (entries && count > 0) {
      names[strings->sh_size - 1] = '\0';
      qsort(entries, count, sizeof *entries, by_address);
      object->entries = entries;
      object->count = count;
      object->names = names;
      object->names_size = strings->sh_size;
      names = NULL;
      entries = NULL;
    }
    free(entries);
    if (names) munmap(names, strings->sh_size);
    if (symbols) munmap(symbols, table->sh_size);
    break;
  }
  munmap(sections, sections_size);
}

static struct object *object_at(const struct wanted *wanted) {
  for (struct object *object = objects; object; object = object->next)
    if (object->base == wanted->base) return object;
  struct object *object = calloc(1, sizeof *object);
  if (!object) return NULL;
  object->base = wanted->base;
  object->next = objects;
  objects = object;
  int fd = open(wanted->path[0] ? wanted->path : "/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return object;
  read_table(object, fd);
  close(fd);
  return object;
}

/* The first of those that begin at the address, else the one that contains it. */
static const char *find(const struct object *object, uintptr_t place) {
  size_t low = 0, high = object->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (object->entries[middle].start < place) low = middle + 1;
    else high = middle;
  }
  if (low < object->count && object->entries[low].start == place) return object->names + object->entries[low].name;
  if (low == 0) return NULL;
  const struct entry *before = &object->entries[low - 1];
  return place - before->start < before->size ? object->names + before->name : NULL;
}

void symbol_of(const void *address, struct symbol *symbol) {
  struct wanted wanted = {.address = (uintptr_t)address};
  Dl_info info;
  dl_iterate_phdr(look, &wanted);
  if (wanted.path[0] == '\0') {
    ssize_t length = readlink("/proc/self/exe", symbol->name, sizeof symbol->name - 1);
    symbol->name[length > 0 ? length : 0] = '\0';
  }
  const char *path = wanted.path[0] ? wanted.path : symbol->name;
  const char *file = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
  snprintf(symbol->object, sizeof symbol->object, "%.255s", file[0] ? file : "program");

  if (dladdr(address, &info) != 0 && info.dli_sname && info.dli_saddr == address) {
    snprintf(symbol->name, sizeof symbol->name, "%.1023s", info.dli_sname);
    return;
  }
  const struct object *object = wanted.found ? object_at(&wanted) : NULL;
  const char *name = object ? find(object, wanted.address - wanted.base) : NULL;
  if (name && name[0]) snprintf(symbol->name, sizeof symbol->name, "%.1023s", name);
  else
    snprintf(symbol->name, sizeof symbol->name, "%s_0x%lx", symbol->object,
             (unsigned long)(wanted.address - (wanted.found ? wanted.base : 0)));
}
