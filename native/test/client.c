/* Tests of libvigie, one per run: the name of the case is the argument. Exit code 77: not possible here. */
#define _GNU_SOURCE
#include <vigie.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../client/sweep.h"
#include "reader.h"

#define CHECK(condition)                                                       \
  do {                                                                         \
    if (!(condition)) {                                                        \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      _Exit(1);                                                                \
    }                                                                          \
  } while (0)

static char folder[] = "/tmp/vigie-test-XXXXXX";
static char socket_path[64];
static int listener = -1;
static char message[65536], table[1100];

static void listen_there(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strcpy(address.sun_path, socket_path);
  unlink(socket_path);
  listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(listener >= 0 && bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 64) == 0);
}

/* The next message with its NUL byte, into `message`; false at the end of the stream. */
static bool receive(int from) {
  for (size_t length = 0; length < sizeof message; length++) {
    if (recv(from, message + length, 1, 0) != 1) return false;
    if (message[length] == 0) return true;
  }
  return false;
}

static int take_announce(void) {
  int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  struct timeval limit = {.tv_sec = 30};
  CHECK(client >= 0 && setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0);
  CHECK(receive(client) && message[0] == 1);
  CHECK(sscanf(message + 1, "{\"table\":\"%1000[^\"]\"", table) == 1);
  return client;
}

static void answer(int client, const char *text) {
  CHECK(send(client, text, strlen(text) + 1, MSG_NOSIGNAL) == (ssize_t)strlen(text) + 1);
}

static double counted(const char *name) {
  struct reading reading;
  return read_metric(table, name, &reading) ? reading.value : -1;
}

static vigie_counter *new_counter(const char *name) {
  vigie_counter *made = NULL;
  CHECK(vigie_counter_new(&made, name, "a text") == VIGIE_OK && made);
  return made;
}

static void *add_both(void *counters) {
  for (int i = 0; i < 100000; i++) {
    vigie_counter_add(((vigie_counter **)counters)[0], 1);
    vigie_counter_add_double(((vigie_counter **)counters)[1], 0.5);
  }
  return NULL;
}

/* Also threads that come after others have gone, and counters that come while threads count. */
static void threads(void) {
  vigie_counter *counters[2] = {new_counter("threads_total"), NULL};
  CHECK(vigie_counter_new_double(&counters[1], "halves_total", NULL) == VIGIE_OK);
  int client = take_announce();
  answer(client, "{\"accepted\":true}");
  for (int round = 0; round < 3; round++) {
    pthread_t started[8];
    for (int i = 0; i < 8; i++) CHECK(pthread_create(&started[i], NULL, add_both, counters) == 0);
    for (int i = 0; i < 400; i++) {
      char name[32];
      snprintf(name, sizeof name, "late_%d_%d_total", round, i);
      vigie_counter_add(new_counter(name), (uint64_t)i);
    }
    for (int i = 0; i < 8; i++) pthread_join(started[i], NULL);
  }
  CHECK(counted("threads_total") == 2400000 && counted("halves_total") == 1200000);
  CHECK(counted("late_2_399_total") == 399);
  struct stat found;
  CHECK(stat(table, &found) == 0);
  /* 24 threads, but never more than 9 at once: banks are used again. */
  CHECK(found.st_size < 600000);
}

static void fork_case(void) {
  vigie_counter *counter = new_counter("forked_total");
  int parent = take_announce();
  answer(parent, "{\"accepted\":true}");
  vigie_counter_add(counter, 5);
  char of_parent[sizeof table];
  strcpy(of_parent, table);
  pid_t silent = fork();
  if (silent == 0) _exit(0);
  pid_t child = fork();
  if (child == 0) {
    vigie_counter_add(counter, 7);
    exit(0);
  }
  int client = take_announce();
  CHECK(strcmp(table, of_parent) != 0);
  /* It announces its table a moment before it counts. */
  for (int i = 0; i < 20000 && counted("forked_total") != 7; i++) usleep(1000);
  CHECK(counted("forked_total") == 7);
  answer(client, "{\"accepted\":true}");
  int status;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
  struct reading reading;
  CHECK(read_metric(table, "forked_total", &reading) && reading.state == 2 && (pid_t)reading.pid == child);
  unlink(table);
  strcpy(table, of_parent);
  CHECK(counted("forked_total") == 5);
  CHECK(waitpid(silent, &status, 0) == silent && status == 0);
}

