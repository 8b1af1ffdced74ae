/*
 * The only code whose system calls the kernel does not dispatch (gate.S). Whatever is not called by name is jumped to: a
 * handler of SIGSYS sets it as where the program goes on.
 */
#ifndef VIGIE_SYSCALLS_GATE_H
#define VIGIE_SYSCALLS_GATE_H

extern const char vigie_gate_begin[] __attribute__((visibility("hidden")));
extern const char vigie_gate_end[] __attribute__((visibility("hidden")));

/* Makes a system call; gives what the kernel gave. */
long vigie_gate(long number, long a, long b, long c, long d, long e, long f) __attribute__((visibility("hidden")));

/* Ends a handler of a signal. */
extern const char vigie_gate_restorer[] __attribute__((visibility("hidden")));
/* A call on the program's own stack, with its registers as they are; then on to the address on the stack's top, which is
 * GATE_ROOM bytes below where the program's stack ends. */
extern const char vigie_gate_call[] __attribute__((visibility("hidden")));
/* The same by int $0x80. */
extern const char vigie_gate_call_32[] __attribute__((visibility("hidden")));
/* A call that does not come back: rt_sigreturn. */
extern const char vigie_gate_leave[] __attribute__((visibility("hidden")));
/* As vigie_gate_call, for fork and clone: the child has its calls dispatched, too. */
extern const char vigie_gate_fork[] __attribute__((visibility("hidden")));
/* The same for children that run on their parent's stack: the address is in vigie_gate_resume, since they overwrite what
 * is below the stack's end. */
extern const char vigie_gate_vfork[] __attribute__((visibility("hidden")));
extern _Thread_local const char *vigie_gate_resume __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* Below the end of the stack the program may have 128 bytes (System V ABI). */
enum { GATE_REDZONE = 128, GATE_ROOM = GATE_REDZONE + 8 };

#endif
