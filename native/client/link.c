/*
 * The sender: one small thread that keeps the connection to the engine. It announces the table, again after each restart
 * of the engine; where that is not possible it sends legacy messages, one batch per period. The thread takes no signal,
 * holds its lock only while nothing can block, and leaves a descriptor alone that has become somebody else's.
 */
#define _GNU_SOURCE
#include "registry.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define FIRST_WAIT 50
#define LONGEST_WAIT 2000
#define BATCH (1u << 20)

enum state { NONE, ASKED, ACCEPTED, LEGACY };

static pthread_mutex_t io = PTHREAD_MUTEX_INITIALIZER;
static int fd = -1;
static dev_t fd_device;
static ino_t fd_inode;
static enum state state;
static uint64_t connection; /* number of the present one; 0: none yet */
static struct text out;
static size_t out_sent;
static char answer[256];
static size_t answered;
static int64_t next_try, next_batch; /* ms, monotonic */
static int wait_before_try = FIRST_WAIT;
/* The engine is one that knows no tables: it took the announce for bad HTTP. */
static bool no_tables;
/* An engine has read the present table, or may have. */
static bool was_read;
static bool gathered, nobody; /* since the flush began; nobody listens */
/* What the environment said when the first metric was made. */
static char engine_path[PATH_MAX], proxy_path[PATH_MAX];
static int period = 1000; /* ms */
static struct description process;
static bool has_job;

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void read_environment(void) {
  const char *text = getenv("PROXY_PERIOD"), *engine = secure_getenv("VIGIE_SOCKET"), *proxy = secure_getenv("PROXY_PATH");
  long given = text ? strtol(text, NULL, 10) : 0;
  period = given < 1 || given > 3600000 ? 1000 : given < 10 ? 10 : (int)given;
  snprintf(engine_path, sizeof engine_path, "%s", engine ? engine : "");
  snprintf(proxy_path, sizeof proxy_path, "%s", proxy ? proxy : "");
  describe_process(&process);
  __atomic_store_n(&has_job, process.job.jobid[0] != 0, __ATOMIC_RELEASE);
}

bool link_has_job(void) { return __atomic_load_n(&has_job, __ATOMIC_ACQUIRE); }

static void drop(bool ours) {
  if (ours && fd >= 0) close(fd);
  /* It may have been accepted without our hearing of it. */
  if (state == ASKED && out.length == 0 && answered == 0) was_read = true;
  fd = -1;
  state = NONE;
  out.length = out_sent = 0;
  next_try = now_ms() + wait_before_try;
  wait_before_try = wait_before_try * 2 > LONGEST_WAIT ? LONGEST_WAIT : wait_before_try * 2;
}

/* Programs close descriptors that they do not know, and get the same numbers again. */
static bool still_ours(void) {
  struct stat found;
  return fd >= 0 && fstat(fd, &found) == 0 && found.st_dev == fd_device && found.st_ino == fd_inode;
}

/* With a path of our choice whoever may write to /tmp could listen there: only ours and root's are spoken to. */
static bool trusted(int socket) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && (peer.uid == geteuid() || peer.uid == 0);
}

static bool open_socket(const char *path, bool chosen_by_us) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  struct stat found;
  if (strlen(path) >= sizeof address.sun_path) return false;
  strcpy(address.sun_path, path);
  int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (made < 0) return false;
  if (connect(made, (struct sockaddr *)&address, sizeof address) != 0) {
    /* A full backlog is an engine that is busy: worth another try before the program leaves. */
    if (errno == EAGAIN) nobody = false;
    close(made);
    return false;
  }
  if ((chosen_by_us && !trusted(made)) || fstat(made, &found) != 0) {
    close(made);
    return false;
  }
  fd = made;
  fd_device = found.st_dev;
  fd_inode = found.st_ino;
  connection++;
  return true;
}

static void queue_announce(const char *path, const unsigned char *nonce) {
  text_add(&out, "\1{\"table\":", 10);
  text_json(&out, path);
  text_string(&out, ",\"nonce\":\"");
  for (int i = 0; i < NONCE_SIZE; i++) {
    char hex[3];
    snprintf(hex, sizeof hex, "%02x", nonce[i]);
    text_add(&out, hex, 2);
  }
  text_string(&out, "\"");
  if (process.traced[0]) {
    text_string(&out, ",\"traced\":");
    text_json(&out, process.traced);
  }
  text_string(&out, ",\"job\":");
  if (process.job.jobid[0]) legacy_fields(&out, &process, false);
  else text_string(&out, "null");
  text_add(&out, "}", 2);
}