static int descriptors(void) {
  int count = 0;
  for (int i = 0; i < 256; i++) count += i != listener && faccessat(i, ".", F_OK, AT_EMPTY_PATH) != -1;
  return count;
}

static void no_engine(void) {
  close(listener);
  unlink(socket_path);
  int before = descriptors();
  errno = 4711;
  vigie_counter *counter = new_counter("nobody_total");
  for (int i = 0; i < 1000; i++) CHECK(vigie_counter_add(counter, 1) == VIGIE_OK);
  CHECK(vigie_flush() == VIGIE_OK && errno == 4711);
  errno = 0;
  CHECK(descriptors() == before);
  CHECK(vigie_counter_add(NULL, 1) == VIGIE_INVALID);
}

static void no_tmpfs(void) {
  if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
      mount(folder, "/dev/shm", NULL, MS_BIND, NULL) != 0)
    exit(77);
  setenv("XDG_RUNTIME_DIR", "/nowhere", 1);
  vigie_counter_add(new_counter("memory_total"), 3);
  int client = accept(listener, NULL, NULL);
  CHECK(receive(client) && strstr(message, "{\"JobDesc\":{\"jobid\":\"test-job\",") == message);
  CHECK(receive(client) && strstr(message, "{\"Desc\":{\"name\":\"memory_total\",") == message);
  CHECK(vigie_flush() == VIGIE_OK);
  CHECK(receive(client) && strstr(message, "{\"Value\":{\"name\":\"memory_total\",") == message);
  CHECK(strstr(message, "\"value\":3.0}}}}"));
}

static void announce(void) {
  char runtime[512];
  if (getenv("XDG_RUNTIME_DIR")) {
    snprintf(runtime, sizeof runtime, "%s/", getenv("XDG_RUNTIME_DIR"));
    setenv("XDG_RUNTIME_DIR", runtime, 1);
  }
  vigie_counter_add(new_counter("announced_total"), 1);
  CHECK(vigie_set_rank(3, 4) == VIGIE_OK && vigie_set_rank(4, 4) == VIGIE_INVALID);
  int client = take_announce();
  CHECK(strstr(message + 1, ",\"job\":{\"jobid\":\"test-job\",\"command\":\""));
  CHECK(!strstr(table, "//"));
  answer(client, "{\"accepted\":true}");
  CHECK(counted("announced_total") == 1);
}

static void refused(void) {
  vigie_counter *counter = new_counter("refused_total");
  int client = take_announce();
  answer(client, "{\"refused\":\"cannot_read\"}");
  CHECK(receive(client) && strstr(message, "{\"JobDesc\":{\"jobid\":\"test-job\"") == message);
  CHECK(receive(client) && strstr(message, "{\"Desc\":{\"name\":\"refused_total\"") == message);
  vigie_counter_add(counter, 41);
  vigie_counter_add(new_counter("later_total"), 1);
  CHECK(vigie_flush() == VIGIE_OK);
  CHECK(receive(client) && strstr(message, "{\"Desc\":{\"name\":\"later_total\"") == message);
  CHECK(receive(client) && strstr(message, "refused_total") && strstr(message, "\"value\":41.0}}}}"));
}

/* An engine from before there were tables answers as to bad HTTP. */
static void old_engine(void) {
  vigie_counter_add(new_counter("old_total"), 2);
  int client = take_announce();
  CHECK(send(client, "HTTP/1.1 400 Bad Request\r\n\r\n", 28, MSG_NOSIGNAL) == 28);
  close(client);
  client = accept(listener, NULL, NULL);
  CHECK(client >= 0 && receive(client) && strstr(message, "{\"JobDesc\"") == message);
  CHECK(receive(client) && strstr(message, "{\"Desc\"") == message);
  CHECK(vigie_flush() == VIGIE_OK);
  CHECK(receive(client) && strstr(message, "\"value\":2.0}}}}"));
}

