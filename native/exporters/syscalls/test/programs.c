/*
 * Programs that do with signals, threads and processes what counting from within could spoil. The name of the case is the
 * argument. Each makes CALLS calls of getppid, besides others, prints what it saw, and ends as it should: with 0, unless
 * its name says otherwise.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum { CALLS = 1000, THREADS = 1000 };

#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) {                                                         \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition); \
      _exit(99);                                                                \
    }                                                                           \
  } while (0)

static void call(int times) {
  for (int i = 0; i < times; i++) (void)syscall(SYS_getppid);
}

static int ended(pid_t child) {
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void forks(void) {
  call(CALLS / 2);
  pid_t child = fork();
  if (child == 0) {
    pid_t grandchild = fork();
    if (grandchild == 0) {
      call(CALLS / 4);
      exit(4);
    }
    call(CALLS / 4);
    _exit(ended(grandchild) + 1);
  }
  printf("child %d\n", ended(child));
}

static void vforks(void) {
  volatile int before = 17;
  for (volatile int i = 0; i < 10; i++) {
    pid_t child = vfork();
    if (child == 0) {
      call(CALLS / 20);
      if (i % 2) execl("/bin/sh", "sh", "-c", "exit 3", (char *)NULL);
      _exit(3);
    }
    CHECK(child > 0 && ended(child) == 3 && before == 17);
  }
  call(CALLS / 2);
  puts("vforks");
}

static void spawns(void) {
  char *words[] = {"sh", "-c", "exit 6", NULL}, *none[] = {NULL};
  pid_t child;
  call(CALLS);
  CHECK(posix_spawn(&child, "/bin/sh", NULL, NULL, words, none) == 0 && ended(child) == 6);
  CHECK(posix_spawn(&child, "/nowhere/sh", NULL, NULL, words, none) == ENOENT);
  puts("spawns");
}

static int in_clone(void *times) {
  call((int)(intptr_t)times);
  return 9;
}

/* Children with stacks of their own: of a process, of one that shares memory, and by clone3. */
static void clones(void) {
  size_t size = 65536;
  char *stack = malloc(size);
  call(CALLS / 4);
  CHECK(ended(clone(in_clone, stack + size, SIGCHLD, (void *)(CALLS / 4))) == 9);
  CHECK(ended(clone(in_clone, stack + size, CLONE_VM | CLONE_VFORK | SIGCHLD, (void *)(CALLS / 4))) == 9);
  struct {
    uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
  } args = {.exit_signal = SIGCHLD};
  long child = syscall(SYS_clone3, &args, sizeof args);
  if (child == 0) {
    call(CALLS / 4);
    _exit(8);
  }
  CHECK(child > 0 && ended((pid_t)child) == 8);
  free(stack);
  puts("clones");
}

static volatile sig_atomic_t seen, code, value;

static void note(int number, siginfo_t *info, void *context) {
  (void)context;
  seen = number;
  code = info->si_code;
  value = info->si_value.sival_int;
  call(CALLS / 4);
}

/* A handler of SIGSYS, and SIGSYS blocked while calls are made. */
static void sigsys(void) {
  struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO}, before;
  sigset_t set, old;
  CHECK(sigaction(SIGSYS, &action, NULL) == 0);
  CHECK(sigqueue(getpid(), SIGSYS, (union sigval){.sival_int = 77}) == 0);
  CHECK(seen == SIGSYS && code == SI_QUEUE && value == 77);
  CHECK(sigaction(SIGSYS, NULL, &before) == 0 && before.sa_sigaction == note && (before.sa_flags & SA_SIGINFO));
  sigfillset(&set);
  seen = 0;
  CHECK(sigprocmask(SIG_BLOCK, &set, &old) == 0 && !sigismember(&old, SIGSYS));
  call(CALLS / 4);
  CHECK(raise(SIGSYS) == 0 && seen == 0);
  CHECK(sigprocmask(SIG_SETMASK, NULL, &set) == 0 && sigismember(&set, SIGSYS) && sigismember(&set, SIGTERM));
  CHECK(sigprocmask(SIG_SETMASK, &old, &set) == 0 && sigismember(&set, SIGSYS) && seen == SIGSYS);
  call(CALLS / 4);
  signal(SIGSYS, SIG_IGN);
  CHECK(raise(SIGSYS) == 0);
  puts("sigsys");
}

