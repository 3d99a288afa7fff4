/* All registers that a call does not use, full of something, or as they are found. */
#include <string.h>

#define SECRET "0x5ec2e75ec2e75ec2"

struct registers {
	unsigned long general[14]; /* all but rsp and rax */
	unsigned long state[64]; /* as FXSAVE has it: x87 from 4, vectors from 20 */
} __attribute__((aligned(16)));

#define EACH_GENERAL(DO) \
	DO(rbx, 0) DO(rcx, 8) DO(rdx, 16) DO(rsi, 24) DO(rdi, 32) DO(rbp, 40) DO(r8, 48) DO(r9, 56) \
	DO(r10, 64) DO(r11, 72) DO(r12, 80) DO(r13, 88) DO(r14, 96) DO(r15, 104)
#define STORE(register, place) "mov %" #register ", found+" #place "(%rip)\n"
#define FIND EACH_GENERAL(STORE) "fxsave64 found+112(%rip)\n emms\n"

#define VECTOR(number) "movq %rax, %xmm" #number "\n punpcklqdq %xmm" #number ", %xmm" #number "\n"
#define MMX(number) "movq %rax, %mm" #number "\n"
/* What a function may lose. */
#define FILL "movabs $" SECRET ", %rax\n mov %rax, %rcx\n mov %rax, %rdx\n mov %rax, %rsi\n mov %rax, %rdi\n" \
	"mov %rax, %r8\n mov %rax, %r9\n mov %rax, %r10\n mov %rax, %r11\n" \
	VECTOR(0) VECTOR(1) VECTOR(2) VECTOR(3) VECTOR(4) VECTOR(5) VECTOR(6) VECTOR(7) \
	VECTOR(8) VECTOR(9) VECTOR(10) VECTOR(11) VECTOR(12) VECTOR(13) VECTOR(14) VECTOR(15) \
	MMX(0) MMX(1) MMX(2) MMX(3) MMX(4) MMX(5) MMX(6) MMX(7)

/* Sorts of registers in which the secret is: 1 general, 2 x87, 4 vectors. */
static int secrets(const struct registers *found)
{
	int sorts = 0;
	for (int i = 0; i < 14; i++)
		if (found->general[i] == 0x5ec2e75ec2e75ec2)
			sorts |= 1;
	for (int i = 4; i < 52; i++)
		if (found->state[i] == 0x5ec2e75ec2e75ec2)
			sorts |= i < 20 ? 2 : 4;
	return sorts;
}