static void reconnect(void) {
  vigie_counter *counter = new_counter("kept_total");
  int client = take_announce();
  answer(client, "{\"accepted\":true}");
  char first[sizeof message];
  memcpy(first, message, sizeof first);
  vigie_counter_add(counter, 1);
  close(listener);
  close(client);
  usleep(200000);
  vigie_counter_add(counter, 1);
  listen_there();
  client = take_announce();
  char *nonce = strstr(first + 1, "\"nonce\""), *again = strstr(message + 1, "\"nonce\"");
  CHECK(nonce && again && strncmp(nonce, again, 44) == 0);
  answer(client, "{\"accepted\":true}");
  CHECK(counted("kept_total") == 2);
}

/* One engine has read the table, the next one refuses it: only what came after that is sent as messages. */
static void refused_later(void) {
  vigie_counter *counter = new_counter("later_total");
  vigie_counter_add(counter, 5);
  int client = take_announce();
  answer(client, "{\"accepted\":true}");
  usleep(100000);
  close(client);
  client = take_announce();
  answer(client, "{\"refused\":\"table_missing\"}");
  CHECK(receive(client) && strstr(message, "{\"JobDesc\""));
  CHECK(receive(client) && strstr(message, "{\"Desc\":{\"name\":\"later_total\""));
  vigie_counter_add(counter, 2);
  CHECK(vigie_flush() == VIGIE_OK);
  CHECK(receive(client) && strstr(message, "later_total") && strstr(message, "\"value\":2.0}}}}"));
}

/* A program that closes all descriptors and opens files of its own: nothing of ours may go there. */
static void reused_descriptor(void) {
  vigie_counter *counter = new_counter("closed_total");
  int client = take_announce();
  answer(client, "{\"refused\":\"no\"}");
  CHECK(receive(client) && receive(client));
  char file[128];
  snprintf(file, sizeof file, "%s/own", folder);
  for (int i = 3; i < 64; i++)
    if (i != listener && i != client) close(i);
  FILE *own[8];
  for (int i = 0; i < 8; i++) CHECK((own[i] = fopen(file, "w")));
  vigie_counter_add(counter, 1);
  vigie_flush();
  struct stat found;
  CHECK(stat(file, &found) == 0 && found.st_size == 0);
  for (int i = 0; i < 8; i++) CHECK(fclose(own[i]) == 0);
  unlink(file);
}

static void gauge(void) {
  vigie_gauge *made;
  CHECK(vigie_gauge_new(&made, "heat", "") == VIGIE_OK);
  int client = take_announce();
  answer(client, "{\"accepted\":true}");
  CHECK(vigie_gauge_observe(made, 40) == VIGIE_OK && vigie_gauge_observe(made, 49) == VIGIE_OK);
  struct reading reading;
  CHECK(read_metric(table, "heat", &reading) && reading.kind == 3);
  CHECK(reading.gauge[0] == 40 && reading.gauge[1] == 49 && reading.gauge[2] == 2 && reading.gauge[3] == 89);
  CHECK(vigie_gauge_set(made, 7) == VIGIE_OK && vigie_gauge_set(made, 0.0 / 0.0) == VIGIE_INVALID);
  CHECK(read_metric(table, "heat", &reading) && reading.gauge[0] == 7 && reading.gauge[2] == 1 && reading.gauge[3] == 7);
}

static void names(void) {
  char name[64];
  vigie_label labels[] = {{"path", "a\"b\\c\n"}, {"mode", "in"}};
  CHECK(vigie_name(name, sizeof name, "x_total", labels, 2) == (int)strlen(name));
  CHECK(strcmp(name, "x_total{path=\"a\\\"b\\\\c\\n\",mode=\"in\"}") == 0);
  CHECK(vigie_name(name, 8, "x_total", labels, 2) == VIGIE_FULL && vigie_name(name, 8, "x_total", NULL, 0) == 7);
  labels[0].name = "9";
  CHECK(vigie_name(name, sizeof name, "x_total", labels, 2) == VIGIE_INVALID);
  vigie_counter *counter = new_counter("same_total"), *again;
  vigie_gauge *other;
  CHECK(vigie_counter_new(&again, "same_total", "") == VIGIE_OK && again == counter);
  CHECK(vigie_gauge_new(&other, "same_total", "") == VIGIE_KIND && !other);
  CHECK(vigie_counter_new(&again, "", "") == VIGIE_INVALID && vigie_counter_add_double(counter, 1) == VIGIE_KIND);
  int client = take_announce();
  answer(client, "{\"refused\":\"no\"}");
}