static void killed_by_sigsys(void) {
  call(CALLS);
  printf("now\n");
  fflush(stdout);
  kill(getpid(), SIGSYS);
  pause();
}

static sigjmp_buf back;

static void jump(int number) {
  call(CALLS / 20);
  siglongjmp(back, number);
}

static void longjumps(void) {
  signal(SIGALRM, jump);
  for (volatile int i = 0; i < 10; i++) {
    struct itimerval soon = {.it_value = {.tv_usec = 5000}};
    if (sigsetjmp(back, 1) == 0) {
      setitimer(ITIMER_REAL, &soon, NULL);
      if (i % 2) pause();
      else (void)!read(0, &(char){0}, 0), poll(NULL, 0, -1);
      CHECK(0);
    }
  }
  call(CALLS / 2);
  puts("longjumps");
}

static void on_other_stack(int number) {
  stack_t now;
  char here;
  (void)number;
  CHECK(sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_ONSTACK));
  CHECK(&here > (char *)now.ss_sp && &here < (char *)now.ss_sp + now.ss_size);
  CHECK(sigaltstack(&now, NULL) == -1 && errno == EPERM);
  call(CALLS / 2);
}

static void altstack(void) {
  stack_t mine = {.ss_sp = malloc(65536), .ss_size = 65536}, old;
  struct sigaction action = {.sa_handler = on_other_stack, .sa_flags = SA_ONSTACK};
  CHECK(sigaltstack(&mine, NULL) == 0);
  CHECK(sigaltstack(NULL, &old) == 0 && old.ss_sp == mine.ss_sp && old.ss_flags == 0);
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && raise(SIGUSR1) == 0);
  call(CALLS / 2);
  mine.ss_flags = SS_DISABLE;
  CHECK(sigaltstack(&mine, NULL) == 0 && sigaltstack(NULL, &old) == 0 && (old.ss_flags & SS_DISABLE));
  puts("altstack");
}

static void nothing(int number) { (void)number; }

/* Waits with other masks, and the handler's mask. */
static void masks(void) {
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  struct sigaction action = {.sa_handler = nothing, .sa_mask = all};
  struct timespec soon = {.tv_nsec = 1000000};
  CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
  CHECK(ppoll(NULL, 0, &soon, &all) == 0);
  CHECK(pselect(0, NULL, NULL, NULL, &soon, &all) == 0);
  sigset_t one;
  sigemptyset(&one);
  sigaddset(&one, SIGUSR1);
  CHECK(sigprocmask(SIG_BLOCK, &one, NULL) == 0 && raise(SIGUSR1) == 0);
  sigfillset(&all);
  sigdelset(&all, SIGUSR1);
  CHECK(sigsuspend(&all) == -1 && errno == EINTR);
  CHECK(sigprocmask(SIG_UNBLOCK, &one, NULL) == 0);
  call(CALLS);
  puts("masks");
}

static void *in_thread(void *barrier) {
  call(1);
  pthread_barrier_wait(barrier);
  return NULL;
}

static void threads(void) {
  static pthread_t started[THREADS];
  pthread_barrier_t barrier;
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 65536);
  pthread_barrier_init(&barrier, NULL, THREADS);
  for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&started[i], &small, in_thread, &barrier) == 0);
  for (int i = 0; i < THREADS; i++) CHECK(pthread_join(started[i], NULL) == 0);
  printf("threads\n");
}

static void *waits(void *unused) {
  (void)unused;
  for (;;) pause();
  return NULL;
}

