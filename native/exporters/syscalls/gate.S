/* What each part is for: gate.h. The kernel compares the address behind `syscall` with the range from begin to end. */
#define PRCTL 157
#define SET_DISPATCH 59

	.section .text.vigie_gate, "ax", @progbits
	.balign 64
	.globl vigie_gate_begin, vigie_gate_end, vigie_gate, vigie_gate_restorer, vigie_gate_call, vigie_gate_call_32
	.globl vigie_gate_leave, vigie_gate_fork, vigie_gate_vfork
	.hidden vigie_gate_begin, vigie_gate_end, vigie_gate, vigie_gate_restorer, vigie_gate_call, vigie_gate_call_32
	.hidden vigie_gate_leave, vigie_gate_fork, vigie_gate_vfork

vigie_gate_begin:
	nop

	.type vigie_gate, @function
vigie_gate:
	.cfi_startproc
	mov %rdi, %rax
	mov %rsi, %rdi
	mov %rdx, %rsi
	mov %rcx, %rdx
	mov %r8, %r10
	mov %r9, %r8
	mov 8(%rsp), %r9
	syscall
	ret
	.cfi_endproc
	.size vigie_gate, . - vigie_gate

	/* Without unwind information: unwinders know a signal's frame by exactly these instructions. */
	.balign 16
	nop
vigie_gate_restorer:
	mov $15, %rax
	syscall
	ud2

	.balign 16
vigie_gate_call:
	syscall
	ret $128

	.balign 16
vigie_gate_call_32:
	int $0x80
	ret $128

	.balign 16
vigie_gate_leave:
	syscall
	ud2

	.balign 16
vigie_gate_fork:
	syscall
	test %rax, %rax
	jz 1f
	ret $128
1:	call arm
	ret $128

	.balign 16
vigie_gate_vfork:
	syscall
	test %rax, %rax
	jnz 2f
	call arm
2:	lea 128(%rsp), %rsp
	/* It holds the address behind the call after any call, too. */
	mov vigie_gate_resume@gottpoff(%rip), %rcx
	mov %fs:(%rcx), %rcx
	jmp *%rcx

	/* A new task has no dispatch. All registers but %rcx and %r11 are the program's. */
	.balign 16
arm:
	push %rdi
	push %rsi
	push %rdx
	push %r10
	push %r8
	mov vigie_thread@gottpoff(%rip), %r8
	movb $1, %fs:(%r8)
	add %fs:0, %r8
	mov $PRCTL, %eax
	mov $SET_DISPATCH, %edi
	mov $1, %esi
	lea vigie_gate_begin(%rip), %rdx
	mov $(vigie_gate_end - vigie_gate_begin), %r10d
	syscall
	pop %r8
	pop %r10
	pop %rdx
	pop %rsi
	pop %rdi
	xor %eax, %eax
	ret

	nop
vigie_gate_end:
	nop

	.section .note.GNU-stack, "", @progbits