static void leave_now(int signal) {
  (void)signal;
  exit(7);
}

/* The signal comes while the engine is waited for. */
static void exit_in_handler(void) {
  pid_t child = fork();
  if (child == 0) {
    struct itimerval soon = {.it_value = {.tv_usec = 50000}};
    new_counter("waiting_total");
    CHECK(signal(SIGALRM, leave_now) != SIG_ERR && setitimer(ITIMER_REAL, &soon, NULL) == 0);
    for (int i = 0; i < 100; i++) vigie_flush();
    _exit(1);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 7);
  take_announce();
}

static const char *put_table(long pid, char digit, time_t noted, time_t seen) {
  static char path[128];
  struct timespec times[2] = {{.tv_sec = noted}, {.tv_sec = seen}};
  char nonce[33];
  memset(nonce, digit, 32);
  nonce[32] = 0;
  snprintf(path, sizeof path, "%s/%ld-%s.table", folder, pid, nonce);
  int fd = open(path, O_WRONLY | O_CREAT, 0600);
  CHECK(fd >= 0 && futimens(fd, times) == 0);
  close(fd);
  return path;
}

/* Nobody has this one: it was the child's. */
static long dead_process(void) {
  pid_t child = fork();
  if (child == 0) _exit(0);
  CHECK(waitpid(child, NULL, 0) == child);
  return child;
}

static void sweep_case(void) {
  long dead = dead_process();
  time_t now = time(NULL);
  char living[128], fresh[128], old[128], other[128];
  strcpy(living, put_table(getpid(), 'a', 1, now - 7200));
  strcpy(fresh, put_table(dead, 'b', now, now - 7200));
  strcpy(old, put_table(dead, 'c', 1, now - 7200));
  snprintf(other, sizeof other, "%s/%ld-notes.table", folder, dead);
  CHECK(rename(put_table(dead, 'd', 1, now - 7200), other) == 0);

  sweep(folder);
  struct stat found;
  CHECK(access(old, F_OK) != 0);
  CHECK(access(living, F_OK) == 0 && access(other, F_OK) == 0);
  /* It counts from now on that nobody is there. */
  CHECK(stat(fresh, &found) == 0 && found.st_atim.tv_sec == 1 && found.st_mtim.tv_sec >= now);
  sweep(folder);
  CHECK(access(fresh, F_OK) == 0);
  sweep("/nowhere");
  CHECK(unlink(living) == 0 && unlink(fresh) == 0 && unlink(other) == 0);
}

static const struct {
  const char *name;
  void (*run)(void);
} cases[] = {
    {"threads", threads},     {"fork", fork_case},           {"no_engine", no_engine},
    {"no_tmpfs", no_tmpfs},   {"announce", announce},        {"refused", refused},
    {"reconnect", reconnect}, {"reused_descriptor", reused_descriptor}, {"gauge", gauge},
    {"names", names},         {"old_engine", old_engine},   {"refused_later", refused_later},
    {"exit_in_handler", exit_in_handler}, {"sweep", sweep_case},
};

int main(int count, char **arguments) {
  CHECK(count == 2 && mkdtemp(folder));
  snprintf(socket_path, sizeof socket_path, "%s/s", folder);
  setenv("VIGIE_SOCKET", socket_path, 1);
  setenv("PROXY_JOB_ID", "test-job", 1);
  setenv("PROXY_PERIOD", "3600000", 1);
  listen_there();
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    if (strcmp(cases[i].name, arguments[1]) != 0) continue;
    cases[i].run();
    close(listener);
    unlink(socket_path);
    rmdir(folder);
    if (table[0]) unlink(table);
    return 0;
  }
  return 1;
}