static void cancels(void) {
  pthread_t thread;
  void *result;
  CHECK(pthread_create(&thread, NULL, waits, NULL) == 0);
  usleep(10000);
  CHECK(pthread_cancel(thread) == 0 && pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
  call(CALLS);
  puts("cancels");
}

static void *goes_on(void *unused) {
  (void)unused;
  usleep(50000);
  call(CALLS);
  printf("last thread\n");
  return NULL;
}

/* The process ends with its last thread. */
static void main_exits(void) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, goes_on, NULL) == 0);
  pthread_exit(NULL);
}

static void trapped(int number, siginfo_t *info, void *given) {
  ucontext_t *context = given;
  (void)number;
  CHECK(info->si_code == 1 /* SYS_SECCOMP */ && info->si_syscall == SYS_getpgrp);
#if defined(__x86_64__)
  context->uc_mcontext.gregs[REG_RAX] = 4321;
#elif defined(__aarch64__)
  context->uc_mcontext.regs[0] = 4321;
#endif
}

/* A filter that refuses one call and traps another. */
static void seccomp_filter(void) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#if defined(__x86_64__)
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgrp, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
#endif
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getuid, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
  struct sigaction action = {.sa_sigaction = trapped, .sa_flags = SA_SIGINFO};
  call(CALLS);
  CHECK(sigaction(SIGSYS, &action, NULL) == 0);
  CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
  CHECK(syscall(SYS_getuid) == -1 && errno == EACCES);
#if defined(__x86_64__)
  CHECK(syscall(SYS_getpgrp) == 4321);
#endif
  puts("filter");
}

/* Nothing but what a strict sandbox has: whatever else is called kills. */
static void seccomp_strict(void) {
  call(CALLS);
  CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0);
  (void)!write(1, "strict\n", 7);
  syscall(SYS_exit, 0);
}

/* The parent ends, the child goes on. */
static void daemonizes(void) {
  int ready[2];
  CHECK(pipe(ready) == 0);
  call(CALLS / 2);
  if (fork() != 0) {
    (void)!read(ready[0], &(char){0}, 1);
    puts("parent");
    exit(0);
  }
  (void)!write(ready[1], "1", 1);
  while (getppid() != 1 && kill(getppid(), 0) == 0 && prctl(PR_GET_PDEATHSIG, &(int){0}) == 0) usleep(1000);
  _exit(0);
}

static void exits_seven(void) {
  call(CALLS);
  exit(7);
}

static void executes(void) {
  call(CALLS);
  execlp("sh", "sh", "-c", "echo executed; exit 5", (char *)NULL);
}

static void leave_at_once(int signal) {
  (void)signal;
  (void)!write(1, "left\n", 5);
  _exit(3);
}

/* _exit by a handler, most likely within malloc. */
static void exits_in_malloc(void) {
  struct itimerval soon = {.it_value = {.tv_usec = 20000}};
  void *parts[64];
  call(CALLS);
  signal(SIGALRM, leave_at_once);
  CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
  for (;;) {
    for (size_t i = 0; i < 64; i++) parts[i] = malloc(3000 + 400 * i);
    for (size_t i = 0; i < 64; i++) free(parts[i]);
  }
}

static ssize_t fails(void *cookie, char *to, size_t size) {
  (void)cookie, (void)to, (void)size;
  errno = EIO;
  return -1;
}

/* What is no address, no folder and no descriptor is an error, of its own number. */
static void errors(void) {
  const char *volatile nowhere = (const char *)8;
  DIR *volatile none = NULL;
  char byte;
  call(CALLS);
  CHECK(access(nowhere, F_OK) == -1 && errno == EFAULT);
  CHECK(closedir(none) == -1 && errno == EINVAL);
  FILE *stream = fopencookie(NULL, "r", (cookie_io_functions_t){.read = fails});
  errno = 0;
  CHECK(stream && fread(&byte, 1, 1, stream) == 0 && errno == EIO);
  puts("errors");
}

