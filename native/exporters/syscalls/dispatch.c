/*
 * Counts the system calls of a process from within, by Syscall User Dispatch (Linux 5.11, x86-64): the kernel turns every
 * call from outside of the gate (gate.S) into a SIGSYS on the thread that made it, whose handler makes the call through
 * the gate, counts it, and puts the result where the program expects it. The vdso's functions make no call and are left
 * alone. Functions of libc that are one call and are called often spare the signal (shortcuts.c).
 *
 * Some calls are about the very state that a handler changes: they are made after it has returned, on the program's own
 * stack and with its own registers, by code in the gate that the program then goes on with (fork, clone, sigaltstack,
 * rt_sigreturn). SIGSYS must never be blocked, or the kernel would kill the program: what the program wants of it is kept
 * here and shown to it.
 *
 * Nothing in the handler allocates, locks or calls libc: it runs wherever the program makes a call, within malloc, too.
 * Only at the end of a process or of its image libvigie is called.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "calls.h"
#include "dispatch.h"
#include "gate.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
#define SYS_USER_DISPATCH_CODE 2 /* si_code */
#define ARCH_X86_64 0xC000003Eu
#define SA_RESTORER_FLAG 0x04000000ul

/* As the kernel has it. */
struct action {
  uintptr_t handler;
  unsigned long flags;
  uintptr_t restorer;
  uint64_t mask;
};