static void speak_legacy(bool plain) {
  state = LEGACY;
  /* Whatever that engine has taken is not said again, not even what it may have missed at its end: better less than
   * twice. */
  if (was_read)
    for (uint32_t i = 0, count = registry_count(); i < count; i++) legacy_skip(registry_metric(i));
  was_read = false;
  next_batch = 0;
  gathered = false;
  if (process.job.jobid[0]) legacy_job(&out, &process, plain);
}

/* $VIGIE_SOCKET, $PROXY_PATH (a legacy proxy), the engine's own socket, the legacy one. */
static void try_connect(void) {
  char path[512], own[128];
  unsigned char nonce[NONCE_SIZE];
  unsigned uid = (unsigned)geteuid();
  bool announces = false;
  nobody = true;
  out.length = out_sent = answered = 0;
  out.failed = false;
  if (*engine_path) {
    announces = open_socket(engine_path, false);
  } else if (*proxy_path) {
    open_socket(proxy_path, false);
  } else {
    snprintf(own, sizeof own, "/tmp/vigie-%u/engine.socket", uid);
    announces = open_socket(own, true);
    if (!announces) {
      snprintf(own, sizeof own, "/tmp/metric-proxy-%u.socket", uid);
      open_socket(own, true);
    }
  }
  if (fd < 0) {
    no_tables = false;
    return drop(false);
  }
  nobody = false;
  /* What the launcher said goes before what the program says. */
  int rank, ranks;
  if (process.rank < 0 && registry_rank(&rank, &ranks)) {
    process.rank = rank;
    if (process.job.size < ranks) process.job.size = ranks;
  }
  registry_table(path, sizeof path, nonce);
  if (announces && path[0] && !no_tables) {
    queue_announce(path, nonce);
    state = ASKED;
  } else {
    speak_legacy(!announces);
  }
}

/* False when the connection is gone. */
static bool receive(void) {
  for (;;) {
    char bytes[256];
    ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) return false;
    if (state != ASKED) continue;
    for (ssize_t i = 0; i < got && state == ASKED; i++) {
      if (answered == sizeof answer) return false;
      answer[answered++] = bytes[i];
      if (bytes[i] != 0) continue;
      if (strcmp(answer, "{\"accepted\":true}") == 0) {
        state = ACCEPTED;
        was_read = true;
      } else {
        speak_legacy(false);
      }
    }
    wait_before_try = FIRST_WAIT;
  }
}

static bool send_rest(void) {
  while (out_sent < out.length) {
    ssize_t sent = send(fd, out.bytes + out_sent, out.length - out_sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) return errno == EAGAIN || errno == EINTR;
    out_sent += (size_t)sent;
  }
  out.length = out_sent = 0;
  return true;
}

/* Everything that has changed, as one text. */
static void gather(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  uint64_t microseconds = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
  uint32_t count = registry_count();
  for (uint32_t i = 0; i < count; i++) {
    struct vigie_metric *metric = registry_metric(i);
    if (metric->described == connection) continue;
    legacy_describe(&out, metric);
    metric->described = connection;
    /* A gauge belongs to its connection: a new one does not know it. */
    if (metric->kind == KIND_GAUGE) metric->sent.sequence = 0;
  }
  for (uint32_t i = 0; i < count && out.length < BATCH; i++) legacy_value(&out, registry_metric(i), microseconds);
  gathered = out.length < BATCH;
}

/* One step; never waits. Held: io. */
static void step(bool at_once) {
  if (fd >= 0 && !still_ours()) drop(false);
  if (state == NONE && (at_once || now_ms() >= next_try)) try_connect();
  if (state == NONE) return;
  if (!receive()) {
    no_tables = state == ASKED && answered > 0;
    return drop(true);
  }
  /* The first batch goes with the job description. */
  bool free_to_gather = state == LEGACY && (out.length == 0 || next_batch == 0);
  if (free_to_gather && (at_once ? !gathered : now_ms() >= next_batch)) {
    gather();
    next_batch = now_ms() + period;
  }
  /* Half a message would spoil the stream. */
  if (out.failed) return drop(true);
  if (!send_rest()) drop(true);
  else if (state == LEGACY) wait_before_try = FIRST_WAIT;
}

static bool stopping;
/* There is a sender, and its number once it runs. */
static bool started;
static pid_t sender;

/* Whether all threads of the program have left and only the sender keeps the process: libc would have ended it with the
 * last of them (main by pthread_exit). */