/* Calls whose arguments are looked at before the kernel does: what is no address is an error, as everywhere. */
static void addresses(void) {
  void *volatile bad = (void *)8;
  uint64_t set = 0;
  struct timespec none = {0, 0};
  char event[16];
  call(CALLS);
#define FAILS(error, ...) CHECK(syscall(__VA_ARGS__) == -1 && errno == (error))
  FAILS(EFAULT, SYS_rt_sigprocmask, SIG_BLOCK, bad, NULL, 8);
  FAILS(EFAULT, SYS_rt_sigprocmask, SIG_BLOCK, &set, bad, 8);
  FAILS(EINVAL, SYS_rt_sigprocmask, 77, &set, NULL, 8);
  FAILS(EINVAL, SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 4);
  for (int number = SIGUSR1; number != 0; number = number == SIGUSR1 ? SIGSYS : 0) {
    FAILS(EFAULT, SYS_rt_sigaction, number, bad, NULL, 8);
    FAILS(EFAULT, SYS_rt_sigaction, number, NULL, bad, 8);
  }
  FAILS(EFAULT, SYS_ppoll, NULL, 0, &none, bad, 8);
  FAILS(EFAULT, SYS_pselect6, 0, NULL, NULL, NULL, &none, bad);
  FAILS(EFAULT, SYS_epoll_pwait, -1, event, 1, 0, bad, 8);
  FAILS(EFAULT, SYS_rt_sigsuspend, bad, 8);
  FAILS(EFAULT, SYS_clone3, bad, 88);
  FAILS(EINVAL, SYS_clone3, bad, 0);
  FAILS(EFAULT, SYS_execve, bad, NULL, NULL);
  FAILS(ENOSYS, -1);
  /* The same memory for the new mask and the old one. */
  set = 1ull << (SIGSYS - 1);
  CHECK(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &set, &set, 8) == 0 && set == 0);
  CHECK(syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, &set, 8) == 0 && set == 1ull << (SIGSYS - 1));
  puts("addresses");
}

/* Ways out that run no exit handlers. */
static void quits(void) {
  call(CALLS);
  quick_exit(5);
}

static void exits_raw(void) {
  call(CALLS);
  (void)syscall(SYS_exit_group, 5);
}

static void aborts(void) {
  call(CALLS);
  abort();
}

static void kills_itself(void) {
  call(CALLS);
  CHECK(kill(getpid(), SIGUSR1) == 0);
}

static void many(void) {
  call(10000000);
  puts("many");
}

static const struct {
  const char *name;
  void (*run)(void);
} cases[] = {
    {"forks", forks},           {"vforks", vforks},     {"spawns", spawns},     {"clones", clones},
    {"sigsys", sigsys},         {"longjumps", longjumps}, {"altstack", altstack}, {"masks", masks},
    {"threads", threads},       {"cancels", cancels},   {"main_exits", main_exits},
    {"seccomp_filter", seccomp_filter}, {"seccomp_strict", seccomp_strict}, {"daemonizes", daemonizes},
    {"killed_by_sigsys", killed_by_sigsys}, {"exits_seven", exits_seven}, {"executes", executes}, {"many", many},
    {"exits_in_malloc", exits_in_malloc}, {"errors", errors}, {"addresses", addresses}, {"quits", quits},
    {"exits_raw", exits_raw},   {"aborts", aborts},     {"kills_itself", kills_itself},
};

/* As on a kernel that has no Syscall User Dispatch: executes what follows. */
static void without_dispatch(char **words) {
  struct sock_filter filter[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 59 /* PR_SET_SYSCALL_USER_DISPATCH */, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
  CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
  execvp(words[0], words);
  CHECK(0);
}

int main(int number, char **words) {
  if (number > 2 && strcmp(words[1], "without_dispatch") == 0) without_dispatch(words + 2);
  if (number != 2) return 2;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    if (strcmp(cases[i].name, words[1]) != 0) continue;
    cases[i].run();
    return 0;
  }
  return 2;
}
