#define _GNU_SOURCE
#include "image.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, MOST_PARTS = 64 };

static int open_command(const char *command) {
  char path[PATH_BYTES];
  if (strchr(command, '/') != NULL) return open(command, O_RDONLY | O_CLOEXEC);
  int fd = -1;
  const char *search = getenv("PATH");
  while (search != NULL && fd < 0) {
    size_t length = strcspn(search, ":");
    snprintf(path, sizeof path, "%.*s/%s", (int)length, length == 0 ? "." : search, command);
    if (access(path, X_OK) == 0) fd = open(path, O_RDONLY | O_CLOEXEC);
    search = search[length] == ':' ? search + length + 1 : NULL;
  }
  return fd;
}

static bool gets_rights(int fd) {
  struct stat found;
  struct statvfs mounted;
  char value[64];
  if (geteuid() == 0 || fstat(fd, &found) != 0) return false;
  bool given = (found.st_mode & S_ISUID) || (found.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) ||
               fgetxattr(fd, "security.capability", value, sizeof value) > 0;
  return given && fstatvfs(fd, &mounted) == 0 && !(mounted.f_flag & ST_NOSUID);
}

static bool is_go(int fd, const ElfW(Phdr) *part) {
  struct {
    ElfW(Nhdr) header;
    char name[4];
  } note;
  return pread(fd, &note, sizeof note, (off_t)part->p_offset) == (ssize_t)sizeof note && note.header.n_namesz == 4 &&
         memcmp(note.name, "Go", 3) == 0;
}

static void look_at_parts(int fd, const ElfW(Ehdr) *header, struct image *image) {
  bool loader = false;
  for (int i = 0; i < header->e_phnum && i < MOST_PARTS; i++) {
    ElfW(Phdr) part;
    if (pread(fd, &part, sizeof part, (off_t)(header->e_phoff + (size_t)i * sizeof part)) != (ssize_t)sizeof part) return;
    if (part.p_type == PT_INTERP) loader = true;
    if (part.p_type == PT_NOTE && is_go(fd, &part)) image->go = true;
  }
  image->is_static = !loader;
}

static struct image image_of_file(int fd, int depth) {
  struct image image = {.native = true};
  char bytes[PATH_BYTES] = "";
  ElfW(Ehdr) own, header;
  ssize_t got = pread(fd, bytes, sizeof bytes - 1, 0);
  if (got > 2 && memcmp(bytes, "#!", 2) == 0 && depth > 0) {
    char *interpreter = bytes + 2 + strspn(bytes + 2, " \t");
    interpreter[strcspn(interpreter, " \t\n")] = '\0';
    int next = open(interpreter, O_RDONLY | O_CLOEXEC);
    if (next < 0) return image;
    image = image_of_file(next, depth - 1);
    close(next);
    return image;
  }
  if (got < (ssize_t)sizeof header || memcmp(bytes, ELFMAG, SELFMAG) != 0) return image;
  image.set_id = gets_rights(fd);
  memcpy(&header, bytes, sizeof header);
  int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  bool known = self >= 0 && pread(self, &own, sizeof own, 0) == (ssize_t)sizeof own;
  if (self >= 0) close(self);
  image.native = !known || (header.e_ident[EI_CLASS] == own.e_ident[EI_CLASS] && header.e_machine == own.e_machine);
  if (image.native) look_at_parts(fd, &header, &image);
  return image;
}

struct image image_of(const char *command) {
  struct image image = {.native = true};
  int fd = open_command(command);
  if (fd < 0) return image;
  image = image_of_file(fd, 4);
  close(fd);
  return image;
}
