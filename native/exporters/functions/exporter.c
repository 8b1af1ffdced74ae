/*
 * Counts the functions of programs that were built with -finstrument-functions: how often each was called, the time from
 * its call to its return (inclusive, of recursive calls only the outermost), and the part of that which it did not spend
 * in other instrumented functions (exclusive).
 *
 * A pair of hooks costs two readings of the clock, a look into a table of the thread's own and three additions in its part
 * of the shared table. The first call of a function finds its name and makes its metrics. What is called while a hook of
 * the same thread is at work (by a signal's handler, or by an allocator of the program's own) is counted, not timed.
 *
 * Returns that do not come (longjmp, a child after vfork, exit) are found with the next hook further out: by the function
 * that returns, and by the stack, which never has a caller's frame below that of what it calls.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <vigie.h>

#include "../../client/tally.h"
#include "../mpi/clock.h"
#include "symbols.h"

/* Three metrics each; libvigie has 65,536. The rest is counted together. */
enum { MAX_FUNCTIONS = 20000, BUCKETS = 4096 };
/* Deeper calls are counted, and their time is that of the deepest one that has a place. Touched as they are needed. */
enum { MAX_DEPTH = 65536 };
enum { ARENA_BYTES = 16384, FIRST_SLOTS = 512 };

struct function {
  void *address;
  vigie_counter *hits, *inclusive, *exclusive;
  struct function *next;
};
static struct function *buckets[BUCKETS];
static struct function others;
static int functions;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* What a thread knows of a function. */
struct own {
  void *address;
  const struct function *function;
  uint64_t open; /* calls that the thread is in */
};

struct slot {
  void *address;
  struct own *own;
};

struct frame {
  struct own *own;
  uint64_t start, inner; /* ticks; inner: of what it has called */
  uintptr_t stack;
};

struct thread {
  uintptr_t busy; /* the stack of the hook at work, 0 when there is none */
  struct frame *frames;
  uint32_t depth, deeper; /* deeper: calls beyond MAX_DEPTH */
  struct slot *slots;
  uint32_t slot_count, used;
  char *arena; /* its first word leads to the one before */
  size_t arena_used;
  uintptr_t stack_low, stack_high;
};

static struct thread ended;
static _Thread_local struct thread *mine __attribute__((tls_model("initial-exec")));
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void *memory(size_t size) {
  void *found = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return found == MAP_FAILED ? NULL : found;
}

static void release(struct thread *thread) {
  while (thread->arena) {
    char *before = *(char **)(void *)thread->arena;
    munmap(thread->arena, ARENA_BYTES);
    thread->arena = before;
  }
  if (thread->slots) munmap(thread->slots, thread->slot_count * sizeof *thread->slots);
  if (thread->frames) munmap(thread->frames, MAX_DEPTH * sizeof *thread->frames);
  munmap(thread, sizeof *thread);
}

static inline void close_frame(struct thread *thread, uint64_t now) {
  struct frame *frame = &thread->frames[--thread->depth];
  const struct function *function = frame->own->function;
  /* Counters of two processors may differ by a few ticks. */
  uint64_t spent = (int64_t)(now - frame->start) > 0 ? now - frame->start : 0;
  if (--frame->own->open == 0) vigie_counter_add_double(function->inclusive, clock_seconds(0, spent));
  if (spent > frame->inner) vigie_counter_add_double(function->exclusive, clock_seconds(0, spent - frame->inner));
  if (thread->depth > 0) thread->frames[thread->depth - 1].inner += spent;
}

static void close_all(struct thread *thread) {
  uint64_t now = clock_ticks();
  thread->deeper = 0;
  while (thread->depth > 0) close_frame(thread, now);
}

static void thread_ends(void *given) {
  struct thread *thread = given;
  mine = &ended;
  close_all(thread);
  release(thread);
}

/* What was begun before is the parent's. */
static void in_child(void) {
  struct thread *thread = mine;
  if (!thread || thread == &ended) return;
  uint64_t now = clock_ticks();
  for (uint32_t i = 0; i < thread->depth; i++) thread->frames[i].start = now, thread->frames[i].inner = 0;
}

static void before_fork(void) { pthread_mutex_lock(&lock); }
static void in_parent(void) { pthread_mutex_unlock(&lock); }
static void in_child_too(void) {
  pthread_mutex_unlock(&lock);
  in_child();
}

static void at_start(void) {
  clock_begin();
  pthread_key_create(&key, thread_ends);
  pthread_atfork(before_fork, in_parent, in_child_too);
}

/* Signals wait: their handlers may call instrumented functions, and libvigie's lock is held here. */
static void block(sigset_t *before) {
  sigset_t all;
  sigfillset(&all);
  for (const int *at = (const int[]){SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS, 0}; *at; at++)
    sigdelset(&all, *at);
  pthread_sigmask(SIG_BLOCK, &all, before);
}