static bool program_has_left(void) {
  char bytes[512];
  int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC), threads = 0;
  ssize_t got = file < 0 ? 0 : read(file, bytes, sizeof bytes - 1);
  if (file >= 0) close(file);
  bytes[got > 0 ? got : 0] = 0;
  const char *rest = strrchr(bytes, ')');
  return rest && rest[1] == ' ' && rest[2] == 'Z' &&
         sscanf(rest + 3, "%*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %*d %d", &threads) == 1 && threads == 2;
}

static void *run(void *unused) {
  (void)unused;
  vigie_thread = (struct vigie_thread){.dispatch = 0, .own = 1};
  __atomic_store_n(&sender, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
  /* Most programs of a script have ended by then: what they counted is given away at their end, by themselves. */
  poll(NULL, 0, FIRST_WAIT);
  pthread_setname_np(pthread_self(), "vigie");
  while (!__atomic_load_n(&stopping, __ATOMIC_ACQUIRE)) {
    int64_t began = now_ms();
    if (program_has_left()) {
      tally_on_time();
      exit(0);
    }
    vigie_tally_collect();
    pthread_mutex_lock(&io);
    step(false);
    int64_t now = now_ms(), until = state == NONE ? next_try : state == LEGACY ? next_batch : now + 5000;
    /* Thousands of threads take a while to sum: at most one part in fifty of a processor goes there. */
    int64_t tallies = tally_period() < 0 ? INT64_MAX : now + tally_period() + 50 * (now - began);
    if (until > tallies) until = tallies;
    struct pollfd watched = {.fd = fd, .events = (short)(POLLIN | (out.length ? POLLOUT : 0))};
    pthread_mutex_unlock(&io);
    poll(&watched, 1, until > now ? (int)(until - now) : 0);
  }
  return NULL;
}

static void start_sender(void) {
  sigset_t all, before;
  pthread_attr_t attributes;
  pthread_t thread;
  if (pthread_attr_init(&attributes) != 0) return;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, 256 * 1024);
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  started = pthread_create(&thread, &attributes, run, NULL) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
}

void link_start(void) {
  pthread_mutex_lock(&io);
  read_environment();
  /* At once: a program that is killed before the sender has run has counted, too. */
  if (state == NONE) try_connect();
  if (state == ASKED && !send_rest()) drop(true);
  pthread_mutex_unlock(&io);
  start_sender();
}

void link_flush(int milliseconds, bool leave) {
  struct timespec until;
  int64_t deadline = now_ms() + milliseconds;
  /* A tracer's own time is not that of the process that it counts for. */
  if (leave) registry_finish(process.traced[0] == 0);
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += milliseconds * 1000000L;
  until.tv_sec += until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  /* A handler of a signal that came within this function may call exit: as in at_exit. */
  if (pthread_mutex_timedlock(&io, &until) != 0) return;
  gathered = false;
  for (;;) {
    step(true);
    if (state == ACCEPTED || (state == NONE && nobody) || (state == LEGACY && gathered && out.length == 0)) break;
    int64_t left = deadline - now_ms();
    if (left <= 0) break;
    struct pollfd watched = {.fd = fd, .events = (short)(POLLIN | (out.length ? POLLOUT : 0))};
    poll(&watched, 1, left < 10 ? (int)left : 10);
  }
  /* An engine that is busy finds the announce, and the table, later. */
  if (leave && state != ACCEPTED && !(state == ASKED && out.length == 0)) registry_unlink();
  pthread_mutex_unlock(&io);
}

bool link_stop(int milliseconds) {
  struct timespec while_at_it = {.tv_nsec = 1000000};
  bool there = started;
  __atomic_store_n(&stopping, true, __ATOMIC_RELEASE);
  for (int i = 0; i < milliseconds && started; i++) {
    pid_t number = __atomic_load_n(&sender, __ATOMIC_ACQUIRE);
    if (number != 0 && syscall(SYS_tgkill, getpid(), number, 0) != 0) started = false;
    else nanosleep(&while_at_it, NULL);
  }
  return there;
}

void link_go_on(void) {
  /* It was busy for too long: then it stays. */
  bool there = started;
  if (!there) sender = 0;
  __atomic_store_n(&stopping, false, __ATOMIC_RELEASE);
  if (!there) start_sender();
}

void link_before_fork(void) { pthread_mutex_lock(&io); }

void link_after_fork(bool child) {
  if (child) {
    /* The engine must see the parent's connection close with the parent. */
    if (still_ours()) close(fd);
    fd = -1;
    sender = 0;
    started = false;
    state = NONE;
    was_read = false;
    out.length = out_sent = 0;
    next_try = 0;
    wait_before_try = FIRST_WAIT;
  }
  pthread_mutex_unlock(&io);
}
