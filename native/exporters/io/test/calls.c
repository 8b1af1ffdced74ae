/*
 * Makes I/O of known sizes in the folder that is its argument, and prints nothing that is not asked for. What it must be
 * counted as stands in the test that runs it.
 */
#define _GNU_SOURCE
#include <aio.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) {                                                         \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      exit(99);                                                                 \
    }                                                                           \
  } while (0)

static char bytes[8192];

/* The compiler must not see the sizes, or it calls no fortified entry. */
static volatile size_t hundred = 100;

static void descriptors(void) {
  int fd = open("a", O_RDWR | O_CREAT | O_TRUNC, 0600);
  CHECK(fd >= 0);
  for (int i = 0; i < 10; i++) CHECK(write(fd, bytes, 1000) == 1000);
  CHECK(pwrite(fd, bytes, 500, 0) == 500 && pwrite64(fd, bytes, 500, 0) == 500);
  CHECK(pread(fd, bytes, hundred, 0) == 100 && pread64(fd, bytes, hundred, 0) == 100);
  CHECK(lseek(fd, 0, SEEK_SET) == 0 && lseek64(fd, 0, SEEK_SET) == 0);
  CHECK(read(fd, bytes, hundred) == 100 && read(fd, bytes, 5000) == 5000 && read(-1, bytes, 1) == -1);
  struct iovec parts[2] = {{bytes, 10}, {bytes + 10, 20}};
  CHECK(writev(fd, parts, 2) == 30 && readv(fd, parts, 2) == 30 && preadv(fd, parts, 2, 0) == 30);
  CHECK(fsync(fd) == 0 && fdatasync(fd) == 0 && ftruncate(fd, 4096) == 0);
  void *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
  CHECK(map != MAP_FAILED && mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
  int to = openat(AT_FDCWD, "b", O_WRONLY | O_CREAT, 0600);
  CHECK(to >= 0 && lseek(fd, 0, SEEK_SET) == 0 && sendfile(to, fd, NULL, 300) == 300);
  CHECK(copy_file_range(fd, NULL, to, NULL, 200, 0) == 200);
  CHECK(close(to) == 0 && close(fd) == 0 && close(fd) == -1 && errno == EBADF);
}

static void names(void) {
  struct stat found;
  CHECK(stat("a", &found) == 0 && lstat("a", &found) == 0 && stat("none", &found) == -1 && access("a", R_OK) == 0);
  CHECK(mkdir("c", 0700) == 0 && rename("b", "c/b") == 0 && unlink("c/b") == 0 && rmdir("c") == 0);
  DIR *folder = opendir(".");
  CHECK(folder);
  int entries = 0;
  while (readdir(folder)) entries++;
  CHECK(entries == 3 && closedir(folder) == 0);
}

static void streams(void) {
  FILE *file = fopen("d", "w+");
  CHECK(file);
  for (int i = 0; i < 100; i++) CHECK(fwrite(bytes, 10, 5, file) == 5);
  CHECK(fprintf(file, "%d\n", 12345) == 6 && fputs("abc\n", file) >= 0);
  CHECK(fflush(file) == 0 && fseek(file, 0, SEEK_SET) == 0);
  CHECK(fread(bytes, 1, hundred, file) == 100 && fread(bytes, 1, 4900, file) == 4900);
  CHECK(fgets(bytes, (int)hundred, file) && strcmp(bytes, "12345\n") == 0);
  char *line = NULL;
  size_t size = 0;
  CHECK(getline(&line, &size, file) == 4 && fclose(file) == 0);
  free(line);
}

static void one_by_one(void) {
  FILE *file = fopen("e", "w+");
  CHECK(file);
  for (int i = 0; i < 300; i++) CHECK(putc('a' + i % 26, file) == 'a' + i % 26);
  CHECK((fputc)('!', file) == '!');
  rewind(file);
  int sum = 0;
  for (int c = getc(file); c != EOF; c = getc(file)) sum += c != 0;
  CHECK(sum == 301 && feof(file) && !ferror(file) && fclose(file) == 0);
  char text[] = "abc";
  FILE *memory = fmemopen(text, 3, "r");
  CHECK(memory && fgetc(memory) == 'a' && fgetc(memory) == 'b' && fgetc(memory) == 'c' && fclose(memory) == 0);
}

static void waiting(void) {
  int ends[2], all = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN};
  struct timespec none = {0, 0}, while_at_it = {0, 20000000};
  struct timeval no_time = {0, 0};
  fd_set set;
  CHECK(pipe(ends) == 0 && all >= 0 && epoll_ctl(all, EPOLL_CTL_ADD, ends[0], &event) == 0);
  struct pollfd watched[2] = {{.fd = ends[0], .events = POLLIN}, {.fd = ends[1], .events = POLLOUT}};
  nfds_t volatile number = 1;
  CHECK(poll(watched, number, 20) == 0 && poll(watched, 2, -1) == 1 && ppoll(watched, number, &while_at_it, NULL) == 0);
  FD_ZERO(&set);
  FD_SET(ends[0], &set);
  CHECK(select(ends[0] + 1, &set, NULL, NULL, &no_time) == 0 && pselect(0, NULL, NULL, NULL, &none, NULL) == 0);
  CHECK(epoll_wait(all, &event, 1, 20) == 0 && epoll_pwait(all, &event, 1, 0, NULL) == 0);
  CHECK(close(ends[0]) == 0 && close(ends[1]) == 0 && close(all) == 0);
}

static void sockets(void) {
  int pair[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
  CHECK(send(pair[0], bytes, 700, 0) == 700 && recv(pair[1], bytes, hundred, 0) == 100 && read(pair[1], bytes, 600) == 600);
  CHECK(close(pair[0]) == 0 && close(pair[1]) == 0);
}

static void asynchronous(void) {
  int fd = open64("a", O_RDWR);
  struct aiocb call = {.aio_fildes = fd, .aio_buf = bytes, .aio_nbytes = 250};
  const struct aiocb *calls[] = {&call};
  CHECK(fd >= 0 && aio_write(&call) == 0);
  while (aio_error(&call) == EINPROGRESS) aio_suspend(calls, 1, NULL);
  CHECK(aio_return(&call) == 250 && close(fd) == 0);
}

static void *in_thread(void *unused) {
  (void)unused;
  int fd = open("a", O_RDONLY);
  for (int i = 0; i < 100; i++) CHECK(pread(fd, bytes, 10, 0) == 10);
  close(fd);
  return NULL;
}

/* Threads that come after others, and children that count into their parent's. */
static void crowd(void) {
  for (int round = 0; round < 2; round++) {
    pthread_t threads[8];
    for (int i = 0; i < 8; i++) CHECK(pthread_create(&threads[i], NULL, in_thread, NULL) == 0);
    for (int i = 0; i < 8; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  }
  for (int i = 0; i < 10; i++) {
    int status;
    pid_t child = fork();
    if (child == 0) {
      in_thread(NULL);
      _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
  }
}

int main(int number, char **words) {
  CHECK(number == 2 && chdir(words[1]) == 0);
  descriptors();
  names();
  streams();
  one_by_one();
  waiting();
  sockets();
  asynchronous();
  crowd();
  return 0;
}