/* A place for what the thread knows; null without memory: then it counts nothing. */
__attribute__((noinline, cold)) static struct thread *begin_thread(uintptr_t stack) {
  sigset_t before;
  int saved = errno;
  block(&before);
  /* Until it is done, hooks of what is called here do nothing. */
  mine = &ended;
  pthread_once(&once, at_start);
  struct thread *thread = memory(sizeof *thread);
  if (thread) {
    thread->frames = memory(MAX_DEPTH * sizeof *thread->frames);
    thread->slots = memory(FIRST_SLOTS * sizeof *thread->slots);
    thread->slot_count = FIRST_SLOTS;
    thread->arena_used = ARENA_BYTES;
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) == 0) {
      void *low = NULL;
      size_t size = 0;
      if (pthread_attr_getstack(&attributes, &low, &size) == 0) {
        thread->stack_low = (uintptr_t)low;
        thread->stack_high = (uintptr_t)low + size;
      }
      pthread_attr_destroy(&attributes);
    }
    /* The main thread's may grow below what it is now: all that is above is known. */
    if (stack < thread->stack_low) thread->stack_low = 0;
    if (!thread->frames || !thread->slots || pthread_setspecific(key, thread) != 0) {
      release(thread);
      thread = NULL;
    }
  }
  if (thread) mine = thread;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = saved;
  return thread;
}

static void metrics_of(struct function *function, const char *symbol, const char *shown, const char *object) {
  static char name[1200], doc[2400];
  snprintf(name, sizeof name, "func__%s", symbol);
  snprintf(doc, sizeof doc, "Calls of %s in %s", shown, object);
  vigie_counter_new(&function->hits, name, doc);
  snprintf(name, sizeof name, "func___time___%s", symbol);
  snprintf(doc, sizeof doc, "Seconds in %s, with what it calls", shown);
  vigie_counter_new_double(&function->inclusive, name, doc);
  snprintf(name, sizeof name, "func___self___%s", symbol);
  snprintf(doc, sizeof doc, "Seconds in %s, without the instrumented functions that it calls", shown);
  vigie_counter_new_double(&function->exclusive, name, doc);
}

/* Held: lock. */
static const struct function *make_function(void *address) {
  if (functions >= MAX_FUNCTIONS) {
    if (!others.hits) metrics_of(&others, "other", "all functions beyond the first 20,000", "all files");
    return &others;
  }
  struct function *function = calloc(1, sizeof *function);
  if (!function) return &others;
  function->address = address;
  static struct symbol symbol;
  static char plain[sizeof symbol.name];
  symbol_of(address, &symbol);
  size_t length = 0;
  for (; symbol.name[length]; length++) {
    char c = symbol.name[length];
    bool usual = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':';
    plain[length] = usual ? c : '_';
  }
  plain[length] = '\0';
  /* Only programs in C++ have it. */
  char *(*demangle)(const char *, char *, size_t *, int *) = NULL;
  *(void **)&demangle = strncmp(symbol.name, "_Z", 2) == 0 ? dlsym(RTLD_DEFAULT, "__cxa_demangle") : NULL;
  int failed = 0;
  char *readable = demangle ? demangle(symbol.name, NULL, NULL, &failed) : NULL;
  metrics_of(function, plain, readable && failed == 0 ? readable : symbol.name, symbol.object);
  free(readable);
  if (functions++ == 0) vigie_build_info("functions", VIGIE_VERSION);
  return function;
}

static inline uint32_t place_of(const void *address) {
  return (uint32_t)((uintptr_t)address * 0x9e3779b97f4a7c15u >> 40);
}

/* Two thirds are full: twice as many. */
static bool grow(struct thread *thread) {
  uint32_t count = 2 * thread->slot_count;
  struct slot *slots = memory(count * sizeof *slots);
  if (!slots) return false;
  for (uint32_t i = 0; i < thread->slot_count; i++) {
    const struct slot *slot = &thread->slots[i];
    if (!slot->own) continue;
    uint32_t at = place_of(slot->address) & (count - 1);
    while (slots[at].own) at = (at + 1) & (count - 1);
    slots[at] = *slot;
  }
  munmap(thread->slots, thread->slot_count * sizeof *thread->slots);
  thread->slots = slots;
  thread->slot_count = count;
  return true;
}

/* The thread's first call of a function. Null without memory. */
__attribute__((noinline, cold)) static struct own *meet(struct thread *thread, void *address) {
  if (thread->arena_used + sizeof(struct own) > ARENA_BYTES) {
    char *arena = memory(ARENA_BYTES);
    if (!arena) return NULL;
    *(char **)(void *)arena = thread->arena;
    thread->arena = arena;
    thread->arena_used = sizeof(struct own);
  }
  sigset_t before;
  int saved = errno;
  block(&before);
  if (thread->used >= thread->slot_count / 3 * 2 && !grow(thread)) {
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = saved;
    return NULL;
  }
  pthread_mutex_lock(&lock);
  struct function **place = &buckets[(uintptr_t)address * 0x9e3779b97f4a7c15u >> 52];
  const struct function *function = *place;
  while (function && function->address != address) function = function->next;
  if (!function) {
    function = make_function(address);
    if (function != &others) {
      struct function *made = (struct function *)(uintptr_t)function;
      made->next = *place;
      *place = made;
    }
  }
  pthread_mutex_unlock(&lock);
  struct own *own = (struct own *)(void *)(thread->arena + thread->arena_used);
  thread->arena_used += sizeof *own;
  own->address = address;
  own->function = function;
  uint32_t at = place_of(address) & (thread->slot_count - 1);
  while (thread->slots[at].own) at = (at + 1) & (thread->slot_count - 1);
  thread->slots[at] = (struct slot){address, own};
  thread->used++;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  errno = saved;
  return own;
}

