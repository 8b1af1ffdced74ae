/* What a thread that has stopped at a system call is about to do, or has done. */
#define _GNU_SOURCE
#include "tracer.h"

#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Of linux/ptrace.h, whose names clash with those of sys/ptrace.h. */
enum { GET_SYSCALL_INFO = 0x420e, ENTRY = 1, EXIT = 2 };
struct syscall_info {
  uint8_t op, pad[3];
  uint32_t arch;
  uint64_t instruction, stack;
  union {
    struct {
      uint64_t number, args[6];
    } entry;
    struct {
      int64_t result;
      uint8_t is_error;
    } exit;
  };
};

static const struct {
  uint32_t audit;
  enum architecture architecture;
} audits[] = {{0xC000003Eu, X86_64}, {0x40000003u, I386}, {0xC00000B7u, AARCH64}};

static bool no_info; /* a kernel before 5.3 */

static bool by_info(const struct tracee *tracee, struct stop *stop) {
  struct syscall_info info;
  memset(&info, 0, sizeof info);
  if (ptrace((enum __ptrace_request)GET_SYSCALL_INFO, tracee->tid, sizeof info, &info) <= 0) {
    if (errno == EIO || errno == EINVAL) no_info = true;
    return false;
  }
  stop->entry = info.op == ENTRY;
  stop->number = stop->entry ? (uint32_t)info.entry.number : tracee->number;
  stop->result = info.op == EXIT ? info.exit.result : 0;
  stop->architecture = tracee->architecture;
  for (size_t i = 0; i < sizeof audits / sizeof audits[0]; i++)
    if (audits[i].audit == info.arch) stop->architecture = audits[i].architecture;
  return info.op == ENTRY || info.op == EXIT;
}

/* By registers: entry and exit take turns. */
static bool by_registers(const struct tracee *tracee, struct stop *stop) {
  struct user_regs_struct registers;
  struct iovec place = {&registers, sizeof registers};
  if (ptrace(PTRACE_GETREGSET, tracee->tid, NT_PRSTATUS, &place) != 0) return false;
  stop->entry = !tracee->inside;
#if defined(__x86_64__)
  stop->architecture = place.iov_len < sizeof registers || registers.cs == 0x23 ? I386 : X86_64;
  stop->number = (uint32_t)registers.orig_rax;
  stop->result = (int64_t)registers.rax;
#elif defined(__aarch64__)
  stop->architecture = AARCH64;
  stop->number = (uint32_t)registers.regs[8];
  stop->result = (int64_t)registers.regs[0];
#endif
  return true;
}

bool stop_read(const struct tracee *tracee, struct stop *stop) {
  return (!no_info && by_info(tracee, stop)) || (no_info && by_registers(tracee, stop));
}

/* First arguments of the call at whose entry the thread stands. */
static bool arguments(const struct tracee *tracee, uint64_t *first) {
  struct syscall_info info;
  memset(&info, 0, sizeof info);
  if (ptrace((enum __ptrace_request)GET_SYSCALL_INFO, tracee->tid, sizeof info, &info) > 0 && info.op == ENTRY) {
    *first = info.entry.args[0];
    return true;
  }
  struct user_regs_struct registers;
  struct iovec place = {&registers, sizeof registers};
  if (ptrace(PTRACE_GETREGSET, tracee->tid, NT_PRSTATUS, &place) != 0) return false;
#if defined(__x86_64__)
  *first = tracee->architecture == I386 ? registers.rbx : registers.rdi;
#elif defined(__aarch64__)
  *first = registers.regs[0];
#endif
  return true;
}

/* execve's path only: a descriptor of execveat is a file that the program has opened itself. */
bool executes_set_id(const struct tracee *tracee) {
  const char *name = call_name(tracee->architecture, tracee->number);
  uint64_t address;
  char path[4096], whole[4200], value[64];
  struct stat found;
  struct statvfs mounted;
  if (!name || strcmp(name, "execve") != 0 || !arguments(tracee, &address)) return false;
  size_t length = 0;
  while (length < sizeof path - 1) {
    /* Not over the end of a page at once: the next one may not be there. */
    size_t part = 256 - (address + length) % 256;
    if (part > sizeof path - 1 - length) part = sizeof path - 1 - length;
    struct iovec to = {path + length, part}, from = {(void *)(uintptr_t)(address + length), part};
    ssize_t got = process_vm_readv(tracee->tid, &to, 1, &from, 1, 0);
    if (got <= 0) return false;
    if (memchr(path + length, 0, (size_t)got)) break;
    length += (size_t)got;
  }
  path[sizeof path - 1] = 0;
  snprintf(whole, sizeof whole, "/proc/%d/%s/%s", (int)tracee->tid, path[0] == '/' ? "root" : "cwd", path);
  if (stat(whole, &found) != 0 || !S_ISREG(found.st_mode)) return false;
  bool given = (found.st_mode & S_ISUID) || (found.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) ||
               getxattr(whole, "security.capability", value, sizeof value) > 0;
  return given && statvfs(whole, &mounted) == 0 && !(mounted.f_flag & ST_NOSUID);
}
