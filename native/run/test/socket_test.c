/* Who is spoken to at a path that nobody chose. Exit code 77: only root can be somebody else. */
#define _GNU_SOURCE
#include "../socket.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SOMEBODY = 54321 };

static int listen_at(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  return bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 8) == 0 ? fd : -1;
}

static int check(const char *what, bool true_it_is) {
  if (!true_it_is) fprintf(stderr, "not true: %s\n", what);
  return !true_it_is;
}

int main(void) {
  if (geteuid() != 0) return 77;
  char path[64];
  int made[2], failed = 0;
  snprintf(path, sizeof path, "/tmp/vigie-socket-test-%ld", (long)getpid());
  if (pipe(made) != 0) return 1;
  pid_t other = fork();
  if (other == 0) {
    if (setgid(SOMEBODY) != 0 || setuid(SOMEBODY) != 0 || listen_at(path) < 0) _exit(1);
    (void)!write(made[1], "x", 1);
    pause();
  }
  char byte;
  close(made[1]);
  failed += check("somebody else listens", read(made[0], &byte, 1) == 1);
  failed += check("refused by default", engine_connect(path, true) == -1);
  failed += check("taken when the user says so", engine_connect(path, false) >= 0);
  kill(other, SIGKILL);
  waitpid(other, NULL, 0);
  unlink(path);
  failed += check("we listen", listen_at(path) >= 0);
  failed += check("taken by default", engine_connect(path, true) >= 0);
  unlink(path);
  return failed != 0;
}