/* Null when the thread has not met it. */
static inline struct own *find(const struct thread *thread, void *address) {
  uint32_t mask = thread->slot_count - 1;
  for (uint32_t at = place_of(address) & mask;; at = (at + 1) & mask) {
    const struct slot *slot = &thread->slots[at];
    if (__builtin_expect(slot->address == address, 1) || !slot->own) return slot->own;
  }
}

__attribute__((noinline, cold)) static void count_only(const struct thread *thread, void *address) {
  const struct own *own = find(thread, address);
  if (own) vigie_counter_add(own->function->hits, 1);
}

static inline bool on_stack(const struct thread *thread, uintptr_t stack) {
  return stack - thread->stack_low < thread->stack_high - thread->stack_low;
}

/* Whether a hook of this thread is interrupted by this one: by a signal, or by a function that it needs itself. One that
 * was left for good (a handler jumped out of it) is further down the stack. */
static inline bool is_busy(struct thread *thread, uintptr_t stack) {
  if (__builtin_expect(thread->busy == 0, 1)) return false;
  return !(on_stack(thread, stack) && on_stack(thread, thread->busy) && stack > thread->busy);
}

static inline void set_busy(struct thread *thread, uintptr_t stack) {
  __atomic_store_n(&thread->busy, stack, __ATOMIC_RELAXED);
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

static inline void set_free(struct thread *thread) {
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  __atomic_store_n(&thread->busy, 0, __ATOMIC_RELAXED);
}

VIGIE_API void __cyg_profile_func_enter(void *function, void *caller);
VIGIE_API void __cyg_profile_func_exit(void *function, void *caller);

void __cyg_profile_func_enter(void *function, void *caller) {
  (void)caller;
  uintptr_t stack = (uintptr_t)__builtin_frame_address(0);
  struct thread *thread = mine;
  if (__builtin_expect(thread == NULL, 0)) thread = begin_thread(stack);
  if (__builtin_expect(thread == NULL || thread == &ended, 0)) return;
  if (__builtin_expect(is_busy(thread, stack), 0)) return count_only(thread, function);
  set_busy(thread, stack);
  if (thread->depth > 0 && __builtin_expect(stack > thread->frames[thread->depth - 1].stack, 0)) {
    uint64_t now = clock_ticks();
    while (thread->depth > 0 && on_stack(thread, stack) && stack > thread->frames[thread->depth - 1].stack &&
           on_stack(thread, thread->frames[thread->depth - 1].stack)) {
      thread->deeper = 0;
      close_frame(thread, now);
    }
  }
  struct own *own = find(thread, function);
  if (__builtin_expect(own == NULL, 0)) own = meet(thread, function);
  if (__builtin_expect(own != NULL, 1)) vigie_counter_add(own->function->hits, 1);
  if (__builtin_expect(own == NULL || thread->depth == MAX_DEPTH, 0)) {
    thread->deeper++;
  } else {
    own->open++;
    struct frame *frame = &thread->frames[thread->depth++];
    frame->own = own;
    frame->inner = 0;
    frame->stack = stack;
    frame->start = clock_ticks();
  }
  set_free(thread);
}

void __cyg_profile_func_exit(void *function, void *caller) {
  (void)caller;
  struct thread *thread = mine;
  if (__builtin_expect(thread == NULL || thread == &ended, 0)) return;
  uint64_t now = clock_ticks();
  uintptr_t stack = (uintptr_t)__builtin_frame_address(0);
  if (__builtin_expect(is_busy(thread, stack), 0)) return;
  set_busy(thread, stack);
  if (__builtin_expect(thread->deeper > 0, 0)) {
    thread->deeper--;
  } else {
    uint32_t at = thread->depth;
    while (at > 0 && thread->frames[at - 1].own->address != function) at--;
    /* One that nobody saw begin ends nothing. */
    if (__builtin_expect(at > 0, 1))
      while (thread->depth >= at) close_frame(thread, now);
  }
  set_free(thread);
}

/* The thread that calls exit is still in main. libvigie's own end comes after this. */
__attribute__((destructor)) static void at_end(void) {
  struct thread *thread = mine;
  if (!thread || thread == &ended) return;
  mine = &ended;
  close_all(thread);
}
