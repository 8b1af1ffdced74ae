#define _GNU_SOURCE
#include "socket.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

const char *engine_socket(char *buffer, size_t capacity) {
  const char *path = getenv("VIGIE_SOCKET");
  if (path != NULL && path[0] != '\0') return path;
  path = getenv("PROXY_PATH");
  if (path != NULL && path[0] != '\0') return path;
  struct stat status;
  snprintf(buffer, capacity, "/tmp/vigie-%lu/engine.socket", (unsigned long)getuid());
  if (stat(buffer, &status) != 0 || !S_ISSOCK(status.st_mode))
    snprintf(buffer, capacity, "/tmp/metric-proxy-%lu.socket", (unsigned long)getuid());
  return buffer;
}

static bool trusted(int fd) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == geteuid() || peer.uid == 0);
}

int engine_connect(const char *path, bool our_choice) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = strlen(path);
  if (length == 0 || length >= sizeof address.sun_path) return -1;
  memcpy(address.sun_path, path, length);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -1;
  for (int attempt = 0; attempt < 25; attempt++) {
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0) {
      if (!our_choice || trusted(fd)) return fd;
      break;
    }
    /* Many processes start at once: the queue is full for a moment. Everything else will not change. */
    if (errno != EAGAIN && errno != EINTR) break;
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
  }
  /* Not close(): the library that this is part of replaces it. */
  (void)syscall(SYS_close, fd);
  return -1;
}
