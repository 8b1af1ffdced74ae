/*
 * Files of processes that ended without anybody to take their table over: pools of workers that leave by _exit, ranks that
 * were killed, with no engine for hours. An engine that comes back looks for last values there, so that none is removed
 * before it has been seen without its process for a while: the first look is noted in the file's times, since nobody
 * knows when a process ended.
 */
#define _GNU_SOURCE
#include "sweep.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Seconds without a process: most of the time, and when there are very many. */
#define PATIENCE 3600
#define IMPATIENCE 60
#define MANY 256
/* Access time of a file that was seen without its process; the time of that is its modification time. */
#define NOTED 1

static bool names_table(const char *name) {
  size_t digits = strspn(name, "0123456789");
  if (digits == 0 || digits > 10 || name[digits] != '-') return false;
  const char *nonce = name + digits + 1;
  for (int i = 0; i < 32; i++)
    if (!isxdigit((unsigned char)nonce[i])) return false;
  return strcmp(nonce + 32, ".table") == 0;
}

void sweep(const char *folder) {
  DIR *directory = opendir(folder);
  if (!directory) return;
  int at = dirfd(directory);
  time_t now = time(NULL);
  int dead = 0;
  for (struct dirent *entry = readdir(directory); entry; entry = readdir(directory)) {
    struct stat found;
    if (!names_table(entry->d_name)) continue;
    long pid = strtol(entry->d_name, NULL, 10);
    if (kill((pid_t)pid, 0) == 0 || errno != ESRCH) continue;
    if (fstatat(at, entry->d_name, &found, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (!S_ISREG(found.st_mode) || found.st_uid != geteuid()) continue;
    dead++;
    if (found.st_atim.tv_sec != NOTED) {
      struct timespec times[2] = {{.tv_sec = NOTED}, {.tv_sec = now}};
      (void)utimensat(at, entry->d_name, times, AT_SYMLINK_NOFOLLOW);
    } else if (now - found.st_mtim.tv_sec > (dead > MANY ? IMPATIENCE : PATIENCE)) {
      (void)unlinkat(at, entry->d_name, 0);
    }
  }
  closedir(directory);
}