struct clone_args {
  uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

static void describe(uint32_t cell, struct tally_counters *counters);
static struct tally tally = {
    .cells = MAX_CALLS, .describe = describe, .late = true, .exporter = "strace", .version = VIGIE_VERSION};
static bool moves[MAX_CALLS];
static pid_t process; /* whose memory this is: a child of vfork has another number */
struct memory_range dispatch_libc;
bool dispatch_threads;
static uint64_t next_look;

/* What the program wants of SIGSYS. */
static struct action programs_action;

static _Thread_local struct tally_cell *mine __attribute__((tls_model("initial-exec")));
static _Thread_local bool sigsys_blocked __attribute__((tls_model("initial-exec")));
static _Thread_local bool sigsys_pending __attribute__((tls_model("initial-exec")));
_Thread_local const char *vigie_gate_resume __attribute__((tls_model("initial-exec")));

static const uint64_t sigsys_bit = 1ull << (SIGSYS - 1);

static void describe(uint32_t cell, struct tally_counters *counters) { call_counters(X86_64, cell, counters); }

static long gate3(long number, long a, long b, long c) { return vigie_gate(number, a, b, c, 0, 0, 0); }
static long set_mask(int how, const uint64_t *set, uint64_t *old) {
  return vigie_gate(SYS_rt_sigprocmask, how, (long)set, (long)old, sizeof *set, 0, 0);
}

/* Children of a vfork, and of a clone without a thread's memory of its own, count into their parent's block. */
static void count(uint32_t number, uint64_t ticks, int64_t result) {
  if (!mine) mine = vigie_tally_block(&tally);
  struct tally_cell *cell = mine + (number < UNKNOWN_CALL ? number : UNKNOWN_CALL);
  __atomic_fetch_add(&cell->hits, 1, __ATOMIC_RELAXED);
  __atomic_fetch_add(&cell->ticks, ticks, __ATOMIC_RELAXED);
  if (result > 0 && number < MAX_CALLS && moves[number]) __atomic_fetch_add(&cell->bytes, (uint64_t)result, __ATOMIC_RELAXED);
}

/* A child of vfork leaves its parent's memory as it is. */
static bool memory_is_ours(void) { return process == gate3(SYS_getpid, 0, 0, 0); }

long dispatch_timed(const struct call *call) {
  uint64_t start = tally_ticks();
  long result = vigie_gate(call->number, call->a, call->b, call->c, call->d, call->e, call->f);
  int64_t ticks = (int64_t)(tally_ticks() - start);
  count((uint32_t)call->number, ticks > 0 ? (uint64_t)ticks : 0, result);
  return result;
}

/* Whether there are 8 bytes to read: what the program gives may be no address, and then it is told so by the kernel. That
 * looks at a mask before it finds that there is no such way to use it. */
static bool readable(const void *at) {
  return vigie_gate(SYS_rt_sigprocmask, 99, (long)at, 0, sizeof(uint64_t), 0, 0) == -EINVAL;
}

static bool all_readable(const void *from, size_t bytes) {
  return readable(from) && readable((const char *)from + bytes - sizeof(uint64_t));
}

/* The mask that the program has after the handler. */
static uint64_t *mask_of(ucontext_t *context) { return (uint64_t *)(void *)&context->uc_sigmask; }

static void raise_sigsys(void) { (void)gate3(SYS_tgkill, gate3(SYS_getpid, 0, 0, 0), gate3(SYS_gettid, 0, 0, 0), SIGSYS); }

static long change_mask(const struct call *call, ucontext_t *context) {
  const uint64_t *set = (const uint64_t *)call->b;
  /* Both may be the same. */
  uint64_t *old = (uint64_t *)call->c, allowed, now, wanted = 0;
  struct call passed = *call;
  bool was = sigsys_blocked;
  if (set && call->d == sizeof *set && readable(set)) {
    wanted = *set;
    allowed = wanted & ~sigsys_bit;
    passed.b = (long)&allowed;
  }
  long result = dispatch_timed(&passed);
  if (result != 0) return result;
  if (set) {
    bool named = wanted & sigsys_bit;
    if (call->a == SIG_BLOCK) sigsys_blocked = was || named;
    else if (call->a == SIG_UNBLOCK) sigsys_blocked = was && !named;
    else sigsys_blocked = named;
  }
  if (old && was) *old |= sigsys_bit;
  if (set_mask(SIG_BLOCK, NULL, &now) == 0) *mask_of(context) = now;
  if (!sigsys_blocked && sigsys_pending) {
    sigsys_pending = false;
    raise_sigsys();
  }
  return result;
}

static long change_action(const struct call *call) {
  const struct action *wanted = (const struct action *)call->b;
  struct action *old = (struct action *)call->c, passed, before;
  if (wanted && !all_readable(wanted, sizeof *wanted)) return dispatch_timed(call);
  if (call->a == SIGSYS && call->d == sizeof(uint64_t)) {
    before = programs_action;
    long result = old ? vigie_gate(SYS_rt_sigaction, SIGSYS, 0, (long)old, sizeof(uint64_t), 0, 0) : 0;
    if (result != 0) {
      count((uint32_t)call->number, 0, result);
      return result;
    }
    if (wanted) programs_action = *wanted;
    if (old) *old = before;
    count((uint32_t)call->number, 0, 0);
    return 0;
  }
  struct call allowed = *call;
  if (wanted && call->d == sizeof(uint64_t)) {
    passed = *wanted;
    passed.mask &= ~sigsys_bit;
    allowed.b = (long)&passed;
  }
  return dispatch_timed(&allowed);
}

/* Calls that wait with another mask. `place`: the argument that points to it. */
static long masked(struct call *call, long *place) {
  uint64_t allowed;
  if (*place && readable((const void *)*place)) {
    allowed = *(const uint64_t *)*place & ~sigsys_bit;
    *place = (long)&allowed;
  }
  return dispatch_timed(call);
}

/* The same, of those whose last argument points to the mask's address and size. */
static long masked_pair(struct call *call) {
  struct {
    const uint64_t *mask;
    size_t size;
  } pair;
  uint64_t allowed;
  if (call->f && all_readable((const void *)call->f, sizeof pair)) {
    memcpy(&pair, (const void *)call->f, sizeof pair);
    if (pair.mask && readable(pair.mask)) {
      allowed = *pair.mask & ~sigsys_bit;
      pair.mask = &allowed;
    }
    call->f = (long)&pair;
  }
  return dispatch_timed(call);
}

/* A call that is made after the handler has returned, by `code` of the gate, which then goes on where the program was. */
static void later(ucontext_t *context, const char *code) {
  greg_t *registers = context->uc_mcontext.gregs;
  greg_t *top = (greg_t *)(registers[REG_RSP] - GATE_ROOM);
  *top = registers[REG_RIP];
  registers[REG_RSP] = (greg_t)top;
  registers[REG_RIP] = (greg_t)code;
}

/* Of a stack that a child begins with. */
static uint64_t prepare_stack(uint64_t stack, greg_t resume) {
  greg_t *top = (greg_t *)(stack - GATE_ROOM);
  *top = resume;
  return (uint64_t)top;
}

/* Whoever gives a new thread memory of its own without libc has no place for what this file keeps of a thread. */
static bool foreign(const greg_t *registers, uint64_t flags) {
  uintptr_t at = (uintptr_t)registers[REG_RIP];
  return (flags & CLONE_SETTLS) && (!dispatch_in_libc(at));
}

static void on_parents_stack(ucontext_t *context) {
  greg_t *registers = context->uc_mcontext.gregs;
  vigie_gate_resume = (const char *)registers[REG_RIP];
  registers[REG_RSP] -= GATE_REDZONE;
  registers[REG_RIP] = (greg_t)vigie_gate_vfork;
}

static void fork_later(ucontext_t *context) {
  greg_t *registers = context->uc_mcontext.gregs;
  long number = registers[REG_RAX];
  uint64_t flags = 0, stack = 0;
  struct clone_args *args = NULL;
  count((uint32_t)number, 0, 0);
  if (number == SYS_clone) {
    flags = (uint64_t)registers[REG_RDI];
    stack = (uint64_t)registers[REG_RSI];
  } else if (number == SYS_clone3) {
    args = (struct clone_args *)registers[REG_RDI];
    flags = args->flags;
    stack = args->stack ? args->stack + args->stack_size : 0;
  }
  if (number == SYS_vfork || ((flags & CLONE_VM) && !stack)) return on_parents_stack(context);
  greg_t resume = registers[REG_RIP];
  if (flags & CLONE_THREAD) dispatch_threads = true;
  bool unknown = foreign(registers, flags);
  later(context, unknown ? vigie_gate_call : vigie_gate_fork);
  if (!stack) return;
  stack = prepare_stack(stack, resume);
  if (number == SYS_clone) {
    registers[REG_RSI] = (greg_t)stack;
  } else {
    /* The program's own is not changed: a copy, where no signal's frame comes. */
    size_t size = (size_t)registers[REG_RSI] < GATE_REDZONE ? (size_t)registers[REG_RSI] : GATE_REDZONE;
    unsigned char *copy = (unsigned char *)registers[REG_RSP] - GATE_REDZONE;
    memcpy(copy, args, size);
    ((struct clone_args *)(void *)copy)->stack_size = stack - args->stack;
    registers[REG_RSI] = (greg_t)size;
    registers[REG_RDI] = (greg_t)copy;
  }
}

static unsigned char stop_dispatch(void) {
  unsigned char before = vigie_thread.dispatch;
  vigie_thread.dispatch = 0;
  return before;
}

/* What the program has done with SIGSYS is what its next image finds. */
static void real_sigsys(bool programs) {
  if (programs_action.handler == (uintptr_t)SIG_IGN) {
    struct action action = {(uintptr_t)SIG_IGN, SA_RESTORER_FLAG, (uintptr_t)vigie_gate_restorer, 0};
    if (programs) (void)vigie_gate(SYS_rt_sigaction, SIGSYS, (long)&action, 0, 8, 0, 0);
  }
  if (sigsys_blocked) set_mask(programs ? SIG_BLOCK : SIG_UNBLOCK, &sigsys_bit, NULL);
}

static void take_sigsys(void);

static long execute(const struct call *call) {
  /* It is counted now: there may be no later. */
  count((uint32_t)call->number, 0, 0);
  if (memory_is_ours()) vigie_tally_collect();
  real_sigsys(true);
  long result = vigie_gate(call->number, call->a, call->b, call->c, call->d, call->e, call->f);
  real_sigsys(false);
  take_sigsys();
  return result;
}

static void leave(const struct call *call) {
  if (memory_is_ours()) {
    stop_dispatch();
    vigie_tally_end();
  }
  for (;;) (void)vigie_gate(call->number, call->a, 0, 0, 0, 0, 0);
}

static void leave_thread(const struct call *call) {
  struct tally_cell *block = mine;
  mine = NULL;
  vigie_tally_release(&tally, block);
  for (;;) (void)vigie_gate(call->number, call->a, 0, 0, 0, 0, 0);
}

/* Filters may forbid what this file does, and kill for it: from here on this thread, and those that it starts, go without. */
static void confine(ucontext_t *context, bool every_thread) {
  count((uint32_t)context->uc_mcontext.gregs[REG_RAX], 0, 0);
  vigie_confine(every_thread);
  vigie_thread.dispatch = 0;
  later(context, vigie_gate_call);
}

/* A child of a fork whose ancestor has ended. Not within malloc: calls that it makes are not among these. */
static void look_at_owner(long number) {
  uint64_t now = tally_ticks();
  if (now < next_look || !memory_is_ours()) return;
  switch (number) {
    case SYS_read: case SYS_write: case SYS_poll: case SYS_select: case SYS_pselect6: case SYS_ppoll: case SYS_epoll_wait:
    case SYS_nanosleep: case SYS_clock_nanosleep: case SYS_wait4: case SYS_accept: case SYS_recvfrom: case SYS_recvmsg:
      next_look = now + FOLLOW_EVERY;
      vigie_tally_follow(&tally);
  }
}

/* A SIGSYS that is the program's own. */
static void deliver(int number, siginfo_t *info, ucontext_t *context) {
  struct action action = programs_action;
  if (sigsys_blocked && info->si_code <= 0) {
    sigsys_pending = true;
    return;
  }
  if (action.handler == (uintptr_t)SIG_IGN && info->si_code <= 0) return;
  if (action.handler == (uintptr_t)SIG_DFL || action.handler == (uintptr_t)SIG_IGN) {
    struct action ending = {(uintptr_t)SIG_DFL, SA_RESTORER_FLAG, (uintptr_t)vigie_gate_restorer, 0};
    stop_dispatch();
    if (memory_is_ours()) vigie_tally_collect();
    (void)vigie_gate(SYS_rt_sigaction, number, (long)&ending, 0, 8, 0, 0);
    raise_sigsys();
    return;
  }
  if (action.flags & SA_RESETHAND) programs_action.handler = (uintptr_t)SIG_DFL;
  uint64_t mask = action.mask & ~sigsys_bit;
  bool before = sigsys_blocked;
  (void)set_mask(SIG_BLOCK, &mask, NULL);
  sigsys_blocked = !(action.flags & SA_NODEFER);
  ((void (*)(int, siginfo_t *, void *))action.handler)(number, info, context);
  sigsys_blocked = before;
}

/* Namespaces are only for a process of one thread. */
static long alone(const struct call *call) {
  bool stopped = memory_is_ours() && vigie_sender_stop();
  long result = dispatch_timed(call);
  vigie_sender_go_on(stopped);
  return result;
}

static void on_sigsys(int number, siginfo_t *info, void *given) {
  ucontext_t *context = given;
  greg_t *registers = context->uc_mcontext.gregs;
  if (info->si_code != SYS_USER_DISPATCH_CODE) return deliver(number, info, context);
  struct call call = {registers[REG_RAX], registers[REG_RDI], registers[REG_RSI], registers[REG_RDX],
                      registers[REG_R10], registers[REG_R8],  registers[REG_R9]};
  if (info->si_arch != ARCH_X86_64) {
    count(UNKNOWN_CALL, 0, 0);
    return later(context, vigie_gate_call_32);
  }
  if (__builtin_expect(tally.follower, 0)) look_at_owner(call.number);
  long result;
  switch (call.number) {
    case SYS_rt_sigreturn:
      count(SYS_rt_sigreturn, 0, 0);
      registers[REG_RIP] = (greg_t)vigie_gate_leave;
      return;
    case SYS_sigaltstack: count(SYS_sigaltstack, 0, 0); return later(context, vigie_gate_call);
    case SYS_clone3:
      if (call.b >= 64 && all_readable((const void *)call.a, call.b < GATE_REDZONE ? (size_t)call.b : GATE_REDZONE))
        return fork_later(context);
      result = dispatch_timed(&call);
      break;
    case SYS_fork: case SYS_vfork: case SYS_clone: return fork_later(context);
    case SYS_kill: case SYS_tgkill:
      if (memory_is_ours()) vigie_tally_before_signal((pid_t)call.a, (int)(call.number == SYS_kill ? call.b : call.c));
      result = dispatch_timed(&call);
      break;
    case SYS_exit: leave_thread(&call); return;
    case SYS_exit_group: leave(&call); return;
    case SYS_seccomp:
      /* 0 and 1 set a mode; the others ask. */
      if (call.a <= 1) return confine(context, call.a == 1 && (call.b & 1) /* TSYNC */);
      result = dispatch_timed(&call);
      break;
    case SYS_prctl:
      if (call.a == PR_SET_SECCOMP) return confine(context, false);
      /* There is one dispatch per thread. */
      result = call.a == PR_SET_SYSCALL_USER_DISPATCH ? -EINVAL : dispatch_timed(&call);
      break;
    case SYS_setns: result = alone(&call); break;
    case SYS_unshare:
      result = call.a & (CLONE_NEWUSER | CLONE_VM | CLONE_SIGHAND | CLONE_THREAD) ? alone(&call) : dispatch_timed(&call);
      break;
    case SYS_execve: case SYS_execveat: result = execute(&call); break;
    case SYS_rt_sigprocmask: result = change_mask(&call, context); break;
    case SYS_rt_sigaction: result = change_action(&call); break;
    case SYS_rt_sigsuspend: result = masked(&call, &call.a); break;
    case SYS_ppoll: result = masked(&call, &call.d); break;
    case SYS_epoll_pwait: case 441: result = masked(&call, &call.e); break;
    case SYS_pselect6: case 333: result = masked_pair(&call); break;
    default: result = dispatch_timed(&call); break;
  }
  registers[REG_RAX] = result;
}

static void take_sigsys(void) {
  struct action action = {(uintptr_t)on_sigsys, SA_SIGINFO | SA_NODEFER | SA_RESTORER_FLAG | SA_RESTART,
                          (uintptr_t)vigie_gate_restorer, 0};
  (void)vigie_gate(SYS_rt_sigaction, SIGSYS, (long)&action, 0, 8, 0, 0);
}

static bool dispatch(void) {
  return vigie_gate(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, 1, (long)vigie_gate_begin, vigie_gate_end - vigie_gate_begin,
                    (long)&vigie_thread.dispatch, 0) == 0;
}

/* Whether a Go runtime is in the process: its calls come from stacks of a few kilobytes, which a signal's frame would
 * overflow. */
static int look_for_go(struct dl_phdr_info *info, size_t size, void *go) {
  (void)size;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &info->dlpi_phdr[i];
    if (part->p_type != PT_NOTE || part->p_memsz < 16) continue;
    const ElfW(Nhdr) *note = (const ElfW(Nhdr) *)(info->dlpi_addr + part->p_vaddr);
    if (note->n_namesz == 4 && memcmp(note + 1, "Go", 3) == 0) *(bool *)go = true;
  }
  return 0;
}

static void in_child(void) {
  unsigned char before = stop_dispatch();
  process = (pid_t)gate3(SYS_getpid, 0, 0, 0);
  next_look = 0;
  mine = NULL;
  vigie_thread.dispatch = before;
}

__attribute__((constructor)) static void start(void) {
  bool go = false;
  uint64_t blocked;
  dispatch_libc = find_libc();
  dl_iterate_phdr(look_for_go, &go);
  if (go || !dispatch_libc.bytes || !vigie_tally_open(&tally)) return;
  process = getpid();
  for (uint32_t i = 0; i < MAX_CALLS; i++) moves[i] = call_moves(X86_64, i);
  pthread_atfork(NULL, NULL, in_child);
  (void)vigie_gate(SYS_rt_sigaction, SIGSYS, 0, (long)&programs_action, 8, 0, 0);
  take_sigsys();
  if (set_mask(SIG_UNBLOCK, &sigsys_bit, &blocked) == 0) sigsys_blocked = blocked & sigsys_bit;
  vigie_thread.dispatch = 1;
  if (!dispatch()) {
    vigie_thread.dispatch = 0;
    tally.late = false;
  }
}
