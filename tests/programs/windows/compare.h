/* Fills all registers, reads a byte that is another cubicle's at the moment, and
 * counts what differs afterwards: general registers, flags, red zone, vectors and
 * masks, x87, MXCSR. */
#include <stdint.h>
#include <string.h>

struct registers {
	uint64_t general[16]; /* rax rbx rcx rdx rsi rdi rbp rsp r8 to r15 */
	uint64_t flags;
	uint64_t red_zone[16];
};

/* As XSAVE lays them out, for everything but PKRU. */
struct extended {
	unsigned char bytes[16384] __attribute__((aligned(64)));
};

static struct registers compared_before, compared_after;
static struct extended extended_before, extended_after;
static uint64_t compared_stack __attribute__((used));

__asm__(".text\n"
	".p2align 4\n"
	/* rdi: the byte; rsi: struct registers; rdx: what to save of the extended ones. */
	"compare_touch:\n"
	"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"	mov %rsp, compared_stack(%rip)\n"
	"	mov %rsi, %r15\n"
	"	mov %rdi, %rsi\n"
	/* x87: three values, another precision and rounding. */
	"	fninit; fldpi; fldl2e; fld1\n"
	"	movl $0x0a7f, -8(%rsp); fldcw -8(%rsp)\n"
	"	movl $0x7f80, -8(%rsp); ldmxcsr -8(%rsp)\n"
	/* Vectors: bytes of this very text. */
	"	lea compare_touch(%rip), %rax\n"
	"	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	movups \\n*5(%rax), %xmm\\n\n"
	"	.endr\n"
	"	testl $4, %edx\n"
	"	jz 1f\n"
	"	.irp n,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	vmovups \\n*7(%rax), %ymm\\n\n"
	"	.endr\n"
	"1:	testl $0x20, %edx\n"
	"	jz 1f\n"
	"	.irp n,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
	"	vmovups \\n*3(%rax), %zmm\\n\n"
	"	.endr\n"
	"	mov $0x5a5a, %ecx; kmovw %ecx, %k1; kmovw %ecx, %k7\n"
	"1:	mov %edx, %eax; xor %edx, %edx\n"
	"	xsave64 extended_before(%rip)\n"
	"	mov %eax, %ebp\n"
	/* Red zone. */
	"	.irp n,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16\n"
	"	movq $0x1000+\\n, -8*\\n(%rsp)\n"
	"	.endr\n"
	"	mov $0x11111111, %ebx; mov $0x22222222, %ecx; mov $0x33333333, %edx\n"
	"	mov $0x44444444, %edi; mov $0x88888888, %r8d; mov $0x99999999, %r9d\n"
	"	movabs $0xaaaaaaaaaaaaaaaa, %r10; movabs $0xbbbbbbbbbbbbbbbb, %r11\n"
	"	mov $0xcccccccc, %r12d; mov $0xdddddddd, %r13d; mov $0xeeeeeeee, %r14d\n"
	/* CF, OF, SF, PF set; ZF clear; DF set. */
	"	mov $0x7f, %al; add $1, %al; std; stc\n"
	"	mov $0, %eax\n"
	"	movb (%rsi), %al\n"
	"	mov %rax, (%r15); mov %rbx, 8(%r15); mov %rcx, 16(%r15); mov %rdx, 24(%r15)\n"
	"	mov %rsi, 32(%r15); mov %rdi, 40(%r15); mov %rbp, 48(%r15); mov %rsp, 56(%r15)\n"
	"	mov %r8, 64(%r15); mov %r9, 72(%r15); mov %r10, 80(%r15); mov %r11, 88(%r15)\n"
	"	mov %r12, 96(%r15); mov %r13, 104(%r15); mov %r14, 112(%r15); mov %r15, 120(%r15)\n"
	"	.irp n,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16\n"
	"	mov -8*\\n(%rsp), %rax\n"
	"	mov %rax, 136-8+8*\\n(%r15)\n"
	"	.endr\n"
	"	lea -256(%rsp), %rsp; pushfq; pop %rax; lea 256(%rsp), %rsp\n"
	"	mov %rax, 128(%r15)\n"
	"	cld\n"
	"	mov %ebp, %eax; xor %edx, %edx\n"
	"	xsave64 extended_after(%rip)\n"
	"	fninit\n"
	"	movl $0x1f80, -8(%rsp); ldmxcsr -8(%rsp)\n"
	"	mov compared_stack(%rip), %rsp\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"	ret\n");

void compare_touch(const char *at, struct registers *found, uint64_t components);

/* What XCR0 has, without PKRU (bit 9). */
static uint64_t compared_components(void)
{
	uint32_t low, high;
	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low & ~(1u << 9);
}

/* How many registers and bytes differ between a touch that faults, which the first
 * one does, and one that does not. */
static int compare_registers_at(const char *at)
{
	static struct extended first_before, first_after;
	int differences = 0;
	uint64_t components = compared_components();
	memset(&extended_before, 0, sizeof extended_before);
	memset(&extended_after, 0, sizeof extended_after);
	compare_touch(at, &compared_after, components);
	first_before = extended_before;
	first_after = extended_after;
	memset(&extended_before, 0, sizeof extended_before);
	memset(&extended_after, 0, sizeof extended_after);
	compare_touch(at, &compared_before, components);
	for (int i = 0; i < 16; i++) {
		differences += compared_before.general[i] != compared_after.general[i] && i != 15;
		differences += compared_after.red_zone[i] != 0x1001u + i;
	}
	differences += compared_after.general[1] != 0x11111111 || compared_after.general[10] != 0xaaaaaaaaaaaaaaaa;
	differences += compared_after.general[7] != compared_stack;
	/* Both times the same, and as they were set. */
	differences += (compared_before.flags ^ compared_after.flags) != 0;
	differences += (compared_after.flags & 0xcd5) != 0xc91;
	/* x87: control, status, tags; MXCSR; then registers and everything behind. */
	differences += memcmp(first_before.bytes, first_after.bytes, 5) != 0;
	differences += memcmp(first_before.bytes + 24, first_after.bytes + 24, 4) != 0;
	differences += memcmp(first_before.bytes + 32, first_after.bytes + 32, 416 - 32) != 0;
	differences += memcmp(first_before.bytes + 576, first_after.bytes + 576, sizeof first_before - 576) != 0;
	/* And they were not simply all zero. */
	differences += first_after.bytes[0] != 0x7f || first_after.bytes[1] != 0x0a || first_after.bytes[4] == 0;
	differences += first_after.bytes[160] == 0 || memcmp(first_after.bytes + 160, first_after.bytes + 176, 16) == 0;
	return differences;
}
